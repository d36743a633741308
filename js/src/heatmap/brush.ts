// Small strokes for a canvas: what the heatmap and its legend paint with.

import type { Rectangle } from "../pieces/rectangle.js";

export const WORD_FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';
export const LABEL_FONT = WORD_FONT.replace("12", "11.5");

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
export function ellipsize(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text;
  const characters = [...text.slice(0, 128)];
  while (characters.length && context.measureText(`${characters.join("")}…`).width > width) characters.pop();
  return characters.length ? `${characters.join("")}…` : "";
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
