// What drawings are written with: SVG, whose words stay text.

import { escaped } from "../text/escape.js";

export const FONT = 11.5;

export interface Drawing {
  svg: string;
  width: number;
  height: number;
}

export function rect(x: number, y: number, width: number, height: number, fill: string, more = ""): string {
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${fill}" ${more}/>`;
}

export function text(x: number, y: number, words: string, fill: string, anchor = "start", more = ""): string {
  return `<text x="${x}" y="${y}" fill="${fill}" text-anchor="${anchor}" ${more}>${plain(words)}</text>`;
}

/** A drawing begins. */
export function opening(width: number, height: number): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, 'DejaVu Sans', sans-serif" font-size="${FONT}">`;
}

/** A text that stays one. */
export function plain(words: string): string {
  return escaped(words.replace(NO_XML, "\ufffd"));
}

/** The characters that XML can't hold, escaped or not. */
const NO_XML = /\p{Cs}|[^\t\n\r\P{Cc}]|[\ufffe\uffff]/gu;
