// A sweep: in each cell of a grid one thing of a base was put to what it is in a source, or taken out. What can be read off it.

import { type Cell, type Grid, NO_TOKEN, type Sweep, valuesOf } from "./grid.js";

export type Side = "base" | "source";

/** Whether columns are positions of a prompt, and not heads. */
export function isByPosition({ columnLabels }: Grid): boolean {
  return columnLabels === null;
}

/** Whether nothing was run in a column because nothing in it can change the answer: before the two differ, or after it is read. */
export function isQuiet(grid: Grid, column: number): boolean {
  const { sweep, positions } = grid;
  if (!sweep || !isByPosition(grid)) return false;
  return positions[column]! < sweep.first || positions[column]! > sweep.position;
}

/** The columns that are quiet one beside another, from `from` to before `to`. */
export function quietColumns(grid: Grid): { from: number; to: number }[] {
  const found: { from: number; to: number }[] = [];
  for (const [column] of grid.columns.entries()) {
    const last = found.at(-1);
    if (!isQuiet(grid, column)) continue;
    if (last?.to === column) last.to++;
    else found.push({ from: column, to: column + 1 });
  }
  return found;
}

/** The source's token in a column, if it is another than the base's; else NO_TOKEN. */
export function sourceToken({ sweep, columns }: Grid, column: number): number {
  const token = sweep?.columns[column] ?? NO_TOKEN;
  return token === columns[column] ? NO_TOKEN : token;
}

/** How likely a token is in the base or the source; NaN where that isn't known. */
export function saidOf({ tokens, said }: Sweep, side: Side, token: number): number {
  const at = tokens.indexOf(token);
  return at < 0 ? Number.NaN : 2 ** said[at + (side === "source" ? tokens.length : 0)]!;
}

/** What the base or the source says. */
export function answerOf(sweep: Sweep, side: Side): { token: number; probability: number } {
  let best = { token: NO_TOKEN, probability: 0 };
  for (const token of sweep.tokens) {
    const probability = saidOf(sweep, side, token);
    if (probability > best.probability) best = { token, probability };
  }
  return best;
}

/** The metric in a cell. */
export function metricAt(grid: Grid, { row, column }: Cell): number {
  const { metric, base } = grid.sweep!;
  const cell = row * grid.columns.length + column;
  return valuesOf(grid, metric)?.[cell] ?? base + (valuesOf(grid, "effect")?.[cell] ?? Number.NaN);
}
