// Sentences that Python and the browser say alike, written once, in lenswidget/grids/words.json, with their gaps filled.

import type { Piece } from "../data/grid.js";

/** A sentence in pieces, what fills its gaps among them. */
export function told(sentence: string, parts: Record<string, Piece | number>): Piece[] {
  const pieces: Piece[] = [];
  for (const [i, words] of sentence.split(/\{(\w+)\}/).entries()) {
    const piece = i % 2 ? parts[words]! : words;
    if (typeof piece === "object") pieces.push(piece);
    else if (typeof pieces.at(-1) === "string") pieces.push(`${pieces.pop()}${piece}`);
    else if (piece !== "") pieces.push(`${piece}`);
  }
  return pieces;
}

/** A sentence without tokens in it, as one text. */
export function said(sentence: string, parts: Record<string, string>): string {
  return told(sentence, parts).join("");
}
