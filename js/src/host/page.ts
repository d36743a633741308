// A page or a fragment that stands alone: it shows each element's `data-lens`, a message in base64, in that element.

import type { Message } from "../data/wire.js";
import type { Source } from "../export/saved-page.js";
import type { Shared } from "../state/settings.js";
import { keepAddress } from "./address.js";
import { bytesOf } from "./packed.js";
import { mount } from "./widget.js";

/** Shows a part of a lesson in an element that says which, as `data-lens-part`. */
type MountPart = (el: HTMLElement, part: string, message: Message, source?: Source) => unknown;

/**
 * Shows the figures that name this script and aren't shown yet: a page may hold several fragments, each with its script,
 * of other versions, too. `packed` is the script as it stands in the page, behind the page that can be saved.
 */
export function mountPage(packed: HTMLElement, mountPart?: MountPart): void {
  const { previousElementSibling: before, textContent: code } = packed;
  const page = before?.matches("[data-lens-page]") && before.textContent;
  const addressed: Shared[] = [];
  for (const el of document.querySelectorAll<HTMLElement>(`[data-lens][data-lens-by="${packed.dataset.lensCode}"]`)) {
    let [message, settings] = [new Uint8Array(), {}];
    try {
      message = bytesOf(el.dataset.lens!);
      settings = JSON.parse(el.dataset.lensSettings ?? "{}");
    } catch {
      // somebody edited the page: the view says that there is no data, or opens as it began, and those after it still do
    }
    delete el.dataset.lens; // a third longer than its bytes, and no longer needed
    // its own, not that of the picture in it
    const own = el.querySelector<HTMLStyleElement>(":scope > style");
    const style = (own ?? document.querySelector("style"))?.textContent ?? "";
    const source: Source | undefined = code && page ? { code, style, page: JSON.parse(page) } : undefined;
    const inside = own ? shadow(el, own) : el;
    el.replaceChildren(); // the picture that stood in its place
    const { lensPart } = el.dataset;
    if (lensPart) {
      mountPart?.(inside, lensPart, message, source);
      continue;
    }
    // the address of a page that a fragment is put into is that page's own
    mount(inside, message, settings, source, own ? undefined : addressed);
  }
  if (addressed.length) keepAddress(addressed);
}

/** A fragment lives among the styles of another page: in a shadow, with its own, it looks as it should. */
function shadow(el: HTMLElement, style: HTMLStyleElement): HTMLElement {
  const inside = document.createElement("div");
  el.attachShadow({ mode: "open" }).append(style, inside);
  return inside;
}
