// Groups of columns: how a quantity fares in each, row by row. Twin of lenswidget/grids/groups.py.

import { type Grid, type Quantity, totalOf } from "./grid.js";

export interface Group {
  name: string;
  /** How many columns are of it. */
  count: number;
  /** By row, over the columns where it is known; NaN where it isn't in any. */
  mean: number[];
  /** The standard deviation of the same. */
  spread: number[];
}

/** In the order in which they are met; none where columns have no groups. */
export function groupsOf({ rows, columns, below }: Grid, { values }: Pick<Quantity, "values">): Group[] {
  const groups = below?.groups ?? [];
  return [...new Set(groups)].map((name) => {
    const members = [...groups.keys()].filter((column) => groups[column] === name);
    const known = rows.map((_, row) =>
      members.map((column) => values[row * columns.length + column]!).filter(Number.isFinite),
    );
    const mean = known.map(meanOf);
    const spread = known.map((some, row) => Math.sqrt(meanOf(some.map((one) => (one - mean[row]!) ** 2))));
    return { name, count: members.length, mean, spread };
  });
}

function meanOf(some: number[]): number {
  return totalOf(some) / some.length;
}
