// The heatmap: canvases the size of what can be seen, one of column labels and one of cells.
//
// It knows nothing of lenses: it is given shades, words and rings, and paints the ones in view. Scrolling is the
// browser's own, in a transparent element above; each frame paints the cells that are then in view, so that nothing
// is ever stretched, blurred or blank. Columns are painted once, on tiles out of sight, and copied while they scroll.

import type { Palette } from "../style/palette.js";
import { clipped, sized } from "./brush.js";
import type { Cells } from "./cells.js";
import type { Layout } from "./layout.js";
import { Painter } from "./painter.js";
import { paintPair, paintRows } from "./rows-painter.js";

/** In columns: wide enough to be few, narrow enough that little is painted which isn't in view. */
const TILE = 4;
/** The device pixels of all tiles that a heatmap keeps: 16 MB. */
const KEPT = 2 ** 22;

/** Some columns, on a canvas of their own, their labels at its top. */
interface Tile {
  context: CanvasRenderingContext2D;
  first: number;
}

export class Heatmap {
  readonly #labels: CanvasRenderingContext2D;
  readonly #cells: CanvasRenderingContext2D;
  /** Paints what is shown; another for other cells, another layout or other colors. */
  #painter: Painter | null = null;
  /** By their first column; the one that was needed longest ago comes first. */
  readonly #tiles = new Map<number, Tile>();

  constructor(labels: HTMLCanvasElement, cells: HTMLCanvasElement) {
    this.#labels = labels.getContext("2d")!;
    this.#cells = cells.getContext("2d")!;
  }

  /** Paints the cells in view, and their labels. */
  paint(cells: Cells, layout: Layout, palette: Palette, scrolled: number): void {
    const { left, cellWidth, columns, viewWidth, height, header, density } = layout;
    const old = this.#painter;
    const isSame = old?.cells === cells && old.layout === layout && old.palette === palette;
    const painter = isSame ? old : this.#begin(new Painter(cells, layout, palette, old));
    const offset = Math.round(scrolled * density) / density;
    const seen = Math.floor(offset / cellWidth);
    const end = Math.min(columns, Math.ceil((offset + viewWidth) / cellWidth));
    const tiles: Tile[] = [];
    for (let first = seen - (seen % TILE); first < end; first += TILE) tiles.push(this.#tileAt(first, painter));
    for (const [context, top, tall] of [
      [this.#labels, 0, header],
      [this.#cells, header, height],
    ] as const) {
      const box = { x: left, y: 0, width: viewWidth, height: tall };
      clipped(context, box, () => {
        context.clearRect(box.x, box.y, box.width, box.height);
        for (const { context: tile, first } of tiles) {
          const { canvas } = tile;
          const at = left + first * cellWidth - offset;
          const from = [0, top * density, canvas.width, tall * density] as const;
          context.drawImage(canvas, ...from, at, 0, canvas.width / density, tall);
        }
      });
    }
  }

  /** Begins another picture with what doesn't scroll. */
  #begin(painter: Painter): Painter {
    const { gutter, viewWidth, height, header, density } = painter.layout;
    sized(this.#labels, gutter + viewWidth, header, density);
    sized(this.#cells, gutter + viewWidth, height, density);
    paintRows(this.#cells, painter);
    if (painter.cells.sourceLabel) paintPair(this.#labels, painter);
    this.#tiles.clear();
    this.#painter = painter;
    return painter;
  }

  #tileAt(first: number, painter: Painter): Tile {
    const known = this.#tiles.get(first);
    const tile = known ?? this.#newTile(first, painter);
    this.#tiles.delete(first);
    this.#tiles.set(first, tile);
    return tile;
  }

  #newTile(first: number, painter: Painter): Tile {
    const { columns, cellWidth, viewWidth, height, header, density } = painter.layout;
    const [width, tall] = [TILE * cellWidth, height + header];
    const most = Math.max(viewWidth / width + 2, KEPT / (width * tall * density ** 2));
    const [oldest] = this.#tiles.size > most ? this.#tiles.values() : [];
    if (oldest) this.#tiles.delete(oldest.first);
    const context = oldest?.context ?? document.createElement("canvas").getContext("2d")!;
    sized(context, width, tall, density);
    painter.paint(context, first, Math.min(columns, first + TILE));
    return { context, first };
  }
}
