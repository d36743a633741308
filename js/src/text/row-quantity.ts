// Quantities of rows, which stand beside their labels: one number a row, which says how far the row can be believed.

import { byCell, byRow, ink } from "../../../lenswidget/grids/words.json";
import { endsOf, isFidelity, trustOf } from "../data/belief.js";
import type { Grid, RowQuantity } from "../data/grid.js";
import { plain } from "./number.js";
import { said } from "./told.js";

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

/** What the ink of the cells says, where it is weighed by how far they can be believed. */
export function inkSays({ rowQuantities }: Grid): string {
  return said(ink, { what: rowQuantities.some(isFidelity) ? byRow : byCell });
}
