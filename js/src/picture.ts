// The grid as the heatmap paints it: which words, shades and rings stand in its cells.

import { computed, type ReadonlySignal } from "@preact/signals";
import { leaders, NO_TOKEN } from "./grid.js";
import type { Picture, Words } from "./heatmap.js";
import { cellText, isMuted } from "./marks.js";
import { plain } from "./number.js";
import type { Reading } from "./reading.js";
import { shadesOf } from "./scale.js";
import { trustOf } from "./strip.js";

export function pictureOf(reading: Reading): ReadonlySignal<Picture> {
  const { grid, quantity, scale } = reading;
  const texts = grid.tokens.texts.map(cellText);
  const tokens: Words = { text: (token) => texts[token]!, muted: (token) => isMuted(grid, token) };
  const leading = leaders(grid);
  const strips = grid.strips.map(trustOf);
  // apart, so that a pin repaints the rings without working out every shade again
  const shades = computed(() => shadesOf(grid, quantity.value, scale.value));
  return computed(() => {
    const slotOf = reading.slotOf.value;
    const { values, strong } = quantity.value;
    return {
      shades: shades.value,
      diverging: scale.value.diverging,
      flipped: strong === "low",
      // a grid without candidates has its numbers for words
      wordOf: leading ? (cell) => leading[cell]! : (cell) => cell,
      words: leading ? tokens : { text: (cell) => plain(values[cell]!), muted: () => false },
      ringOf: (cell) => slotOf[leading?.[cell] ?? NO_TOKEN] ?? -1,
      steps: grid.decision,
      rowLabels: grid.rows,
      strips,
      columnLabel: (column) => grid.columnLabels?.[column] ?? texts[grid.columns[column]!] ?? "",
    };
  });
}
