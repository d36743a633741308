// The whole map in small, a pixel or two a token, and on it the window that shows at full size: dragged, or moved by keys.

import { effect, type ReadonlySignal, type Signal, useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { clamp } from "../data/grid.js";
import { sized } from "../heatmap/brush.js";
import type { Cells } from "../heatmap/cells.js";
import { ARROWS, keysFor } from "../pieces/keys.js";
import { density, pointIn } from "../pieces/pixels.js";
import { Ruler } from "../pieces/ruler.js";
import type { GridState } from "../state/grid-state.js";
import { type Palette, STEPS } from "../style/palette.js";
import { ODD } from "../style/scale.js";

const HEIGHT = 48;
/** What a canvas is wide at most in every browser. */
const WIDEST = 16_384;
/** A window of fewer pixels can't be taken hold of. */
const LEAST = 8;

interface Props {
  state: GridState;
  span: ReadonlySignal<readonly [first: number, end: number]>;
  cells: ReadonlySignal<Cells>;
  palette: Signal<Palette>;
  found: ReadonlySignal<number[]>;
}

export function Brush({ state: { grid, scroll }, span, cells, palette, found }: Props) {
  const count = grid.columns.length;
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useSignal(0);
  /** How far from the left edge of the window it is held. */
  const held = useRef(0);
  useLayoutEffect(
    () =>
      effect(() => {
        if (width.value) paint(canvas.current!, cells.value, palette.value, count, width.value, density.value);
      }),
    [cells],
  );
  const [first, end] = span.value;
  const shown = end - first;
  const move = (to: number) => {
    scroll.value = clamp(to, 0, count - shown);
  };
  const drag = (event: PointerEvent) => {
    const strip = event.currentTarget as HTMLElement;
    const at = (pointIn(strip, event).x / width.value) * count;
    if (event.type === "pointerdown") {
      strip.setPointerCapture(event.pointerId);
      held.current = at >= first && at < end ? at - first : shown / 2;
    }
    if (strip.hasPointerCapture(event.pointerId)) move(at - held.current);
  };
  const wide = Math.max(LEAST, (shown / count) * width.value);
  const left = Math.min(width.value - wide, (first / count) * width.value);
  const last = Math.min(count, Math.round(end));
  return (
    <div class="lw-brush" onPointerDown={drag} onPointerMove={drag}>
      <Ruler width={width} />
      {found.value.map((column) => (
        <i key={column} style={{ left: `${(100 * (column + 0.5)) / count}%` }} />
      ))}
      <canvas ref={canvas} />
      <div
        role="slider"
        tabIndex={0}
        aria-label="The part of the prompt that the map shows"
        aria-valuemin={0}
        aria-valuemax={count}
        aria-valuenow={Math.round(first)}
        aria-valuetext={`tokens ${Math.round(first)} to ${last - 1} of ${count}`}
        style={{ width: `${wide}px`, translate: `${left}px` }}
        onKeyDown={keysFor((key) => {
          const [up, right] = ARROWS[key] ?? [0, 0];
          const by = right - Math.sign(up) * shown;
          if (by) move(first + by);
          return by !== 0;
        })}
      />
    </div>
  );
}

function paint(
  canvas: HTMLCanvasElement,
  { shades, ramp }: Cells,
  palette: Palette,
  count: number,
  width: number,
  sharpness: number,
): void {
  const { fill } = palette[ramp];
  const color = (css: string) => {
    const [r, g, b] = css.match(/\d+/g)!.map(Number);
    return (255 << 24) | (b! << 16) | (g! << 8) | r!;
  };
  const colors = new Int32Array(ODD.gap + 1).fill(color(palette.excluded));
  for (let step = 0; step < STEPS; step++) colors[step] = color(fill[step]!);
  for (const shade of [ODD.above, ODD.high]) colors[shade] = colors[STEPS - 1]!;
  const every = Math.ceil(count / WIDEST);
  const small = document.createElement("canvas");
  small.width = Math.floor(count / every);
  small.height = shades.length / count;
  const brush = small.getContext("2d")!;
  const image = brush.createImageData(small.width, small.height);
  const pixels = new Int32Array(image.data.buffer);
  for (let row = 0; row < small.height; row++) {
    const [from, to] = [row * count, (small.height - 1 - row) * small.width];
    for (let x = 0; x < small.width; x++) pixels[to + x] = colors[shades[from + x * every]!]!;
  }
  brush.putImageData(image, 0, 0);
  const context = canvas.getContext("2d")!;
  sized(context, width, HEIGHT, sharpness);
  // where a token has less than a pixel, what lies under one is mixed
  context.imageSmoothingEnabled = small.width > width * sharpness;
  context.drawImage(small, 0, 0, width, HEIGHT);
}
