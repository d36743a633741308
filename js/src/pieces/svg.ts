// What drawings are written with: SVG, whose words stay text.

import { escaped } from "../text/escape.js";

export const FONT = 11.5;

export interface Drawing {
  svg: string;
  width: number;
  height: number;
}

/** As much of a text as has room in so many pixels. */
export type Shorten = (text: string, width: number) => string;

export function rect(x: number, y: number, width: number, height: number, fill: string): string {
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${fill}"/>`;
}

export function text(x: number, y: number, words: string, fill: string, anchor = "start", more = ""): string {
  return `<text x="${x}" y="${y}" fill="${fill}" text-anchor="${anchor}" ${more}>${escaped(words.replace(NO_XML, "\ufffd"))}</text>`;
}

/** The characters that XML can't hold, escaped or not. */
export const NO_XML = /\p{Cs}|[^\t\n\r\P{Cc}]|[\ufffe\uffff]/gu;
