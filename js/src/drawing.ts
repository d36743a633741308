// The heatmap as an SVG drawing: every cell, its colours as they are on screen, its words as text that stays text.

import { ellipsize } from "./brush.js";
import { type Palette, PIN_COLOURS, STEPS } from "./colour.js";
import { escaped } from "./escape.js";
import type { Picture } from "./heatmap.js";
import { gutterFor, type Layout, labelRight, layoutOf, shownRow } from "./layout.js";
import { visible } from "./marks.js";
import type { Reading } from "./reading.js";
import { ODD } from "./scale.js";
import { drawnTrust, stripLeft } from "./strip.js";
import { quantityName } from "./words.js";

const CELL = 76;
const MARGIN = 12;
const HEAD = 50;
const LEGEND = 44;
const FONT = 11.5;
const WORDS = `font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"`;

export interface Drawing {
  svg: string;
  width: number;
  height: number;
}

export function drawingOf(reading: Reading, picture: Picture, palette: Palette): Drawing {
  const { grid, settings } = reading;
  const gutter = gutterFor(grid);
  const columns = grid.columns.length;
  const { stride, height: wished } = settings;
  const layout = layoutOf({
    ...{ rows: grid.rows.length, columns, gutter, density: 1 },
    ...{ width: gutter + columns * CELL, height: wished.value, stride: stride.value, only: reading.rowsShown.value },
  });
  const width = Math.max(420, 2 * MARGIN + gutter + columns * layout.cellWidth);
  const height = HEAD + layout.height + layout.footer + LEGEND;
  const title = grid.title.split(" ").map(visible).join(" ");
  const caption = [grid.model, grid.kind, grid.notes.join(", ")].filter(Boolean).join(" · ");
  const measure = measurer();
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, 'DejaVu Sans', sans-serif" font-size="${FONT}">`,
    `<title>${escaped(`${grid.kind}: ${title}`.replace(NO_XML, "\ufffd"))}</title>`,
    rect(0, 0, width, height, palette.background),
    text(MARGIN, 20, measure(title, (width - 2 * MARGIN) * 0.7), palette.ink, `font-size="16" font-weight="600"`),
    text(MARGIN, 38, measure(caption, width - 2 * MARGIN), palette.muted),
    `<g transform="translate(${MARGIN} ${HEAD})">${cells(layout, picture, palette, columns, measure)}</g>`,
    legend(reading, picture, palette, MARGIN + gutter, height - LEGEND + 12),
    "</svg>",
  ].join("");
  return { svg, width, height };
}

/** The same as pixels, twice as fine. */
export async function bitmapOf({ svg, width, height }: Drawing): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  const zoom = Math.min(2, 16384 / Math.max(width, height)); // browsers give up beyond
  canvas.width = width * zoom;
  canvas.height = height * zoom;
  canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("this browser makes no picture so large"))));
  });
}

type Shorten = (text: string, width: number) => string;

function cells(layout: Layout, picture: Picture, palette: Palette, columns: number, shorten: Shorten): string {
  const { rows, cellWidth, cellHeight, gutter, height } = layout;
  const ramp = picture.diverging ? palette.diverging : palette.sequential;
  const out: string[] = [];
  const last = rows.length - 1;
  const right = labelRight(layout, picture.strips.length);
  for (const [shown, row] of rows.entries()) {
    const y = (last - shown) * cellHeight;
    const middle = y + cellHeight / 2 + FONT * 0.35;
    out.push(text(right, middle, shorten(picture.rowLabels[row]!, right), palette.muted, `text-anchor="end"`));
    for (const [i, trust] of picture.strips.entries()) {
      const x = gutter + stripLeft(i, picture.strips.length);
      out.push(drawnTrust(trust[row]!, { x, y, height: cellHeight - 1 }, palette));
    }
    for (let column = 0; column < columns; column++) {
      const cell = row * columns + column;
      const x = gutter + column * cellWidth;
      const { fill, ink } = look(picture.shades[cell]!, picture, palette, ramp);
      out.push(rect(x, y, cellWidth - 1, cellHeight - 1, fill));
      const slot = picture.ringOf(cell);
      if (slot >= 0) {
        const colour = palette.pins[slot % PIN_COLOURS]!;
        const dash = picture.isBroken(cell) ? ` stroke-dasharray="3 3"` : "";
        out.push(
          `<rect x="${x + 1}" y="${y + 1}" width="${cellWidth - 3}" height="${cellHeight - 3}" rx="2" fill="none" stroke="${colour}" stroke-width="2"${dash}/>`,
        );
      }
      const word = picture.wordOf(cell);
      if (word >= 0 && cellHeight >= 12) {
        const style = picture.words.muted(word) ? `${WORDS} font-style="italic"` : WORDS;
        const seen = shorten(picture.words.text(word), cellWidth - 5);
        out.push(text(x + (cellWidth - 1) / 2, middle, seen, ink, `text-anchor="middle" ${style}`));
      }
    }
  }
  for (let column = 0; column < columns; column++) {
    const x = gutter + column * cellWidth;
    const label = shorten(picture.columnLabel(column), cellWidth - 5);
    out.push(text(x + cellWidth / 2, height + 17, label, palette.muted, `text-anchor="middle" ${WORDS}`));
    const step = picture.steps?.[column] ?? 0;
    if (step < 1 || picture.shades[column] === ODD.aside) continue;
    const y = (last - shownRow(layout, step) + 1) * cellHeight - 0.5;
    const line = `<path d="M${x} ${y}h${cellWidth - 1}" stroke-width=`;
    out.push(
      `${line}"3" stroke="${palette.background}"/>${line}"1.5" stroke="${palette.ink}" stroke-dasharray="3 2"/>`,
    );
  }
  return out.join("");
}

function look(shade: number, { flipped }: Picture, palette: Palette, ramp: Palette["sequential"]) {
  if (shade < STEPS) return { fill: ramp.fill[shade]!, ink: ramp.ink[shade]! };
  if (shade === ODD.gap) return { fill: palette.background, ink: palette.muted };
  if (shade === ODD.aside) return { fill: palette.aside, ink: palette.muted };
  if (shade === ODD.nan) return { fill: palette.hatch, ink: palette.ink };
  const end = (shade === ODD.above || shade === ODD.high) === flipped ? 0 : STEPS - 1;
  return { fill: ramp.fill[end]!, ink: ramp.ink[end]! };
}

const BAR = 180;

function legend({ grid, quantity, scale }: Reading, picture: Picture, palette: Palette, x: number, y: number): string {
  const ramp = picture.diverging ? palette.diverging : palette.sequential;
  const { unit } = quantity.value;
  const name = quantityName(grid, quantity.value) + (unit ? ` (${unit})` : "");
  const parts = Array.from({ length: 60 }, (_, i) =>
    rect(x + (i * BAR) / 60, y, BAR / 60 + 0.5, 9, ramp.fill[scale.value.step((i + 0.5) / 60)]!),
  );
  const ticks = scale.value.ticks.map(({ place, label }) =>
    text(x + place * BAR, y + 22, label, palette.muted, `text-anchor="middle"`),
  );
  return [...parts, ...ticks, text(x + BAR + 14, y + 9, name, palette.muted)].join("");
}

function rect(x: number, y: number, width: number, height: number, fill: string): string {
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${fill}"/>`;
}

function text(x: number, y: number, words: string, fill: string, more = ""): string {
  return `<text x="${x}" y="${y}" fill="${fill}" ${more}>${escaped(words.replace(NO_XML, "\ufffd"))}</text>`;
}

/** The characters that XML can't hold, escaped or not. */
const NO_XML = /\p{Cs}|[^\t\n\r\P{Cc}]|[\ufffe\uffff]/gu;

function measurer(): Shorten {
  const context = document.createElement("canvas").getContext("2d")!;
  context.font = `${FONT}px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace`;
  return (words, width) => ellipsize(context, words, width);
}
