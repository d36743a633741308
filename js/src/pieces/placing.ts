// Where cards go, worked out for all that changed at once: measuring one after moving another would lay out the page
// again for each.

import { clamp } from "../data/grid.js";
import { scaleOf } from "./pixels.js";
import type { Rectangle, Size } from "./rectangle.js";

const waiting = new Map<HTMLElement, Rectangle | null>();

/** Puts a card beside a rectangle of its heatmap before the browser next paints, or hides it where there is none. */
export function place(card: HTMLElement, at: Rectangle | null): void {
  if (!waiting.size) queueMicrotask(placeAll);
  waiting.set(card, at);
}

function placeAll(): void {
  for (const [card, at] of waiting) if (card.hidden === (at !== null)) card.hidden = !at;
  const placed = [...waiting].map(([card, at]) => [card, at && card.isConnected ? corner(card, at) : null] as const);
  waiting.clear();
  for (const [card, to] of placed) if (to) card.style.transform = `translate(${to.map(Math.round).join("px, ")}px)`;
}

function corner(card: HTMLElement, at: Rectangle): [number, number] {
  const root = card.closest<HTMLElement>(".lenswidget")!;
  const scale = scaleOf(root);
  const [cells, whole, panel] = [card.offsetParent!, root, card.closest(".lw-panel") ?? root].map((element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    return { x: x / scale, y: y / scale, width: width / scale, height: height / scale };
  }) as [Rectangle, Rectangle, Rectangle];
  // a grid's card stays on it, so that those of its neighbours can be read, too
  const frame = { x: panel.x - cells.x, y: whole.y - cells.y, width: panel.width, height: whole.height };
  return placeCard(at, { width: card.offsetWidth, height: card.offsetHeight }, cells, frame);
}

/**
 * Where a card goes: off the row and the column that are being read, at a corner of the cell, over the cells rather
 * than over what stands beside them if there is room, and always inside the frame, beyond which a host may clip it.
 */
export function placeCard(cell: Rectangle, card: Size, cells: Size, frame: Rectangle): [number, number] {
  const gap = 10;
  const right = cell.x + cell.width + gap;
  const left = cell.x - gap - card.width;
  const below = cell.y + cell.height + gap;
  const above = cell.y - gap - card.height;
  const frameRight = frame.x + frame.width;
  const fitsLeft = left >= frame.x;
  const x = right + card.width <= (fitsLeft ? cells.width : frameRight) || !fitsLeft ? right : left;
  const y = below + card.height <= frame.y + frame.height || above < frame.y ? below : above;
  return [
    clamp(x, frame.x, frame.x + frame.width - card.width),
    clamp(y, frame.y, frame.y + frame.height - card.height),
  ];
}
