// What cells have in common with those above and below them: a token said once, outlines, and where the output is decided.

import { ODD } from "../style/scale.js";
import type { Cells } from "./cells.js";
import { type Layout, shownRow } from "./layout.js";

/** Whether a cell says what the drawn row below says; the uppermost row, which is the output's, is always written out. */
export function isRepeated(cells: Cells, { rows, columns }: Layout, shown: number, column: number): boolean {
  if (!cells.areTokens || shown === 0 || shown === rows.length - 1) return false;
  return cells.wordOf(rows[shown]! * columns + column) === cells.wordOf(rows[shown - 1]! * columns + column);
}

/** Drawn rows, one on the other, in which what is followed in one color leads. */
export interface Run {
  pinColor: number;
  isBroken: boolean;
  from: number;
  to: number;
}

/** The runs of a column, from the bottom up. */
export function runsOf({ ringOf, isBroken }: Cells, { rows, columns }: Layout, column: number): Run[] {
  const runs: Run[] = [];
  for (const [shown, row] of rows.entries()) {
    const cell = row * columns + column;
    const pinColor = ringOf(cell);
    if (pinColor < 0) continue;
    const before = runs.at(-1);
    if (before?.to === shown - 1 && before.pinColor === pinColor) before.to = shown;
    else runs.push({ pinColor, isBroken: isBroken(cell), from: shown, to: shown });
  }
  return runs;
}

/**
 * The columns in which a line is drawn beneath the row from which the output leads, and over which drawn row; an outline
 * that begins there says the same.
 */
export function stepsOf(cells: Cells, layout: Layout, first: number, end: number): { column: number; shown: number }[] {
  const { columns } = layout;
  return Array.from({ length: end - first }, (_, i) => first + i).flatMap((column) => {
    const row = cells.steps?.[column] ?? 0;
    if (row < 1 || cells.shades[column] === ODD.excluded) return [];
    const cell = row * columns + column;
    if (cells.ringOf(cell) >= 0 && cells.ringOf(cell - columns) < 0) return [];
    return [{ column, shown: shownRow(layout, row) - 1 }];
  });
}
