// The grid as the heatmap paints it: which words, shades and rings stand in its cells.

import { computed, type ReadonlySignal } from "@preact/signals";
import { trustOf } from "../data/belief.js";
import { type BelowQuantity, hasTokens, leading, NO_TOKEN } from "../data/grid.js";
import { cellText } from "../data/marks.js";
import { isContinued, isMuted } from "../data/names.js";
import { isByPosition, sourceToken } from "../data/sweep.js";
import type { GridState } from "../state/grid-state.js";
import type { RampName } from "../style/palette.js";
import { ODD, shadesOf } from "../style/scale.js";
import { inCell } from "../text/number.js";
import { TELLING } from "../text/sweep.js";

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
  /** What is drawn beneath the columns. */
  below: BelowQuantity[];
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
      below: grid.below?.quantities ?? [],
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
