// Where one heatmap stands: how its cells lie in the room that it has, and how far they are scrolled. What stands beside
// it on the same rows is given the same.

import { type ReadonlySignal, type Signal, useComputed, useSignal } from "@preact/signals";
import { clamp } from "../data/grid.js";
import { density } from "../pieces/pixels.js";
import type { GridState } from "../state/grid-state.js";
import { gutterFor, isPair, type Layout, layoutOf } from "./layout.js";

export interface Frame {
  layout: ReadonlySignal<Layout>;
  /** In CSS pixels. */
  scrolled: Signal<number>;
  /** Scrolls as little as shows a column. */
  bring: (column: number) => void;
}

/** `width` is the room there is, 0 until it is known. */
export function useFrame(
  { grid, settings, scroll, rowsShown }: GridState,
  width: ReadonlySignal<number>,
  isMirrored = false,
): Frame {
  const scrolled = useSignal(0);
  const layout = useComputed(() =>
    layoutOf({
      rows: grid.rows.length,
      columns: grid.columns.length,
      width: width.value,
      height: settings.height.value,
      stride: settings.stride.value,
      gutter: gutterFor(grid, width.value || undefined),
      density: density.value,
      only: rowsShown.value,
      isPair: isPair(grid),
      isMirrored,
      hasNumbers: !grid.candidates,
    }),
  );
  const bring = (column: number) => {
    const { cellWidth, viewWidth } = layout.value;
    scroll.value = clamp(scrolled.value / cellWidth, column + 1 - viewWidth / cellWidth, column);
  };
  return { layout, scrolled, bring };
}
