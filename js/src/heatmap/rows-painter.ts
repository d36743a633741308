// Paints what stands beside the rows of a heatmap, and doesn't scroll: their labels, and how far each can be believed.

import { LABEL_FONT } from "../pieces/font.js";
import type { Palette } from "../style/palette.js";
import { ellipsize, type Surface } from "./brush.js";
import {
  gapBetween,
  LABELLED,
  type Layout,
  labelEdge,
  labelLines,
  labelStride,
  labelWidth,
  rowQuantityLeft,
  top,
} from "./layout.js";
import { paintTrust } from "./odd.js";
import type { Painter } from "./painter.js";

export function paintRows(context: Surface, { cells, layout, palette }: Painter): void {
  const { rows, cellHeight } = layout;
  const { length } = cells.trust;
  const every = labelStride(layout);
  const last = rows.length - 1;
  label(context, layout, palette);
  for (const [shown, row] of rows.entries()) {
    // counted from the top; the lowest is always written, and what would run into it isn't
    const clear = (last - shown) % every === 0 && (every === 1 || shown * cellHeight >= LABELLED);
    if (shown > 0 && !clear) continue;
    const middle = Math.max((last - shown + 0.5) * cellHeight, LABELLED / 2);
    const words = ellipsize(context, cells.rowLabels[row]!, labelWidth(layout, length));
    context.fillText(words, labelEdge(layout, length), middle);
  }
  const height = cellHeight - gapBetween(layout);
  for (const [i, trust] of cells.trust.entries()) {
    const x = rowQuantityLeft(layout, i, length);
    for (const [shown, row] of rows.entries()) {
      paintTrust(context, trust[row]!, { x, y: top(layout, shown), height }, palette);
    }
  }
}

/** What the two lines of column labels are. */
export function paintPair(context: Surface, { layout, palette }: Painter): void {
  label(context, layout, palette);
  const right = labelEdge(layout, 0);
  for (const [i, y] of labelLines(layout).entries()) context.fillText(i ? "into" : "from", right, y);
}

function label(context: Surface, { isMirrored }: Layout, palette: Palette): void {
  context.font = LABEL_FONT;
  context.textAlign = isMirrored ? "left" : "right";
  context.textBaseline = "middle";
  context.fillStyle = palette.muted;
}
