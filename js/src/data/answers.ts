// The lines of an overview: what each answers, which Python worked out, and what leads in its layers.

import { type Answer, type Grid, totalOf, valuesOf } from "./grid.js";

export interface Answered extends Answer {
  name: string;
  /** What leads in each layer, NO_TOKEN where the model has no such layer. */
  leaders: number[];
  /** How high each layer stands: the leader's probability × how far the layer can be believed. */
  heights: number[];
  rightTokens: number[];
}

export function answersOf(overview: Grid): Answered[] {
  const { rows, columns, candidates, targets, answers } = overview;
  const beliefs = valuesOf(overview, "belief");
  return rows.map((name, row) => {
    const cells = Array.from(columns, (_, column) => row * columns.length + column);
    return {
      ...answers![row]!,
      name,
      leaders: cells.map((cell) => candidates!.token(cell, 0)),
      heights: cells.map((cell) => candidates!.probability(cell, 0) * (beliefs?.[cell] ?? 1) || 0),
      rightTokens: targets[row]?.tokens ?? [],
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
