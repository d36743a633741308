// The heatmap in the page: column labels that stay in sight, and under them the cells and what floats over them.

import { effect, type ReadonlySignal, type Signal } from "@preact/signals";
import { useContext, useLayoutEffect, useRef } from "preact/hooks";
import { isLens } from "../data/grid.js";
import { pointIn } from "../pieces/pixels.js";
import type { GridState } from "../state/grid-state.js";
import type { Palette } from "../style/palette.js";
import { belowHeight, belowName, paintBelow } from "./below-painter.js";
import { sized } from "./brush.js";
import { Heatmap } from "./canvas.js";
import type { Cells } from "./cells.js";
import { Cones } from "./cone.js";
import { ColumnMarks, Crosshair } from "./crosshair.js";
import { FloatingCards } from "./floating-cards.js";
import type { Frame } from "./frame.js";
import { drawn, mapDrawn, wholeDrawn } from "./heatmap-drawing.js";
import { isPair, rowAt } from "./layout.js";
import { OverMap } from "./over.js";
import { usePointing } from "./pointing.js";
import { QuietBlocks } from "./quiet.js";
import { useScrolling } from "./scrolling.js";

/** More columns than this no picture has beside each other. */
const WHOLE = 5000;

/** What all that paints is given. */
export interface Paints {
  palette: Signal<Palette>;
  /** Called after each painting. */
  painted: () => void;
}

interface Props extends Paints {
  state: GridState;
  cells: ReadonlySignal<Cells>;
  frame: Frame;
  /** The room that there is, 0 until it is known. */
  width: ReadonlySignal<number>;
  /** Whether others stand beside it: the card of the one that is pointed at is full, theirs are small. */
  accompanied?: boolean;
  /** Whether what is held stands where it is seen. */
  isDocked?: boolean;
}

export function HeatmapView({
  state,
  cells,
  frame,
  width,
  palette,
  painted,
  accompanied = false,
  isDocked = false,
}: Props) {
  const { grid } = state;
  const { layout, scrolled } = frame;
  const below = grid.below?.quantities ?? [];
  const [head, body] = [useRef<HTMLCanvasElement>(null), useRef<HTMLCanvasElement>(null)];
  const foot = useRef<HTMLCanvasElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const heatmap = useRef<Heatmap>(null);
  const Over = useContext(OverMap);
  useLayoutEffect(() => {
    heatmap.current = new Heatmap(head.current!, body.current!);
  }, []);
  const scrolling = useScrolling(state, frame, width, scroller);
  const { isActive, speech, listeners } = usePointing(state, frame, scrolling, scroller);
  // before the browser paints, so that what comes into view is never blank
  useLayoutEffect(
    () =>
      effect(() => {
        if (!scrolling.isPlaced.value) return;
        heatmap.current!.paint(cells.value, layout.value, palette.value, scrolled.value);
        if (foot.current) {
          const context = foot.current.getContext("2d")!;
          const { gutter, viewWidth, density } = layout.value;
          sized(context, gutter + viewWidth, belowHeight(below), density);
          paintBelow(context, below, layout.value, palette.value, scrolled.value);
        }
        painted();
      }),
    [cells],
  );
  useLayoutEffect(() => {
    drawn.set(head.current!, {
      seen: () => {
        const { cellWidth, viewWidth } = layout.value;
        const [first, end] = [scrolled.value / cellWidth, (scrolled.value + viewWidth) / cellWidth];
        const hidden = (first % 1) * cellWidth;
        return mapDrawn(cells.value, layout.value, palette.value, Math.floor(first), Math.ceil(end - 1e-6), hidden);
      },
      whole: layout.value.footer ? () => wholeDrawn(state, cells.value, palette.value, WHOLE) : null,
    });
  });
  const pickRow = (event: MouseEvent) => {
    if ((event.target as Element).closest(".lw-scroller")) return; // a cell, which that click may have taken away
    const row = rowAt(layout.value, pointIn(event.currentTarget as HTMLElement, event).y);
    if (row !== null) state.pickRow(row);
  };
  const { columns, cellWidth, left, viewWidth, height, footer } = layout.value;
  const shape = `${grid.rows.length} rows by ${columns} ${grid.columnLabels ? "columns" : "tokens"}`;
  const more = isLens(grid)
    ? "P pins the leading token, Shift P joins it to the last pin, C picks the layer to compare it with another, " +
      (state.experiments?.canGive(state.which ?? -1) ? "E carries the state into another prompt, " : "")
    : "";
  const floating = { state, cells, layout, scrolled };
  return (
    <div class="lw-heatmap" data-pair={isPair(grid)}>
      <div class="lw-column-labels">
        <canvas ref={head} />
        <ColumnMarks {...floating} />
      </div>
      {/* biome-ignore lint/a11y/noStaticElementInteractions lint/a11y/useKeyWithClickEvents: the same as the key C */}
      <div class="lw-cells" onClick={pickRow}>
        <canvas ref={body} style={{ marginBottom: `${footer}px` }} />
        {below.length > 0 && <canvas ref={foot} role="img" aria-label={below.map(belowName).join("; ")} />}
        <QuietBlocks {...floating} />
        <Cones {...floating} />
        <Crosshair {...floating} />
        {Over && <Over {...floating} />}
        <div
          class="lw-scroller"
          ref={scroller}
          role="application"
          aria-roledescription="heatmap"
          aria-label={`${grid.kind}, ${shape}. Arrow keys move, Enter selects, ${more}Escape lets go.`}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: an application is what its keys move in
          tabIndex={0}
          style={{ left: `${left}px`, width: `${viewWidth}px` }}
          {...listeners}
        >
          <div style={{ width: `${columns * cellWidth}px`, height: `${height}px` }} />
        </div>
        <FloatingCards {...floating} {...{ isActive, accompanied, isDocked }} />
      </div>
      <p class="lw-spoken" aria-live="polite">
        {speech}
      </p>
    </div>
  );
}
