// Where cards go, worked out for all that changed at once: measuring one after moving another would lay out the page
// again for each.

import { placeCard, type Rectangle } from "../heatmap/layout.js";

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
  const cells = card.offsetParent!.getBoundingClientRect();
  const root = card.closest(".lenswidget")!.getBoundingClientRect();
  // a grid's card stays on it, so that those of its neighbours can be read, too
  const panel = card.closest(".lw-panel")?.getBoundingClientRect() ?? root;
  const frame = { x: panel.x - cells.x, y: root.y - cells.y, width: panel.width, height: root.height };
  return placeCard(at, { width: card.offsetWidth, height: card.offsetHeight }, cells, frame);
}
