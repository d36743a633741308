// Elements of the page as they are seen, as a drawing: boxes, borders, lines and words.

import { drawn } from "../heatmap/heatmap-drawing.js";
import { rect } from "../pieces/svg.js";
import { css, reader } from "../style/palette.js";
import { linesOf } from "./lines.js";

/** What a drawing within the page has from its stylesheet. */
const INKS = ["fill", "stroke"];
const STROKES = [
  "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "opacity", "font-size", "font-weight", "paint-order",
]; // biome-ignore format: a list
const DASHES: Record<string, string> = { dashed: "3 3", dotted: "1.5 2" };
const SIDES = ["top", "right", "bottom", "left"];

/** Draws an element and all that it holds; `originals` are what the canvases in it are copies of. */
export function seen(root: Element, originals: Element[], at: (rect: DOMRect) => DOMRect): string {
  const read = reader();
  const plain = (color: string) => (/^(none|rgba?\()/.test(color) ? color : css(read(color)));
  let canvases = 0;

  const draw = (element: Element): string => {
    const style = getComputedStyle(element);
    const box = at(element.getBoundingClientRect());
    const { x, y, width, height } = box;
    if (element instanceof HTMLCanvasElement) {
      const original = originals[canvases++] as HTMLCanvasElement;
      const map = drawn.get(original);
      if (map) return `<g transform="translate(${x} ${y})">${map.seen()}</g>`;
      if (original.closest(".lw-cells") || !width) return ""; // drawn with its labels
      return `<image x="${x}" y="${y}" width="${width}" height="${height}" href="${original.toDataURL()}"/>`;
    }
    if (style.visibility === "hidden") return "";
    if (element instanceof SVGElement) return svgOf(element, box);
    const out = [boxOf(style, box)];
    for (const child of element.childNodes) {
      if (child instanceof Text) out.push(...linesOf(child, style, plain(style.color), at));
      else if (child instanceof Element) out.push(draw(child));
    }
    const svg = out.join("");
    // one drawing in another shows nothing beyond its edges
    const isCut = style.overflow !== "visible" && /<(text|path|rect)/.test(svg);
    const place = `x="${x}" y="${y}" width="${width}" height="${height}"`;
    return isCut ? `<svg ${place} viewBox="${x} ${y} ${width} ${height}">${svg}</svg>` : svg;
  };

  const svgOf = (element: SVGElement, { x, y, width, height }: DOMRect): string => {
    const copy = element.cloneNode(true) as SVGElement;
    const styled = [...element.querySelectorAll("*")].map((one) => getComputedStyle(one));
    for (const [i, one] of copy.querySelectorAll("*").entries()) {
      for (const name of STROKES) one.setAttribute(name, styled[i]!.getPropertyValue(name));
      for (const name of INKS) one.setAttribute(name, plain(styled[i]!.getPropertyValue(name)));
      one.removeAttribute("style");
    }
    for (const [name, value] of Object.entries({ x, y, width, height, overflow: "visible" }))
      copy.setAttribute(name, `${value}`);
    return new XMLSerializer().serializeToString(copy);
  };

  const boxOf = (style: CSSStyleDeclaration, { x, y, width, height }: DOMRect): string => {
    const of = (name: string) => style.getPropertyValue(name);
    const radius = `rx="${Number.parseFloat(of("border-top-left-radius"))}"`;
    const out: string[] = [];
    if (!/^rgba\(.* 0\)$/.test(style.backgroundColor))
      out.push(rect(x, y, width, height, plain(style.backgroundColor), radius));
    const stops =
      of("background-image")
        .match(/^linear-gradient\(to right.*/)?.[0]
        .match(/rgb\(.*?\)/g) ?? [];
    for (const [i, color] of stops.entries())
      out.push(rect(x + (i * width) / stops.length, y, width / stops.length + 0.5, height, color));
    const line = (wide: string, color: string, kind: string) =>
      `stroke="${plain(color)}" stroke-width="${wide}" stroke-dasharray="${DASHES[kind] ?? "none"}"`;
    for (const [i, side] of SIDES.entries()) {
      const [wide, color, kind] = ["width", "color", "style"].map((what) => of(`border-${side}-${what}`));
      const half = Number.parseFloat(wide!) / 2;
      const [left, top, right, foot] = [x + half, y + half, x + width - half, y + height - half];
      const ends = [
        `${left} ${top}H${right}`,
        `${right} ${top}V${foot}`,
        `${left} ${foot}H${right}`,
        `${left} ${top}V${foot}`,
      ];
      if (half) out.push(`<path d="M${ends[i]}" fill="none" ${line(wide!, color!, kind!)}/>`);
    }
    // a ring round it, or within
    const [, color, spread, inset] = /(\w+\([^)]*\)) 0px 0px 0px ([\d.]+)px( inset)?/.exec(of("box-shadow")) ?? [];
    if (color) {
      const by = (Number(spread) / 2) * (inset ? -1 : 1);
      out.push(rect(x - by, y - by, width + 2 * by, height + 2 * by, "none", `${line(spread!, color, "")} ${radius}`));
    }
    return out.join("");
  };
  return draw(root);
}
