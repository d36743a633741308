// Bars as a drawing, in the order and the number that the reader chose, and their sum.

import { partsOf } from "../data/followed.js";
import { isAttribution } from "../data/grid.js";
import { type Drawing, rect, type Shorten, text } from "../pieces/svg.js";
import type { GridState } from "../state/grid-state.js";
import { type Palette, STEPS } from "../style/palette.js";
import { decimalsFor, fixed } from "../text/number.js";
import { bySize, nameIn, sumOf } from "./sum.js";

const WIDTH = 560;
const NUMBERS = 66;
const BAR_HEIGHT = 22;

export function barsDrawn({ grid, bars, column, order }: GridState, palette: Palette, shorten: Shorten): Drawing {
  const { values, spread, before } = partsOf(grid, column.value);
  const sum = sumOf(values, bySize(values, before), order.value, bars.count.value, spread, before);
  const { total } = sum;
  const decimals = decimalsFor(values);
  const say = (value: number) => fixed(value, decimals, true);
  const [low, high] = sum.domain;
  const sums = isAttribution(grid);
  const labels = sum.bars.map(({ place }) => nameIn(grid.rows, sum, place));
  const start = Math.min(190, 12 + 8 * Math.max(3, ...labels.map((label) => label.length)));
  const x = (value: number) => start + ((value - low) / (high - low)) * (WIDTH - NUMBERS - start);
  // the ramp's own blue and orange, the pale ones for the rest
  const tone = (value: number, isRest: boolean) =>
    palette.diverging.fill[Math.round((STEPS - 1) * (0.5 + Math.sign(value) * (isRest ? 0.25 : 0.375)))]!;
  const out = sum.bars.flatMap(({ place, value, from, to }, i) => {
    const y = i * BAR_HEIGHT;
    const isRest = place < 0;
    const label = text(start - 8, y + 15, shorten(labels[i]!, start - 8), palette.ink, "end");
    if (isRest && !sums) return [label];
    const [left, right] = Number.isFinite(value) ? [x(Math.min(from, to)), x(Math.max(from, to))] : [start, x(high)];
    const reach = spread?.[place] || 0;
    const whisker = reach ? rect(x(to - reach), y + BAR_HEIGHT / 2, x(to + reach) - x(to - reach), 1, palette.ink) : "";
    const fill = Number.isNaN(value) ? palette.hatch : tone(value, isRest);
    return [
      label,
      rect(left!, y + 4, Math.max(1, right! - left!), BAR_HEIGHT - 8, fill),
      whisker,
      text(WIDTH, y + 15, say(value), palette.muted, "end"),
    ];
  });
  const bottom = sum.bars.length * BAR_HEIGHT;
  out.push(rect(x(0), 0, 1, bottom, palette.hatch));
  if (sums) {
    if (order.value === "waterfall" && !sum.odd) {
      const [left, right] = [Math.min(0, total), Math.max(0, total)].map(x);
      out.push(rect(left!, bottom + 8, right! - left!, BAR_HEIGHT - 8, tone(total, false)));
    }
    out.push(rect(0, bottom + 2, WIDTH, 1, palette.hatch));
    out.push(text(start - 8, bottom + 18, "sum", palette.ink, "end"));
    out.push(text(WIDTH, bottom + 18, say(total), palette.ink, "end"));
  }
  return { width: WIDTH, height: bottom + (sums ? 32 : 12), svg: out.join("") };
}
