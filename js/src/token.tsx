// The dot that stands for a pin's colour wherever it is met: chip, card, cell and line.

import { PIN_COLOURS } from "./colour.js";

export function colourOf(slot: number): string {
  return `var(--lw-pin-${(slot % PIN_COLOURS) + 1})`;
}

export function Dot({ slot }: { slot: number }) {
  return <span class="lw-dot" style={{ background: colourOf(slot) }} />;
}
