// The step of a trajectory that a reader opened, and the grid that it is one of.

import type { GridState } from "./grid-state.js";
import type { Jump } from "./settings.js";

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
