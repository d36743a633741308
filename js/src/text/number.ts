// Numbers for eyes: always with their unit, those beside each other with the same decimals, never "0.0 %".

import type { Quantity } from "../data/grid.js";

const NARROW = "\u202f"; // a narrow space that doesn't break

/** A probability: `91 %`, `7.7 %`, `< 0.1 %`, `> 99.9 %`. */
export function percent(probability: number): string {
  if (Number.isNaN(probability)) return "NaN";
  const hundredths = probability * 100;
  let digits: string;
  if (hundredths < 0.1) digits = `<${NARROW}0.1`;
  else if (hundredths > 99.9 && hundredths < 100) digits = `>${NARROW}99.9`;
  else digits = hundredths.toFixed(hundredths < 9.95 || (hundredths > 99 && hundredths < 100) ? 1 : 0);
  return `${digits}${NARROW}%`;
}

/** A probability that is only known to be below another. */
export function lessThan(probability: number): string {
  const bound = percent(probability);
  return bound.startsWith("<") ? bound : `<${NARROW}${bound}`;
}

/** A number that stands alone, to three digits; never with an exponent. Twin of `number` in view/picture/numbers.py. */
export function plain(value: number): string {
  const size = Math.abs(value);
  if (size >= 99.95 || Number.isInteger(size)) return fixed(value, 0);
  return fixed(value, size >= 9.995 ? 1 : size >= 0.0095 ? 2 : Math.min(9, -Math.floor(Math.log10(size))));
}

/** How many decimals numbers have that stand beside each other: two, but none where all are whole, and more where all are small. */
export function decimalsFor(values: ArrayLike<number>): number {
  let most = 0;
  let areWhole = true;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) continue;
    most = Math.max(most, Math.abs(value));
    areWhole &&= Number.isInteger(value);
  }
  if (areWhole || most >= 999.5) return 0;
  return most >= 99.95 ? 1 : Math.min(9, Math.max(2, 1 - Math.floor(Math.log10(most / 0.95))));
}

/** A number with so many decimals; where the sign is what is looked for, with a plus. What rounds to zero has none. */
export function fixed(value: number, decimals: number, isSigned = false): string {
  if (Number.isNaN(value)) return "NaN";
  const size = Math.abs(value);
  const digits = Number.isFinite(size)
    ? size.toLocaleString("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
    : "∞";
  const sign = digits === (0).toFixed(decimals) ? "" : value < 0 ? "−" : isSigned ? "+" : "";
  return sign + digits.replaceAll(",", NARROW);
}

/** A number beside an axis, as short as it can be: `10k`. */
export function tick(value: number): string {
  return Math.abs(value) >= 1000 ? `${plain(value / 1000)}k` : plain(Number(value.toPrecision(3)));
}

/** Whether a quantity is a probability, which readers expect in percent. */
export function isProbability({ measure, domain }: Quantity): boolean {
  return measure === "probability" && domain?.[0] === 0 && domain[1] === 1;
}

/** Whether a quantity is a difference of probabilities, which readers expect in percentage points. */
export function isPoints({ measure, center }: Quantity): boolean {
  return measure === "probability" && center === 0;
}

/** Whether a quantity is a share of the way from a base to a source. */
export function isShare({ measure }: Quantity): boolean {
  return measure === "recovered" || measure === "estimate";
}

/** A value of a quantity where there is little room, and no unit. */
export function inCell(quantity: Quantity, value: number): string {
  if (isPoints(quantity) && Number.isFinite(value)) {
    const [sign, points] = [value < 0 ? "−" : "+", Math.abs(100 * value)];
    const digits = points.toFixed(points < 9.95 ? 1 : 0);
    return Number(digits) ? sign + digits : "0";
  }
  return fixed(value, decimalsOf(quantity), quantity.center === 0 && !isShare(quantity));
}

const counted = new WeakMap<Float32Array, number>();

/** The decimals of all values of a quantity. */
function decimalsOf({ values }: Quantity): number {
  const known = counted.get(values) ?? decimalsFor(values);
  counted.set(values, known);
  return known;
}

/** The unit of what stands on an axis or a scale. */
export function unitOf(quantity: Quantity): string {
  return isProbability(quantity) ? "%" : isPoints(quantity) ? "% points" : quantity.unit;
}

/** A value of a quantity, with its unit. */
export function withUnit(quantity: Quantity, value: number): string {
  if (isProbability(quantity)) return percent(value);
  if (isPoints(quantity)) return `${inCell(quantity, value)}${NARROW}% points`;
  const digits = inCell(quantity, value);
  return quantity.unit && Number.isFinite(value) ? `${digits} ${quantity.unit}` : digits;
}
