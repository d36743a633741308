// What the chart draws: which lines stand for a position, and where their values lie.

import { type Followed, leadersOf, probabilities, ranks } from "../data/followed.js";
import { candidatesAt } from "../data/grid.js";
import type { Group } from "../data/groups.js";
import { nameOf } from "../data/names.js";
import type { GridState } from "../state/grid-state.js";
import type { Measure } from "../state/settings.js";
import { tick } from "../text/number.js";

export interface Line {
  /** What the line is of: several tokens where their probabilities add. */
  tokens: number[];
  label: string;
  /** Pin color, or null for what isn't followed: what the model says in the end, and its rivals. */
  pinColor: number | null;
  /** Whether it is only there to be compared with. */
  isRival: boolean;
  /** Whether it is of the second of two grids, and drawn broken. */
  isOther?: boolean;
  /** What it is a line of, where several share a chart. */
  state?: GridState;
  values: ArrayLike<number>;
  /** What it is the mean of, where it is one. */
  group?: Group;
}

const FLOOR = 1e-4; // where a probability that crosses in one byte ends
const MOST_RIVALS = 3;
/** A rival that never has more than this is none. */
const LEAST = 0.07;

/**
 * The lines at a position, what is followed last and uppermost; where nothing is, what the model says in the end. Under
 * them those that led elsewhere, the ones that most could be believed of. A pin that was never a candidate there is
 * absent: not drawn as zero.
 */
export function linesOf(
  state: GridState,
  column: number,
  measure: Measure,
  most = MOST_RIVALS,
): { lines: Line[]; absent: string[] } {
  const { grid, followed, pinColors } = state;
  const belief = state.belief.value;
  const known = (one: Followed) => {
    const values = probabilities(grid, one, column);
    return values && measure === "rank" ? ranks(grid, one, column) : values;
  };
  const lines: Line[] = [];
  const absent: string[] = [];
  const shown = new Set(followed.value.flatMap(({ tokens }) => tokens));
  const leads = grid.rows
    .map((_, row) => candidatesAt(grid, { row, column })[0]?.token)
    .filter((one) => one !== undefined);
  const all = new Set([...leads.slice(-1), ...leadersOf(grid, column), ...leads]);
  const [output, ...others] = [...all].filter((token) => !shown.has(token));
  const alone = (token: number): Followed => ({ tokens: [token], label: nameOf(grid, token), target: null, pin: null });
  const best = (token: number) => {
    const values = probabilities(grid, alone(token), column) ?? new Float32Array(1);
    return Math.max(...values.map((value, row) => value * (belief?.[row * grid.columns.length + column] ?? 1) || 0));
  };
  const isFollowed = followed.value.length > 0;
  const rivals = (isFollowed && output !== undefined ? [output, ...others] : others)
    .map((token) => ({ token, most: best(token) }))
    .filter(({ most }) => most > LEAST)
    .sort((a, b) => b.most - a.most)
    .slice(0, most);
  const add = (one: Followed, pinColor: number | null, isRival = false) => {
    const values = known(one);
    if (values) lines.push({ tokens: one.tokens, label: one.label, pinColor, isRival, values });
    else if (!isRival) absent.push(one.label);
  };
  for (const { token } of rivals.reverse()) add(alone(token), null, true);
  if (!isFollowed && output !== undefined) add(alone(output), null);
  for (const [i, one] of followed.value.entries()) add(one, pinColors.value[i]!);
  return { lines, absent };
}

/** Of the highest: a line of two grids that never gets so far is not told from 0. */
const WORTH = 0.1;

/**
 * The lines of two grids in one chart, the second's broken; where nothing is followed, a color for each. `rows` are those
 * that show, counted as the chart counts them, and `rowIn` is where one of them is in a grid.
 */
export function linesOfBoth(
  states: GridState[],
  column: number,
  measure: Measure,
  rows: number[],
  rowIn?: (state: GridState, row: number) => number,
): Line[] {
  const all = Array.from({ length: Math.max(...rows) + 1 }, (_, row) => row);
  const lines = states.flatMap((state, side) =>
    linesOf(state, column, measure, 1).lines.map((line) => ({
      ...line,
      ...(!rowIn && { state }),
      ...{ pinColor: line.pinColor ?? side, isOther: side > 0 },
      values: all.map((row) => line.values[rowIn ? rowIn(state, row) : row] ?? Number.NaN),
    })),
  );
  const highest = ({ values }: Line) => Math.max(...rows.map((row) => values[row]! || 0));
  const worth = WORTH * Math.max(...lines.map(highest));
  return lines.filter((line) => measure === "rank" || highest(line) >= worth);
}

export interface Axis {
  /** 0 at the left, 1 at the right, for a value. */
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
      ticks: [1, 0.01, 0.0001].map((value) => ({ value, label: percent100(value) })),
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
  return value ? `${Number((value * 100).toPrecision(1))} %` : "0";
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
