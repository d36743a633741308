// The heatmap: a canvas the size of what can be seen.
//
// It knows nothing of lenses: it is given shades, words and rings, and paints the ones in view. Scrolling is the
// browser's own, in a transparent element above; each frame paints the cells that are then in view, so that nothing
// is ever stretched, blurred or blank. Columns are painted once, on tiles out of sight, and copied while they scroll.

import { type Palette, PIN_COLORS, STEPS } from "../style/palette.js";
import { ODD } from "../style/scale.js";
import { clipped, ellipsize, paintOdd, paintTrust, ring, sized, veil, WORD_FONT } from "./brush.js";
import type { Cells } from "./cells.js";
import { type Layout, labelRight, labelStride, rowQuantityLeft, shownRow } from "./layout.js";

/** Everything that painting needs, but for how far it is scrolled. */
interface Scene {
  cells: Cells;
  layout: Layout;
  palette: Palette;
  /** What rows that are not to be believed are seen through. */
  lines: CanvasPattern | null;
}

const LABEL_FONT = '11.5px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';
const LEAST_HEIGHT = { words: 12, gaps: 6, labels: 13 };
const GAP = 1;
/** In columns: wide enough to be few, narrow enough that little is painted which isn't in view. */
const TILE = 4;
/** The device pixels of all tiles that a heatmap keeps: 16 MB. */
const KEPT = 2 ** 22;

/** Some columns, on a canvas of their own. */
interface Tile {
  context: CanvasRenderingContext2D;
  first: number;
  end: number;
}

export class Heatmap {
  readonly #shown: CanvasRenderingContext2D;
  #scene: Scene | null = null;
  /** By their first column; the one that was needed longest ago comes first. */
  readonly #tiles = new Map<number, Tile>();
  /** Words as they fit into a cell: measuring them costs more than painting them. */
  readonly #fitted = new Map<string, string>();
  #fittedWidth = 0;

  constructor(canvas: HTMLCanvasElement) {
    this.#shown = canvas.getContext("2d")!;
  }

  /** Paints the cells in view, and their labels. */
  paint(cells: Cells, layout: Layout, palette: Palette, scrolled: number): void {
    const { gutter, cellWidth, columns, viewWidth, height, footer, density } = layout;
    const old = this.#scene;
    const isSame = old?.cells === cells && old.layout === layout && old.palette === palette;
    const scene = isSame ? old : this.#begin(cells, layout, palette);
    const offset = Math.round(scrolled * density) / density;
    const seen = Math.floor(offset / cellWidth);
    const end = Math.min(columns, Math.ceil((offset + viewWidth) / cellWidth));
    const box = { x: gutter, y: 0, width: viewWidth, height: height + footer };
    clipped(this.#shown, box, () => {
      this.#shown.clearRect(box.x, box.y, box.width, box.height);
      for (let first = seen - (seen % TILE); first < end; first += TILE) {
        const { canvas } = this.#tileAt(first, scene).context;
        const { width, height } = canvas;
        this.#shown.drawImage(canvas, gutter + first * cellWidth - offset, 0, width / density, height / density);
      }
    });
  }

  /** Begins another scene with what doesn't scroll. */
  #begin(cells: Cells, layout: Layout, palette: Palette): Scene {
    const { gutter, viewWidth, height, footer, density } = layout;
    const isDoubted = layout.rows.some((row) => isDoubtful(cells, row));
    const lines = isDoubted ? veil(this.#shown, palette, density) : null;
    const scene = { cells, layout, palette, lines };
    sized(this.#shown, gutter + viewWidth, height + footer, density);
    this.#paintRowLabels(scene);
    this.#paintRowQuantities(scene);
    this.#tiles.clear();
    this.#scene = scene;
    return scene;
  }

  #tileAt(first: number, scene: Scene): Tile {
    const known = this.#tiles.get(first);
    const tile = known ?? this.#newTile(first, scene);
    this.#tiles.delete(first);
    this.#tiles.set(first, tile);
    return tile;
  }

  #newTile(first: number, scene: Scene): Tile {
    const { columns, cellWidth, viewWidth, height, footer, density } = scene.layout;
    const [width, tall] = [TILE * cellWidth, height + footer];
    const most = Math.max(viewWidth / width + 2, KEPT / (width * tall * density ** 2));
    const [oldest] = this.#tiles.size > most ? this.#tiles.values() : [];
    if (oldest) this.#tiles.delete(oldest.first);
    const context = oldest?.context ?? document.createElement("canvas").getContext("2d")!;
    const tile = { context, first, end: Math.min(columns, first + TILE) };
    sized(context, width, tall, density);
    this.#paintCells(tile, scene);
    this.#paintRings(tile, scene);
    this.#paintSteps(tile, scene);
    this.#paintColumnLabels(tile, scene);
    return tile;
  }

  #paintCells({ context, first, end }: Tile, { cells, layout, palette, lines }: Scene): void {
    const { rows, columns, cellWidth, cellHeight } = layout;
    const ramp = cells.diverging ? palette.diverging : palette.sequential;
    const hasWords = cellHeight >= LEAST_HEIGHT.words;
    const width = cellWidth - GAP;
    const height = cellHeight - gapBetween(layout);
    context.font = WORD_FONT;
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (let column = first; column < end; column++) {
      const x = (column - first) * cellWidth;
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
        if (lines && isDoubtful(cells, row)) {
          context.fillStyle = lines;
          context.fillRect(x, y, width, height);
        }
        const word = hasWords ? cells.wordOf(cell) : -1;
        if (word < 0) continue;
        const muted = cells.words.muted(word);
        if (muted) context.font = `italic ${WORD_FONT}`;
        context.fillStyle = ink!;
        context.fillText(this.#fit(context, cells.words.text(word), layout), x + width / 2, y + height / 2 + 0.5);
        if (muted) context.font = WORD_FONT;
      }
    }
  }

  #paintRings({ context, first, end }: Tile, { cells, layout, palette }: Scene): void {
    const { rows, columns, cellWidth, cellHeight } = layout;
    for (let column = first; column < end; column++) {
      for (const [shown, row] of rows.entries()) {
        const pinColor = cells.ringOf(row * columns + column);
        if (pinColor < 0) continue;
        const at = { x: (column - first) * cellWidth, y: top(layout, shown) };
        const box = { ...at, width: cellWidth - GAP, height: cellHeight - GAP };
        const isBroken = cells.isBroken(row * columns + column);
        ring(context, box, palette.pins[pinColor % PIN_COLORS]!, 2, palette.background, isBroken);
      }
    }
  }

  #paintSteps({ context, first, end }: Tile, { cells, layout, palette }: Scene): void {
    const { steps, shades } = cells;
    if (!steps) return;
    const lines = new Path2D();
    for (let column = first; column < end; column++) {
      const row = steps[column]!;
      if (row < 1 || shades[column] === ODD.excluded) continue;
      const x = (column - first) * layout.cellWidth;
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

  #paintColumnLabels({ context, first, end }: Tile, { cells, layout, palette }: Scene): void {
    context.font = WORD_FONT;
    context.textAlign = "center";
    context.fillStyle = palette.muted;
    for (let column = first; column < end; column++) {
      const label = this.#fit(context, cells.columnLabel(column), layout);
      const middle = (column - first + 0.5) * layout.cellWidth;
      context.fillText(label, middle, layout.height + layout.footer / 2);
    }
  }

  #paintRowLabels({ cells, layout, palette }: Scene): void {
    const { rows, cellHeight } = layout;
    const right = labelRight(layout, cells.trust.length);
    const context = this.#shown;
    const every = labelStride(layout, LEAST_HEIGHT.labels);
    const last = rows.length - 1;
    context.font = LABEL_FONT;
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (let shown = last; shown >= 0; shown--) {
      // counted from the top; the lowest is always written, and what would run into it isn't
      const clear = (last - shown) % every === 0 && shown * cellHeight >= LEAST_HEIGHT.labels;
      if (shown > 0 && !clear) continue;
      const label = ellipsize(context, cells.rowLabels[rows[shown]!]!, right);
      const middle = Math.max((last - shown + 0.5) * cellHeight, LEAST_HEIGHT.labels / 2);
      context.fillStyle = isDoubtful(cells, rows[shown]!) ? palette.faint : palette.muted;
      context.fillText(label, right, middle);
    }
  }

  #paintRowQuantities({ cells, layout, palette }: Scene): void {
    const { rows, gutter, cellHeight } = layout;
    const height = cellHeight - gapBetween(layout);
    for (const [i, trust] of cells.trust.entries()) {
      const x = gutter + rowQuantityLeft(i, cells.trust.length);
      for (const [shown, row] of rows.entries()) {
        paintTrust(this.#shown, trust[row]!, { x, y: top(layout, shown), height }, palette);
      }
    }
  }

  #fit(context: CanvasRenderingContext2D, text: string, layout: Layout): string {
    const width = layout.cellWidth - GAP - 4;
    if (width !== this.#fittedWidth) {
      this.#fitted.clear();
      this.#fittedWidth = width;
    }
    let fitted = this.#fitted.get(text);
    if (fitted === undefined) {
      fitted = ellipsize(context, text, width);
      this.#fitted.set(text, fitted);
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

/** Whether the first quantity of the rows says that one is not to be believed. */
function isDoubtful({ trust }: Cells, row: number): boolean {
  return trust[0]?.[row] === 0;
}
