// What an edit can reach, outlined: the cell, and all rows above it from its column on.

import type { ReadonlySignal } from "@preact/signals";
import type { GridState } from "../state/grid-state.js";
import { type Layout, placeOf } from "./layout.js";

interface Props {
  state: GridState;
  layout: ReadonlySignal<Layout>;
  scrolled: ReadonlySignal<number>;
}

export function Cones({ state, layout: { value: layout }, scrolled }: Props) {
  const { cellWidth, columns, gutter, viewWidth, height } = layout;
  const carried = state.carriedCell.value;
  if (!state.cones.value.length && !carried) return null;
  return (
    <div
      class="lw-cones"
      aria-hidden="true"
      style={{ left: `${gutter}px`, width: `${viewWidth}px`, height: `${height}px` }}
    >
      {state.cones.value.map((cell) => {
        const { x, y, height: tall } = placeOf(layout, cell, scrolled.value);
        return (
          <>
            {y > 0 && (
              <span
                class="lw-cone"
                style={{
                  left: `${x}px`,
                  top: 0,
                  width: `${(columns - cell.column) * cellWidth - 1}px`,
                  height: `${y}px`,
                }}
              />
            )}
            <span
              class="lw-cone-cell"
              style={{ left: `${x}px`, top: `${y}px`, width: `${cellWidth - 1}px`, height: `${tall - 1}px` }}
            />
          </>
        );
      })}
      {carried && <Carried {...placeOf(layout, carried, scrolled.value)} />}
    </div>
  );
}

function Carried({ x, y, width, height }: { x: number; y: number; width: number; height: number }) {
  return (
    <span
      class="lw-carried"
      style={{ left: `${x}px`, top: `${y}px`, width: `${width - 1}px`, height: `${height - 1}px` }}
    />
  );
}
