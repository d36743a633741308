// The whole prompt as text: each token can be chosen, is tinted by how surprising it was, and those in the map are outlined.

import { effect, type ReadonlySignal } from "@preact/signals";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { clamp } from "../data/grid.js";
import { spaced } from "../data/marks.js";
import { textOf } from "../data/prompt.js";
import { ARROWS, keysFor } from "../pieces/keys.js";
import type { GridState } from "../state/grid-state.js";

/** Bits: less surprises nobody, and more is no stronger. */
const [FAINT, FULL] = [4, 18];

interface Props {
  state: GridState;
  span: ReadonlySignal<readonly [first: number, end: number]>;
  found: ReadonlySignal<number[]>;
  surprises: Float32Array;
  pick: (column: number) => void;
}

export function Prompt({ state: { grid, selected }, span, found, surprises, pick }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const name = useMemo(() => `lw-${Math.random()}-`, []);
  const tokens = useMemo(
    () =>
      Array.from(surprises, (bits, column) => {
        const text = textOf(grid, column);
        const strength = Math.min(1, (bits - FAINT) / (FULL - FAINT));
        return (
          // biome-ignore lint/a11y/useFocusableInteractive: the list has the focus, and says which is active
          <span
            key={column}
            role="option"
            id={`${name}${column}`}
            aria-selected="false"
            data-at={column}
            style={strength > 0 ? { "--s": `${Math.round(100 * strength)}%` } : undefined}
          >
            {spaced(text) + (text.includes("\n") ? "\n" : "")}
          </span>
        );
      }),
    [grid],
  );
  useLayoutEffect(() => {
    const spans = [...place.current!.children] as HTMLElement[];
    const ends = [
      marking("lw-in", () => {
        const [first, end] = span.value.map(Math.round) as [number, number];
        return spans.slice(first, end);
      }),
      marking("lw-found", () => found.value.map((column) => spans[column]!)),
      marking("lw-at", () => spans.slice(selected.value?.column ?? spans.length).slice(0, 1)),
      // the window stays in sight, and the page where it is
      effect(() => {
        const { offsetTop = 0 } = spans[Math.round(span.value[0])] ?? {};
        const { scrollTop, clientHeight } = place.current!;
        if (offsetTop < scrollTop || offsetTop > scrollTop + clientHeight - 40)
          place.current!.scrollTop = offsetTop - 24;
      }),
    ];
    return () => {
      for (const end of ends) end();
    };
  }, [grid]);
  const column = selected.value?.column;
  return (
    <div
      class="lw-text"
      ref={place}
      role="listbox"
      aria-label="The prompt. Arrow keys choose a token, whose column the map then shows."
      aria-activedescendant={column === undefined ? undefined : `${name}${column}`}
      tabIndex={0}
      onClick={({ target }) => {
        const at = (target as HTMLElement).dataset.at;
        if (at) pick(Number(at));
      }}
      onKeyDown={keysFor((key) => {
        const [up, right] = ARROWS[key] ?? [0, 0];
        if (up || right) pick(clamp((column ?? tokens.length) + right - up, 0, tokens.length - 1));
        return up !== right;
      })}
    >
      {tokens}
    </div>
  );
}

/** Keeps a class on those of some elements that should have it; to render thousands of them again would take a frame each. */
function marking(name: string, which: () => HTMLElement[]): () => void {
  let before: HTMLElement[] = [];
  return effect(() => {
    const now = which();
    for (const one of before) one.classList.remove(name);
    for (const one of now) one.classList.add(name);
    if (name === "lw-at") {
      for (const one of before) one.ariaSelected = "false";
      for (const one of now) one.ariaSelected = "true";
    }
    before = now;
  });
}
