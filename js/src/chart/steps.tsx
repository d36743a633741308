// The steps of a trajectory, from one row to the next: each can be pointed at, walked to and opened.

import { useSignal } from "@preact/signals";
import type { Grid } from "../data/grid.js";
import { ARROWS, keysFor } from "../pieces/keys.js";
import { pointIn } from "../pieces/pixels.js";
import { colorOf } from "../pieces/token.js";
import type { GridState } from "../state/grid-state.js";
import { isSameJump, jumpIn, jumpTo, useLive } from "../state/live.js";
import type { Measure } from "../state/settings.js";
import { percent, plain } from "../text/number.js";
import type { Line } from "./lines.js";

const REACH = 24;

interface Props {
  state: GridState;
  column: number;
  lines: Line[];
  measure: Measure;
  width: number;
  height: number;
  x: (row: number) => number;
  y: (value: number) => number;
}

/** The step of a line that ends in a row. */
interface Step {
  line: Line;
  row: number;
}

export function Steps({ state, column, lines, measure, width, height, x, y }: Props) {
  const { grid, settings } = state;
  const live = useLive();
  const at = useSignal<{ token: number; row: number } | null>(null);
  // what a group of tokens moved by is no sum over parts of the network
  const known = lines.filter(({ tokens }) => tokens.length === 1);
  if (!known.length || grid.rows.length < 2 || !(grid.jumps || live?.explains.value)) return null;

  const stepOf = (token: number | undefined, row: number): Step | null => {
    const line = known.find(({ tokens }) => tokens[0] === token);
    return line && Number.isFinite(line.values[row]!) && Number.isFinite(line.values[row - 1]!) ? { line, row } : null;
  };
  const jumpOf = ({ line, row }: Step) => jumpTo(state, column, grid.tokens.ids[line.tokens[0]!]!, row);
  const pointed = at.value && stepOf(at.value.token, at.value.row);
  const jump = jumpIn(state);
  const open = jump && jump[0] === column ? stepOf(grid.tokens.ids.indexOf(jump[1]), jump[2]) : null;

  const nearest = (event: MouseEvent): Step | null => {
    const { x: left, y: top } = pointIn(event.currentTarget as HTMLElement, event);
    const along = (left - x(0)) / (x(1) - x(0));
    const row = Math.ceil(along);
    if (row < 1 || row >= grid.rows.length) return null;
    const steps = known.map(({ tokens }) => stepOf(tokens[0], row)).filter((step) => step !== null);
    const away = ({ line: { values } }: Step) => {
      const [from, to] = [y(values[row - 1]!), y(values[row]!)];
      // a steep step is as near above it as beside it
      const inside = top >= Math.min(from, to) && top <= Math.max(from, to);
      const across = from + (to - from) * (along - row + 1) - top;
      return inside ? Math.min(Math.abs(across), Math.abs(x(1) - x(0)) / 2) : Math.abs(across);
    };
    const best = steps.sort((a, b) => away(a) - away(b))[0];
    return best && away(best) <= REACH ? best : null;
  };
  const point = (step: Step | null) => {
    at.value = step && { token: step.line.tokens[0]!, row: step.row };
  };
  const toggle = (step: Step) => {
    settings.jump.value = isSameJump(jump, jumpOf(step)) ? null : jumpOf(step);
  };

  const act = (key: string): boolean => {
    const now = pointed ?? open;
    if (key === "Escape" && (pointed || open)) {
      if (open) settings.jump.value = null;
      else point(null);
      return true;
    }
    if ((key === "Enter" || key === " ") && now) {
      toggle(now);
      return true;
    }
    const [line, along] = ARROWS[key] ?? [];
    if (along === undefined || !Number.isFinite(line)) return false;
    // what is followed comes before what is only context
    const start = Math.max(
      0,
      known.findIndex(({ pinColor }) => pinColor !== null),
    );
    const next = known[(now ? known.indexOf(now.line) - line! + known.length : start) % known.length]!;
    const row = now ? Math.max(1, Math.min(grid.rows.length - 1, now.row + along)) : largest(next.values);
    point(stepOf(next.tokens[0], row));
    return true;
  };

  const path = ({ line: { values }, row }: Step) =>
    `M${x(row - 1)},${y(values[row - 1]!)}L${x(row)},${y(values[row]!)}`;
  const color = ({ line }: Step) => (line.pinColor === null ? "var(--lw-muted)" : colorOf(line.pinColor));
  return (
    <>
      <div
        class="lw-steps"
        role="slider"
        aria-label="Steps of the trajectories. Arrow keys move along a line and from line to line, Enter opens what moved the token there, Escape lets go."
        aria-valuemin={1}
        aria-valuemax={grid.rows.length - 1}
        aria-valuenow={(pointed ?? open)?.row ?? grid.rows.length - 1}
        aria-valuetext={pointed || open ? told(grid, (pointed ?? open)!, measure) : "no step yet"}
        tabIndex={0}
        style={{ width: `${width}px`, height: `${height}px`, cursor: pointed ? "pointer" : "default" }}
        onPointerMove={(event) => point(nearest(event))}
        onPointerLeave={() => point(null)}
        onBlur={() => point(null)}
        onClick={(event) => {
          const step = nearest(event);
          if (step) toggle(step);
        }}
        onKeyDown={keysFor(act)}
      >
        <svg width={width} height={height} aria-hidden="true">
          {open && <path class="lw-line lw-opened" d={path(open)} style={{ stroke: color(open) }} />}
          {pointed && <path class="lw-line lw-pointed" d={path(pointed)} style={{ stroke: color(pointed) }} />}
        </svg>
      </div>
      <p class="lw-step-hint lw-muted" aria-hidden="true">
        {pointed ? <bdi>{told(grid, pointed, measure)}</bdi> : open ? null : "click a step to see what moved it"}
      </p>
    </>
  );
}

/** "␣Paris, L27 to L28: 12 % to 45 %" */
function told({ rows }: Grid, { line: { label, values }, row }: Step, measure: Measure): string {
  const number = measure === "rank" ? plain : percent;
  return `${label}, ${rows[row - 1]} to ${rows[row]}: ${number(values[row - 1]!)} to ${number(values[row]!)}`;
}

/** The row to which a line moves most. */
function largest(values: ArrayLike<number>): number {
  let best = 1;
  const size = (row: number) => Math.abs(values[row]! - values[row - 1]!) || 0;
  for (let row = 2; row < values.length; row++) if (size(row) > size(best)) best = row;
  return best;
}
