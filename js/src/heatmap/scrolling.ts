// How a heatmap scrolls along its columns: by hand, to what is selected, and with those that it is linked to.

import { effect, type ReadonlySignal, useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useLayoutEffect } from "preact/hooks";
import { isLens } from "../data/grid.js";
import type { GridState } from "../state/grid-state.js";
import type { Frame } from "./frame.js";

export interface Scrolling {
  /** Whether the cells have their size, and are scrolled to where they belong. */
  isPlaced: ReadonlySignal<boolean>;
  /** Tells what is linked how far the element is scrolled. */
  told: () => void;
}

export function useScrolling(
  state: GridState,
  { layout, scrolled, bring }: Frame,
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
    if (selected.value) bring(selected.value.column);
    else if (columns === null) bring(grid.columnLabels && !isLens(grid) ? 0 : grid.columns.length - 1);
    follow(state.scroll.value);
    isPlaced.value = true;
  }, [layout.value, selected.value]);
  useLayoutEffect(
    () =>
      effect(() => {
        if (isPlaced.value) follow(state.scroll.value);
      }),
    [state],
  );
  return { isPlaced, told };
}
