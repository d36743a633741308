// Small strokes for a canvas: what the heatmap and its legend paint with.

import type { Rectangle } from "../pieces/rectangle.js";
import { type Palette, STEPS } from "../style/palette.js";
import { ODD } from "../style/scale.js";
import { ROW_QUANTITY } from "./layout.js";

export const WORD_FONT = '11.5px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace';

/** Readies a canvas of a size in CSS pixels, clean, and as sharp as the screen. */
export function sized(context: CanvasRenderingContext2D, width: number, height: number, density: number): void {
  const { canvas } = context;
  const [across, down] = [Math.round(width * density), Math.round(height * density)];
  if (canvas.width !== across || canvas.height !== down) {
    canvas.width = across;
    canvas.height = down;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, width, height);
  context.direction = "ltr"; // a right-to-left mark in one token must not turn the others
}

/** Paints with nothing beyond a box. */
export function clipped(context: CanvasRenderingContext2D, box: Rectangle, paint: () => void): void {
  context.save();
  context.beginPath();
  context.rect(box.x, box.y, box.width, box.height);
  context.clip();
  paint();
  context.restore();
}

/** A ring inside a box, with a halo that tells it from whatever color it lies on. */
export function ring(
  context: CanvasRenderingContext2D,
  { x, y, width, height }: Rectangle,
  color: string,
  weight: number,
  halo: string,
  isBroken = false,
): void {
  for (const [stroke, breadth, dash] of [
    [halo, isBroken ? 0 : weight + 1.25, []],
    [color, weight, isBroken ? BROKEN : []],
  ] as const) {
    if (!breadth) continue;
    context.setLineDash(dash);
    context.strokeStyle = stroke;
    context.lineWidth = breadth;
    context.beginPath();
    const inset = breadth / 2;
    context.roundRect(x + inset, y + inset, Math.max(0, width - breadth), Math.max(0, height - breadth), 2);
    context.stroke();
  }
  context.setLineDash([]);
}

const BROKEN = [3, 3];

/** A text, or as much of it as fits with an ellipsis, or nothing. */
export function ellipsize(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text;
  const characters = [...text.slice(0, 128)];
  while (characters.length && context.measureText(`${characters.join("")}…`).width > width) characters.pop();
  return characters.length ? `${characters.join("")}…` : "";
}

/**
 * Fills a cell whose value has no place on the scale, and gives the ink to write on it. It is grey if left out;
 * hatched if no number; else it has the color of the end that it lies beyond, a notch in that corner, and dots if it
 * is infinitely far.
 */
export function paintOdd(
  context: CanvasRenderingContext2D,
  shade: number,
  box: Rectangle,
  { diverging, flipped }: { diverging: boolean; flipped: boolean },
  palette: Palette,
): string {
  const { x, y, width, height } = box;
  if (shade === ODD.gap) return palette.muted;
  if (shade === ODD.excluded || shade === ODD.nan) {
    context.fillStyle = palette.excluded;
    context.fillRect(x, y, width, height);
    if (shade === ODD.excluded) return palette.muted;
    hatch(context, box, palette.hatch);
    return palette.ink;
  }
  const ramp = diverging ? palette.diverging : palette.sequential;
  const upper = shade === ODD.above || shade === ODD.high;
  const end = upper === flipped ? 0 : STEPS - 1;
  const ink = ramp.ink[end]!;
  context.fillStyle = ramp.fill[end]!;
  context.fillRect(x, y, width, height);
  context.fillStyle = ink;
  if (shade === ODD.above || shade === ODD.below) {
    for (const dotY of [y + 1, y + height - 2]) {
      for (let dotX = x + 1; dotX < x + width - 6; dotX += 4) context.fillRect(dotX, dotY, 1.5, 1.5);
    }
  }
  const notch = Math.min(6, height / 2);
  const corner = upper ? y : y + height;
  context.beginPath();
  context.moveTo(x + width - notch, corner);
  context.lineTo(x + width, corner);
  context.lineTo(x + width, corner + (upper ? notch : -notch));
  context.fill();
  return ink;
}

/** Thin lines across a box. */
export function hatch(context: CanvasRenderingContext2D, box: Rectangle, color: string): void {
  const { x, y, width, height } = box;
  clipped(context, box, () => {
    context.strokeStyle = color;
    context.lineWidth = 1;
    context.beginPath();
    for (let at = 0; at < width + height; at += 5) {
      context.moveTo(x + at, y);
      context.lineTo(x + at - height, y + height);
    }
    context.stroke();
  });
}

/** Paints how far a row can be believed: the fuller the better; hatched where a row is not to be believed; nothing if unknown. */
export function paintTrust(
  context: CanvasRenderingContext2D,
  trust: number,
  { x, y, height }: Omit<Rectangle, "width">,
  palette: Palette,
): void {
  if (Number.isNaN(trust)) return;
  const fill = (color: string) => {
    context.fillStyle = color;
    context.fillRect(x, y, ROW_QUANTITY.width, height);
  };
  fill(palette.excluded);
  if (trust) {
    context.globalAlpha = trust;
    fill(palette.muted);
    context.globalAlpha = 1;
  } else hatch(context, { x, y, width: ROW_QUANTITY.width, height }, palette.hatch);
}

/** Fine lines in the page's own color: what a row that is not to be believed is seen through. */
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
