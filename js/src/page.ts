// A page or a fragment that stands alone: it shows each element's `data-lens`, a message in base64, in that element.

import type { Source } from "./export.js";
import { mount } from "./widget.js";
import type { Message } from "./wire.js";

/** Shows every figure that isn't shown yet: a page may hold several fragments, each with its script. */
export function mountPage(script: HTMLOrSVGScriptElement): void {
  const page = document.querySelector("script[data-lens-page]")?.textContent;
  const code = script.textContent!;
  for (const el of document.querySelectorAll<HTMLElement>("[data-lens]")) {
    const message = bytes(el.dataset.lens!);
    const settings = JSON.parse(el.dataset.lensSettings ?? "{}");
    delete el.dataset.lens; // a third longer than its bytes, and no longer needed
    const own = el.querySelector("style");
    const style = (own ?? document.querySelector("style"))?.textContent ?? "";
    const source: Source | undefined = page ? { code, style, page: JSON.parse(page) } : undefined;
    mount(own ? shadow(el, own) : el, message, settings, source);
  }
}

/** A fragment lives among the styles of another page: in a shadow, with its own, it looks as it should. */
function shadow(el: HTMLElement, style: HTMLStyleElement): HTMLElement {
  const inside = document.createElement("div");
  el.attachShadow({ mode: "open" }).append(style, inside);
  return inside;
}

function bytes(base64: string): Message {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
