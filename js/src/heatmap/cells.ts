// The grid as the heatmap paints it: which words, shades and rings stand in its cells.

import { computed, type ReadonlySignal } from "@preact/signals";
import { trustOf } from "../data/belief.js";
import { hasTokens, leading, NO_TOKEN } from "../data/grid.js";
import { cellText } from "../data/marks.js";
import { isContinued, isMuted } from "../data/names.js";
import { isByPosition, sourceToken } from "../data/sweep.js";
import type { GridState } from "../state/grid-state.js";
import type { RampName } from "../style/palette.js";
import { ODD, shadesOf } from "../style/scale.js";
import { inCell } from "../text/number.js";
import { TELLING } from "../text/sweep.js";
import { type Layout, shownRow } from "./layout.js";

/** What to paint. A cell is counted `row * columns + column`. */
export interface Cells {
  shades: Uint16Array;
  ramp: RampName;
  /** Whether low values are the strong ones, so that the ramp runs the other way. */
  flipped: boolean;
  /** The word in a cell, as `words` counts them, or -1 for none. */
  wordOf: (cell: number) => number;
  words: Words;
  /** The pin color of the ring round a cell, or -1. */
  ringOf: (cell: number) => number;
  /** Whether that ring is a broken one. */
  isBroken: (cell: number) => boolean;
  /** In each column the row beneath which a dashed line runs; the lowest has nothing to be told from. */
  steps: Int32Array | null;
  rowLabels: string[];
  /** How far each row can be believed, as each quantity of the rows has it. */
  trust: Float32Array[];
  columnLabel: (column: number) => string;
  /** What is put into a column, where it is another token than its own; null where columns are no two tokens. */
  sourceLabel: ((column: number) => string) | null;
  /** Whether a column is a part of the same character as the one before it. */
  isJoined: (column: number) => boolean;
  /** Whether words are tokens at a position: one that leads in the row below, too, need not be said again. */
  areTokens: boolean;
}

export interface Words {
  text: (word: number) => string;
  muted: (word: number) => boolean;
}

const kept = new WeakMap<GridState, ReadonlySignal<Cells>>();

/** What is painted of a grid, kept for when it is looked at again. */
export function cellsOf(state: GridState): ReadonlySignal<Cells> {
  const known = kept.get(state) ?? paintable(state);
  kept.set(state, known);
  return known;
}

function paintable(state: GridState): ReadonlySignal<Cells> {
  const { grid, quantity, scale } = state;
  const texts = grid.tokens.texts.map(cellText);
  const tokens: Words = { text: (token) => texts[token] ?? "≠", muted: (token) => isMuted(grid, token) };
  const leads = leading(grid);
  const trust = grid.rowQuantities.map(trustOf);
  // apart, so that a pin repaints the rings without working out every shade again
  const shades = computed(() => shadesOf(grid, quantity.value, scale.value, state.believed.value));
  const columns = grid.columns.length;
  const last = (grid.rows.length - 1) * columns;
  return computed(() => {
    const pinColorOf = state.pinColorOf.value;
    const { values, strong } = quantity.value;
    const numbered = grid.sweep && quantity.value.measure !== "probability" ? telling(state) : null;
    const ringOf = (cell: number) =>
      grid.excluded.has(cell % columns) ? -1 : (pinColorOf[leads?.(cell) ?? NO_TOKEN] ?? -1);
    return {
      shades: shades.value,
      ramp: scale.value.ramp,
      flipped: strong === "low",
      // a grid without candidates has its numbers for words
      wordOf: numbered
        ? numbered
        : leads
          ? // a cell with a value in which no one token leads
            (cell) => (leads(cell) === NO_TOKEN && Number.isFinite(values[cell]) ? texts.length : leads(cell))
          : (cell) => (shades.value[cell] === ODD.gap ? NO_TOKEN : cell),
      words:
        leads && !numbered
          ? tokens
          : { text: (cell) => said(inCell(quantity.value, values[cell]!)), muted: () => false },
      ringOf,
      // what led here, and leads no longer at the end
      isBroken: (cell) => ringOf(last + (cell % columns)) !== ringOf(cell),
      steps: grid.decision,
      rowLabels: grid.rows,
      trust,
      sourceLabel: grid.sweep?.source && isByPosition(grid) ? (column) => texts[sourceToken(grid, column)] ?? "" : null,
      columnLabel: (column) => grid.columnLabels?.[column] ?? texts[grid.columns[column]!] ?? "",
      isJoined: (column) => grid.columnLabels === null && isContinued(grid, column),
      areTokens: leads !== null && !numbered && hasTokens(grid),
    };
  });
}

/** A number, if it says anything. */
function said(digits: string): string {
  return /[1-9∞N]/.test(digits) ? digits : "";
}

/** In a sweep numbers are written where they say something. */
function telling({ quantity: { value: quantity }, scale }: GridState): (cell: number) => number {
  const [low, high] = scale.value.domain;
  const least = (TELLING * (high - low)) / (quantity.center === null ? 1 : 2);
  return (cell) => (Math.abs(quantity.values[cell]!) >= least ? cell : NO_TOKEN);
}

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
