// How far what a lens read can be believed, 0 to 1; twin of lenswidget/grids/belief.py, which says why it is so.

import { MOVED } from "./cone.js";
import { clamp, type Grid, type RowQuantity, valuesOf } from "./grid.js";

/** About as many bits from the output as a guess that never looks at the prompt, where that wasn't measured. */
const BLIND = 6;

/** From KL to the output, in bits; NaN stays NaN. */
export function belief(kl: number, blind = BLIND): number {
  return Math.min(1, 2 ** ((-2 * kl) / blind));
}

/** The ends of a row quantity's scale, the bad one first. */
export function endsOf({ values, domain, strong }: RowQuantity): [bad: number, good: number] {
  const known = values.filter(Number.isFinite);
  const [low, high] = domain ?? (known.length ? [Math.min(...known), Math.max(...known)] : [0, 0]);
  return strong === "high" ? [low, high] : [high, low];
}

/** How far up the scale each row is: 1 at its good end, 0 at the bad one and beyond, NaN where unknown. */
export function trustOf(quantity: RowQuantity): Float32Array {
  const [bad, good] = endsOf(quantity);
  const place = (value: number) => (bad === good ? 1 : (value - bad) / (good - bad));
  return quantity.values.map((value) => (Number.isNaN(value) ? value : clamp(place(value), 0, 1)));
}

/** Whether a row quantity is one of how far a row is from the output; one in another unit says something else. */
export function isFidelity({ unit, strong }: RowQuantity): boolean {
  return unit === "bits" && strong === "low";
}

/**
 * For every cell of what a lens read: the belief in its row, the least where several were measured; else from the cell's
 * own KL to the output; 1 where neither is known. Null where nothing is, or the first quantity isn't what a lens read,
 * nor how far an edit moved it.
 */
export function beliefsOf({ quantities, rowQuantities, rows, columns, view, candidates }: Grid): Float32Array | null {
  const [first] = quantities;
  const own = valuesOf({ quantities }, "KL to the output");
  const measured = rowQuantities.filter(isFidelity);
  const isRead = (first!.name === "probability" || first!.name === MOVED) && view === "heatmap" && candidates !== null;
  if (!isRead || !(own || measured.length)) return null;
  // once a row: there may be half a million cells
  const ofRow = Float32Array.from(rows, (_, row) => {
    const known = measured
      .map(({ values, domain }) => belief(values[row]!, domain?.[1]))
      .filter((one) => !Number.isNaN(one));
    return known.length ? Math.min(...known) : Number.NaN;
  });
  const all = new Float32Array(first!.values.length);
  for (let cell = 0; cell < all.length; cell++) {
    const here = ofRow[Math.floor(cell / columns.length)]!;
    const kl = own?.[cell] ?? Number.NaN;
    all[cell] = Number.isNaN(here) ? (Number.isNaN(kl) ? 1 : belief(kl)) : here;
  }
  return all;
}
