// What is followed through the layers: the targets that Python was asked to follow, whose numbers are exact, and the
// tokens that a reader pinned, which are known where they were among the candidates.

import { BEFORE } from "./cone.js";
import { candidatesAt, type Grid, NO_TOKEN, type Quantity, rankAmongCandidates, trajectory, valueAt } from "./grid.js";
import { nameOf } from "./names.js";

export interface Followed {
  /** Tokens whose probabilities add. */
  tokens: number[];
  label: string;
  /** The target that it is, or null if pinned by hand. */
  target: number | null;
  /** Its place among the pins, or null if it wasn't pinned by hand. */
  pin: number | null;
}

export function followedOf(grid: Grid, pins: number[][]): Followed[] {
  const place = new Map(grid.tokens.ids.map((id, token) => [id, token]));
  const label = (tokens: number[], ids: number[]) =>
    tokens.map((token, i) => nameOf(grid, token) || `token ${ids[i]}`).join(" + ");
  const targets = grid.targets.map(({ tokens }, target) => ({ tokens, label: label(tokens, []), target, pin: null }));
  const pinned = pins.map((ids, pin) => {
    const tokens = ids.map((id) => place.get(id) ?? NO_TOKEN);
    return { tokens, label: label(tokens, ids), target: null, pin };
  });
  return [...targets, ...pinned];
}

/** Probability through the rows of a column, or null where it isn't known because it was never a candidate there. */
export function probabilities(grid: Grid, followed: Followed, column: number): Float32Array | null {
  const exact = ofTarget(grid, followed, "probability");
  if (exact) return columnOf(grid, exact, column);
  const known = followed.tokens.map((token) => trajectory(grid, column, token)).filter((series) => series !== null);
  if (!known.length) return null;
  return known.reduce((sum, series) => sum.map((value, row) => value + series[row]!));
}

/** Rank through the rows of a column, the best of a group, and NaN where it wasn't counted. */
export function ranks(grid: Grid, followed: Followed, column: number): Float32Array {
  const exact = ofTarget(grid, followed, "rank");
  if (exact) return columnOf(grid, exact, column);
  return Float32Array.from(grid.rows, (_, row) => {
    const known = followed.tokens.map((token) => rankAmongCandidates(grid, { row, column }, token)).filter(Boolean);
    return known.length ? Math.min(...known) : Number.NaN;
  });
}

function ofTarget(grid: Grid, { target }: Followed, measure: string): Quantity | undefined {
  if (target === null) return undefined;
  return grid.quantities.find((quantity) => quantity.target === target && quantity.measure === measure);
}

/** What the rows of a column add, how far each varies where it is a mean, and what it was before an edit. */
export function partsOf(grid: Grid, column: number) {
  const of = (wanted: string) => {
    const known = grid.quantities.find(({ measure }) => measure === wanted);
    return known && columnOf(grid, known, column);
  };
  return {
    values: columnOf(grid, grid.quantities[0]!, column),
    spread: of("spread"),
    before: of(BEFORE),
    predicted: of("predicted change"),
  };
}

function columnOf(grid: Grid, quantity: Quantity, column: number): Float32Array {
  return Float32Array.from(grid.rows, (_, row) => valueAt(grid, { row, column }, quantity));
}

/** The output's leader at a position, then the tokens that lead there in most rows, then the output's next. */
export function leadersOf(grid: Grid, column: number): number[] {
  const counts = new Map<number, number>();
  for (let row = 0; row < grid.rows.length; row++) {
    const [leader] = candidatesAt(grid, { row, column });
    if (leader) counts.set(leader.token, (counts.get(leader.token) ?? 0) + 1);
  }
  const most = [...counts].sort(([, a], [, b]) => b - a).map(([token]) => token);
  const output = candidatesAt(grid, { row: grid.rows.length - 1, column }).map(({ token }) => token);
  return [...new Set([...output.slice(0, 2), ...most.slice(0, 2), ...output])];
}
