// The heatmap as a drawing: every cell, and its legend.

import type { Rectangle } from "../pieces/rectangle.js";
import { type Drawing, FONT, rect, type Shorten, text } from "../pieces/svg.js";
import type { GridState } from "../state/grid-state.js";
import { type Palette, PIN_COLORS, STEPS } from "../style/palette.js";
import { ODD } from "../style/scale.js";
import { rowQuantityName } from "../text/row-quantity.js";
import { quantityName } from "../text/words.js";
import type { Cells } from "./cells.js";
import { gutterFor, type Layout, labelRight, layoutOf, ROW_QUANTITY, rowQuantityLeft, shownRow } from "./layout.js";

const CELL = 76;
const BAR = 180;
const KEY = 20;
const WORDS = `font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"`;

export function heatmapDrawn(state: GridState, cells: Cells, palette: Palette, shorten: Shorten): Drawing {
  const { grid, settings } = state;
  const gutter = gutterFor(grid);
  const columns = grid.columns.length;
  const { stride, height: wished } = settings;
  const layout = layoutOf({
    ...{ rows: grid.rows.length, columns, gutter, density: 1 },
    ...{ width: gutter + columns * CELL, height: wished.value, stride: stride.value, only: state.rowsShown.value },
  });
  const below = layout.height + layout.footer + 12;
  return {
    width: Math.max(gutter + columns * layout.cellWidth, gutter + 2 * BAR),
    height: below + 32 + KEY * grid.rowQuantities.length,
    svg:
      drawnCells(layout, cells, palette, columns, shorten) +
      legend(state, cells, palette, shorten, gutter, below) +
      keys(state, palette, shorten, gutter, below + 30),
  };
}
function drawnCells(layout: Layout, cells: Cells, palette: Palette, columns: number, shorten: Shorten): string {
  const { rows, cellWidth, cellHeight, gutter, height } = layout;
  const ramp = cells.diverging ? palette.diverging : palette.sequential;
  const out: string[] = [];
  const last = rows.length - 1;
  const right = labelRight(layout, cells.trust.length);
  for (const [shown, row] of rows.entries()) {
    const y = (last - shown) * cellHeight;
    const middle = y + cellHeight / 2 + FONT * 0.35;
    out.push(text(right, middle, shorten(cells.rowLabels[row]!, right), palette.muted, "end"));
    for (const [i, trust] of cells.trust.entries()) {
      const x = gutter + rowQuantityLeft(i, cells.trust.length);
      out.push(drawnTrust(trust[row]!, { x, y, height: cellHeight - 1 }, palette));
    }
    for (let column = 0; column < columns; column++) {
      const cell = row * columns + column;
      const x = gutter + column * cellWidth;
      const { fill, ink } = look(cells.shades[cell]!, cells, palette, ramp);
      out.push(rect(x, y, cellWidth - 1, cellHeight - 1, fill));
      const pinColor = cells.ringOf(cell);
      if (pinColor >= 0) {
        const color = palette.pins[pinColor % PIN_COLORS]!;
        const dash = cells.isBroken(cell) ? ` stroke-dasharray="3 3"` : "";
        out.push(
          `<rect x="${x + 1}" y="${y + 1}" width="${cellWidth - 3}" height="${cellHeight - 3}" rx="2" fill="none" stroke="${color}" stroke-width="2"${dash}/>`,
        );
      }
      const word = cells.wordOf(cell);
      if (word >= 0 && cellHeight >= 12) {
        const style = cells.words.muted(word) ? `${WORDS} font-style="italic"` : WORDS;
        const seen = shorten(cells.words.text(word), cellWidth - 5);
        out.push(text(x + (cellWidth - 1) / 2, middle, seen, ink, "middle", style));
      }
    }
  }
  for (let column = 0; column < columns; column++) {
    const x = gutter + column * cellWidth;
    const label = shorten(cells.columnLabel(column), cellWidth - 5);
    out.push(text(x + cellWidth / 2, height + 17, label, palette.muted, "middle", WORDS));
    const step = cells.steps?.[column] ?? 0;
    if (step < 1 || cells.shades[column] === ODD.excluded) continue;
    const y = (last - shownRow(layout, step) + 1) * cellHeight - 0.5;
    const line = `<path d="M${x} ${y}h${cellWidth - 1}" stroke-width=`;
    out.push(
      `${line}"3" stroke="${palette.background}"/>${line}"1.5" stroke="${palette.ink}" stroke-dasharray="3 2"/>`,
    );
  }
  return out.join("");
}

function look(shade: number, { flipped }: Cells, palette: Palette, ramp: Palette["sequential"]) {
  if (shade < STEPS) return { fill: ramp.fill[shade]!, ink: ramp.ink[shade]! };
  if (shade === ODD.gap) return { fill: palette.background, ink: palette.muted };
  if (shade === ODD.excluded) return { fill: palette.excluded, ink: palette.muted };
  if (shade === ODD.nan) return { fill: palette.hatch, ink: palette.ink };
  const end = (shade === ODD.above || shade === ODD.high) === flipped ? 0 : STEPS - 1;
  return { fill: ramp.fill[end]!, ink: ramp.ink[end]! };
}

function legend(
  { grid, quantity, scale }: GridState,
  cells: Cells,
  palette: Palette,
  shorten: Shorten,
  x: number,
  y: number,
): string {
  const ramp = cells.diverging ? palette.diverging : palette.sequential;
  const { unit } = quantity.value;
  const name = quantityName(grid, quantity.value) + (unit ? ` (${unit})` : "");
  const parts = Array.from({ length: 60 }, (_, i) =>
    rect(x + (i * BAR) / 60, y, BAR / 60 + 0.5, 9, ramp.fill[scale.value.step((i + 0.5) / 60)]!),
  );
  const ticks = scale.value.ticks.map(({ place, label }) =>
    text(x + place * BAR, y + 22, label, palette.muted, "middle"),
  );
  return [...parts, ...ticks, text(x + BAR + 14, y + 9, shorten(name, BAR - 14), palette.muted)].join("");
}

/** What the ends of each quantity of the rows stand for. */
function keys({ grid }: GridState, palette: Palette, shorten: Shorten, x: number, y: number): string {
  return grid.rowQuantities
    .flatMap((quantity, i) => {
      const at = y + i * KEY;
      return [
        ...[1, 0.5, 0].map((trust, j) => drawnTrust(trust, { x: x + 8 * j, y: at, height: 13 }, palette)),
        text(x + 30, at + 11, shorten(rowQuantityName(quantity), 2 * BAR - 30), palette.muted),
      ];
    })
    .join("");
}

/** How far a row can be believed; as `brush.ts` paints it. */
function drawnTrust(trust: number, { x, y, height }: Omit<Rectangle, "width">, palette: Palette): string {
  if (Number.isNaN(trust)) return "";
  const fill = trust ? `${palette.muted}" fill-opacity="${trust}` : palette.hatch;
  return `<rect x="${x}" y="${y}" width="${ROW_QUANTITY.width}" height="${height}" fill="${fill}"/>`;
}
