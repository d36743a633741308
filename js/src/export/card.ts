// A card to show: what stands on the screen, without what it is worked with.

import { type Drawing, NO_XML } from "../pieces/svg.js";

const LEFT_OUT =
  ".lw-controls, .lw-prompt, .lw-dock, .lw-card, .lw-long, .lw-legend:not(.lw-keys), .lw-spoken, button:not(:has(*)), .lw-menu";

/** A figure as a picture of itself, at the width that it has; canvases are pixels in it. */
export function cardOf(figure: HTMLElement): Drawing {
  const root = figure.closest<HTMLElement>(".lenswidget")!;
  const card = root.cloneNode(true) as HTMLElement;
  const canvases = [...root.querySelectorAll("canvas")];
  for (const [i, canvas] of card.querySelectorAll("canvas").entries()) {
    const image = document.createElement("img");
    image.src = canvases[i]!.toDataURL();
    image.className = canvas.className;
    image.style.cssText = `display: block; ${canvas.style.cssText}`;
    canvas.replaceWith(image);
  }
  for (const one of card.querySelectorAll(LEFT_OUT)) one.remove();
  card.style.minHeight = "0";
  // in the page for as long as it takes to see how high it is
  root.after(card);
  const [width, height] = [root.offsetWidth, card.offsetHeight];
  card.remove();
  const rules = [...(root.getRootNode() as Document).styleSheets]
    .flatMap(rulesOf)
    .filter((rule) => /lw-|lenswidget/.test(rule));
  const page = new XMLSerializer().serializeToString(card).replace(NO_XML, "\ufffd");
  const style = `<style>${rules.join("").replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</style>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${style}<foreignObject width="100%" height="100%">${page}</foreignObject></svg>`;
  return { svg, width, height };
}

function rulesOf(sheet: CSSStyleSheet): string[] {
  try {
    return [...sheet.cssRules].map(({ cssText }) => cssText);
  } catch {
    return []; // of another site, which is none of ours
  }
}
