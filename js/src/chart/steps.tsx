// The steps of a trajectory, from one row to the next: each can be pointed at, walked to and opened.

import type { Signal } from "@preact/signals";
import { clamp, type Grid } from "../data/grid.js";
import { ARROWS, keysFor } from "../pieces/keys.js";
import { pointIn } from "../pieces/pixels.js";
import type { GridState } from "../state/grid-state.js";
import { isSameJump, jumpTo } from "../state/jumps.js";
import type { Measure } from "../state/settings.js";
import { percent, plain } from "../text/number.js";
import { largestStep } from "./labels.js";
import type { Line } from "./lines.js";
import type { Place } from "./place.js";
import { nearest, type Step, stepOf } from "./step.js";

interface Props {
  state: GridState;
  column: number;
  lines: Line[];
  measure: Measure;
  place: Place;
  pointed: Signal<Pointed | null>;
}

/** A step of a line, as the chart has them. */
export interface Pointed {
  line: number;
  row: number;
}

export function Steps({ state, column, lines, measure, place, pointed: at }: Props) {
  const { grid, settings, live } = state;
  const { x, y, top, width, height } = place;
  // what a group of tokens moved by is no sum over parts of the network; what matters most is drawn last
  const known = lines.filter(({ tokens }) => tokens.length === 1).reverse();
  if (!known.length || grid.rows.length < 2 || state.which === null || !(grid.jumps || live?.explains.value))
    return null;

  const idOf = ({ state: { grid } = state, tokens }: Line) => grid.tokens.ids[tokens[0]!]!;
  const jumpOf = ({ line, row }: Step) => jumpTo(line.state ?? state, column, idOf(line), row);
  const pointed = at.value && stepOf(lines[at.value.line], at.value.row);
  const jump = settings.jump.value;
  const isOpen = (line: Line) => isSameJump(jump, jump && jumpOf({ line, row: jump[2] }));
  const open = jump && stepOf(known.find(isOpen), jump[2]);
  const under = (event: MouseEvent) => {
    const point = pointIn(event.currentTarget as HTMLElement, event);
    return nearest(known, place, point.x, point.y + top);
  };
  const point = (step: Step | null) => {
    at.value = step && { line: lines.indexOf(step.line), row: step.row };
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
    const [along, across] = ALONG[key] ?? ARROWS[key] ?? [];
    if (along === undefined) return false;
    const next = known[(now ? known.indexOf(now.line) + across! + known.length : 0) % known.length]!;
    const row = now ? clamp(now.row + along, 1, grid.rows.length - 1) : largestStep(next.values);
    point(stepOf(next, row));
    return true;
  };
  const path = ({ line: { values }, row }: Step) =>
    `M${x(values[row - 1]!)},${y(row - 1)}L${x(values[row]!)},${y(row)}`;
  return (
    <>
      <svg class="lw-over" width={width} height={height} aria-hidden="true">
        {open && <path class="lw-line lw-opened" d={path(open)} />}
        {pointed && <path class="lw-line lw-pointed" d={path(pointed)} />}
      </svg>
      <div
        class="lw-steps"
        role="slider"
        aria-orientation="vertical"
        aria-label="Steps of the trajectories. Arrow keys up and down move along a line, to the sides from line to line, Enter opens what moved the token there, Escape lets go."
        aria-valuemin={1}
        aria-valuemax={grid.rows.length - 1}
        aria-valuenow={(pointed ?? open)?.row ?? grid.rows.length - 1}
        aria-valuetext={pointed || open ? told(grid, (pointed ?? open)!, measure) : "no step yet"}
        title={pointed ? told(grid, pointed, measure) : "Click a step to see what moved it"}
        tabIndex={0}
        style={{
          ...{ top: `${top}px`, width: `${width}px`, height: `${place.bottom - top}px` },
          cursor: pointed ? "pointer" : "default",
        }}
        onPointerMove={(event) => point(under(event))}
        onPointerLeave={() => point(null)}
        onBlur={() => point(null)}
        onClick={(event) => {
          const step = under(event);
          if (step) toggle(step);
        }}
        onKeyDown={keysFor(act)}
      />
    </>
  );
}

/** A line is followed from the lowest row up. */
const ALONG: typeof ARROWS = { Home: [Number.NEGATIVE_INFINITY, 0], End: [Number.POSITIVE_INFINITY, 0] };

/** "␣Paris, L27 to L28: 12 % to 45 %" */
function told({ rows }: Grid, { line: { label, values }, row }: Step, measure: Measure): string {
  const number = measure === "rank" ? plain : percent;
  return `${label}, ${rows[row - 1]} to ${rows[row]}: ${number(values[row - 1]!)} to ${number(values[row]!)}`;
}
