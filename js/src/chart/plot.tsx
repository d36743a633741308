// Lines from the lowest row up, their labels, and the axis beneath.

import { useSignal } from "@preact/signals";
import { useContext } from "preact/hooks";
import type { Rows } from "../heatmap/layout.js";
import { colorOf } from "../pieces/token.js";
import type { GridState } from "../state/grid-state.js";
import { jumpIn } from "../state/jumps.js";
import type { Measure } from "../state/settings.js";
import { percent, plain, withUnit } from "../text/number.js";
import { axisOfGroups, band } from "./group-lines.js";
import { labelsOf, mainOf, tellingStep } from "./labels.js";
import { axisOf, type Line } from "./lines.js";
import { OverChart } from "./over.js";
import { type Place, placeOfChart } from "./place.js";
import { type Pointed, Steps } from "./steps.js";

interface Props {
  state: GridState;
  column: number;
  lines: Line[];
  measure: Measure;
  layout: Rows;
  width: number;
  isBeside: boolean;
  /** The row that is pointed at. */
  row: number | null;
}

/** Rows so low have no room for a dot each. */
const LEAST_FOR_DOTS = 8;
/** Of groups, beside the colors, which some can't tell apart. */
const DASHES = ["none", "6 4", "1 5"];

export function Plot({ state, column, lines, measure, layout, width, isBeside, row }: Props) {
  const { grid } = state;
  const Over = useContext(OverChart);
  const pointed = useSignal<Pointed | null>(null);
  const axis = lines.some(({ group }) => group) ? axisOfGroups(state) : axisOf(measure, lines);
  const place = placeOfChart(layout, grid.rows.length, width, isBeside, axis);
  const { x, y, top, bottom, left, right, lowest } = place;
  const main = mainOf(lines);
  const jump = lines.map((line) => jumpIn(line.state ?? state)).find(Boolean);
  const told =
    pointed.value?.row ?? (jump?.[0] === column ? jump[2] : row) ?? (main ? tellingStep(grid, column, main) : 0);
  const dotted = y(0) - y(Math.min(1, grid.rows.length - 1)) >= LEAST_FOR_DOTS || grid.rows.length < 2;
  return (
    <div class="lw-plot">
      <svg width={width} height={place.height} role="img" aria-label={summary(state, lines, measure)}>
        {axis.ticks.map(({ value, label }) => (
          <g key={label}>
            <line class="lw-rule" x1={x(value)} x2={x(value)} y1={top} y2={bottom} />
            <text class="lw-tick" x={x(value)} y={bottom + 17} text-anchor="middle">
              {label}
            </text>
          </g>
        ))}
        {place.named.map((one) => (
          <text key={one} class="lw-tick" x={left - 10} y={y(one)} dy="0.32em" text-anchor="end">
            {grid.rows[one]}
          </text>
        ))}
        {!isBeside && row !== null && <line class="lw-marker" x1={left} x2={right} y1={y(row)} y2={y(row)} />}
        {lines.map((line, i) => (
          <g key={i} style={{ "--lw-color": inkOf(line) }}>
            {line.group && <path class="lw-band" d={band(line, place)} />}
            <path
              stroke-dasharray={line.group && DASHES[line.pinColor! % 3]}
              class={`lw-line${line.isRival ? " lw-rival" : ""}${line.isOther ? " lw-other" : ""}`}
              d={path(line.values, place)}
            />
            {dotted && !line.isRival && !line.group && <path class="lw-dots" d={path(line.values, place, true)} />}
            {row !== null && row >= lowest && Number.isFinite(line.values[row]!) && (
              <circle cx={x(line.values[row]!)} cy={y(row)} r="4" />
            )}
          </g>
        ))}
        {labelsOf(state, column, lines, measure, place, told).map(({ x, y, name, text, line }) => (
          <text
            key={`${name}${text} ${y}`}
            class={`lw-label${line ? (line.isRival ? " lw-rival" : "") : " lw-made"}`}
            {...{ x, y }}
            dy="0.35em"
            style={line && { "--lw-color": inkOf(line) }}
          >
            {name && <tspan class="lw-isolated">{name}</tspan>}
            {text}
          </text>
        ))}
      </svg>
      <Steps {...{ state, column, lines, measure, place, pointed }} />
      {Over && <Over {...{ state, column, place }} />}
    </div>
  );
}

export function inkOf({ pinColor, isRival }: Line): string {
  return isRival ? "var(--lw-faint)" : pinColor === null ? "var(--lw-ink)" : colorOf(pinColor);
}

/** A line through what is known, broken where it isn't; or a point, as a line of no length, for each row. */
export function path(values: ArrayLike<number>, { x, y, lowest }: Place, isDots = false): string {
  let d = "";
  let pen = "M";
  for (let row = lowest; row < values.length; row++) {
    const value = values[row]!;
    const isKnown = Number.isFinite(value);
    if (isKnown) d += `${isDots ? "M" : pen}${x(value).toFixed(1)},${y(row).toFixed(1)}`;
    if (isKnown && (isDots || pen === "M")) d += "h0"; // what stands alone is drawn as a point
    pen = isKnown ? "L" : "M";
  }
  return d;
}

function summary({ quantity }: GridState, lines: Line[], measure: Measure): string {
  const ends = lines.map(({ label, values, group }) => {
    const end = values[values.length - 1]!;
    const rank = Number.isNaN(end) ? "a rank beyond the candidates" : `rank ${plain(end)}`;
    const said = group ? withUnit(quantity.value, end) : measure === "rank" ? rank : percent(end);
    return (group || label) && `${label} ends at ${said}`;
  });
  return ends.filter(Boolean).reverse().join(", ") || "No trajectories";
}
