// The heatmap as a drawing: every cell, and its legend.

import { broken, decided, followed, repeated } from "../../../lenswidget/grids/words.json";
import type { Rectangle } from "../pieces/rectangle.js";
import { type Drawing, FONT, rect, type Shorten, text } from "../pieces/svg.js";
import type { GridState } from "../state/grid-state.js";
import { type Palette, PIN_COLORS, STEPS } from "../style/palette.js";
import { ODD } from "../style/scale.js";
import { inkSays, rowQuantityName } from "../text/row-quantity.js";
import { QUIET, SHARES } from "../text/sweep.js";
import { quantityName } from "../text/words.js";
import { type Cells, isRepeated, runsOf, stepsOf } from "./cells.js";
import {
  gutterFor,
  isPair,
  type Layout,
  labelLines,
  labelRight,
  labelStride,
  layoutOf,
  ROW_QUANTITY,
  rowQuantityLeft,
  top,
} from "./layout.js";

const CELL = 76;
const BAR = 180;
const KEY = 20;

/** The columns from `first` to before `end`, and the legend beneath the last of them. */
export function heatmapDrawn(
  state: GridState,
  cells: Cells,
  palette: Palette,
  shorten: Shorten,
  first = 0,
  end = state.grid.columns.length,
): Drawing {
  const { grid, settings } = state;
  const gutter = gutterFor(grid);
  const columns = end - first;
  const { stride, height: wished } = settings;
  const layout = layoutOf({
    ...{ rows: grid.rows.length, columns, gutter, density: 1 },
    ...{ width: gutter + columns * CELL, height: wished.value, stride: stride.value, only: state.rowsShown.value },
    isPair: isPair(grid),
  });
  const all = { ...layout, columns: grid.columns.length };
  const says = saysOf(state, cells);
  const below = layout.header + layout.height + 12;
  const width = Math.max(gutter + columns * layout.cellWidth, gutter + 2 * BAR);
  const drawn = Array.from({ length: columns }, (_, i) => {
    return drawnColumn(all, cells, palette, first + i, gutter + i * layout.cellWidth, shorten);
  });
  const map = `<g transform="translate(0 ${layout.header})">${drawnRows(layout, cells, palette, shorten)}${drawn.join("")}</g>`;
  if (end < grid.columns.length) return { width, height: below, svg: map };
  const words = says.map((one, i) => text(gutter, below + 46 + KEY * i, shorten(one, width - gutter), palette.muted));
  return {
    width,
    height: below + 32 + KEY * says.length,
    svg: [map, legend(state, cells, palette, shorten, gutter, below), ...words].join(""),
  };
}

/** What is met in the cells, in words. */
function saysOf({ grid, believed, pinColorOf, overwrites }: GridState, cells: Cells): string[] {
  const { areTokens, steps } = cells;
  const met = [
    steps && `dotted: ${decided}`,
    areTokens && `dot: ${repeated}`,
    pinColorOf.value.some((pinColor) => pinColor >= 0) && `outline: ${followed}`,
    overwrites.value && `broken: ${broken}`,
  ];
  const beside = grid.rowQuantities.map((one) => `beside the rows: ${rowQuantityName(one)}`);
  const sweep = [
    cells.ramp === "patched" && `recovered: ${SHARES}`,
    cells.shades.includes(ODD.quiet) && `gray: ${QUIET}`,
  ];
  return [
    believed.value ? inkSays(grid) : "",
    sweep.filter(Boolean).join(" · "),
    met.filter(Boolean).join(" · "),
    ...beside,
  ].filter(Boolean);
}

function drawnRows(layout: Layout, cells: Cells, palette: Palette, shorten: Shorten): string {
  const { cellHeight, gutter } = layout;
  const right = labelRight(layout, cells.trust.length);
  const every = labelStride(layout);
  const last = layout.rows.length - 1;
  const lines = cells.sourceLabel ? labelLines(layout) : [];
  const pair = lines.map((y, i) => {
    const label = i ? "into" : "from";
    return text(right, FONT * 0.35 - layout.header + y, label, palette.muted, "end");
  });
  const drawn = layout.rows
    .map((row, shown) => {
      const y = top(layout, shown);
      const label = shorten(cells.rowLabels[row]!, right);
      const marks = cells.trust.map((trust, i) => {
        const x = gutter + rowQuantityLeft(i, cells.trust.length);
        return drawnTrust(trust[row]!, { x, y, height: cellHeight - 1 }, palette);
      });
      const isNamed = (last - shown) % every === 0;
      return (
        (isNamed ? text(right, y + cellHeight / 2 + FONT * 0.35, label, palette.muted, "end") : "") + marks.join("")
      );
    })
    .join("");
  return pair.join("") + drawn;
}

function drawnColumn(
  layout: Layout,
  cells: Cells,
  palette: Palette,
  column: number,
  x: number,
  shorten: Shorten,
): string {
  const { rows, columns, cellWidth, cellHeight, header } = layout;
  const ramp = palette[cells.ramp];
  const middle = x + (cellWidth - 1) / 2;
  const label = shorten(cells.columnLabel(column), cellWidth - 5);
  const [from, into] = labelLines(layout);
  const out = [text(middle, FONT * 0.35 - header + into, label, palette.ink, "middle")];
  const source = cells.sourceLabel?.(column);
  if (source)
    out.push(text(middle, FONT * 0.35 - header + from, shorten(source, cellWidth - 5), palette.source, "middle"));
  for (const [shown, row] of rows.entries()) {
    const y = top(layout, shown);
    const cell = row * columns + column;
    const { fill, ink } = look(cells.shades[cell]!, cells, palette, ramp);
    const gap = cells.shades[cell] === ODD.quiet ? 0 : 1; // one block
    out.push(rect(x, y, cellWidth - gap, cellHeight - gap, fill));
    const word = cellHeight >= 12 ? cells.wordOf(cell) : -1;
    if (word < 0) continue;
    if (isRepeated(cells, layout, shown, column)) {
      out.push(rect(middle - 1, y + cellHeight / 2 - 1.5, 2, 2, ink));
      continue;
    }
    const style = cells.words.muted(word) ? `font-style="italic"` : "";
    const seen = shorten(cells.words.text(word), cellWidth - 5);
    out.push(text(middle, y + cellHeight / 2 + FONT * 0.35, seen, ink, "middle", style));
  }
  for (const { pinColor, isBroken, from, to } of runsOf(cells, layout, column)) {
    const color = palette.pins[pinColor % PIN_COLORS]!;
    const dash = isBroken ? ` stroke-dasharray="3 3"` : "";
    const size = `width="${cellWidth - 3}" height="${(to - from + 1) * cellHeight - 3}"`;
    out.push(
      `<rect x="${x + 1}" y="${top(layout, to) + 1}" ${size} rx="2" fill="none" stroke="${color}" stroke-width="2"${dash}/>`,
    );
  }
  for (const { shown } of stepsOf(cells, layout, column, column + 1)) {
    const line = `<path d="M${x} ${top(layout, shown) - 0.5}h${cellWidth - 1}" stroke-width=`;
    out.push(
      `${line}"3" stroke="${palette.background}"/>${line}"1.5" stroke="${palette.ink}" stroke-dasharray="1.5 2"/>`,
    );
  }
  return out.join("");
}

function look(shade: number, { flipped }: Cells, palette: Palette, ramp: Palette["sequential"]) {
  if (shade < STEPS) return { fill: ramp.fill[shade]!, ink: ramp.ink[shade]! };
  if (shade === ODD.quiet) return { fill: palette.excluded, ink: palette.muted };
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
  const ramp = palette[cells.ramp];
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

/** How far a row can be believed; as `brush.ts` paints it. */
function drawnTrust(trust: number, { x, y, height }: Omit<Rectangle, "width">, palette: Palette): string {
  if (Number.isNaN(trust)) return "";
  const fill = trust ? `${palette.muted}" fill-opacity="${trust}` : palette.hatch;
  return `<rect x="${x}" y="${y}" width="${ROW_QUANTITY.width}" height="${height}" fill="${fill}"/>`;
}
