// A figure as a picture: what stands on the screen without what it is worked with, its colors as they are there, its words
// as text that stays text.

import { drawn } from "../heatmap/heatmap-drawing.js";
import { scaleOf } from "../pieces/pixels.js";
import { type Drawing, opening, plain, rect } from "../pieces/svg.js";
import { seen } from "./seen.js";

const LEFT_OUT =
  ".lw-controls, .lw-prompt, .lw-dock, .lw-card, .lw-long, .lw-spoken, button:not(:has(*)), .lw-menu, .lw-steps, .lw-printed";

/** The figure that something is a part of as it is seen, with what of its maps is out of view beneath; a card to show has neither that nor a legend. */
export function drawingOf(part: HTMLElement, isCard = false): Drawing {
  const root = part.closest<HTMLElement>(".lenswidget")!;
  const copy = root.cloneNode(true) as HTMLElement;
  const leftOut = LEFT_OUT + (isCard ? ", .lw-legend:not(.lw-keys)" : "");
  const canvases = [...root.querySelectorAll("canvas")].filter((one) => !one.closest(leftOut));
  for (const one of copy.querySelectorAll(leftOut)) one.remove();
  copy.style.minHeight = "0";
  // in the page for as long as it takes to see where everything stands
  root.after(copy);
  try {
    const [scale, from] = [scaleOf(copy), copy.getBoundingClientRect()];
    const at = ({ x, y, width, height }: DOMRect) =>
      new DOMRect((x - from.x) / scale, (y - from.y) / scale, width / scale, height / scale);
    const body = seen(copy, canvases, at);
    let [width, height] = [copy.offsetWidth, copy.offsetHeight];
    const beneath = canvases
      .map((one) => (isCard ? null : drawn.get(one)?.whole))
      .map((whole) => {
        if (!whole) return "";
        const svg = whole();
        const [, wide, tall] = /width="([\d.]+)" height="([\d.]+)"/.exec(svg)!;
        const y = height;
        width = Math.max(width, Number(wide));
        height += Number(tall);
        return svg.replace("<svg", `<svg y="${y}"`);
      });
    const ground = rect(0, 0, width, height, getComputedStyle(copy).backgroundColor);
    const title = `<title>${plain(root.querySelector("figure")!.ariaLabel!)}</title>`;
    return { svg: [opening(width, height), title, ground, body, ...beneath, "</svg>"].join(""), width, height };
  } finally {
    copy.remove();
  }
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
