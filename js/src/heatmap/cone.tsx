// What an edit can reach, outlined: the cell, and all rows above it from its column on.

import type { ReadonlySignal } from "@preact/signals";
import type { Cell } from "../data/grid.js";
import { box, type Rectangle } from "../pieces/rectangle.js";
import type { GridState } from "../state/grid-state.js";
import { type Layout, placeOf } from "./layout.js";

interface Props {
  state: GridState;
  layout: ReadonlySignal<Layout>;
  scrolled: ReadonlySignal<number>;
}

export function Cones({ state, layout: { value: layout }, scrolled }: Props) {
  const { cellWidth, columns, left, viewWidth, height } = layout;
  const carried = state.carriedCell.value;
  if (!state.cones.value.length && !carried) return null;
  const place = (cell: Cell) => placeOf(layout, cell, scrolled.value);
  return (
    <div class="lw-cones" aria-hidden="true" style={box(left, 0, viewWidth, height)}>
      {state.cones.value.map((cell) => {
        const at = place(cell);
        return (
          <>
            {at.y > 0 && <span class="lw-cone" style={box(at.x, 0, (columns - cell.column) * cellWidth - 1, at.y)} />}
            <Framed name="lw-cone-cell" at={at} />
          </>
        );
      })}
      {carried && <Framed name="lw-carried" at={place(carried)} />}
    </div>
  );
}

function Framed({ name, at: { x, y, width, height } }: { name: string; at: Rectangle }) {
  return <span class={name} style={box(x, y, width - 1, height - 1)} />;
}
