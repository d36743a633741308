// A prompt too long for its map: all of it in small with a brush that sets the window, as text, and searched.

import { type ReadonlySignal, type Signal, useComputed, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { foundIn, scoreOf, surprisesOf } from "../data/prompt.js";
import type { Cells } from "../heatmap/cells.js";
import type { Frame } from "../heatmap/frame.js";
import type { GridState } from "../state/grid-state.js";
import type { Palette } from "../style/palette.js";
import { percent, plain } from "../text/number.js";
import { Brush } from "./brush.js";
import { Prompt } from "./prompt.js";

const MANY = 600;

interface Props {
  state: GridState;
  frame: Frame;
  cells: ReadonlySignal<Cells>;
  palette: Signal<Palette>;
}

export function Long({ state, frame, cells, palette }: Props) {
  const { grid, settings, selected } = state;
  const wanted = useSignal("");
  // thousands of words are not what a reader waits for first
  const isThere = useSignal(grid.columns.length < MANY);
  useEffect(() => {
    const wait = setTimeout(() => (isThere.value = true));
    return () => clearTimeout(wait);
  }, []);
  const found = useComputed(() => foundIn(grid, wanted.value));
  const surprises = useMemo(() => surprisesOf(grid), [grid]);
  const { asked, right, bits } = useMemo(() => scoreOf(grid, surprises), [grid]);
  /** The columns that show in the map, the last of them beyond. */
  const span = useComputed(() => {
    const { viewWidth, cellWidth } = frame.layout.value;
    const first = state.scroll.value ?? 0;
    return [first, first + viewWidth / cellWidth] as const;
  });
  const pick = (column: number) => {
    settings.selected.value = [selected.peek()?.row ?? grid.rows.length - 1, column];
  };
  const at = found.value.indexOf(selected.value?.column ?? -1);
  const next = (by: number) => {
    const { length } = found.value;
    if (length) pick(found.value[(at < 0 ? (by < 0 ? length - 1 : 0) : at + by + length) % length]!);
  };
  return (
    <div class="lw-long">
      <div class="lw-long-head">
        <p class="lw-muted">
          {asked > 0 &&
            `${right} of ${plain(asked)} next tokens right (${percent(right / asked)})${Number.isNaN(bits) ? "" : `, ${bits.toFixed(1)} bits of surprise on average; the stronger a tint, the more a token surprised, from 4 to 18 bits`}`}
        </p>
        <input
          type="search"
          placeholder="find a token"
          aria-label="Find in the prompt; Enter goes to the next"
          value={wanted}
          onInput={({ currentTarget }) => (wanted.value = currentTarget.value)}
          onKeyDown={(event) => event.key === "Enter" && next(event.shiftKey ? -1 : 1)}
        />
        <span role="status" class="lw-muted">
          {wanted.value && (found.value.length ? `${at + 1} of ${found.value.length}` : "not found")}
        </span>
      </div>
      <Brush {...{ state, span, cells, palette, found }} />
      {isThere.value ? <Prompt {...{ state, span, found, surprises, pick }} /> : <div class="lw-text" data-awaited />}
    </div>
  );
}
