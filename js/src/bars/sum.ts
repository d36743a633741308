// Parts of a sum as bars: which are shown, in what order, and where each begins and ends. Nothing is ever left out: what
// isn't shown is one bar more, the rest, and the last line is the sum of all.

import { totalOf } from "../data/grid.js";
import type { Order } from "../state/settings.js";

/** The place of the bar that stands for all parts that aren't shown. */
export const REST = -1;

/** In CSS pixels. */
export const BAR_HEIGHT = 23;

export interface Bar {
  /** Which part it is, or REST. */
  place: number;
  value: number;
  /** Where it begins: at zero, or in a waterfall where the one before it ended. */
  from: number;
  to: number;
  /** What it was before an edit. */
  was?: number | undefined;
}

export interface Sum {
  bars: Bar[];
  /** How many parts the rest stands for. */
  left: number;
  total: number;
  /** How many parts are not finite, so that the total isn't either. */
  odd: number;
  domain: [number, number];
}

/** What a bar is called. */
export function nameIn(labels: string[], { left }: Sum, place: number): string {
  return place === REST ? `${left} smaller` : labels[place]!;
}

/** Places of the parts, the largest first, now or before; what is no number comes before all, so that nothing hides it. */
export function bySize(values: ArrayLike<number>, before?: ArrayLike<number>): number[] {
  const size = Float64Array.from(values, (value, place) => {
    const most = Math.max(Math.abs(value), Math.abs(before?.[place] ?? 0));
    return Number.isNaN(most) ? Number.POSITIVE_INFINITY : most;
  });
  return Array.from(size, (_, place) => place).sort((a, b) => size[b]! - size[a]! || a - b);
}

/** The `count` largest parts, `sorted` as above, in an order, and the rest, with room for how far each varies. */
export function sumOf(
  values: ArrayLike<number>,
  sorted: number[],
  order: Order,
  count: number,
  spread?: ArrayLike<number>,
  before?: ArrayLike<number>,
): Sum {
  // one part has its own name, which says more than "1 other"
  const shown = sorted.length - count <= 1 ? sorted.slice() : sorted.slice(0, count);
  if (order !== "by size") shown.sort((a, b) => a - b);
  const restOf = (of: ArrayLike<number>) => totalOf(sorted.slice(shown.length).map((place) => of[place]!));
  const left = sorted.length - shown.length;
  const each = shown.map((place) => ({ place, value: values[place]!, was: before?.[place] }));
  if (left) each.push({ place: REST, value: restOf(values), was: before && restOf(before) });

  let reached = 0;
  const bars = each.map(({ place, value, was }) => {
    const length = Number.isFinite(value) ? value : 0;
    const from = order === "waterfall" ? reached : 0;
    reached += length;
    return { place, value, from, to: from + length, was };
  });
  const all = Array.from(values);
  const total = totalOf(values);
  const ends = bars.flatMap(({ place, from, to, was = 0 }) => {
    const reach = spread?.[place] || 0;
    return [from, to - reach, to + reach, from + was];
  });
  const low = ends.reduce((least, end) => Math.min(least, end), 0);
  const high = ends.reduce((most, end) => Math.max(most, end), 0);
  return {
    bars,
    left,
    total,
    odd: all.filter((value) => !Number.isFinite(value)).length,
    domain: low < high ? [low, high] : [-1, 1],
  };
}
