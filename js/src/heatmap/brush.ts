// Small strokes for a canvas: what the heatmap and its legend paint with.

import type { Rectangle } from "../pieces/rectangle.js";

/** What is painted on: a canvas, or a pen that writes down the same. */
export type Surface = Pick<
  CanvasRenderingContext2D,
  | "font"
  | "lineWidth"
  | "globalAlpha"
  | "textAlign"
  | "textBaseline"
  | "save"
  | "restore"
  | "translate"
  | "fillRect"
  | "fillText"
  | "measureText"
  | "beginPath"
  | "moveTo"
  | "lineTo"
  | "arc"
  | "roundRect"
  | "setLineDash"
> & { fillStyle: string | object; strokeStyle: string | object; fill(): void; stroke(): void };

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
  context: Surface,
  { x, y, width, height }: Rectangle,
  color: string,
  weight: number,
  halo: string,
  isBroken = false,
): void {
  for (const [stroke, breadth, dash] of [
    [halo, weight + 1.25, []],
    [color, weight, isBroken ? BROKEN : []],
  ] as const) {
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
export function ellipsize(context: Pick<Surface, "measureText">, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text;
  const characters = [...text.slice(0, 128)];
  while (characters.length && context.measureText(`${characters.join("")}…`).width > width) characters.pop();
  return characters.length ? `${characters.join("")}…` : "";
}

/** Thin lines across a box. */
export function hatch(context: Surface, { x, y, width, height }: Rectangle, color: string): void {
  context.strokeStyle = color;
  context.lineWidth = 1;
  context.beginPath();
  for (let at = 0; at < width + height; at += 5) {
    const [from, to] = [Math.max(0, at - width), Math.min(height, at)];
    context.moveTo(x + at - from, y + from);
    context.lineTo(x + at - to, y + to);
  }
  context.stroke();
}
