// Paints what stands above the columns of a heatmap: their tokens, what is put there, and a brace under the bytes of one character.

import type { Palette } from "../style/palette.js";
import type { Surface } from "./brush.js";
import type { Cells } from "./cells.js";
import { type Layout, labelLines } from "./layout.js";

const GAP = 1;

interface Labelled {
  cells: Cells;
  layout: Layout;
  palette: Palette;
  /** As much of a text as has room in a column. */
  fit: (context: Surface, text: string) => string;
}

export function paintLabels(context: Surface, painter: Labelled, first: number, end: number): void {
  const { cells, palette, layout } = painter;
  const { cellWidth, header } = layout;
  context.fillStyle = palette.ink;
  context.strokeStyle = palette.faint;
  context.lineWidth = 1;
  const [from, into] = labelLines(layout);
  for (let column = first; column < end; column++) {
    const x = (column - first) * cellWidth;
    const middle = x + (cellWidth - GAP) / 2;
    context.fillText(painter.fit(context, cells.columnLabel(column)), middle, into);
    if (cells.sourceLabel) {
      const source = cells.sourceLabel(column);
      context.fillStyle = source ? palette.source : palette.faint;
      context.fillText(source ? painter.fit(context, source) : "=", middle, from);
      context.fillStyle = palette.ink;
    }
    // one brace under the bytes of one character
    const [before, after] = [cells.isJoined(column), cells.isJoined(column + 1)];
    if (!before && !after) continue;
    const [left, right] = [before ? x - GAP : x + 4, after ? x + cellWidth : x + cellWidth - 5];
    const y = header - 3.5;
    context.beginPath();
    context.moveTo(left, before ? y : y - 4);
    if (!before) context.lineTo(left, y);
    context.lineTo(right, y);
    if (!after) context.lineTo(right, y - 4);
    context.stroke();
  }
}
