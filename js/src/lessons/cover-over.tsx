// The cover over the cells of a map that are to be guessed.

import type { ReadonlySignal } from "@preact/signals";
import { placeOf } from "../heatmap/layout.js";
import type { OverMapProps } from "../heatmap/over.js";
import { box } from "../pieces/rectangle.js";
import type { Cover } from "./covered.js";

/** What draws it, until it is lifted. */
export function coverOver({ column, first, last }: Cover, isLifted: ReadonlySignal<boolean>) {
  return ({ layout: { value: layout }, scrolled }: OverMapProps) => {
    const upper = placeOf(layout, { row: last, column }, scrolled.value);
    const lower = placeOf(layout, { row: first, column }, scrolled.value);
    return isLifted.value ? null : (
      <div class="lw-over-map" aria-hidden="true">
        <div style={box(layout.left, 0, layout.viewWidth, layout.height)}>
          <span class="lw-cover" style={box(upper.x, upper.y, upper.width - 1, lower.y + lower.height - upper.y - 1)}>
            ?
          </span>
        </div>
      </div>
    );
  };
}
