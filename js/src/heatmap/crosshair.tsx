// What moves above the cells: rings round the hovered and the selected cell, their labels in bold, and a bar at each row
// that is picked. They are elements: a canvas the size of the heatmap would be copied whole for every step of a pointer.

import type { ReadonlySignal } from "@preact/signals";
import { box } from "../pieces/rectangle.js";
import type { GridState } from "../state/grid-state.js";
import type { Cells } from "./cells.js";
import { type Layout, labelWidth, placeOf } from "./layout.js";

interface Props {
  state: GridState;
  cells: ReadonlySignal<Cells>;
  layout: ReadonlySignal<Layout>;
  scrolled: ReadonlySignal<number>;
}

export function Crosshair({ state, layout: { value: layout }, scrolled }: Props) {
  const { grid, settings } = state;
  const { gutter, isMirrored, left, viewWidth, height } = layout;
  const picked = settings.rows_compared.value.filter((row) => grid.rows[row] !== undefined);
  const marked = markedIn(state, layout, scrolled.value);
  const rowLabel = (row: number, name: string) => {
    const at = placeOf(layout, { row, column: 0 }, 0);
    const padding = `${gutter - labelWidth(layout, grid.rowQuantities.length) - 5}px`;
    return (
      <span
        class={name}
        style={{
          ...box(isMirrored ? viewWidth + 2 : 0, at.y, gutter - 2, at.height - 1),
          ...(isMirrored ? { paddingLeft: padding, justifyContent: "start" } : { paddingRight: padding }),
        }}
      >
        <bdi>{grid.rows[row]}</bdi>
      </span>
    );
  };
  return (
    <div class="lw-crosshair" aria-hidden="true">
      {picked.map((row) => rowLabel(row, "lw-row lw-picked"))}
      {marked.map(({ row }) => rowLabel(row, "lw-row"))}
      <div style={box(left, 0, viewWidth, height)}>
        {marked.map(({ name, at }) => (
          <span class={name} style={box(at.x, at.y, at.width - 1, at.height - 1)} />
        ))}
      </div>
    </div>
  );
}

/** The labels of their columns, written out, though one be wider than its column, within what shows. */
export function ColumnMarks({ state, cells, layout: { value: layout }, scrolled }: Props) {
  const { left, viewWidth, header } = layout;
  return (
    <div class="lw-crosshair" aria-hidden="true">
      <div style={box(left, 0, viewWidth, header)}>
        {markedIn(state, layout, scrolled.value).map(({ column, at }) => {
          const center = at.x + at.width / 2;
          if (center < 0 || center > viewWidth) return null;
          const translate = `clamp(${-center}px, -50%, calc(${viewWidth - center}px - 100%))`;
          const room = { minWidth: `${at.width - 1}px`, maxWidth: `${viewWidth}px` };
          return (
            <span class="lw-column" style={{ left: `${center}px`, ...room, translate }}>
              <bdi>{cells.value.columnLabel(column)}</bdi>
            </span>
          );
        })}
      </div>
    </div>
  );
}

function markedIn({ selected, hover }: GridState, layout: Layout, scrolled: number) {
  return [
    { cell: selected.value, name: "lw-ring lw-selected" },
    { cell: hover.value, name: "lw-ring" },
  ].flatMap(({ cell, name }) => (cell ? [{ ...cell, name, at: placeOf(layout, cell, scrolled) }] : []));
}
