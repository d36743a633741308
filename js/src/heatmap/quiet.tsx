// The columns in which nothing was run, as one block that says why.

import type { ReadonlySignal } from "@preact/signals";
import { isQuiet, quietColumns } from "../data/sweep.js";
import { box } from "../pieces/rectangle.js";
import type { GridState } from "../state/grid-state.js";
import { outcome } from "../text/sweep.js";
import type { Layout } from "./layout.js";

interface Props {
  state: GridState;
  layout: ReadonlySignal<Layout>;
  scrolled: ReadonlySignal<number>;
}

export function QuietBlocks({ state: { grid }, layout: { value: layout }, scrolled }: Props) {
  if (!grid.columns.some((_, column) => isQuiet(grid, column))) return null;
  const { left, viewWidth, height, cellWidth } = layout;
  return (
    <div class="lw-quiet" aria-hidden="true" style={box(left, 0, viewWidth, height)}>
      {quietColumns(grid).map(({ from, to }) => {
        const width = (to - from) * cellWidth;
        return (
          <span key={from} data-upright={width < 220} style={box(from * cellWidth - scrolled.value, 0, width, height)}>
            {outcome(grid, { row: 0, column: from })}
          </span>
        );
      })}
    </div>
  );
}
