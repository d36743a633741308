// The element that all of a view stands in, in whatever page holds it.

import { render } from "preact";
import { keepKeys } from "./keys.js";

/** Puts a root into `el` until the signal is aborted, and says when it stands in the page. */
export function rootIn(el: HTMLElement, aborted: AbortSignal): { root: HTMLElement; arrived: Promise<void> } {
  const place = document.createElement("div");
  const root = document.createElement("div");
  place.className = "lw-place";
  root.className = "lenswidget";
  root.dataset.state = "loading";
  place.append(root);
  el.append(place);
  keepKeys(place, aborted);
  aborted.addEventListener("abort", () => {
    render(null, root);
    place.remove();
  });
  return { root, arrived: arrival(root, aborted) };
}

/** Waits for an element to stand in the page: a host may hand over one that doesn't yet, where CSS has no values. */
function arrival(root: HTMLElement, aborted: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const observer = new ResizeObserver(() => {
      if (!root.isConnected) return;
      observer.disconnect();
      resolve();
    });
    observer.observe(root); // calls back at once, and again when the element gets a size
    aborted.addEventListener("abort", () => observer.disconnect());
  });
}
