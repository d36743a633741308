// The line that a reader draws in the chart, by pointer, touch or keys; once it is uncovered, what was true beside it.

import { type ReadonlySignal, type Signal, useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { OverChartProps } from "../chart/over.js";
import type { Place } from "../chart/place.js";
import { probabilities } from "../data/followed.js";
import { clamp } from "../data/grid.js";
import { pointIn } from "../pieces/pixels.js";
import { percent } from "../text/number.js";
import { followedBy } from "./at-cell.js";
import type { Cover } from "./covered.js";
import { drawn, type Guess, type Spot, stroked } from "./guess.js";

interface Drawing {
  cover: Cover;
  /** Ids of the token whose line it is. */
  tokens: number[];
  /** What is being drawn. */
  guess: Signal<Guess>;
  /** The same, or what was drawn before. */
  drawing: ReadonlySignal<Guess>;
  isLifted: ReadonlySignal<boolean>;
}

/** What draws it over the chart of its column. */
export function guessOver(drawing: Drawing) {
  return (props: OverChartProps) => {
    if (props.column !== drawing.cover.column) return null;
    return drawing.isLifted.value ? <Beside {...props} {...drawing} /> : <Drawn {...props} {...drawing} />;
  };
}

/** How far a key moves the line. */
const STEPS: Record<string, number> = {
  ArrowLeft: -0.02,
  ArrowRight: 0.02,
  PageDown: -0.1,
  PageUp: 0.1,
  Home: -1,
  End: 1,
};

function Drawn({ state, place, cover: { first, last }, tokens, guess }: OverChartProps & Drawing) {
  const { grid } = state;
  const active = useSignal(0);
  const stroke = useRef<Spot | null>(null);
  const { label } = followedBy(grid, tokens);
  const [top, bottom] = edges(place, first, last);
  const now = guess.value[active.value] ?? null;
  const under = (event: PointerEvent): Spot => {
    const { x, y } = pointIn(event.currentTarget as HTMLElement, event);
    const row = clamp(Math.round(place.rowAt(y + top)), first, last);
    const value = clamp((x - MARGIN) / (place.right - place.left), 0, 1);
    return { at: row - first, value };
  };
  const draw = (to: Spot) => {
    guess.value = stroked(guess.value, stroke.current, to);
    stroke.current = to;
    active.value = to.at;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = STEPS[event.key];
    const up = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (step === undefined && up === undefined) return;
    event.preventDefault();
    const before = now ?? 0;
    if (step !== undefined) return put(active.value, clamp(before + step, 0, 1));
    const next = clamp(active.value + up!, 0, last - first);
    active.value = next;
    // a row that has no value yet begins where the one before it is
    if (guess.value[next] === null && now !== null) put(next, now);
  };
  const put = (at: number, value: number) => {
    guess.value = stroked(guess.value, null, { at, value: Math.round(value * 100) / 100 });
  };
  return (
    <>
      <svg class="lw-over" width={place.width} height={place.height} aria-hidden="true">
        <Line guess={guess.value} place={place} first={first} />
      </svg>
      <div
        class="lw-guess"
        role="slider"
        tabIndex={0}
        aria-label={`Your guess of ${label}: draw it, or move with the arrow keys, up and down from row to row, left and right to change it`}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(100 * (now ?? 0))}
        aria-valuetext={`${grid.rows[first + active.value]}: ${now === null ? "nothing yet" : percent(now)}`}
        style={{
          top: `${top}px`,
          left: `${place.left - MARGIN}px`,
          width: `${place.right - place.left + 2 * MARGIN}px`,
          height: `${bottom - top}px`,
        }}
        onPointerDown={(event) => {
          (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
          stroke.current = null;
          draw(under(event));
        }}
        onPointerMove={(event) => event.buttons && draw(under(event))}
        onKeyDown={onKeyDown}
      >
        <span>{`${drawn(guess.value)} of ${guess.value.length} rows drawn`}</span>
      </div>
    </>
  );
}

const MARGIN = 7;

function edges({ y }: Place, first: number, last: number): [top: number, bottom: number] {
  const half = (first < last ? y(first) - y(last) : 20) / Math.max(1, last - first) / 2;
  return [y(last) - half, y(first) + half];
}

function Line({ guess, place: { x, y }, first }: { guess: Guess; place: Place; first: number }) {
  const spots = guess.map((value, at) => (value === null ? null : `${x(value)},${y(first + at)}`));
  let pen = "M";
  const d = spots.map((spot) => {
    const said = spot ? `${pen}${spot}` : "";
    pen = spot ? "L" : "M";
    return said;
  });
  return (
    <>
      <path class="lw-line" d={d.join("")} />
      {spots.map(
        (spot, at) =>
          spot && <circle key={at} class="lw-drawn" cx={spot.split(",")[0]} cy={spot.split(",")[1]} r="3.5" />,
      )}
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
  const truth = probabilities(grid, followedBy(grid, tokens), column)?.subarray(first);
  const known = guess.value.filter((value) => value !== null);
  // it is known once the cover is lifted from the grid, too
  if (!truth?.every(Number.isFinite) || known.length < guess.value.length) return null;
  const { x, y } = place;
  const off = known.map((value, at) => Math.abs(value - truth[at]!));
  const widest = off.indexOf(Math.max(...off.filter(Number.isFinite)));
  const outline = [
    ...known.map((value, at) => `${x(value)},${y(first + at)}`),
    ...known.map((_, at) => `${x(truth[at]!)},${y(first + at)}`).reverse(),
  ];
  const [a, b] = [known[widest]!, truth[widest]!].sort((one, other) => one - other) as [number, number];
  const [middle, height] = [(x(a) + x(b)) / 2, y(first + widest)];
  // beside the line, where the truth isn't
  const named = Math.max(0, known.length - 2);
  const isLeft = known[named]! < truth[named]! && known[named]! > 0.1;
  return (
    <svg class="lw-over" width={place.width} height={place.height} aria-hidden="true">
      <polygon class="lw-between-lines" points={outline.join(" ")} />
      <Line guess={known} place={place} first={first} />
      {x(b) - x(a) > 90 && (
        <>
          <path class="lw-gap" d={`M${x(a) + 6},${height}H${middle - 32}M${middle + 32},${height}H${x(b) - 6}`} />
          <text class="lw-label lw-made" x={middle} y={height} dy="0.35em" text-anchor="middle">
            {Math.round(100 * off[widest]!)} points
          </text>
        </>
      )}
      <text
        class="lw-label lw-made lw-you"
        x={x(known[named]!) + (isLeft ? -10 : 10)}
        y={y(first + named)}
        dy="0.35em"
        text-anchor={isLeft ? "end" : "start"}
      >
        you
      </text>
    </svg>
  );
}
