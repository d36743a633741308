// Two rows of a grid, told apart: what each position's candidates were, and what became of them.

import { candidatesAt, type Grid } from "./grid.js";

export interface Moved {
  token: number;
  /** Places among the candidates, 1 first, or null beyond them. */
  before: number | null;
  after: number | null;
}

export interface Change {
  column: number;
  entered: Moved[];
  left: Moved[];
  rose: Moved[];
  fell: Moved[];
}

/** What changed from one row to another, for every position. */
export function changes(grid: Grid, before: number, after: number): Change[] {
  return Array.from(grid.columns.keys())
    .filter((column) => !grid.gaps.has(column))
    .map((column) => {
      const [old, now] = [before, after].map((row) => candidatesAt(grid, { row, column }).map(({ token }) => token));
      const moved = [...new Set([...now!, ...old!])].map((token) => ({
        token,
        before: old!.indexOf(token) + 1 || null,
        after: now!.indexOf(token) + 1 || null,
      }));
      return {
        column,
        entered: moved.filter((one) => one.before === null),
        left: moved.filter((one) => one.after === null),
        rose: moved.filter((one) => one.before && one.after && one.after < one.before),
        fell: moved.filter((one) => one.before && one.after && one.after > one.before),
      };
    });
}
