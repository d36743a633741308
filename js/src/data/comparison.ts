// Several grids, and how their cells answer to each other. They meet in slots: a slot is a row, or a column, that each
// grid has at an index of its own, or doesn't have. The first grid's slots are what selections are counted in.

import { type Grid, NO_TOKEN } from "./grid.js";

export interface Comparison {
  names: string[];
  /** The same as Python has them, for files. */
  exactNames: string[];
  /** `rows[slot * grids + grid]` is the grid's row in a slot, -1 if it has none; `columns` likewise. */
  rows: Int32Array;
  columns: Int32Array;
  /** Each grid after the first, less the first, on the slots; null where they have no quantity in common. */
  differences: (Grid | null)[];
  /** A row a grid. */
  overview: Grid | null;
  mean: Grid | null;
  notes: string[];
}

/** One grid's indices by slot, and its slots by index; -1 where there is none. */
export interface Slots {
  indexAt: Int32Array;
  slotOf: Int32Array;
}

/** Where the grid `which` of `grids` lies in an axis of slots. */
export function slotsOf(axis: Int32Array, grids: number, which: number): Slots {
  const indexAt = axis.filter((_, i) => i % grids === which);
  const slotOf = new Int32Array(indexAt.reduce((most, index) => Math.max(most, index + 1), 0)).fill(-1);
  // from behind, so that of several slots an index is known by its first
  for (let slot = indexAt.length - 1; slot >= 0; slot--) if (indexAt[slot]! >= 0) slotOf[indexAt[slot]!] = slot;
  return { indexAt, slotOf };
}

/** The slots whose columns one of two grids doesn't have. */
export function gapsBetween({ columns, names }: Comparison, one: number, other: number): Set<number> {
  const gaps = new Set<number>();
  for (let slot = 0; slot < columns.length / names.length; slot++) {
    const at = slot * names.length;
    if (columns[at + one]! < 0 || columns[at + other]! < 0) gaps.add(slot);
  }
  return gaps;
}

/** A grid with its columns in their slots, free columns where it has none. Slots keep the columns' order. */
export function spread(grid: Grid, { indexAt, slotOf }: Slots): Grid {
  if (indexAt.length === grid.columns.length && indexAt.every((index, slot) => index === slot)) return grid;
  const [from, to] = [grid.columns.length, indexAt.length];
  const columnsOf = (values: Int32Array, none: number) => indexAt.map((index) => (index < 0 ? none : values[index]!));
  const cellAt = (cell: number) => {
    const index = indexAt[cell % to]!;
    return index < 0 ? -1 : Math.floor(cell / to) * from + index;
  };
  const isGap = (cell: number) => cellAt(cell) < 0;
  const cells = (values: Float32Array) =>
    new Float32Array(grid.rows.length * to).map((_, cell) => values[cellAt(cell)] ?? Number.NaN);
  const moved = (columns: Set<number>) => new Set([...columns].map((column) => slotOf[column]!));
  const { candidates, trajectories, jumps } = grid;
  const labels = (known: string[] | null) => known && Array.from(indexAt, (index) => known[index] ?? "");
  return {
    ...grid,
    exact: { ...grid.exact, columnLabels: labels(grid.exact.columnLabels) },
    columns: columnsOf(grid.columns, NO_TOKEN),
    columnLabels: labels(grid.columnLabels),
    positions: columnsOf(grid.positions, -1),
    excluded: moved(grid.excluded),
    gaps: new Set(Array.from(indexAt.keys()).filter((slot) => indexAt[slot]! < 0)),
    following: grid.following && columnsOf(grid.following, NO_TOKEN),
    decision: grid.decision && columnsOf(grid.decision, 0),
    quantities: grid.quantities.map((quantity) => ({
      ...quantity,
      values: cells(quantity.values),
    })),
    jumps: jumps && { ...jumps, columns: jumps.columns.map((column) => slotOf[column]!) },
    candidates: candidates && {
      count: candidates.count,
      token: (cell, place) => (isGap(cell) ? NO_TOKEN : candidates.token(cellAt(cell), place)),
      probability: (cell, place) => (isGap(cell) ? Number.NaN : candidates.probability(cellAt(cell), place)),
    },
    // as slots keep the order of columns, only where each begins is another
    trajectories: trajectories && { ...trajectories, offsets: offsetsAt(trajectories.offsets, indexAt) },
  };
}

function offsetsAt(offsets: Int32Array, indexAt: Int32Array): Int32Array {
  const moved = new Int32Array(indexAt.length + 1);
  for (const [slot, index] of indexAt.entries()) moved[slot + 1] = index < 0 ? moved[slot]! : offsets[index + 1]!;
  return moved;
}
