// Where the cells lie: pure arithmetic, in CSS pixels, shared by what paints, what is pointed at and what floats.

import { type Cell, clamp, type Grid } from "../data/grid.js";
import { ARROWS } from "../pieces/keys.js";
import type { Rectangle } from "../pieces/rectangle.js";

export interface Layout {
  /** The rows that are drawn, from the bottom up. */
  rows: number[];
  columns: number;
  cellWidth: number;
  cellHeight: number;
  /** Space for row labels, left of the cells; right of them in a mirrored map. */
  gutter: number;
  isMirrored: boolean;
  /** Where the cells begin. */
  left: number;
  /** Space for column labels, above the cells. */
  header: number;
  /** Space for a scrollbar, beneath the cells. */
  footer: number;
  /** How much of the cells' width shows at once; the rest is scrolled to. */
  viewWidth: number;
  height: number;
  /** Device pixels in a CSS pixel. */
  density: number;
}

/** What of it is needed to stand on the same rows. */
export type Rows = Pick<Layout, "rows" | "cellHeight" | "header" | "height">;

const AUTOMATIC_HEIGHT = 620;
/** What rows that are chosen one by one may take instead, so that each can have its label. */
const TALLEST = 930;
/** What a canvas holds in every browser, on the sharpest screen. */
const PAINTABLE = 8000;
const LABEL = 15;
/** How high a row must be to have its own label. */
export const LABELLED = 14;
/** The least that numbers need, which can't be cut as words are. */
const NUMBER = 47;
const CELL = { width: [40, 96], height: [17, 26], least: 3 } as const;
const HEADER = 30;
/** Of two lines of labels: what is put there, and into what. */
const TWO_LINES = 44;
const SCROLLBAR = 12;
/** How wide a quantity of the rows is drawn beside their labels, and how far it is from the next. */
export const ROW_QUANTITY = { width: 7, gap: 3 };

export interface Wishes {
  rows: number;
  columns: number;
  /** The room there is. */
  width: number;
  /** The height to fill with cells, 0 for one that suits. */
  height: number;
  /** Every how many rows, 0 for as few as leave each readable. */
  stride: number;
  gutter: number;
  density: number;
  /** The rows to draw, from the bottom up, where they are chosen one by one. */
  only?: number[] | null;
  /** Whether cells hold numbers, and no words. */
  hasNumbers?: boolean;
  /** Whether each column has two labels. */
  isPair?: boolean;
  /** Whether row labels stand on the right. */
  isMirrored?: boolean;
}

export function layoutOf({
  rows,
  columns,
  width,
  stride,
  gutter,
  density,
  only,
  isPair = false,
  isMirrored = false,
  hasNumbers = false,
  ...wishes
}: Wishes): Layout {
  const height = Math.min(wishes.height, PAINTABLE);
  const room = height || Math.max(AUTOMATIC_HEIGHT, Math.min(TALLEST, LABEL * (only?.length ?? 0)));
  const shown = only ?? everyNth(rows, stride > 0 ? stride : automaticStride(rows, height));
  const most = height ? Number.POSITIVE_INFINITY : CELL.height[1];
  // on whole device pixels every edge is sharp
  const whole = (size: number) => Math.max(1, Math.floor(size * density)) / density;
  const cellHeight = whole(Math.max(CELL.least, Math.min(most, room / shown.length)));
  const least = hasNumbers ? NUMBER : CELL.width[0];
  const space = Math.max(least, width - gutter);
  const cellWidth = whole(Math.max(least, Math.min(CELL.width[1], space / columns)));
  return {
    rows: shown,
    columns,
    cellWidth,
    cellHeight,
    gutter: whole(gutter),
    isMirrored,
    left: isMirrored ? 0 : whole(gutter),
    header: whole(isPair ? TWO_LINES : HEADER),
    footer: columns * cellWidth > space ? SCROLLBAR : 0,
    viewWidth: Math.min(space, columns * cellWidth),
    height: cellHeight * shown.length,
    density,
  };
}

/** Whether each column has two labels: the source's token, and the base's. */
export function isPair({ sweep, columnLabels }: Pick<Grid, "sweep" | "columnLabels">): boolean {
  return Boolean(sweep?.source) && columnLabels === null;
}

/** The middles of the lines of column labels, from the top; one line has the last. */
export function labelLines({ header }: Layout): [from: number, into: number] {
  return header > HEADER + 1 ? [header * 0.27, header * 0.7] : [0, header / 2];
}

/** The space that row labels need, up to a quarter of the room there is, beyond which they are cut; and quantities of rows. */
export function gutterFor(
  { rows, rowQuantities }: Pick<Grid, "rows" | "rowQuantities">,
  width = Number.POSITIVE_INFINITY,
): number {
  const longest = rows.reduce((most, { length }) => Math.max(most, length), 5); // and no spread: there may be a million
  const room = Math.max(80, Math.floor(width / 4));
  return Math.min(200, room, 16 + longest * 8) + rowQuantitiesWidth(rowQuantities.length);
}

/** The space that quantities of rows take between the row labels and the cells. */
export function rowQuantitiesWidth(count: number): number {
  return count ? count * (ROW_QUANTITY.width + ROW_QUANTITY.gap) + 2 : 0;
}

/** Where quantity `i` of `count` begins. */
export function rowQuantityLeft({ left, viewWidth, isMirrored }: Layout, i: number, count: number): number {
  const { width, gap } = ROW_QUANTITY;
  return isMirrored ? viewWidth + gap + i * (width + gap) : left + (i - count) * (width + gap);
}

/** How wide a row label may be: the quantities stand between it and the cells. */
export function labelWidth({ gutter }: Layout, count: number): number {
  return gutter - 8 - rowQuantitiesWidth(count);
}

/** Where row labels end, or in a mirrored map begin. */
export function labelEdge(layout: Layout, count: number): number {
  const { isMirrored, viewWidth, gutter } = layout;
  return isMirrored ? viewWidth + gutter - labelWidth(layout, count) : labelWidth(layout, count);
}

/** The width that a grid needs to be read without scrolling, and the one beyond which it has no use for more. */
export function usefulWidths(columns: number, gutter: number): { legible: number; widest: number } {
  return { legible: gutter + columns * (CELL.width[0] + 4), widest: gutter + columns * CELL.width[1] };
}

/** The smallest stride that leaves every row high enough to read. */
export function automaticStride(rows: number, height: number): number {
  return Math.max(1, Math.ceil(rows / Math.floor((height || AUTOMATIC_HEIGHT) / CELL.height[0])));
}

// counted from the last row, which is the model's own and must never be the one left out
function everyNth(rows: number, stride: number): number[] {
  const shown = [];
  for (let row = rows - 1; row >= 0; row -= stride) shown.unshift(row);
  return shown;
}

/** The drawn row that stands for a row: itself, or the nearest above it. */
export function shownRow({ rows }: Pick<Layout, "rows">, row: number): number {
  const place = rows.indexOf(row);
  return place < 0 ? rows.findIndex((shown) => shown >= row) : place;
}

/** The middle of a row, from the top of the uppermost; of one that isn't drawn, between those that are. */
export function middleOf({ rows, cellHeight }: Rows, row: number): number {
  const above = Math.max(0, shownRow({ rows }, row));
  const [upper, lower] = [rows[above]!, rows[above - 1]];
  const within = lower === undefined ? 0 : (upper - row) / (upper - lower);
  return (rows.length - above - 0.5 + within) * cellHeight;
}

/** A cell's place, from the left edge of the cells that show and the top of the uppermost row. */
export function placeOf(layout: Layout, { row, column }: Cell, scrolled: number): Rectangle {
  return {
    x: column * layout.cellWidth - scrolled,
    y: (layout.rows.length - 1 - shownRow(layout, row)) * layout.cellHeight,
    width: layout.cellWidth,
    height: layout.cellHeight,
  };
}

/** The cell at a point, measured as in `placeOf`, or null beside them. */
export function cellAt(layout: Layout, x: number, y: number, scrolled: number): Cell | null {
  const column = Math.floor((x + scrolled) / layout.cellWidth);
  const row = rowAt(layout, y);
  return row !== null && column >= 0 && column < layout.columns ? { row, column } : null;
}

/** The row whose label is at a height, or null beneath them. */
export function rowAt({ rows, cellHeight }: Layout, y: number): number | null {
  return rows[rows.length - 1 - Math.floor(y / cellHeight)] ?? null;
}

/** The cell that a key moves to, from the output at the last position if from nowhere; null for any other key. */
export function destination(layout: Layout, key: string, from: Cell | null): Cell | null {
  const step = ARROWS[key];
  if (!step) return null;
  const { rows, columns } = layout;
  if (!from) return { row: rows.at(-1)!, column: columns - 1 };
  const shown = clamp(shownRow(layout, from.row) + step[0], 0, rows.length - 1);
  return { row: rows[shown]!, column: clamp(from.column + step[1], 0, columns - 1) };
}

/** Every how many rows a label is written, so that each has its height. */
export function labelStride({ cellHeight }: Layout): number {
  return Math.ceil(LABELLED / cellHeight);
}

/** The upper edge of a drawn row. */
export function top({ rows, cellHeight }: Layout, shown: number): number {
  return (rows.length - 1 - shown) * cellHeight;
}

/** Between rows, where they are high enough to do without what it takes. */
export function gapBetween({ cellHeight }: Layout): number {
  return cellHeight >= 6 ? 1 : 0;
}
