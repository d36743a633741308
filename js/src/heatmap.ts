// The heatmap: two canvases the size of what can be seen, one for the cells and one above it for what moves.
//
// It knows nothing of lenses: it is given shades, words and rings, and paints the ones in view. Scrolling is the
// browser's own, in a transparent element above; each frame paints the cells that are then in view, so that nothing
// is ever stretched, blurred or blank. Hovering paints only the upper canvas.

import { clipped, ellipsize, paintOdd, ring, sized } from "./brush.js";
import { type Palette, PIN_COLOURS, STEPS } from "./colour.js";
import type { Cell } from "./grid.js";
import { type Layout, labelRight, labelStride, placeOf, shownRow } from "./layout.js";
import { ODD } from "./scale.js";
import { paintTrust, stripLeft, veil } from "./strip.js";

/** What to paint. Cells are counted `row * columns + column`. */
export interface Picture {
  shades: Uint16Array;
  diverging: boolean;
  /** Whether low values are the strong ones, so that the ramp runs the other way. */
  flipped: boolean;
  /** The word in a cell, as `words` counts them, or -1 for none. */
  wordOf: (cell: number) => number;
  words: Words;
  /** The pin colour of the ring round a cell, or -1. */
  ringOf: (cell: number) => number;
  /** Whether that ring is a broken one. */
  isBroken: (cell: number) => boolean;
  /** In each column the row beneath which a dashed line runs; the lowest has nothing to be told from. */
  steps: Int32Array | null;
  rowLabels: string[];
  /** How far each row can be believed, as each strip has it. */
  strips: Float32Array[];
  columnLabel: (column: number) => string;
}

export interface Words {
  text: (word: number) => string;
  muted: (word: number) => boolean;
}

export interface Marks {
  hover: Cell | null;
  selected: Cell | null;
  /** Rows that are marked at their labels. */
  rows: number[];
}

/** Everything that one painting needs. */
interface Scene {
  picture: Picture;
  layout: Layout;
  palette: Palette;
  scrolled: number;
  /** The columns in view, from `first` to before `end`. */
  first: number;
  end: number;
  /** Edges of cells, on whole device pixels. */
  left: (column: number) => number;
  top: (shown: number) => number;
}

const WORD_FONT = '11.5px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace';
const LABEL_FONT = '11.5px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';
const LEAST_HEIGHT = { words: 12, gaps: 6, labels: 13 };
const GAP = 1;

export class Heatmap {
  private readonly cells: CanvasRenderingContext2D;
  private readonly above: CanvasRenderingContext2D;
  /** Words as they fit into a cell: measuring them costs more than painting them. */
  private readonly fitted = new Map<string, string>();
  private fittedWidth = 0;

  constructor(cells: HTMLCanvasElement, above: HTMLCanvasElement) {
    this.cells = cells.getContext("2d")!;
    this.above = above.getContext("2d")!;
  }

  /** Paints the cells in view, and their labels. */
  paint(picture: Picture, layout: Layout, palette: Palette, scrolled: number): void {
    const scene = this.stage(this.cells, picture, layout, palette, scrolled);
    this.paintRowLabels(scene);
    this.paintStrips(scene);
    const { gutter, viewWidth, height, footer } = layout;
    clipped(this.cells, { x: gutter, y: 0, width: viewWidth, height: height + footer }, () => {
      this.paintCells(scene);
      this.paintRings(scene);
      this.paintSteps(scene);
      this.paintColumnLabels(scene);
    });
  }

  /** Paints what moves: rings round the hovered and the selected cell, their labels in bold, and a bar at marked rows. */
  mark({ hover, selected, rows }: Marks, picture: Picture, layout: Layout, palette: Palette, scrolled: number): void {
    const scene = this.stage(this.above, picture, layout, palette, scrolled);
    for (const row of rows) if (picture.rowLabels[row] !== undefined) this.paintMarkedRow(row, scene);
    for (const cell of [selected, hover]) if (cell) this.paintBoldLabels(cell, scene);
    const { gutter, viewWidth, height } = layout;
    clipped(this.above, { x: gutter, y: 0, width: viewWidth, height }, () => {
      if (hover) this.paintMark(hover, 1.5, scene);
      if (selected) this.paintMark(selected, 2.5, scene);
    });
  }

  private stage(
    context: CanvasRenderingContext2D,
    picture: Picture,
    layout: Layout,
    palette: Palette,
    scrolled: number,
  ): Scene {
    const { gutter, cellWidth, cellHeight, rows, columns, viewWidth, height, footer, density } = layout;
    sized(context, gutter + viewWidth, height + footer, density);
    const snapped = (at: number) => Math.round(at * density) / density;
    return {
      picture,
      layout,
      palette,
      scrolled,
      first: Math.floor(scrolled / cellWidth),
      end: Math.min(columns, Math.ceil((scrolled + viewWidth) / cellWidth)),
      left: (column) => snapped(gutter + column * cellWidth - scrolled),
      top: (shown) => snapped((rows.length - 1 - shown) * cellHeight),
    };
  }

  private paintCells({ picture, layout, palette, first, end, left, top }: Scene): void {
    const context = this.cells;
    const { rows, columns, cellHeight } = layout;
    const ramp = picture.diverging ? palette.diverging : palette.sequential;
    const hasWords = cellHeight >= LEAST_HEIGHT.words;
    const gap = cellHeight >= LEAST_HEIGHT.gaps ? GAP : 0;
    const room = this.roomForWords(layout);
    const lines = veil(context, palette, layout.density);
    context.font = WORD_FONT;
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (let shown = 0; shown < rows.length; shown++) {
      const y = top(shown);
      const height = top(shown - 1) - y - gap;
      const doubtful = isDoubtful(picture, rows[shown]!);
      for (let column = first; column < end; column++) {
        const cell = rows[shown]! * columns + column;
        const shade = picture.shades[cell]!;
        const x = left(column);
        const width = left(column + 1) - x - GAP;
        let ink = ramp.ink[shade];
        if (shade < STEPS) {
          context.fillStyle = ramp.fill[shade]!;
          context.fillRect(x, y, width, height);
        } else {
          ink = paintOdd(context, shade, { x, y, width, height }, picture, palette);
        }
        if (doubtful) {
          context.fillStyle = lines;
          context.fillRect(x, y, width, height);
        }
        const word = hasWords ? picture.wordOf(cell) : -1;
        if (word < 0) continue;
        const muted = picture.words.muted(word);
        if (muted) context.font = `italic ${WORD_FONT}`;
        context.fillStyle = ink!;
        context.fillText(this.fit(picture.words.text(word), room), x + width / 2, y + height / 2 + 0.5);
        if (muted) context.font = WORD_FONT;
      }
    }
  }

  private paintRings({ picture, layout, palette, first, end, left, top }: Scene): void {
    const { rows, columns } = layout;
    for (let shown = 0; shown < rows.length; shown++) {
      for (let column = first; column < end; column++) {
        const slot = picture.ringOf(rows[shown]! * columns + column);
        if (slot < 0) continue;
        const [x, y] = [left(column), top(shown)];
        const box = { x, y, width: left(column + 1) - x - GAP, height: top(shown - 1) - y - GAP };
        const isBroken = picture.isBroken(rows[shown]! * columns + column);
        ring(this.cells, box, palette.pins[slot % PIN_COLOURS]!, 2, palette.background, isBroken);
      }
    }
  }

  private paintSteps({ picture, layout, palette, first, end, left, top }: Scene): void {
    const { steps, shades } = picture;
    if (!steps) return;
    const context = this.cells;
    const lines = new Path2D();
    for (let column = first; column < end; column++) {
      const row = steps[column]!;
      if (row < 1 || shades[column] === ODD.aside) continue;
      const y = top(shownRow(layout, row) - 1) - GAP / 2;
      lines.moveTo(left(column), y);
      lines.lineTo(left(column + 1) - GAP, y);
    }
    context.strokeStyle = palette.background;
    context.lineWidth = 3;
    context.stroke(lines);
    context.strokeStyle = palette.ink;
    context.lineWidth = 1.5;
    context.setLineDash([3, 2]);
    context.stroke(lines);
    context.setLineDash([]);
  }

  private paintRowLabels({ picture, layout, palette }: Scene): void {
    const { rows, cellHeight } = layout;
    const right = labelRight(layout, picture.strips.length);
    const context = this.cells;
    const every = labelStride(layout, LEAST_HEIGHT.labels);
    const last = rows.length - 1;
    context.font = LABEL_FONT;
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (let shown = last; shown >= 0; shown--) {
      // counted from the top; the lowest is always written, and what would run into it isn't
      const clear = (last - shown) % every === 0 && shown * cellHeight >= LEAST_HEIGHT.labels;
      if (shown > 0 && !clear) continue;
      const label = ellipsize(context, picture.rowLabels[rows[shown]!]!, right);
      const middle = Math.max((last - shown + 0.5) * cellHeight, LEAST_HEIGHT.labels / 2);
      context.fillStyle = isDoubtful(picture, rows[shown]!) ? palette.faint : palette.muted;
      context.fillText(label, right, middle);
    }
  }

  private paintStrips({ picture, layout, palette, top }: Scene): void {
    const { rows, gutter, cellHeight } = layout;
    const gap = cellHeight >= LEAST_HEIGHT.gaps ? GAP : 0;
    for (const [i, trust] of picture.strips.entries()) {
      const x = gutter + stripLeft(i, picture.strips.length);
      for (const [shown, row] of rows.entries()) {
        const y = top(shown);
        paintTrust(this.cells, trust[row]!, { x, y, height: top(shown - 1) - y - gap }, palette);
      }
    }
  }

  private paintColumnLabels({ picture, layout, palette, first, end, left }: Scene): void {
    const context = this.cells;
    context.font = WORD_FONT;
    context.textAlign = "center";
    context.fillStyle = palette.muted;
    for (let column = first; column < end; column++) {
      const label = this.fit(picture.columnLabel(column), this.roomForWords(layout));
      context.fillText(label, left(column) + layout.cellWidth / 2, layout.height + layout.footer / 2);
    }
  }

  private paintMark(cell: Cell, width: number, { layout, palette, scrolled }: Scene): void {
    const place = placeOf(layout, cell, scrolled);
    const box = { ...place, x: place.x + layout.gutter, width: place.width - GAP, height: place.height - GAP };
    ring(this.above, box, palette.ink, width, palette.background);
  }

  private paintMarkedRow(row: number, { picture, layout, palette, scrolled }: Scene): void {
    const { y, height } = placeOf(layout, { row, column: 0 }, scrolled);
    this.paintRowLabel(picture.rowLabels[row]!, y + height / 2, labelRight(layout, picture.strips.length), palette);
    this.above.fillStyle = palette.ink;
    this.above.fillRect(layout.gutter - 4, y, 2, height - GAP);
  }

  /** A row's label in bold, over the plain one. */
  private paintRowLabel(text: string, middle: number, right: number, { background, ink }: Palette): void {
    const context = this.above;
    context.textBaseline = "middle";
    context.textAlign = "right";
    context.font = `bold ${LABEL_FONT}`;
    context.fillStyle = background;
    context.fillRect(0, middle - 8, right + 3, 16);
    context.fillStyle = ink;
    context.fillText(ellipsize(context, text, right), right, middle);
  }

  private paintBoldLabels(cell: Cell, { picture, layout, palette, scrolled }: Scene): void {
    const context = this.above;
    const { gutter, height, footer, viewWidth } = layout;
    const place = placeOf(layout, cell, scrolled);
    this.paintRowLabel(
      picture.rowLabels[cell.row]!,
      place.y + place.height / 2,
      labelRight(layout, picture.strips.length),
      palette,
    );
    const centre = gutter + place.x + place.width / 2;
    if (centre < gutter || centre > gutter + viewWidth) return;
    // a label may be wider than its column: it is written out when it is pointed at, within what shows
    context.textAlign = "center";
    context.font = `bold ${WORD_FONT}`;
    const text = ellipsize(context, picture.columnLabel(cell.column), viewWidth - 10);
    const width = Math.max(layout.cellWidth, context.measureText(text).width + 10);
    const x = Math.max(gutter + width / 2, Math.min(centre, gutter + viewWidth - width / 2));
    context.fillStyle = palette.background; // the plain label beneath
    context.fillRect(x - width / 2, height + 2, width, footer - 4);
    context.fillStyle = palette.ink;
    context.fillText(text, x, height + footer / 2);
  }

  private roomForWords({ cellWidth }: Layout): number {
    return cellWidth - GAP - 4;
  }

  private fit(text: string, width: number): string {
    if (width !== this.fittedWidth) {
      this.fitted.clear();
      this.fittedWidth = width;
    }
    let fitted = this.fitted.get(text);
    if (fitted === undefined) {
      fitted = ellipsize(this.cells, text, width);
      this.fitted.set(text, fitted);
    }
    return fitted;
  }
}

/** Whether the first strip says that a row is not to be believed. */
function isDoubtful({ strips }: Picture, row: number): boolean {
  return strips[0]?.[row] === 0;
}
