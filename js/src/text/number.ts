// Numbers for eyes: always with their unit, never more digits than are known, never "0.0 %".

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

/** Any other number, to three digits. */
export function plain(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  const size = Math.abs(value);
  const sign = value < 0 ? "−" : "";
  if (size === Number.POSITIVE_INFINITY) return `${sign}∞`;
  if (size >= 1000) return sign + Math.round(size).toLocaleString("en").replaceAll(",", NARROW);
  if (Number.isInteger(size)) return sign + size;
  if (size < 0.001) return sign + size.toExponential(0).replace("-", "−");
  return sign + size.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.0095 ? 2 : 3);
}

/** The same for a difference, whose sign is what is looked for. */
export function signed(value: number): string {
  return value > 0 ? `+${plain(value)}` : plain(value);
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

/** A value of a quantity where there is little room, and no unit. */
export function inCell(quantity: Quantity, value: number): string {
  if (isPoints(quantity) && Number.isFinite(value)) {
    const [sign, points] = [value < 0 ? "−" : "+", Math.abs(100 * value)];
    const digits = points.toFixed(points < 9.95 ? 1 : 0);
    return Number(digits) ? sign + digits : "0";
  }
  return quantity.center === 0 ? signed(value) : plain(value);
}

/** A value of a quantity, with its unit. */
export function withUnit(quantity: Quantity, value: number): string {
  if (isProbability(quantity)) return percent(value);
  if (isPoints(quantity)) return `${inCell(quantity, value)}${NARROW}% points`;
  const digits = inCell(quantity, value);
  return quantity.unit && Number.isFinite(value) ? `${digits} ${quantity.unit}` : digits;
}
