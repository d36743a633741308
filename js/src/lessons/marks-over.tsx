// Marks on the cells that were tried: what was right, and what wasn't.

import type { ReadonlySignal } from "@preact/signals";
import type { Cell } from "../data/grid.js";
import { placeOf } from "../heatmap/layout.js";
import type { OverMapProps } from "../heatmap/over.js";
import { box } from "../pieces/rectangle.js";

/** A cell of one of the grids. */
export interface Mark {
  which: number;
  cell: Cell;
  isRight: boolean;
}

/** A sign stands half beside its cell, also of the last column. */
const ASIDE = 9;

/** What draws marks over each map. */
export function marksOver(marks: ReadonlySignal<Mark[]>) {
  return ({ state, layout: { value: layout }, scrolled }: OverMapProps) => (
    <div class="lw-over-map" aria-hidden="true">
      <div style={box(layout.left, 0, layout.viewWidth + ASIDE, layout.height)}>
        {marks.value
          .filter(({ which }) => which === (state.which ?? 0))
          .map(({ cell, isRight }) => {
            const at = placeOf(layout, cell, scrolled.value);
            return (
              <span
                key={`${cell.row} ${cell.column}`}
                class="lw-tried"
                data-right={isRight}
                style={box(at.x, at.y, at.width - 1, at.height - 1)}
              />
            );
          })}
      </div>
    </div>
  );
}
