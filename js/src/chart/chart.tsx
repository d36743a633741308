// The trajectory: how what is followed fares at one position, through the layers.

import { useComputed, useSignal } from "@preact/signals";
import type { Cell } from "../data/grid.js";
import { useRested } from "../pieces/rested.js";
import { Ruler } from "../pieces/ruler.js";
import { Segments } from "../pieces/segments.js";
import { ColumnName, colorOf } from "../pieces/token.js";
import type { GridState } from "../state/grid-state.js";
import type { Measure } from "../state/settings.js";
import { percent, plain } from "../text/number.js";
import { JumpPanel } from "./jump.js";
import { apart, axisOf, type Line, linesOf } from "./lines.js";
import { Steps } from "./steps.js";

const MEASURES: Measure[] = ["probability", "log", "rank"];
const HEIGHT = 220;
const MARGIN = { top: 8, right: 92, bottom: 22, left: 40 };

export function Chart({ state }: { state: GridState }) {
  const { grid, settings, selected } = state;
  const hover = useRested(state.hover);
  const width = useSignal(0);
  const measured = useComputed(() => {
    const { value } = settings.trajectory;
    return MEASURES.includes(value) ? value : "probability";
  });
  const position = useComputed(() => (selected.value ?? hover.value)?.column ?? grid.columns.length - 1);
  // apart, because the pointer moves along a column more often than from one to another
  const plotted = useComputed(() => linesOf(state, position.value, measured.value));
  const [measure, column, { lines, absent }] = [measured.value, position.value, plotted.value];
  const marked = hover.value?.column === column ? hover.value : selected.value;
  return (
    <div class="lw-chart">
      <Ruler width={width} />
      <div class="lw-chart-head">
        <p class="lw-strong">Over the layers</p>
        <Segments
          label="Chart scale"
          options={MEASURES}
          chosen={measure}
          choose={(name) => (settings.trajectory.value = name)}
        />
      </div>
      <p class="lw-muted">
        {grid.gaps.has(column) ? (
          "no such token in this prompt"
        ) : (
          <>
            {measure === "rank" ? "rank" : "probability"} at position {grid.positions[column]},{" "}
            <ColumnName grid={grid} column={column} />
          </>
        )}
      </p>
      {width.value > 0 && <Plot {...{ state, column, lines, measure, marked }} width={width.value} />}
      {absent.map((label) => (
        <p key={label} class="lw-muted">
          <bdi class="lw-token">{label}</bdi> was never among the candidates here
        </p>
      ))}
      <JumpPanel state={state} />
    </div>
  );
}

interface PlotProps {
  state: GridState;
  column: number;
  lines: Line[];
  measure: Measure;
  marked: Cell | null;
  width: number;
}

function Plot({ state, column, lines, measure, marked, width }: PlotProps) {
  const { rows } = state.grid;
  const axis = axisOf(measure, lines);
  const [right, bottom] = [width - MARGIN.right, HEIGHT - MARGIN.bottom];
  const x = (row: number) => MARGIN.left + (rows.length > 1 ? row / (rows.length - 1) : 0.5) * (right - MARGIN.left);
  const y = (value: number) => bottom - axis.place(value) * (bottom - MARGIN.top);
  const last = rows.length - 1;
  const labels = apart(
    lines.map(({ values }) => {
      const end = Array.from(values).findLastIndex(Number.isFinite);
      return end < 0 ? bottom : y(values[end]!);
    }),
    14,
    MARGIN.top,
    bottom,
  );
  return (
    <div class="lw-plot">
      <svg width={width} height={HEIGHT} role="img" aria-label={summary(lines, measure)}>
        {axis.ticks.map(({ value, label }) => (
          <g key={label}>
            <line class="lw-rule" x1={MARGIN.left} x2={right} y1={y(value)} y2={y(value)} />
            <text class="lw-tick" x={MARGIN.left - 6} y={y(value)} dy="0.32em" text-anchor="end">
              {label}
            </text>
          </g>
        ))}
        {xTicks(last).map((row) => (
          <text key={row} class="lw-tick" x={x(row)} y={HEIGHT - 6} text-anchor="middle">
            {cut(rows[row]!)}
          </text>
        ))}
        {marked && <line class="lw-marker" x1={x(marked.row)} x2={x(marked.row)} y1={MARGIN.top} y2={bottom} />}
        {lines.map(({ label, pinColor, values }, i) => {
          const color = pinColor === null ? "var(--lw-faint)" : colorOf(pinColor);
          const at = marked ? values[marked.row]! : Number.NaN;
          return (
            <g key={i}>
              <path class="lw-line" d={path(values, x, y)} style={{ stroke: color }} />
              {Number.isFinite(at) && <circle cx={x(marked!.row)} cy={y(at)} r="4" style={{ fill: color }} />}
              <circle cx={right + 9} cy={labels[i]} r="3" style={{ fill: color }} />
              <text class="lw-label" x={right + 16} y={labels[i]} dy="0.32em">
                {cut(label)}
              </text>
            </g>
          );
        })}
      </svg>
      <Steps {...{ state, column, lines, measure, width, x, y }} height={HEIGHT} />
    </div>
  );
}

/** A line through what is known, broken where it isn't; a point alone is drawn as one. */
function path(values: ArrayLike<number>, x: (row: number) => number, y: (value: number) => number): string {
  let d = "";
  let pen = "M";
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    if (Number.isFinite(value)) d += `${pen}${x(row).toFixed(1)},${y(value).toFixed(1)}${pen === "M" ? "h0" : ""}`;
    pen = Number.isFinite(value) ? "L" : "M";
  }
  return d;
}

function xTicks(last: number): number[] {
  if (last < 6) return Array.from({ length: last + 1 }, (_, row) => row);
  return [0, Math.round(last / 3), Math.round((2 * last) / 3), last];
}

function cut(label: string): string {
  const characters = [...label];
  return characters.length > 10 ? `${characters.slice(0, 9).join("")}…` : label;
}

function summary(lines: Line[], measure: Measure): string {
  const ends = lines.map(({ label, values }) => {
    const end = values[values.length - 1]!;
    return `${label} ends at ${measure === "rank" ? (Number.isNaN(end) ? "a rank beyond the candidates" : `rank ${plain(end)}`) : percent(end)}`;
  });
  return ends.join(", ") || "No trajectories";
}
