// What only a running Python can answer, and whether there is one to ask.

import type { ReadonlySignal } from "@preact/signals";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Grid } from "../data/grid.js";
import type { GridState } from "./grid-state.js";
import type { Jump } from "./settings.js";

/** The answer to what moved a token, or why there is none. */
export interface Answer {
  jump: Jump;
  grid?: Grid;
  error?: string;
}

export interface Live {
  /** Whether Python had the model that it takes. It may have gone since: only an answer shows that it is there. */
  explains: ReadonlySignal<boolean>;
  explained: ReadonlySignal<Answer | null>;
  /** Says that no kernel listens any more. */
  isLost: ReadonlySignal<boolean>;
}

export const LiveContext = createContext<Live | null>(null);

/** The Python behind a view; null in a page, which has none. */
export function useLive(): Live | null {
  return useContext(LiveContext);
}

/** The jump that is open, if it is one of this grid. */
export function jumpIn({ settings, which }: GridState): Jump | null {
  const jump = settings.jump.value;
  return jump && (jump[3] ?? 0) === which ? jump : null;
}

/** The jump of a token in this grid. */
export function jumpTo({ which }: GridState, column: number, id: number, row: number): Jump {
  return which ? [column, id, row, which] : [column, id, row];
}

export function isSameJump(a: Jump | null, b: Jump | null): boolean {
  return `${a}` === `${b}`;
}
