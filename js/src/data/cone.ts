// The cone of an edit: what it can reach. Row r at position p, and every row above r at columns from p on.

import type { Cell, Grid } from "./grid.js";

/** What an edited grid is colored by; explain.py calls it MOVED. */
export const MOVED = "change of the state";
/** What bars were without the edits that they are under; attribute.py calls it BEFORE. */
export const BEFORE = "contribution before";

/** An edit of a run, as Python has it: where, and what is put there: `[grid, position]`, or `[]` to take it out. */
export interface Edit {
  grid: number;
  site: string;
  position: number;
  to: number[];
  on: boolean;
}

/** Whether a grid is the one that was read under a reader's edits. */
export function isEdited({ quantities }: Grid): boolean {
  return quantities.some(({ name }) => name === MOVED || name === BEFORE);
}

/** Whether an edit of a cell can reach another. */
export function reaches(edited: Cell, { row, column }: Cell): boolean {
  const { row: from, column: at } = edited;
  return row === from ? column === at : row > from && column >= at;
}

/** The cell that an edit is made in, or that of the row that its part writes; null where it is none of this grid. */
export function cellOf({ rows, positions }: Grid, { site, position }: Edit): Cell | null {
  const row = rows.indexOf(/^embed|^L\d+/.exec(site)?.[0] ?? "");
  const column = positions.indexOf(position);
  return row < 0 || column < 0 ? null : { row, column };
}
