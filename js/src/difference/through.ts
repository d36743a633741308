// Probabilities of one side of a difference, counted in the rows of the difference.

import { probabilities } from "../data/followed.js";
import type { GridState } from "../state/grid-state.js";

/** The probability of some tokens, by their ids, at a position of one side; NaN where it isn't known. */
export function through({ grid, sides }: GridState, side: number, ids: number[], column: number): number[] {
  const { state } = sides[side]!;
  const tokens = ids.map((id) => state.grid.tokens.ids.indexOf(id));
  const target = state.grid.targets.findIndex((one) => `${one.tokens}` === `${tokens}`);
  const known = probabilities(state.grid, { tokens, label: "", target: target < 0 ? null : target, pin: null }, column);
  return grid.rows.map((_, row) => known?.[state.inSlot({ row, column })?.row ?? -1] ?? Number.NaN);
}

/** The token that a side says in the end. */
export function saidBy({ grid }: GridState, side: number, column: number): number {
  return grid.sides!.token((grid.rows.length - 1) * grid.columns.length + column, side);
}
