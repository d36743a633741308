// The strips beside the row labels: one number a row, which says how far the row can be believed.

import type { Grid, Strip } from "../data/grid.js";
import type { Palette } from "../style/palette.js";
import { plain } from "../text/number.js";
import { hatch, sized } from "./brush.js";
import type { Rectangle } from "./layout.js";

const WIDTH = 7;
const GAP = 3;

/** The space that strips take between the row labels and the cells. */
export function stripsWidth(count: number): number {
  return count ? count * (WIDTH + GAP) + 2 : 0;
}

/** The ends of a strip's scale, the bad one first. */
function endsOf({ values, domain, strong }: Strip): [bad: number, good: number] {
  const known = values.filter(Number.isFinite);
  const [low, high] = domain ?? (known.length ? [Math.min(...known), Math.max(...known)] : [0, 0]);
  return strong === "high" ? [low, high] : [high, low];
}

/** How far each row can be believed: 1 at the good end of the scale, 0 at the bad one and beyond, NaN where unknown. */
export function trustOf(strip: Strip): Float32Array {
  const [bad, good] = endsOf(strip);
  const place = (value: number) => (bad === good ? 1 : (value - bad) / (good - bad));
  return strip.values.map((value) => (Number.isNaN(value) ? value : Math.max(0, Math.min(1, place(value)))));
}

/** A value of a strip, with its unit. */
function amount({ unit }: Strip, value: number): string {
  return `${plain(value)} ${unit}`.trim();
}

/** A strip, and what its ends stand for, the good one first. */
export function stripName(strip: Strip): string {
  const [bad, good] = endsOf(strip);
  return `${strip.name}: ${plain(good)} to ${amount(strip, bad)}`;
}

/** What the strips say of a row, in words. */
export function verdicts(grid: Grid, row: number): { words: string; doubtful: boolean }[] {
  return grid.strips
    .filter(({ values }) => !Number.isNaN(values[row]))
    .map((strip) => {
      const value = amount(strip, strip.values[row]!);
      const words = strip.says ? strip.says.replace("{}", () => value) : `${strip.name}: ${value}`;
      return { words, doubtful: trustOf(strip)[row] === 0 };
    });
}

/** Paints one row of a strip: the fuller the better; hatched where a row is not to be believed; nothing if unknown. */
export function paintTrust(
  context: CanvasRenderingContext2D,
  trust: number,
  { x, y, height }: Omit<Rectangle, "width">,
  palette: Palette,
): void {
  if (Number.isNaN(trust)) return;
  const fill = (colour: string) => {
    context.fillStyle = colour;
    context.fillRect(x, y, WIDTH, height);
  };
  fill(palette.aside);
  if (trust) {
    context.globalAlpha = trust;
    fill(palette.muted);
    context.globalAlpha = 1;
  } else hatch(context, { x, y, width: WIDTH, height }, palette.hatch);
}

/** The same as a drawing. */
export function drawnTrust(trust: number, { x, y, height }: Omit<Rectangle, "width">, palette: Palette): string {
  if (Number.isNaN(trust)) return "";
  const fill = trust ? `${palette.muted}" fill-opacity="${trust}` : palette.hatch;
  return `<rect x="${x}" y="${y}" width="${WIDTH}" height="${height}" fill="${fill}"/>`;
}

/** Fine lines in the page's own colour: what a row that is not to be believed is seen through. */
export function veil(context: CanvasRenderingContext2D, { background }: Palette, density: number): CanvasPattern {
  const size = 6;
  const tile = document.createElement("canvas");
  const brush = tile.getContext("2d")!;
  sized(brush, size, size, density);
  brush.strokeStyle = background;
  brush.globalAlpha = 0.4;
  brush.beginPath();
  // a line, and the corners of its neighbours, so that tiles join
  for (const at of [0, size, 2 * size]) {
    brush.moveTo(at, 0);
    brush.lineTo(at - size, size);
  }
  brush.stroke();
  const pattern = context.createPattern(tile, "repeat")!;
  pattern.setTransform(new DOMMatrix().scale(1 / density));
  return pattern;
}

/** Where strip `i` of `count` begins, from the left edge of the cells. */
export function stripLeft(i: number, count: number): number {
  return (i - count) * (WIDTH + GAP);
}
