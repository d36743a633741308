// Quantities of rows, which stand beside their labels: one number a row, which says how far the row can be believed.

import type { Grid, RowQuantity } from "../data/grid.js";
import { plain } from "./number.js";

/** The ends of its scale, the bad one first. */
function endsOf({ values, domain, strong }: RowQuantity): [bad: number, good: number] {
  const known = values.filter(Number.isFinite);
  const [low, high] = domain ?? (known.length ? [Math.min(...known), Math.max(...known)] : [0, 0]);
  return strong === "high" ? [low, high] : [high, low];
}

/** How far each row can be believed: 1 at the good end of the scale, 0 at the bad one and beyond, NaN where unknown. */
export function trustOf(quantity: RowQuantity): Float32Array {
  const [bad, good] = endsOf(quantity);
  const place = (value: number) => (bad === good ? 1 : (value - bad) / (good - bad));
  return quantity.values.map((value) => (Number.isNaN(value) ? value : Math.max(0, Math.min(1, place(value)))));
}

/** A value of it, with its unit. */
function amount({ unit }: RowQuantity, value: number): string {
  return `${plain(value)} ${unit}`.trim();
}

/** Its name, and what its ends stand for, the good one first. */
export function rowQuantityName(quantity: RowQuantity): string {
  const [bad, good] = endsOf(quantity);
  return `${quantity.name}: ${plain(good)} to ${amount(quantity, bad)}`;
}

/** What all of them say of a row, in words. */
export function verdicts(grid: Grid, row: number): { words: string; doubtful: boolean }[] {
  return grid.rowQuantities
    .filter(({ values }) => !Number.isNaN(values[row]))
    .map((quantity) => {
      const value = amount(quantity, quantity.values[row]!);
      const words = quantity.says ? quantity.says.replace("{}", () => value) : `${quantity.name}: ${value}`;
      return { words, doubtful: trustOf(quantity)[row] === 0 };
    });
}
