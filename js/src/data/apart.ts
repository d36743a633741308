// A difference in words: where another token leads on the other side, and how much that says.

import { type Grid, NO_TOKEN, type Sides, valuesOf } from "./grid.js";

export interface Told {
  sides: Sides;
  /** The columns in which anything differs. */
  columns: number[];
  /** How much the difference in a cell says, 0 to 1: total variation × belief; null where the same token leads. */
  weightOf: (row: number, column: number) => number | null;
  /** The rows that say something, and the ones beneath them: so many leaders differ there, the farthest so far apart. */
  from: number;
  beneath: { differ: number; of: number; farthest: number };
}

/** Of less than this nothing is told unless it is asked for. */
const WORTH = 0.25;
const FEW = 4;

/** What can be said of a difference, or null for one without words. */
export function toldOf(grid: Grid): Told | null {
  const { sides, rows, columns } = grid;
  const [apart, belief] = ["total variation", "belief"].map((name) => valuesOf(grid, name));
  if (!sides || !apart) return null;
  const equal = new Set(sides.equal);
  const differing = [...columns.keys()].filter((column) => !equal.has(column) && !grid.gaps.has(column));
  const weightOf = (row: number, column: number) => {
    const cell = row * columns.length + column;
    const [ours, theirs] = [sides.token(cell, 0), sides.token(cell, 1)];
    if (ours === theirs || ours === NO_TOKEN || theirs === NO_TOKEN) return null;
    const believed = belief?.[cell];
    return apart[cell]! * (Number.isFinite(believed) ? believed! : 1) || 0;
  };
  const weights = rows.map((_, row) => differing.map((column) => weightOf(row, column)).filter((one) => one !== null));
  const first = weights.findIndex((of) => of.some((weight) => weight >= WORTH));
  const from = first - 1 < FEW ? 0 : first - 1;
  const left = weights.slice(0, from).flat();
  return {
    ...{ sides, columns: differing, weightOf, from },
    beneath: { differ: left.length, of: from * differing.length, farthest: Math.max(0, ...left) },
  };
}

/** The token that a side says in the end. */
export function saidBy({ sides, rows, columns }: Grid, side: number, column: number): number {
  return sides!.token((rows.length - 1) * columns.length + column, side);
}
