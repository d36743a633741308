// The heatmap: a canvas the size of what can be seen.
//
// It knows nothing of lenses: it is given shades, words and rings, and paints the ones in view. Scrolling is the
// browser's own, in a transparent element above; each frame paints the cells that are then in view, so that nothing
// is ever stretched, blurred or blank. A column is painted once, out of sight, and copied from there while it scrolls.

import { clipped, ellipsize, paintOdd, ring, sized } from "./brush.js";
import { type Palette, PIN_COLOURS, STEPS } from "./colour.js";
import { type Layout, labelRight, labelStride, shownRow } from "./layout.js";
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

/** Everything that painting needs, but for how far it is scrolled. */
interface Scene {
  picture: Picture;
  layout: Layout;
  palette: Palette;
}

const WORD_FONT = '11.5px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace';
const LABEL_FONT = '11.5px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';
const LEAST_HEIGHT = { words: 12, gaps: 6, labels: 13 };
const GAP = 1;
/** In device pixels: 16 MB a heatmap, and as wide as any browser's canvas may be. */
const KEPT = { area: 2 ** 22, width: 8192 };

export class Heatmap {
  private readonly shown: CanvasRenderingContext2D;
  /** Columns that were painted, side by side, and round and round: column `c` has place `c % holds.length`. */
  private readonly kept = document.createElement("canvas").getContext("2d")!;
  /** The column in each place, -1 for none. */
  private holds = new Int32Array(0);
  private scene: Scene | null = null;
  /** Words as they fit into a cell: measuring them costs more than painting them. */
  private readonly fitted = new Map<string, string>();
  private fittedWidth = 0;

  constructor(canvas: HTMLCanvasElement) {
    this.shown = canvas.getContext("2d")!;
  }

  /** Paints the cells in view, and their labels. */
  paint(picture: Picture, layout: Layout, palette: Palette, scrolled: number): void {
    const { gutter, cellWidth, columns, viewWidth, height, footer, density } = layout;
    const [old, scene] = [this.scene, { picture, layout, palette }];
    if (old?.picture !== picture || old.layout !== layout || old.palette !== palette) this.begin(scene);
    const offset = Math.round(scrolled * density) / density;
    const first = Math.floor(offset / cellWidth);
    const end = Math.min(columns, Math.ceil((offset + viewWidth) / cellWidth));
    const places = this.holds.length;
    const missing = [];
    for (let column = first; column < end; column++) if (this.holds[column % places] !== column) missing.push(column);
    if (missing.length) this.paintColumns(missing, scene);
    const tall = height + footer;
    const copy = (from: number, to: number) => {
      const [x, width] = [this.left(from, scene) * density, (to - from) * cellWidth];
      const at = gutter + from * cellWidth - offset;
      this.shown.drawImage(this.kept.canvas, x, 0, width * density, tall * density, at, 0, width, tall);
    };
    clipped(this.shown, { x: gutter, y: 0, width: viewWidth, height: tall }, () => {
      this.shown.clearRect(gutter, 0, viewWidth, tall);
      const turn = Math.min(end, first + places - (first % places)); // where places begin again
      copy(first, turn);
      if (turn < end) copy(turn, end);
    });
  }

  /** Readies both canvases for another scene, and paints what doesn't scroll. */
  private begin(scene: Scene): void {
    const { gutter, cellWidth, columns, viewWidth, height, footer, density } = scene.layout;
    const tall = height + footer;
    const room = Math.min(KEPT.width, KEPT.area / (tall * density)) / density;
    const seen = Math.ceil(viewWidth / cellWidth) + 1;
    this.holds = new Int32Array(Math.min(columns, Math.max(seen, Math.floor(room / cellWidth)))).fill(-1);
    sized(this.kept, this.holds.length * cellWidth, tall, density);
    sized(this.shown, gutter + viewWidth, tall, density);
    this.paintRowLabels(scene);
    this.paintStrips(scene);
    this.scene = scene;
  }

  private paintColumns(columns: number[], scene: Scene): void {
    const { cellWidth, height, footer } = scene.layout;
    for (const column of columns) {
      this.kept.clearRect(this.left(column, scene), 0, cellWidth, height + footer);
      this.holds[column % this.holds.length] = column;
    }
    this.paintCells(columns, scene);
    this.paintRings(columns, scene);
    this.paintSteps(columns, scene);
    this.paintColumnLabels(columns, scene);
  }

  /** Where a column is kept. */
  private left(column: number, { layout }: Scene): number {
    return (column % this.holds.length) * layout.cellWidth;
  }

  private paintCells(inView: number[], scene: Scene): void {
    const { picture, layout, palette } = scene;
    const context = this.kept;
    const { rows, columns, cellWidth, cellHeight } = layout;
    const ramp = picture.diverging ? palette.diverging : palette.sequential;
    const hasWords = cellHeight >= LEAST_HEIGHT.words;
    const width = cellWidth - GAP;
    const height = cellHeight - gapBetween(layout);
    const doubtful = rows.map((row) => isDoubtful(picture, row));
    const lines = doubtful.includes(true) && veil(context, palette, layout.density);
    context.font = WORD_FONT;
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (const column of inView) {
      const x = this.left(column, scene);
      for (const [shown, row] of rows.entries()) {
        const y = top(layout, shown);
        const cell = row * columns + column;
        const shade = picture.shades[cell]!;
        let ink = ramp.ink[shade];
        if (shade < STEPS) {
          context.fillStyle = ramp.fill[shade]!;
          context.fillRect(x, y, width, height);
        } else {
          ink = paintOdd(context, shade, { x, y, width, height }, picture, palette);
        }
        if (lines && doubtful[shown]) {
          context.fillStyle = lines;
          context.fillRect(x, y, width, height);
        }
        const word = hasWords ? picture.wordOf(cell) : -1;
        if (word < 0) continue;
        const muted = picture.words.muted(word);
        if (muted) context.font = `italic ${WORD_FONT}`;
        context.fillStyle = ink!;
        context.fillText(this.fit(picture.words.text(word), layout), x + width / 2, y + height / 2 + 0.5);
        if (muted) context.font = WORD_FONT;
      }
    }
  }

  private paintRings(inView: number[], scene: Scene): void {
    const { picture, layout, palette } = scene;
    const { rows, columns, cellWidth, cellHeight } = layout;
    for (const column of inView) {
      for (const [shown, row] of rows.entries()) {
        const slot = picture.ringOf(row * columns + column);
        if (slot < 0) continue;
        const at = { x: this.left(column, scene), y: top(layout, shown) };
        const box = { ...at, width: cellWidth - GAP, height: cellHeight - GAP };
        const isBroken = picture.isBroken(row * columns + column);
        ring(this.kept, box, palette.pins[slot % PIN_COLOURS]!, 2, palette.background, isBroken);
      }
    }
  }

  private paintSteps(inView: number[], scene: Scene): void {
    const { picture, layout, palette } = scene;
    const { steps, shades } = picture;
    if (!steps) return;
    const context = this.kept;
    const lines = new Path2D();
    for (const column of inView) {
      const row = steps[column]!;
      if (row < 1 || shades[column] === ODD.aside) continue;
      const x = this.left(column, scene);
      const y = top(layout, shownRow(layout, row) - 1) - GAP / 2;
      lines.moveTo(x, y);
      lines.lineTo(x + layout.cellWidth - GAP, y);
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

  private paintColumnLabels(inView: number[], scene: Scene): void {
    const { picture, layout, palette } = scene;
    const context = this.kept;
    context.font = WORD_FONT;
    context.textAlign = "center";
    context.fillStyle = palette.muted;
    for (const column of inView) {
      const label = this.fit(picture.columnLabel(column), layout);
      context.fillText(label, this.left(column, scene) + layout.cellWidth / 2, layout.height + layout.footer / 2);
    }
  }

  private paintRowLabels({ picture, layout, palette }: Scene): void {
    const { rows, cellHeight } = layout;
    const right = labelRight(layout, picture.strips.length);
    const context = this.shown;
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

  private paintStrips({ picture, layout, palette }: Scene): void {
    const { rows, gutter, cellHeight } = layout;
    const height = cellHeight - gapBetween(layout);
    for (const [i, trust] of picture.strips.entries()) {
      const x = gutter + stripLeft(i, picture.strips.length);
      for (const [shown, row] of rows.entries()) {
        paintTrust(this.shown, trust[row]!, { x, y: top(layout, shown), height }, palette);
      }
    }
  }

  private fit(text: string, layout: Layout): string {
    const width = layout.cellWidth - GAP - 4;
    if (width !== this.fittedWidth) {
      this.fitted.clear();
      this.fittedWidth = width;
    }
    let fitted = this.fitted.get(text);
    if (fitted === undefined) {
      fitted = ellipsize(this.kept, text, width);
      this.fitted.set(text, fitted);
    }
    return fitted;
  }
}

/** The upper edge of a drawn row. */
function top({ rows, cellHeight }: Layout, shown: number): number {
  return (rows.length - 1 - shown) * cellHeight;
}

function gapBetween({ cellHeight }: Layout): number {
  return cellHeight >= LEAST_HEIGHT.gaps ? GAP : 0;
}

/** Whether the first strip says that a row is not to be believed. */
function isDoubtful({ strips }: Picture, row: number): boolean {
  return strips[0]?.[row] === 0;
}
