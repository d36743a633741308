// A picture as an SVG drawing: its colors as they are on screen, its words as text that stays text.

import { barsDrawn } from "../bars/bars-drawing.js";
import { ellipsize, LABEL_FONT } from "../heatmap/brush.js";
import type { Cells } from "../heatmap/cells.js";
import { heatmapDrawn } from "../heatmap/heatmap-drawing.js";
import { type Drawing, FONT, NO_XML, rect, type Shorten, text } from "../pieces/svg.js";
import type { GridState } from "../state/grid-state.js";
import type { Palette } from "../style/palette.js";
import { escaped } from "../text/escape.js";
import { claimOf } from "../text/words.js";

const MARGIN = 12;
const LINE = 15;
export function drawingOf(state: GridState, cells: Cells, palette: Palette): Drawing {
  const { grid } = state;
  const shorten = measurer();
  const body = grid.view === "bars" ? barsDrawn(state, palette, shorten) : heatmapDrawn(state, cells, palette, shorten);
  const width = Math.max(420, 2 * MARGIN + body.width);
  const room = width - 2 * MARGIN;
  const caption = [grid.model, grid.kind, grid.notes.join(", ")].filter(Boolean).join(" · ");
  const lines = [...wrapped(caption, room, shorten), ...(grid.check ? [shorten(claimOf(grid.check).says, room)] : [])];
  const head = 28 + LINE * lines.length;
  const height = head + body.height;
  const svg = [
    opening(width, height),
    `<title>${escaped(`${grid.kind}: ${grid.title}`.replace(NO_XML, "\ufffd"))}</title>`,
    rect(0, 0, width, height, palette.background),
    text(MARGIN, 20, shorten(grid.title, room * 0.7), palette.ink, "start", `font-size="16" font-weight="600"`),
    ...lines.map((line, i) => text(MARGIN, 38 + LINE * i, line, palette.muted)),
    `<g transform="translate(${MARGIN} ${head})">${body.svg}</g>`,
    "</svg>",
  ].join("");
  return { svg, width, height };
}

function opening(width: number, height: number): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, 'DejaVu Sans', sans-serif" font-size="${FONT}">`;
}

/** The cells and their legend alone, for a page whose words stand around them. */
export function printedOf(state: GridState, cells: Cells, palette: Palette): string {
  const { length } = state.grid.columns;
  const most = Math.ceil(length / Math.ceil(length / ON_PAPER));
  const strips = Array.from({ length: Math.ceil(length / most) }, (_, i) => {
    const end = Math.min(length, (i + 1) * most);
    const { svg, width, height } = heatmapDrawn(state, cells, palette, measurer(), i * most, end);
    return `${opening(width, height)}${svg}</svg>`;
  });
  return strips.join("");
}

/** So many columns can be read where they are as wide as a sheet; others stand beneath. */
const ON_PAPER = 14;

/** Drawings as they stand beside each other: two in a line. */
export function beside(drawings: Drawing[]): Drawing {
  if (drawings.length < 2) return drawings[0]!;
  const width = Math.max(...drawings.map((one) => one.width));
  let height = 0;
  const placed = drawings.map((one, i) => {
    const other = drawings[i % 2 ? i - 1 : i + 1] ?? one;
    const at = `x="${(i % 2) * width}" y="${height}"`;
    if (i % 2 || other === one) height += Math.max(one.height, other.height);
    return one.svg.replace("<svg ", `<svg ${at} `);
  });
  const size = `width="${2 * width}" height="${height}"`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${2 * width} ${height}" ${size}>${placed.join("")}</svg>`;
  return { svg, width: 2 * width, height };
}

/** The same as pixels, twice as fine. */
export async function bitmapOf({ svg, width, height }: Drawing): Promise<Blob> {
  const zoom = Math.min(2, 16384 / Math.max(width, height)); // browsers give up beyond
  if (zoom < 0.5) throw new Error("it is too large for pixels, but not for SVG");
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = width * zoom;
  canvas.height = height * zoom;
  canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("this browser makes no picture so large"))));
  });
}

/** Lines of words that fit, three at most. */
function wrapped(words: string, width: number, shorten: Shorten): string[] {
  const lines = [""];
  for (const word of words.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (lines.length < 3 && shorten(longer, width) !== longer) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines.map((line) => shorten(line, width));
}

function measurer(): Shorten {
  const context = document.createElement("canvas").getContext("2d")!;
  context.font = LABEL_FONT;
  return (words, width) => ellipsize(context, words, width);
}
