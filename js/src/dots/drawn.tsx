// What is drawn of dots: their lines, each with its name and what is said of it, and the axis.

import type { BelowQuantity } from "../data/grid.js";
import { cut } from "../pieces/font.js";
import { colorOf } from "../pieces/token.js";
import { decimalsFor, fixed, tick } from "../text/number.js";
import { titled } from "../text/words.js";
import type { ValueLine } from "./lines.js";
import type { DotsPlace } from "./place.js";

interface Props {
  lines: ValueLine[];
  place: DotsPlace;
  quantity: BelowQuantity;
}

/** Letters of a name that are written. */
const MOST = 28;
/** From the middle of a line up to the foot of its name. */
const RISE = 17;

export function Drawn({ lines, place: { width, bottom, ticks, x, y }, quantity }: Props) {
  const line = quantity.line!;
  const [at, decimals] = [x(line), decimalsFor(ticks)];
  const isLate = at > width / 2;
  const text = (words: string, x: number, y: number, anchor = "middle", kind = "lw-tick") => (
    <text class={kind} x={x} y={y} text-anchor={anchor}>
      {words}
    </text>
  );
  return (
    <>
      {ticks.map((value) => text(fixed(value, decimals), x(value), bottom + 16))}
      {text(titled(quantity), width / 2, bottom + 34)}
      <path class="lw-line lw-other" d={`M${at} 2V${bottom}`} />
      {text(quantity.reach || `line at ${tick(line)}`, at + (isLate ? -6 : 6), 12, isLate ? "end" : "start")}
      {lines.map(({ name, says, group, values }, i) => (
        <g key={i} style={group < 0 ? {} : { "--lw-color": colorOf(group) }}>
          {text(cut(name, MOST), 0, y(i) - RISE, "start", "lw-label")}
          {text(says, width, y(i) - RISE, "end")}
          <path class="lw-rule" d={`M0 ${y(i)}H${width}`} />
          {/* all at once: there may be thousands */}
          <path
            class="lw-dots"
            d={values.map(({ value, across }) => `M${x(value).toFixed(1)},${y(i, across).toFixed(1)}h0`).join("")}
          />
        </g>
      ))}
    </>
  );
}
