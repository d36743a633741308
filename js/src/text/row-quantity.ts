// The strips beside the row labels: one number a row, which says how far the row can be believed.

import type { Grid, Strip } from "../data/grid.js";
import { plain } from "./number.js";

/** The ends of a strip's scale, the bad one first. */
function endsOf({ values, domain, strong }: Strip): [bad: number, good: number] {
  const known = values.filter(Number.isFinite);
  const [low, high] = domain ?? (known.length ? [Math.min(...known), Math.max(...known)] : [0, 0]);
  return strong === "high" ? [low, high] : [high, low];
}

/** How far each row can be believed: 1 at the good end of the scale, 0 at the bad one and beyond, NaN where unknown. */
export function trustOf(strip: Strip): Float32Array {
  const [bad, good] = endsOf(strip);
  const place = (value: number) => (bad === good ? 1 : (value - bad) / (good - bad));
  return strip.values.map((value) => (Number.isNaN(value) ? value : Math.max(0, Math.min(1, place(value)))));
}

/** A value of a strip, with its unit. */
function amount({ unit }: Strip, value: number): string {
  return `${plain(value)} ${unit}`.trim();
}

/** A strip, and what its ends stand for, the good one first. */
export function stripName(strip: Strip): string {
  const [bad, good] = endsOf(strip);
  return `${strip.name}: ${plain(good)} to ${amount(strip, bad)}`;
}

/** What the strips say of a row, in words. */
export function verdicts(grid: Grid, row: number): { words: string; doubtful: boolean }[] {
  return grid.strips
    .filter(({ values }) => !Number.isNaN(values[row]))
    .map((strip) => {
      const value = amount(strip, strip.values[row]!);
      const words = strip.says ? strip.says.replace("{}", () => value) : `${strip.name}: ${value}`;
      return { words, doubtful: trustOf(strip)[row] === 0 };
    });
}
