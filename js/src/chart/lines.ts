// What the chart draws: which lines stand for a position, and where their values lie.

import { type Followed, leadersOf, probabilities, ranks } from "../data/followed.js";
import { nameOf } from "../data/names.js";
import type { GridState } from "../state/grid-state.js";
import type { Measure } from "../state/settings.js";
import { tick } from "../text/number.js";

export interface Line {
  /** What the line is of: several tokens where their probabilities add. */
  tokens: number[];
  label: string;
  /** Pin color, or null for what is only context. */
  pinColor: number | null;
  values: ArrayLike<number>;
}

const FLOOR = 1e-4; // where a probability that crosses in one byte ends

/**
 * The lines at a position: what is followed, over the output's leader for context, or a few that lead where nothing is
 * followed. A pin that was never a candidate there is absent: not drawn as zero.
 */
export function linesOf(state: GridState, column: number, measure: Measure): { lines: Line[]; absent: string[] } {
  const { grid, followed, pinColors } = state;
  const known = (one: Followed) => {
    const values = probabilities(grid, one, column);
    return values && measure === "rank" ? ranks(grid, one, column) : values;
  };
  const lines: Line[] = [];
  const absent: string[] = [];

  const shown = new Set(followed.value.flatMap(({ tokens }) => tokens));
  const others = leadersOf(grid, column).filter((token) => !shown.has(token));
  const nothingFollowed = !followed.value.length;
  for (const token of others.slice(0, nothingFollowed ? 4 : 1)) {
    const label = nameOf(grid, token);
    const values = known({ tokens: [token], label, target: null, pin: null });
    if (values) lines.push({ tokens: [token], label, pinColor: nothingFollowed ? lines.length : null, values });
  }
  for (const [i, one] of followed.value.entries()) {
    const values = known(one);
    if (values) lines.push({ tokens: one.tokens, label: one.label, pinColor: pinColors.value[i]!, values });
    else absent.push(one.label);
  }
  return { lines, absent };
}

export interface Axis {
  /** 0 at the bottom, 1 at the top, for a value. */
  place: (value: number) => number;
  ticks: { value: number; label: string }[];
}

export function axisOf(measure: Measure, lines: Line[]): Axis {
  if (measure === "probability") {
    return { place: (value) => value, ticks: [0, 0.5, 1].map((value) => ({ value, label: percent100(value) })) };
  }
  if (measure === "log") {
    const decades = -Math.log10(FLOOR);
    return {
      place: (value) => 1 + Math.log10(Math.max(value, FLOOR)) / decades,
      ticks: [1, 0.1, 0.01, 0.001, 0.0001].map((value) => ({ value, label: percent100(value) })),
    };
  }
  const worst = Math.max(10, ...lines.flatMap(({ values }) => Array.from(values).filter(Number.isFinite)));
  const decades = Math.ceil(Math.log10(worst));
  return {
    place: (value) => 1 - Math.log10(value) / decades,
    ticks: Array.from({ length: decades + 1 }, (_, i) => ({ value: 10 ** i, label: tick(10 ** i) })),
  };
}

function percent100(value: number): string {
  return `${Number((value * 100).toPrecision(1))} %`;
}

/** Moves places apart until none is nearer than `gap` to another, in their order and between the ends. */
export function apart(places: number[], gap: number, top: number, bottom: number): number[] {
  const order = places.map((_, i) => i).sort((a, b) => places[a]! - places[b]!);
  const moved = [...places];
  let least = top;
  for (const i of order) {
    moved[i] = Math.max(moved[i]!, least);
    least = moved[i] + gap;
  }
  let most = bottom;
  for (const i of order.reverse()) {
    moved[i] = Math.min(moved[i]!, most);
    most = moved[i] - gap;
  }
  return moved;
}
