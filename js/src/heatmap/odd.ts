// What a canvas paints where a value has no place on the scale, and beside the rows.

import type { Rectangle } from "../pieces/rectangle.js";
import { type Palette, type RampName, STEPS } from "../style/palette.js";
import { ODD } from "../style/scale.js";
import { hatch, type Surface } from "./brush.js";
import { ROW_QUANTITY } from "./layout.js";

/**
 * Fills a cell whose value has no place on the scale, and gives the ink to write on it. It is grey if left out;
 * hatched if no number; else it has the color of the end that it lies beyond, a notch in that corner, and dots if it
 * is infinitely far.
 */
export function paintOdd(
  context: Surface,
  shade: number,
  box: Rectangle,
  { ramp: name, flipped }: { ramp: RampName; flipped: boolean },
  palette: Palette,
): string {
  const { x, y, width, height } = box;
  if (shade === ODD.gap) return palette.muted;
  if (shade === ODD.quiet) {
    // with nothing between them: one block
    context.fillStyle = palette.excluded;
    context.fillRect(x, y, width + 1, height + 1);
    return palette.muted;
  }
  if (shade === ODD.excluded || shade === ODD.nan) {
    context.fillStyle = palette.excluded;
    context.fillRect(x, y, width, height);
    if (shade === ODD.excluded) return palette.muted;
    hatch(context, box, palette.hatch);
    return palette.ink;
  }
  const ramp = palette[name];
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

/** Paints how far a row can be believed: the fuller the better; hatched where a row is not to be believed; nothing if unknown. */
export function paintTrust(
  context: Surface,
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
