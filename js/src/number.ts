// Numbers for eyes: always with their unit, never more digits than are known, never "0.0 %".

import type { Quantity, Strip } from "./grid.js";

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
  return sign + size.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
}

/** A number beside an axis, as short as it can be: `10k`. */
export function tick(value: number): string {
  return Math.abs(value) >= 1000 ? `${plain(value / 1000)}k` : plain(Number(value.toPrecision(3)));
}

/** Whether a quantity is a probability, which readers expect in percent. */
export function isProbability({ measure, domain }: Quantity): boolean {
  return measure === "probability" && domain?.[0] === 0 && domain[1] === 1;
}

/** A value of a quantity, with its unit. */
export function withUnit(quantity: Quantity | Strip, value: number): string {
  if ("measure" in quantity && isProbability(quantity)) return percent(value);
  return quantity.unit && Number.isFinite(value) ? `${plain(value)} ${quantity.unit}` : plain(value);
}
