// Paints columns of a heatmap: their labels, and beneath them cells, outlines and the lines of what is decided.

import { WORD_FONT } from "../pieces/font.js";
import { type Palette, PIN_COLORS, STEPS } from "../style/palette.js";
import { ellipsize, ring, type Surface } from "./brush.js";
import type { Cells } from "./cells.js";
import { paintLabels } from "./labels-painter.js";
import { gapBetween, type Layout, top } from "./layout.js";
import { paintOdd } from "./odd.js";
import { isRepeated, runsOf, stepsOf } from "./runs.js";

const GAP = 1;
const LEAST_FOR_WORDS = 12;
/** Of the dot that stands for the token in the row below. */
const DOT = 1.1;

export class Painter {
  /** Words as they fit into a cell: measuring them costs more than painting them. */
  readonly #fitted: Map<string, string>;

  constructor(
    readonly cells: Cells,
    readonly layout: Layout,
    readonly palette: Palette,
    before: Painter | null,
  ) {
    this.#fitted = before?.layout.cellWidth === layout.cellWidth ? before.#fitted : new Map();
  }

  /** Paints the columns from `first` to before `end`, the first at the left edge. */
  paint(context: Surface, first: number, end: number): void {
    context.font = WORD_FONT;
    context.textAlign = "center";
    context.textBaseline = "middle";
    paintLabels(context, this, first, end);
    context.save();
    context.translate(0, this.layout.header);
    for (let column = first; column < end; column++) {
      this.#paintColumn(context, column, (column - first) * this.layout.cellWidth);
      this.#paintOutlines(context, column, (column - first) * this.layout.cellWidth);
    }
    this.#paintSteps(context, first, end);
    context.restore();
  }

  #paintColumn(context: Surface, column: number, x: number): void {
    const { cells, layout, palette } = this;
    const { rows, columns, cellWidth, cellHeight } = layout;
    const ramp = palette[cells.ramp];
    const hasWords = cellHeight >= LEAST_FOR_WORDS;
    const width = cellWidth - GAP;
    const height = cellHeight - gapBetween(layout);
    for (const [shown, row] of rows.entries()) {
      const y = top(layout, shown);
      const cell = row * columns + column;
      const shade = cells.shades[cell]!;
      let ink = ramp.ink[shade];
      if (shade < STEPS) {
        context.fillStyle = ramp.fill[shade]!;
        context.fillRect(x, y, width, height);
      } else {
        ink = paintOdd(context, shade, { x, y, width, height }, cells, palette);
      }
      const word = hasWords ? cells.wordOf(cell) : -1;
      if (word < 0) continue;
      context.fillStyle = ink!;
      const [middle, center] = [x + width / 2, y + height / 2];
      if (isRepeated(cells, layout, shown, column)) {
        context.globalAlpha = 0.7;
        context.beginPath();
        context.arc(middle, center, DOT, 0, 2 * Math.PI);
        context.fill();
        context.globalAlpha = 1;
        continue;
      }
      const muted = cells.words.muted(word);
      if (muted) context.font = `italic ${WORD_FONT}`;
      context.fillText(this.fit(context, cells.words.text(word)), middle, center + 0.5);
      if (muted) context.font = WORD_FONT;
    }
  }

  #paintOutlines(context: Surface, column: number, x: number): void {
    const { cells, layout, palette } = this;
    const { cellWidth, cellHeight } = layout;
    for (const { pinColor, isBroken, from, to } of runsOf(cells, layout, column)) {
      const box = { x, y: top(layout, to), width: cellWidth - GAP, height: (to - from + 1) * cellHeight - GAP };
      ring(context, box, palette.pins[pinColor % PIN_COLORS]!, 2, palette.background, isBroken);
    }
  }

  #paintSteps(context: Surface, first: number, end: number): void {
    const { cells, layout, palette } = this;
    context.beginPath();
    for (const { column, shown } of stepsOf(cells, layout, first, end)) {
      const x = (column - first) * layout.cellWidth;
      const y = top(layout, shown) - GAP / 2;
      context.moveTo(x, y);
      context.lineTo(x + layout.cellWidth - GAP, y);
    }
    context.strokeStyle = palette.background;
    context.lineWidth = 3;
    context.stroke();
    context.strokeStyle = palette.ink;
    context.lineWidth = 1.5;
    context.setLineDash([1.5, 2]);
    context.stroke();
    context.setLineDash([]);
  }

  /** As much of a text as has room in a cell. */
  fit(context: Surface, text: string): string {
    let fitted = this.#fitted.get(text);
    if (fitted === undefined) {
      // a number that is cut short is another
      const margin = /^[−+]?\d/.test(text) ? 1 : 4;
      fitted = ellipsize(context, text, this.layout.cellWidth - GAP - margin);
      this.#fitted.set(text, fitted);
    }
    return fitted;
  }
}
