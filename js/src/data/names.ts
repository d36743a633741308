// What tokens and columns of a grid are called, for eyes.

import type { Grid } from "./grid.js";
import { visible } from "./marks.js";

const BYTES = /^(<0x[0-9A-F]{2}>)+$/;

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
