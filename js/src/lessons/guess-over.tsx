// The line that a reader draws in the chart, by pointer, touch or keys; once it is uncovered, what was true beside it.

import { type ReadonlySignal, type Signal, useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { band } from "../chart/group-lines.js";
import type { OverChartProps } from "../chart/over.js";
import type { Place } from "../chart/place.js";
import { path } from "../chart/plot.js";
import { probabilities } from "../data/followed.js";
import { clamp } from "../data/grid.js";
import { keysFor } from "../pieces/keys.js";
import { pointIn } from "../pieces/pixels.js";
import { box } from "../pieces/rectangle.js";
import { percent } from "../text/number.js";
import { followedBy } from "./at-cell.js";
import type { Cover } from "./covered.js";
import { type Guess, type Spot, stroked } from "./guess.js";

interface Drawing {
  cover: Cover;
  /** Ids of the token whose line it is. */
  tokens: number[];
  /** What is being drawn. */
  guess: Signal<Guess>;
  /** The same, or what was drawn before. */
  drawing: ReadonlySignal<Guess>;
  isLifted: ReadonlySignal<boolean>;
  /** Shows what was covered, if the line is whole. */
  uncover(): void;
}

/** What draws it over the chart of its column. */
export function guessOver(drawing: Drawing) {
  return (props: OverChartProps) => {
    if (props.column !== drawing.cover.column) return null;
    return drawing.isLifted.value ? <Beside {...props} {...drawing} /> : <Drawn {...props} {...drawing} />;
  };
}

/** By how many rows a key goes up, and by how much it changes the line. */
const KEYS: Record<string, [up: number, by: number]> = {
  ArrowUp: [1, 0],
  ArrowDown: [-1, 0],
  ArrowLeft: [0, -0.02],
  ArrowRight: [0, 0.02],
  PageDown: [0, -0.1],
  PageUp: [0, 0.1],
  Home: [0, -1],
  End: [0, 1],
};

function Drawn({ state: { grid }, place, cover: { first, last }, tokens, guess, uncover }: OverChartProps & Drawing) {
  const active = useSignal(0);
  const before = useRef<Spot | null>(null);
  const now = guess.value[active.value] ?? null;
  const { left, right, width, height, y, rowAt } = place;
  const tall = (y(first) - y(last)) / (last - first) || 20;
  const top = y(last) - tall / 2;
  const draw = (to: Spot, from: Spot | null = null) => {
    guess.value = stroked(guess.value, from, to);
    active.value = to.at;
    before.current = to;
  };
  const under = (event: PointerEvent): Spot => {
    const point = pointIn(event.currentTarget as HTMLElement, event);
    const value = clamp((point.x - MARGIN) / (right - left), 0, 1);
    return { at: clamp(Math.round(rowAt(point.y + top)), first, last) - first, value };
  };
  const act = (key: string): boolean => {
    if (key === "Enter") {
      uncover();
      return true;
    }
    const [up, by] = KEYS[key] ?? [];
    if (up === undefined) return false;
    const at = clamp(active.value + up, 0, last - first);
    active.value = at;
    // a row that has no value yet begins where the one before it is
    const value = up ? (guess.value[at] ?? now) : clamp((now ?? 0) + by!, 0, 1);
    if (value !== null) draw({ at, value: Math.round(value * 100) / 100 });
    return true;
  };
  return (
    <>
      <svg class="lw-over" aria-hidden="true" {...{ width, height }}>
        <GuessLine guess={guess.value} place={place} first={first} />
      </svg>
      <div
        class="lw-guess"
        role="slider"
        tabIndex={0}
        aria-label={`Your guess of ${followedBy(grid, tokens).label}. Up and down go from row to row, left and right change it, Enter uncovers.`}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(100 * (now ?? 0))}
        aria-valuetext={`${grid.rows[first + active.value]}: ${now === null ? "nothing yet" : percent(now)}`}
        style={box(left - MARGIN, top, right - left + 2 * MARGIN, y(first) - y(last) + tall)}
        onPointerDown={(event) => {
          (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
          draw(under(event));
        }}
        onPointerMove={(event) => event.buttons && draw(under(event), before.current)}
        onKeyDown={keysFor(act)}
      />
    </>
  );
}

const MARGIN = 7;

/** By row, from the lowest of the grid; no number where there is no guess. */
function valuesOf(guess: Guess, first: number): number[] {
  return [...Array(first).fill(Number.NaN), ...guess.map((value) => value ?? Number.NaN)];
}

function GuessLine({ guess, place, first }: { guess: Guess; place: Place; first: number }) {
  const values = valuesOf(guess, first);
  return (
    <>
      <path class="lw-line" d={path(values, place)} />
      <path class="lw-dots" d={path(values, place, true)} />
    </>
  );
}

/** Guess and truth together, the area between them, and where they are furthest apart. */
function Beside({
  state: { grid },
  column,
  place,
  cover: { first },
  tokens,
  drawing: guess,
}: OverChartProps & Drawing) {
  const { x, y, width, height } = place;
  const all = probabilities(grid, followedBy(grid, tokens), column);
  const drawn = valuesOf(guess.value, first);
  // it is known once the cover is lifted from the grid, too
  if (!all || Number.isNaN(all[first])) return null;
  const mean = drawn.map((value, row) => (value + all[row]!) / 2);
  const spread = drawn.map((value, row) => Math.abs(value - all[row]!) / 2);
  const widest = spread.indexOf(Math.max(...spread.filter(Number.isFinite)));
  const reach = x(mean[widest]! + spread[widest]!) - x(mean[widest]!);
  const [middle, at] = [x(mean[widest]!), y(widest)];
  // beside the line, where the truth isn't
  const named = Math.max(first, drawn.length - 2);
  const isLeft = drawn[named]! < all[named]! && drawn[named]! > 0.1;
  return (
    <svg class="lw-over" aria-hidden="true" {...{ width, height }}>
      <path class="lw-band" d={band({ values: mean, group: { mean, spread } }, place)} />
      <GuessLine guess={guess.value} place={place} first={first} />
      {reach > 45 && (
        <>
          <path
            class="lw-marker"
            d={`M${middle - reach + 6} ${at}H${middle - 32}M${middle + 32} ${at}H${middle + reach - 6}`}
          />
          <text class="lw-label lw-made" x={middle} y={at} dy="0.35em" text-anchor="middle">
            {Math.round(200 * spread[widest]!)} points
          </text>
        </>
      )}
      <text
        class="lw-label lw-made"
        x={x(drawn[named]!) + (isLeft ? -10 : 10)}
        y={y(named)}
        dy="0.35em"
        text-anchor={isLeft ? "end" : "start"}
      >
        you
      </text>
    </svg>
  );
}
