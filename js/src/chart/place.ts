// Where the chart's rows and values lie: beside a heatmap each row is on the heatmap's own; beneath it rows are lower, and
// have labels of their own.

import { middleOf, type Rows } from "../heatmap/layout.js";
import type { Axis } from "./lines.js";

export interface Place {
  width: number;
  height: number;
  /** Where values begin and end. */
  left: number;
  right: number;
  top: number;
  bottom: number;
  x: (value: number) => number;
  y: (row: number) => number;
  /** The row at a height: a whole number at its middle. */
  rowAt: (y: number) => number;
  /** The lowest row that is drawn. */
  lowest: number;
  /** Rows that have a label here, none beside a heatmap. */
  named: number[];
}

const AXIS = 24;
const ROW = 9;
const LABELS = { least: 120, most: 180 };

export function placeOfChart(layout: Rows, rows: number, width: number, isBeside: boolean, axis: Axis): Place {
  const lowest = isBeside ? layout.rows[0]! : 0;
  const top = isBeside ? layout.header : 10;
  const y = (row: number) => top + (isBeside ? middleOf(layout, row) : (rows - row - 0.5) * ROW);
  const bottom = top + (isBeside ? layout.height : rows * ROW);
  const left = isBeside ? 7 : 52;
  const right = width - Math.max(LABELS.least, Math.min(LABELS.most, 0.36 * width));
  const rowAt = (at: number) => {
    let row = rows - 1;
    while (row > lowest && y(row - 1) <= at) row--;
    return row > lowest ? row - (at - y(row)) / (y(row - 1) - y(row)) : row;
  };
  return {
    ...{ width, height: bottom + AXIS, left, right, top, bottom, lowest, y, rowAt },
    x: (value) => left + axis.place(value) * (right - left),
    named: isBeside ? [] : [...new Set([0, Math.round((rows - 1) / 3), Math.round((2 * (rows - 1)) / 3), rows - 1])],
  };
}
