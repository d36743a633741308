// A column quantity as lines of dots, one for each group: who is on which, and where keys and pointers lead.
// Twin of lenswidget/view/picture/dot_lines.py.

import { type BelowQuantity, clamp, type Grid } from "../data/grid.js";

export interface Value {
  value: number;
  /** Undefined for one that is none of the columns. */
  column: number | undefined;
  /** How far it lies from the middle of its line, from -1 to 1. */
  across: number;
}

export interface ValueLine {
  name: string;
  /** What is said of it, or nothing. */
  says: string;
  /** Its place among the groups, less than 0 for what is elsewhere. */
  group: number;
  values: Value[];
}

/** Where the value of a column is drawn. */
export interface Dot {
  x: number;
  y: number;
  value: number;
  column: number;
  line: number;
}

/** The golden ratio spreads any number of dots evenly. */
const STEP = 0.618034;
/** How far from a dot a pointer still means it. */
const NEAR = 16;

/** What is elsewhere, then the groups in the order in which they are met. */
export function linesOfValues({ below }: Grid, { values, elsewhere = [], ofGroups }: BelowQuantity): ValueLine[] {
  const names = values.map((_, column) => below!.groups?.[column] ?? "");
  const all = values.map((value, column) => ({ value, column }));
  const lines = [
    // a group of the same name is another line
    ...elsewhere.map(([name, some]) => ({
      name,
      group: -1,
      some: some.map((value) => ({ value, column: undefined })),
    })),
    ...[...new Set(names)].map((name, group) => ({ name, group, some: all.filter((_, i) => names[i] === name) })),
  ];
  return lines.map(({ name, group, some }) => ({
    ...{ name, group, says: new Map(ofGroups).get(name) ?? "" },
    values: some
      .map((one, i) => ({ ...one, across: 2 * ((i * STEP) % 1) - 1 }))
      .filter((one): one is typeof one & Value => one.value !== null),
  }));
}

/** The dot that a pointer means. */
export function nearest(dots: Dot[], x: number, y: number): Dot | undefined {
  const apart = (dot: Dot) => Math.hypot(dot.x - x, dot.y - y);
  return least(
    dots.filter((dot) => apart(dot) < NEAR),
    apart,
  );
}

/** From a dot along its line to the next value, or to that of another line which is nearest in value. */
export function next(dots: Dot[], now: Dot | undefined, up: number, right: number): Dot | undefined {
  // the highest of all is where to begin
  if (!now) return least(dots, ({ value }) => -value);
  const lines = [...new Set(dots.map(({ line }) => line))];
  const line = lines[clamp(lines.indexOf(now.line) - up, 0, lines.length - 1)];
  const there = dots.filter((dot) => dot.line === line).sort((a, b) => a.value - b.value);
  return right
    ? there[clamp(there.indexOf(now) + right, 0, there.length - 1)]
    : least(there, ({ value }) => Math.abs(value - now.value));
}

function least(dots: Dot[], of: (dot: Dot) => number): Dot | undefined {
  return dots.reduce<Dot | undefined>((best, dot) => (best && of(best) <= of(dot) ? best : dot), undefined);
}
