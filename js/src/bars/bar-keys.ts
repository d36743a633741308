// What keys do among bars.

import type { Signal } from "@preact/signals";
import { clamp } from "../data/grid.js";
import type { Bar } from "./sum.js";

interface Among {
  bars: Bar[];
  active: Signal<number | null>;
  selected: number | null;
  /** Goes to one of the bars, and tells the ear which. */
  go: (index: number) => void;
  choose: (place: number) => void;
  onSelect: ((place: number | null) => void) | undefined;
  onSide: ((step: number) => void) | undefined;
}

/** Does what a key asks for; false for a key that asks for nothing here. */
export function act(key: string, { bars, active, selected, go, choose, onSelect, onSide }: Among): boolean {
  const now = active.value ?? selected;
  const index = bars.findIndex(({ place }) => place === now);
  const next = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: bars.length - 1 }[key];
  if (next !== undefined) go(clamp(next, 0, bars.length - 1));
  else if (onSide && (key === "ArrowLeft" || key === "ArrowRight")) onSide(key === "ArrowLeft" ? -1 : 1);
  else if ((key === "Enter" || key === " ") && now !== null) choose(now);
  else if (key === "Escape" && selected !== null) onSelect?.(null);
  else if (key === "Escape" && active.value !== null) active.value = null;
  else return false;
  return true;
}
