// The heatmap in the page: its size, its pointer and its keys. Painting is `canvas.ts`, arithmetic `layout.ts`.

import { effect, type ReadonlySignal, type Signal, useComputed, useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { type Cell, candidatesAt, isLens } from "../data/grid.js";
import { Card } from "../pieces/card.js";
import { keysFor } from "../pieces/keys.js";
import { density, pointIn } from "../pieces/pixels.js";
import { Ruler } from "../pieces/ruler.js";
import { type GridState, isSame } from "../state/grid-state.js";
import type { Palette } from "../style/palette.js";
import { spoken } from "../text/words.js";
import { Heatmap } from "./canvas.js";
import type { Cells } from "./cells.js";
import { Crosshair } from "./crosshair.js";
import { cellAt, destination, gutterFor, type Layout, layoutOf, placeOf, rowAt } from "./layout.js";

/** What all that paints is given. */
export interface Paints {
  palette: Signal<Palette>;
  /** Called after each painting. */
  painted: () => void;
}

interface Props extends Paints {
  state: GridState;
  cells: ReadonlySignal<Cells>;
  /** Whether others stand beside it: the card of the one that is pointed at is full, theirs are small. */
  accompanied?: boolean;
  /** What a click does instead of selecting. */
  open?: (cell: Cell) => void;
}

export function HeatmapView({ state, cells, palette, painted, accompanied = false, open: opens }: Props) {
  const { grid, settings, hover, selected } = state;
  const isActive = useSignal(false);
  const canvas = useRef<HTMLCanvasElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const width = useSignal(0);
  const scrolled = useSignal(0);
  /** Whether the cells have their size, and are scrolled to where they belong. */
  const isPlaced = useSignal(false);
  const layout = useComputed(() =>
    layoutOf({
      rows: grid.rows.length,
      columns: grid.columns.length,
      width: width.value,
      height: settings.height.value,
      stride: settings.stride.value,
      gutter: gutterFor(grid, width.value || undefined),
      density: density.value,
      only: state.rowsShown.value,
    }),
  );
  const heatmap = useRef<Heatmap>(null);
  /** What is read aloud: only what the keys move to, as a pointer's every step would be noise. */
  const speech = useSignal("");

  useLayoutEffect(() => {
    heatmap.current = new Heatmap(canvas.current!);
  }, []);

  // scrolling under a resting pointer moves another cell beneath it
  const pointer = useRef<{ x: number; y: number } | null>(null);
  const point = () => {
    const at = pointer.current;
    const cell = at && cellAt(layout.value, at.x, at.y, scrolled.value);
    if (!isSame(cell, hover.value)) hover.value = cell;
  };
  const onPointerMove = (event: MouseEvent) => {
    isActive.value = true;
    pointer.current = pointIn(scroller.current!, event);
    point();
  };
  const onPointerLeave = () => {
    pointer.current = null;
    isActive.value = false;
    hover.value = null;
  };
  const onScroll = () => {
    const { cellWidth } = layout.value;
    const left = scroller.current!.scrollLeft;
    scrolled.value = left;
    // what was scrolled to from elsewhere comes back rounded
    if (Math.abs((state.scroll.peek() ?? -1) * cellWidth - left) >= 1) state.scroll.value = left / cellWidth;
    if (pointer.current) point();
  };
  const show = ({ column }: Cell) => {
    const { cellWidth, viewWidth } = layout.value;
    const element = scroller.current!;
    const left = column * cellWidth;
    if (left < element.scrollLeft) element.scrollLeft = left;
    else if (left + cellWidth > element.scrollLeft + viewWidth) element.scrollLeft = left + cellWidth - viewWidth;
    onScroll();
  };
  const follow = (columns: number | null) => {
    const element = scroller.current!;
    const left = (columns ?? 0) * layout.value.cellWidth;
    if (Math.abs(left - element.scrollLeft) < 1) return;
    element.scrollLeft = left;
    scrolled.value = element.scrollLeft;
  };
  // a selection that Python made may lie out of sight; the last token is where a prompt is answered, and what the
  // chart shows first
  useLayoutEffect(() => {
    if (!width.value) return;
    const { value: columns } = state.scroll;
    follow(columns);
    if (selected.value) show(selected.value);
    else if (columns === null)
      show({ row: 0, column: grid.columnLabels && !isLens(grid) ? 0 : grid.columns.length - 1 });
    isPlaced.value = true;
  }, [layout.value, selected.value]);
  useLayoutEffect(
    () =>
      effect(() => {
        if (isPlaced.value) follow(state.scroll.value);
      }),
    [state],
  );

  // before the browser paints, so that what comes into view is never blank
  useLayoutEffect(
    () =>
      effect(() => {
        if (!isPlaced.value) return;
        heatmap.current!.paint(cells.value, layout.value, palette.value, scrolled.value);
        painted();
      }),
    [cells],
  );

  const choose = (cell: Cell) => (opens ? opens(cell) : state.toggleSelected(cell));
  /** Does what a key asks for; false for a key that asks for nothing here. */
  const act = (key: string): boolean => {
    const now = hover.value ?? selected.value;
    const next = destination(layout.value, key, now);
    if (next) {
      pointer.current = null;
      isActive.value = true;
      hover.value = next;
      speech.value = spoken(grid, state.quantity.value, next);
      show(next);
    } else if (!now) {
      return false;
    } else if (key === "Enter" || key === " ") {
      choose(now);
    } else if (key === "c" || key === "C") {
      state.pickRow(now.row);
    } else if (key === "p" || key === "P") {
      const [leader] = candidatesAt(grid, now);
      if (leader) state.togglePin(leader.token, key === "P");
    } else if (key === "Escape") {
      if (selected.value) settings.selected.value = null;
      else hover.value = null;
    } else {
      return false;
    }
    return true;
  };

  const { columns, cellWidth, gutter, height, footer } = layout.value;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions lint/a11y/useKeyWithClickEvents: the same as the key C
    <div
      class="lw-heatmap"
      onClick={(event) => {
        const { x, y } = pointIn(event.currentTarget, event);
        if ((event.target as Element).closest(".lw-card") || x >= gutter) return;
        const row = rowAt(layout.value, y);
        if (row === null) return;
        if (opens) opens({ row, column: 0 });
        else state.pickRow(row);
      }}
    >
      <Ruler width={width} />
      <canvas ref={canvas} />
      <Crosshair {...{ state, cells, layout, scrolled }} />
      <div
        class="lw-scroller"
        ref={scroller}
        role="application"
        aria-roledescription="heatmap"
        aria-label={`${grid.kind}, ${grid.rows.length} rows by ${columns} ${grid.columnLabels ? "columns" : "tokens"}. Arrow keys move, Enter selects, ${isLens(grid) ? "P pins the leading token, Shift P joins it to the last pin, C picks the layer to compare it with another, " : ""}Escape lets go.`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: an application is what its keys move in
        tabIndex={0}
        style={{ left: `${gutter}px` }}
        onPointerMove={onPointerMove}
        onPointerLeave={onPointerLeave}
        onScroll={onScroll}
        onKeyDown={keysFor(act)}
        onBlur={onPointerLeave}
        onClick={(event) => {
          onPointerMove(event);
          if (hover.value) choose(hover.value);
        }}
      >
        <div style={{ width: `${columns * cellWidth}px`, height: `${height + footer}px` }} />
      </div>
      <Cards {...{ state, layout, scrolled, isActive }} accompanied={accompanied} />
      <p class="lw-spoken" aria-live="polite">
        {speech}
      </p>
    </div>
  );
}

interface CardsProps {
  state: GridState;
  layout: ReadonlySignal<Layout>;
  scrolled: ReadonlySignal<number>;
  /** Whether this is the heatmap that the pointer or the keys are in. */
  isActive: ReadonlySignal<boolean>;
  accompanied: boolean;
}

/** The card of the cell that is pointed at or held, and a small one of what is pointed at while another is held. */
function Cards({ state, layout, scrolled, isActive, accompanied }: CardsProps) {
  const [open, selected, hover] = [state.open.value, state.selected.value, state.hover.value];
  const place = (cell: Cell) => {
    const { gutter, viewWidth } = layout.value;
    const box = placeOf(layout.value, cell, scrolled.value);
    return box.x > -box.width && box.x < viewWidth ? { ...box, x: box.x + gutter } : null;
  };
  if (!open) return null;
  const isSmall = accompanied && !isActive.value;
  const elsewhere = selected && hover && !isSame(hover, selected) ? hover : null;
  return (
    <>
      <Card state={state} cell={open} at={place(open)} held={selected !== null} isSmall={isSmall} />
      {elsewhere && <Card state={state} cell={elsewhere} at={place(elsewhere)} isSmall />}
    </>
  );
}
