// A grid of which some is to be guessed: the cells in question hold nothing at all, so that map, chart, card, story, what is
// read aloud and every file say as little.

import { type Grid, NO_TOKEN } from "../data/grid.js";
import type { Shown } from "../data/wire.js";

/** Some rows of one column. */
export interface Cover {
  column: number;
  first: number;
  last: number;
}

/** Grids without what would give an answer away: where each is decided, who made which step, what a sweep is told to have found. */
export function quiet(shown: Shown): Shown {
  const grids = shown.grids.map((grid) => {
    const sweep = grid.sweep && { ...grid.sweep, story: [] };
    return { ...grid, decision: null, jumps: null, sweep };
  });
  return { ...shown, grids };
}

/** The first of some grids with rows of a column covered. */
export function covered(shown: Shown, { column, first, last }: Cover): Shown {
  const { grids, ...rest } = quiet(shown);
  const [grid, ...others] = grids as [Grid];
  const columns = grid.columns.length;
  const cells = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * columns + column);
  const hidden = new Set(cells);
  const { candidates } = grid;
  const emptied: Grid = {
    ...grid,
    covered: hidden,
    quantities: grid.quantities.map((quantity) => {
      const values = quantity.values.slice();
      for (const cell of cells) values[cell] = Number.NaN;
      return { ...quantity, values };
    }),
    candidates: candidates && {
      count: candidates.count,
      token: (cell, place) => (hidden.has(cell) ? NO_TOKEN : candidates.token(cell, place)),
      probability: (cell, place) => (hidden.has(cell) ? Number.NaN : candidates.probability(cell, place)),
    },
  };
  return { ...rest, grids: [emptied, ...others] };
}
