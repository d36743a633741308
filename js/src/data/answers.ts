// What each line of an overview answers. Twin of lenswidget/grids/answers.py.

import { type Grid, NO_TOKEN, totalOf, valuesOf } from "./grid.js";

export interface Answer {
  name: string;
  /** What leads in each layer, NO_TOKEN where the model has no such layer. */
  leaders: number[];
  /** How high each layer stands: the leader's probability × how far the layer can be believed. */
  heights: number[];
  token: number;
  probability: number;
  /** The column from which the answer leads in every layer. */
  decided: number;
  /** Whether it is the right answer, null where that isn't known. */
  right: boolean | null;
  rightTokens: number[];
  rightProbability: number;
  /** The last column in which the right answer led before it was lost, or null. */
  ledUntil: number | null;
}

export function answersOf(overview: Grid): Answer[] {
  const { rows, columns, candidates, targets } = overview;
  const last = columns.length - 1;
  const [beliefs, followed] = ["belief", "probability of the right answer"].map((name) => valuesOf(overview, name));
  return rows.map((name, row) => {
    const cells = Array.from(columns, (_, column) => row * columns.length + column);
    const leaders = cells.map((cell) => candidates!.token(cell, 0));
    const probabilities = cells.map((cell) => candidates!.probability(cell, 0));
    const token = leaders[last]!;
    const rightTokens = targets[row]?.tokens ?? [];
    const right = rightTokens.length ? rightTokens.includes(token) : null;
    const before = leaders.findLastIndex((leader) => leader !== token && leader !== NO_TOKEN);
    const led = leaders.findLastIndex((leader) => rightTokens.includes(leader));
    return {
      ...{ name, leaders, token, right, rightTokens },
      heights: cells.map((cell, i) => (probabilities[i]! || 0) * (beliefs?.[cell] ?? 1) || 0),
      probability: probabilities[last]!,
      decided: Math.min(before + 1, last),
      rightProbability: followed && right !== null ? followed[last + row * columns.length]! : Number.NaN,
      ledUntil: led < 0 || right ? null : led,
    };
  });
}

/** Where each layer of an overview begins, and where the last ends, 0 to 1: what can be believed has more room. */
export function placesOf(overview: Grid): number[] {
  const { rows, columns } = overview;
  const beliefs = valuesOf(overview, "belief");
  const shares = Array.from(columns, (_, column) => {
    const known = rows.map((_, row) => beliefs?.[row * columns.length + column] ?? 1).filter(Number.isFinite);
    return Math.max(0.15, totalOf(known) / known.length || 0);
  });
  const ends = [0];
  for (const share of shares) ends.push(ends.at(-1)! + share);
  return ends.map((end) => end / ends.at(-1)!);
}
