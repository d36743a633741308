// One stop for Tab in a list of many buttons: arrows lead from one to the next.

import { clamp } from "../data/grid.js";
import { ARROWS, keysFor } from "./keys.js";

/** For each button in an element that `data-roves`. */
export function rove(event: KeyboardEvent): void {
  const here = event.currentTarget as HTMLElement;
  keysFor((key) => {
    const [up, right] = ARROWS[key] ?? [0, 0];
    const all = [...here.closest("[data-roves]")!.querySelectorAll("button")];
    const next = all.indexOf(here as HTMLButtonElement) + right - up;
    if (right !== up) all[clamp(next, 0, all.length - 1)]!.focus();
    return right !== up;
  })(event);
}
