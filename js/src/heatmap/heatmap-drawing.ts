// The heatmap as a drawing: what of it is in view, and all of its columns.

import { opening } from "../pieces/svg.js";
import type { GridState } from "../state/grid-state.js";
import type { Palette } from "../style/palette.js";
import { belowHeight, paintBelow } from "./below-painter.js";
import type { Cells } from "./cells.js";
import { gutterFor, isPair, type Layout, layoutOf } from "./layout.js";
import { Painter } from "./painter.js";
import { Pen } from "./pen.js";
import { paintPair, paintRows } from "./rows-painter.js";

/** By its first canvas, what a heatmap shows now, and all of it where that is more. */
export const drawn = new WeakMap<Element, { seen: () => string; whole: (() => string) | null }>();

const CELL = 76;
/** So many columns can be read where they are as wide as a sheet; others stand beneath. */
const ON_PAPER = 14;

/** The columns from `first` to before `end`, so many pixels of which are out of view on the left. */
export function mapDrawn(
  cells: Cells,
  layout: Layout,
  palette: Palette,
  first: number,
  end: number,
  hidden = 0,
): string {
  const { left, header, height, footer, viewWidth, cellWidth } = layout;
  const painter = new Painter(cells, layout, palette, null);
  const pen = new Pen();
  if (cells.sourceLabel) paintPair(pen, painter);
  pen.save();
  pen.translate(0, header);
  paintRows(pen, painter);
  pen.translate(0, height + footer);
  paintBelow(pen, cells.below, layout, palette, first * cellWidth + hidden);
  pen.restore();
  // one drawing in another shows nothing beyond its edges
  pen.svg += `<svg x="${left}" width="${viewWidth}" height="${header + height}">`;
  pen.save();
  pen.translate(-hidden, 0);
  painter.paint(pen, first, end);
  pen.restore();
  return `${pen.svg}</svg>`;
}

/** All cells, in as many drawings as it takes to read them on paper. */
export function wholeDrawn(state: GridState, cells: Cells, palette: Palette, most = ON_PAPER): string {
  const { grid, settings } = state;
  const { length } = grid.columns;
  const each = Math.ceil(length / Math.ceil(length / most));
  const gutter = gutterFor(grid);
  return Array.from({ length: Math.ceil(length / each) }, (_, i) => {
    const [first, end] = [i * each, Math.min(length, (i + 1) * each)];
    const layout = layoutOf({
      ...{ rows: grid.rows.length, columns: end - first, gutter, width: gutter + (end - first) * CELL, density: 1 },
      ...{ height: settings.height.value, stride: settings.stride.value, only: state.rowsShown.value },
      isPair: isPair(grid),
    });
    const svg = mapDrawn(cells, { ...layout, columns: length }, palette, first, end);
    return `${opening(gutter + layout.viewWidth, layout.header + layout.height + belowHeight(cells.below) + 12)}${svg}</svg>`;
  }).join("");
}
