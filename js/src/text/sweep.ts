// What the cells of a sweep say, in words: what each would have done. Where the effect lies, Python tells: view/sweep_story.py.

import { type Cell, candidatesAt, type Grid, isThere, NO_TOKEN, type Piece, valueAt, valuesOf } from "../data/grid.js";
import { nameOf } from "../data/names.js";
import { answerOf, isByPosition, isQuiet, sourceToken } from "../data/sweep.js";
import { inCell, percent, withUnit } from "./number.js";

/** What is written in a cell: less of the scale's reach says nothing. */
export const TELLING = 0.05;

/** What is patched in a cell: "L12", "L12.mlp"; "L23H4" where columns are the heads of the rows. */
export function siteName({ rows, columnLabels }: Grid, { row, column }: Cell): string {
  const part = columnLabels?.[column] ?? "";
  return /^H\d+$/.test(part) ? rows[row]! + part : rows[row]!;
}

/** A cell as an experiment: "If osse at L12 were iffel". */
export function experiment(grid: Grid, cell: Cell): Piece[] {
  const { source, put } = grid.sweep!;
  const site = siteName(grid, cell);
  const token = { token: nameOf(grid, grid.columns[cell.column]!) };
  const what: Piece[] = isByPosition(grid) ? [token, ` at ${site}`] : [site];
  if (!source) return ["If ", ...what, ` were ${put}`];
  const theirs = isByPosition(grid) ? sourceToken(grid, cell.column) : NO_TOKEN;
  if (theirs === NO_TOKEN) return ["If ", ...what, " were as in the source"];
  return ["If ", ...what, " were ", { token: nameOf(grid, theirs) }];
}

/** What came of it: "0.75 of the difference comes back". */
export function outcome(grid: Grid, cell: Cell): string {
  const { source, position, first } = grid.sweep!;
  const [shown] = grid.quantities;
  const value = valueAt(grid, cell);
  if (isQuiet(grid, cell.column)) {
    const after = grid.positions[cell.column]! > position && grid.positions[cell.column]! >= first;
    return after ? "after the answer is read: effect exactly 0, not run" : QUIET;
  }
  if (!isThere(grid, cell)) return "not run: nothing in the source answers to it";
  if (shown!.name === "estimate") {
    const exact = valuesOf(grid, "recovered")?.[cell.row * grid.columns.length + cell.column];
    const run = exact === undefined || Number.isNaN(exact) ? "not run exactly" : `exactly ${inCell(shown!, exact)}`;
    return `estimated: ${inCell(shown!, value)} of the difference; ${run}`;
  }
  if (value === 0) return "nothing changes";
  if (shown!.name !== "recovered") return `${grid.sweep!.measured} moves by ${withUnit(shown!, value)}`;
  if (value < 0) return `it goes away from the source, by ${inCell(shown!, -value)} of the difference`;
  return `${inCell(shown!, value)} of the difference ${source && value > 1 ? "comes back, more than the source has" : "comes back"}`;
}

/** What the ends of the scale stand for. */
export const SHARES = "0 nothing moved, 1 as in the source, below 0 away from it";
/** What no sweep can say. */
export const NO_PROOF = "no effect is no proof that a part isn’t used: others may stand in";
export const QUIET = "same in both runs: effect exactly 0, not run";

/** A cell, for the ear. */
export function spokenCell(grid: Grid, cell: Cell): string {
  const heading = asText(experiment(grid, cell));
  const [leader] = isQuiet(grid, cell.column) ? [] : candidatesAt(grid, cell);
  const base = answerOf(grid.sweep!, "base");
  const says = leader && `the model would say ${nameOf(grid, leader.token)}, ${percent(leader.probability)}`;
  const before = base.token !== NO_TOKEN && `the base says ${nameOf(grid, base.token)}, ${percent(base.probability)}`;
  return `${heading}: ${[outcome(grid, cell), says, says && before].filter(Boolean).join("; ")}.`;
}

export function asText(pieces: Piece[]): string {
  return pieces.map((piece) => (typeof piece === "string" ? piece : piece.token)).join("");
}

/** What is measured where there is little room: a difference needs no more than its two. */
export function metricShort({ sweep }: Grid): string {
  return sweep!.measured.replace(/^logit difference of /, "");
}
