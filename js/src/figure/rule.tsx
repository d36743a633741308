// The rule through a row: its label, its cells, its place in the chart.

import type { ReadonlySignal } from "@preact/signals";
import { type Layout, placeOf } from "../heatmap/layout.js";
import type { GridState } from "../state/grid-state.js";
import { jumpIn } from "../state/jumps.js";

interface Props {
  state: GridState;
  layout: ReadonlySignal<Layout>;
  width: number;
}

export function Rule({ state, layout, width }: Props) {
  const row = (state.hover.value ?? state.selected.value)?.row ?? jumpIn(state)?.[2];
  if (row === undefined || state.grid.rows[row] === undefined) return null;
  const { y, height } = placeOf(layout.value, { row, column: 0 }, 0);
  const place = { width: `${width}px`, height: `${height + 1}px`, translate: `0 ${y + layout.value.header - 1}px` };
  return <div class="lw-row-rule" style={place} />;
}
