// Quantities of rows, which stand beside their labels: one number a row, which says how far the row can be believed.

import { byCell, byRow, ink, onAverage } from "../../../lenswidget/grids/words.json";
import { endsOf, isFidelity, trustOf } from "../data/belief.js";
import type { Grid, RowQuantity } from "../data/grid.js";
import { plain } from "./number.js";
import { said } from "./told.js";

/** A value of it, with its unit. */
function amount({ unit }: RowQuantity, value: number): string {
  return `${plain(value)} ${unit}`.trim();
}

/** Its name, what its ends stand for, the good one first, and the mean over rows of each of its parts. */
export function rowQuantityName(quantity: RowQuantity): string {
  const [bad, good] = endsOf(quantity);
  const name = `${quantity.name}: ${plain(good)} to ${amount(quantity, bad)}`;
  if (!quantity.parts.length) return name;
  // a row that is the output's own, at 0, isn't counted
  const counted = (values: Float32Array) => values.filter((_, row) => quantity.values[row]);
  const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const parts = quantity.parts.map((one) => `${one.name} ${plain(mean(counted(one.values)))}`).join(", ");
  return said(onAverage, { quantity: name, parts });
}

/** What all of them say of a row, in words. */
export function verdicts(grid: Grid, row: number): { words: string; doubtful: boolean }[] {
  return grid.rowQuantities
    .filter(({ values }) => !Number.isNaN(values[row]))
    .map((quantity) => {
      const value = amount(quantity, quantity.values[row]!);
      const words = quantity.says ? quantity.says.replace("{}", () => value) : `${quantity.name}: ${value}`;
      const parts = quantity.parts.map(({ name, values }) => `${name} ${plain(values[row]!)}`).join(", ");
      return { words: parts ? `${words}: ${parts}` : words, doubtful: trustOf(quantity)[row] === 0 };
    });
}

/** What the ink of the cells says, where it is weighed by how far they can be believed. */
export function inkSays({ rowQuantities }: Grid): string {
  return said(ink, { what: rowQuantities.some(isFidelity) ? byRow : byCell });
}
