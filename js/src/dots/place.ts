// Where dots lie: each line of them under its name, all on one axis.

import { ticks } from "../style/scale.js";
import type { ValueLine } from "./lines.js";

export interface DotsPlace {
  width: number;
  height: number;
  /** Where the axis is. */
  bottom: number;
  low: number;
  high: number;
  ticks: number[];
  x: (value: number) => number;
  /** The middle of a line, where its dots are, or so far across. */
  y: (line: number, across?: number) => number;
}

/** How high a line is with its name, and from its middle to its foot. */
const [EACH, HALF] = [46, 15];
/** How far dots of a line lie from its middle at most. */
const SPREAD = 10;
/** What stands above all lines, and the axis beneath. */
const [HEAD, AXIS] = [20, 40];
/** From the ends of the axis to the outermost dots. */
const EDGE = 8;

export function placeOfDots(lines: ValueLine[], line: number, width: number): DotsPlace {
  const bottom = HEAD + lines.length * EACH;
  let [low, high] = [line, line];
  for (const { values } of lines)
    for (const { value } of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  if (low === high) [low, high] = [low - 0.5, high + 0.5];
  const span = high - low;
  return {
    ...{ width, height: bottom + AXIS, bottom, low, high },
    ticks: ticks([low, high], width / 90),
    x: (value) => EDGE + ((value - low) / span) * (width - 2 * EDGE),
    y: (line, across = 0) => HEAD + (line + 1) * EACH - HALF + SPREAD * across,
  };
}
