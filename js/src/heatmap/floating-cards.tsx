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
}

/** It is small where another is read: beside one that is held, or in a heatmap that is linked to the one pointed at. */
export function FloatingCards({ state, layout, scrolled, isActive, accompanied }: Props) {
  const [selected, hover] = [state.selected.value, state.hover.value];
  if (!hover || isSame(hover, selected)) return null;
  const isSmall = selected !== null || (accompanied && !isActive.value);
  return <FloatingCard state={state} cell={hover} at={placed(layout.value, hover, scrolled.value)} isSmall={isSmall} />;
}

function placed(layout: Layout, cell: Cell, scrolled: number) {
  const box = placeOf(layout, cell, scrolled);
  return box.x > -box.width && box.x < layout.viewWidth ? { ...box, x: box.x + layout.gutter } : null;
}
