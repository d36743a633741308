// From a quantity to places on a color scale.

import { MOVED } from "../data/cone.js";
import { clamp, type Grid, isThere, type Quantity } from "../data/grid.js";
import { isQuiet } from "../data/sweep.js";
import { isPoints, isProbability, isShare, tick } from "../text/number.js";
import { type RampName, STEPS } from "./palette.js";

/** What a cell wears when its value has no place on the scale. They follow the STEPS places that are on it. */
export const ODD = {
  nan: STEPS,
  above: STEPS + 1,
  below: STEPS + 2,
  high: STEPS + 3,
  low: STEPS + 4,
  excluded: STEPS + 5,
  gap: STEPS + 6,
  quiet: STEPS + 7,
};

export type Domain = [number, number];

export interface Scale {
  ramp: RampName;
  domain: Domain;
  /** Where a value lies between the ends of the domain, 0 to 1 within it. */
  place(value: number): number;
  /** The step of the ramp at a place: the strong end is the last, whichever end that is. */
  step(place: number): number;
  ticks: { value: number; place: number; label: string }[];
}

export function scaleOf(quantity: Quantity, domain: Domain): Scale {
  const { center, strong } = quantity;
  const log = quantity.scale === "log";
  const [low, high] = log ? domain.map(Math.log) : domain;
  const span = high! - low!;
  // on a logarithmic scale what isn't above zero stands at the low end
  const place = (value: number) => ((log ? (value > 0 ? Math.log(value) : low!) : value) - low!) / span;
  const marks = log ? powers(domain) : ticks(domain, 4);
  return {
    ramp:
      quantity.name === MOVED ? "moved" : isShare(quantity) ? "patched" : center === null ? "sequential" : "diverging",
    domain,
    place,
    step: (at) => Math.round((strong === "low" ? 1 - at : at) * (STEPS - 1)),
    ticks: marks.map((value) => ({ value, place: place(value), label: tickLabel(quantity, value) })),
  };
}

/** For every cell its step on the ramp, or one of the ODD; less of it where a cell is not to be `believed`. */
export function shadesOf(
  grid: Grid,
  quantity: Quantity,
  scale: Scale,
  believed: Float32Array | null = null,
): Uint16Array {
  const columns = grid.columns.length;
  const shades = new Uint16Array(quantity.values.length);
  const tolerance = 1e-3; // half precision may put a value a hair beyond the domain it came from
  for (let cell = 0; cell < shades.length; cell++) {
    const value = quantity.values[cell]!;
    const place = scale.place(value) * (believed?.[cell] ?? 1);
    if (grid.gaps.has(cell % columns)) shades[cell] = ODD.gap;
    else if (isQuiet(grid, cell % columns)) shades[cell] = ODD.quiet;
    else if (Number.isNaN(value)) {
      const at = { row: Math.floor(cell / columns), column: cell % columns };
      shades[cell] = isThere(grid, at) ? ODD.nan : ODD.gap;
    } else if (grid.excluded.has(cell % columns)) shades[cell] = ODD.excluded;
    else if (value === Number.POSITIVE_INFINITY) shades[cell] = ODD.above;
    else if (value === Number.NEGATIVE_INFINITY) shades[cell] = ODD.below;
    else if (place > 1 + tolerance) shades[cell] = ODD.high;
    else if (place < -tolerance) shades[cell] = ODD.low;
    else shades[cell] = scale.step(clamp(place, 0, 1));
  }
  return shades;
}

/** The ends that hold several scales. */
export function hull(domains: Domain[]): Domain {
  return [Math.min(...domains.map(([low]) => low)), Math.max(...domains.map(([, high]) => high))];
}

/** Powers of ten within a domain, every so many of them that there are no more than six. */
function powers([low, high]: Domain): number[] {
  const [first, last] = [Math.ceil(Math.log10(low)), Math.floor(Math.log10(high))];
  const step = Math.max(1, Math.ceil((last - first) / 5));
  return Array.from({ length: Math.max(0, Math.floor((last - first) / step) + 1) }, (_, i) => 10 ** (first + i * step));
}

/** Round numbers within a domain, about so many: multiples of 1, 2 or 5 times a power of ten. */
export function ticks([low, high]: Domain, count: number): number[] {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const [factor] = [10, 5, 2, 1].filter((one) => one <= (rough / power) * 1.5);
  const step = factor! * power;
  // tenths are reached by division: 3 / 10 is the number that is written 0.3, and 3 * 0.1 isn't
  const times = (i: number) => (step < 1 ? i / Math.round(1 / step) : i * step);
  const first = Math.ceil(low / step);
  const enough = Array.from({ length: 2 * count + 1 }, (_, i) => times(first + i));
  return enough.filter((value) => value >= low && value <= high);
}

function tickLabel(quantity: Quantity, value: number): string {
  return isProbability(quantity) || isPoints(quantity) ? tick(value * 100) : tick(value);
}
