// A prompt as text: what it says token by token, how surprising each was, and where something is found in it.

import { type Grid, leading, NO_TOKEN, totalOf, valuesOf } from "./grid.js";

export function textOf(grid: Grid, column: number): string {
  return grid.tokens.texts[grid.columns[column]!] ?? "";
}

/** How many bits each token was away from what the output expected before it; NaN where that isn't known. */
export function surprisesOf(grid: Grid): Float32Array {
  const { rows, columns } = grid;
  const values = valuesOf(grid, "surprisal");
  const last = (rows.length - 1) * columns.length;
  return Float32Array.from(columns, (_, column) => (column && values ? values[last + column - 1]! : Number.NaN));
}

/** Of how many tokens the output was asked, how many of them it led with, and the mean of the surprises. */
export function scoreOf(grid: Grid, surprises: Float32Array): { asked: number; right: number; bits: number } {
  const last = (grid.rows.length - 1) * grid.columns.length;
  const leads = leading(grid);
  const asked = [...(grid.following ?? [])]
    .map((token, column) => ({ token, column }))
    .filter(({ token }) => token !== NO_TOKEN);
  const known = surprises.filter(Number.isFinite);
  return {
    asked: asked.length,
    right: asked.filter(({ token, column }) => leads?.(last + column) === token).length,
    bits: totalOf(known) / known.length,
  };
}

/** The columns at which something begins that is looked for, whatever its letters' case and the tokens it lies in. */
export function foundIn(grid: Grid, wanted: string): number[] {
  if (!wanted) return [];
  const starts: number[] = [];
  let whole = "";
  for (const column of grid.columns.keys()) {
    starts.push(whole.length);
    whole += textOf(grid, column).toLowerCase();
  }
  const found: number[] = [];
  let column = 0;
  for (let at = whole.indexOf(wanted.toLowerCase()); at >= 0; at = whole.indexOf(wanted.toLowerCase(), at + 1)) {
    while (starts[column + 1]! <= at) column++;
    if (found.at(-1) !== column) found.push(column);
  }
  return found;
}
