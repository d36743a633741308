// How a heatmap scrolls along its columns: by hand, to what is selected, and with those that it is linked to.

import { effect, type ReadonlySignal, useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useLayoutEffect } from "preact/hooks";
import { type Cell, isLens } from "../data/grid.js";
import type { GridState } from "../state/grid-state.js";
import type { Frame } from "./frame.js";

export interface Scrolling {
  /** Whether the cells have their size, and are scrolled to where they belong. */
  isPlaced: ReadonlySignal<boolean>;
  /** Scrolls as little as shows a cell. */
  show: (cell: Cell) => void;
  /** Tells what is linked how far the element is scrolled. */
  told: () => void;
}

export function useScrolling(
  state: GridState,
  { layout, scrolled }: Frame,
  width: ReadonlySignal<number>,
  scroller: RefObject<HTMLElement | null>,
): Scrolling {
  const { grid, selected } = state;
  const isPlaced = useSignal(false);
  const told = () => {
    const { cellWidth } = layout.value;
    if (!scroller.current) return; // a view that went while it was scrolled
    const left = scroller.current.scrollLeft;
    scrolled.value = left;
    // what was scrolled to from elsewhere comes back rounded
    if (Math.abs((state.scroll.peek() ?? -1) * cellWidth - left) >= 1) state.scroll.value = left / cellWidth;
  };
  const show = ({ column }: Cell) => {
    const { cellWidth, viewWidth } = layout.value;
    const element = scroller.current;
    if (!element) return;
    const left = column * cellWidth;
    if (left < element.scrollLeft) element.scrollLeft = left;
    else if (left + cellWidth > element.scrollLeft + viewWidth) element.scrollLeft = left + cellWidth - viewWidth;
    told();
  };
  const follow = (columns: number | null) => {
    const element = scroller.current;
    if (!element) return;
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
  return { isPlaced, show, told };
}
