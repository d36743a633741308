// Paints what is known of each column beneath the cells, as bars: one line of them a quantity, each with its own scale.

import type { BelowQuantity } from "../data/grid.js";
import { LABEL_FONT } from "../pieces/font.js";
import type { Palette } from "../style/palette.js";
import { tick } from "../text/number.js";
import { titled } from "../text/words.js";
import { ellipsize, type Surface } from "./brush.js";
import type { Layout } from "./layout.js";

/** How high a quantity's name is, its bars, and all of it with what is between it and the next. */
const [NAME, BARS, EACH] = [22, 26, 54];

export function belowHeight({ length }: BelowQuantity[]): number {
  return length * EACH;
}

/** Paints them at the upper edge, the cells scrolled by so many pixels. */
export function paintBelow(
  context: Surface,
  below: BelowQuantity[],
  { left, viewWidth, cellWidth, columns, isMirrored }: Layout,
  palette: Palette,
  scrolled: number,
): void {
  const right = left + viewWidth;
  context.font = LABEL_FONT;
  context.textBaseline = "middle";
  for (const [i, quantity] of below.entries()) {
    const { values, line } = quantity;
    const all = [0, line ?? 0, ...values.map(Number)];
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const y = (value: number) => i * EACH + NAME + (BARS * (high - value)) / (high - low || 1);
    context.fillStyle = palette.muted;
    context.textAlign = "left";
    context.fillText(ellipsize(context, belowName(quantity), viewWidth), left, i * EACH + NAME / 2 + 2);
    if (!isMirrored) context.textAlign = "right";
    for (const end of new Set([low, high])) context.fillText(tick(end), isMirrored ? right + 6 : left - 6, y(end));
    for (let column = Math.floor(scrolled / cellWidth); column < columns; column++) {
      const value = values[column] ?? null;
      const from = left + column * cellWidth - scrolled;
      if (from >= right) break;
      const x = Math.max(left, from);
      context.fillStyle = line !== null && value! >= line ? palette.ink : palette.faint;
      // one of 0 is seen to be there
      if (value !== null) {
        const height = Math.max(1, Math.abs(y(value) - y(0)));
        context.fillRect(x, value < 0 ? y(0) : y(0) - height, Math.min(right, from + cellWidth - 1) - x, height);
      }
    }
    context.fillStyle = palette.muted;
    if (line !== null) context.fillRect(left, y(line), viewWidth, 1);
  }
}

/** "unusual by entropy, bits · line at 2.85" */
export function belowName(quantity: BelowQuantity): string {
  const { line } = quantity;
  return titled(quantity) + (line === null ? "" : ` · line at ${tick(line)}`);
}
