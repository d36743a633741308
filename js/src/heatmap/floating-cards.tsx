// The card of the cell that is pointed at. One that is held stands elsewhere, and stays.

import type { ReadonlySignal } from "@preact/signals";
import type { Cell } from "../data/grid.js";
import { FloatingCard } from "../pieces/card.js";
import { type GridState, isSame } from "../state/grid-state.js";
import { type Layout, placeOf } from "./layout.js";

interface Props {
  state: GridState;
  layout: ReadonlySignal<Layout>;
  scrolled: ReadonlySignal<number>;
  /** Whether this is the heatmap that the pointer or the keys are in. */
  isActive: ReadonlySignal<boolean>;
  accompanied: boolean;
  /** Whether what is held stands where it is seen; else its card stays here while it is pointed at, too. */
  isDocked: boolean;
}

/** It is small where another is read: beside one that is held, or in a heatmap that is linked to the one pointed at. */
export function FloatingCards({ state, layout, scrolled, isActive, accompanied, isDocked }: Props) {
  const [selected, hover] = [state.selected.value, state.hover.value];
  const isHeld = isSame(hover, selected);
  // a column that is pointed at among dots is told there
  const isTold = state.grid.below && !isActive.value && !accompanied;
  if (!hover || isTold || (isHeld && (isDocked || !isActive.value))) return null;
  const isSmall = (selected !== null && !isHeld) || (accompanied && !isActive.value);
  return <FloatingCard state={state} cell={hover} at={placed(layout.value, hover, scrolled.value)} isSmall={isSmall} />;
}

function placed(layout: Layout, cell: Cell, scrolled: number) {
  const box = placeOf(layout, cell, scrolled);
  return box.x > -box.width && box.x < layout.viewWidth ? { ...box, x: box.x + layout.left } : null;
}
