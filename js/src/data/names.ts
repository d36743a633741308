// What tokens and columns of a grid are called, for eyes.

import type { Grid } from "./grid.js";
import { BYTES, visible } from "./marks.js";

/** A token's whole text, made visible. */
export function nameOf(grid: Grid, token: number): string {
  return visible(grid.tokens.texts[token] ?? "");
}

/** What a column is: its token, or its label where it is none. */
export function columnName(grid: Grid, column: number): string {
  return grid.columnLabels?.[column] ?? nameOf(grid, grid.columns[column]!);
}

/** Where a column is, before its name. */
export function columnPlace({ columnLabels, positions }: Grid, column: number): string {
  return columnLabels ? "" : `position ${positions[column]}`;
}

/** Whether a token is no text of its own: a special token, or bytes of a letter that other tokens complete. */
export function isMuted(grid: Grid, token: number): boolean {
  return grid.tokens.special.has(token) || BYTES.test(grid.tokens.texts[token] ?? "");
}

/** Whether a column begins within a character, whose first bytes the column before it has. */
export function isContinued({ tokens: { texts }, columns, positions }: Grid, column: number): boolean {
  const [before, here] = [column - 1, column].map((at) => texts[columns[at] ?? -1] ?? "");
  return /^<0x[89AB]/.test(here!) && /<0x[89A-F].>$/.test(before!) && positions[column] === positions[column - 1]! + 1;
}
