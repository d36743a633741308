// How a failure is read: where at a position it was decided, what led and was overwritten, and in which rows to look.

import {
  always,
  inRow,
  inRows,
  leads as leadsFrom,
  nearest as nearestIn,
  never,
  overwritten,
} from "../../../lenswidget/grids/words.json";
import { type Followed, probabilities, ranks } from "../data/followed.js";
import { type Grid, hasTokens, isLens, leading, type Piece } from "../data/grid.js";
import { nameOf } from "../data/names.js";
import { percent, plain } from "./number.js";
import { said, told } from "./told.js";

export interface Story {
  /** One for each that is followed, in plain words. */
  sentences: Piece[][];
  /** The rows in which something is decided, from the bottom up, the last always among them. */
  rows: number[];
}

/** What became, at a position, of all that is followed; of what the model says in the end, if nothing is. */
export function storyOf(grid: Grid, column: number, followed: Followed[]): Story {
  const leads = isLens(grid) && hasTokens(grid) && leading(grid);
  const last = grid.rows.length - 1;
  const rows = new Set([last]);
  if (!leads || grid.gaps.has(column)) return { sentences: [], rows: grid.rows.map((_, row) => row) };
  const leaderOf = (row: number) => leads(row * grid.columns.length + column);
  const look = (...seen: number[]) => {
    for (const row of seen) if (row >= 0 && row <= last) rows.add(row);
  };
  const decided = firstOf(grid, (row) => leaderOf(row) === leaderOf(last));
  look(decided - 1, decided);
  const output: Followed = { tokens: [leaderOf(last)], label: nameOf(grid, leaderOf(last)), target: null, pin: null };
  const sentences = (followed.length ? followed : [output]).map((one): Piece[] => {
    const token = { token: one.label };
    const label = (row: number) => grid.rows[row]!;
    const isFirst = (row: number) => one.tokens.includes(leaderOf(row));
    const led = grid.rows.map((_, row) => row).filter(isFirst);
    if (!led.length) {
      const [nearest, rank] = best(ranks(grid, one, column));
      if (nearest < 0) return told(never, { token });
      look(nearest);
      return told(nearestIn, { token, row: label(nearest), rank: plain(rank) });
    }
    const [first, final] = [led[0]!, led.at(-1)!];
    look(first - 1, first);
    if (isFirst(last)) {
      const from = firstOf(grid, isFirst);
      look(from - 1, from);
      const known = probabilities(grid, one, column);
      const sentence = from > 0 ? leadsFrom : always;
      return [...told(sentence, { token, row: label(from), rising: risen(known, from) }), ending(grid, known)];
    }
    look(final, final + 1);
    const span =
      first === final
        ? said(inRow, { row: label(first) })
        : said(inRows, { count: `${led.length}`, first: label(first), last: label(final) });
    const other = { token: nameOf(grid, leaderOf(final + 1)) };
    return told(overwritten, { token, span, row: label(final + 1), other });
  });
  return { sentences, rows: [...rows].sort((a, b) => a - b) };
}

/** Of a probability. */
const MUCH = 0.1;

/** How far up its first row brought it, where that is known. */
function risen(known: Float32Array | null, row: number): string {
  const [before = 0, now = 0] = known?.subarray(row - 1, row + 1) ?? [];
  return now - before > MUCH / 2 ? `, rising there from ${percent(before)} to ${percent(now)}` : "";
}

/** What the last block did to it, if that is much. */
function ending(grid: Grid, known: Float32Array | null): string {
  const [before, end] = [known?.at(-2) ?? 0, known?.at(-1) ?? 0];
  return before - end > MUCH ? ` ${grid.rows.at(-1)} takes it from ${percent(before)} down to ${percent(end)}.` : "";
}

/** Whether any token that has a pin color leads in a cell, and none of that color at the end of its column. */
export function overwrites(grid: Grid, pinColorOf: Int8Array): boolean {
  const leads = leading(grid);
  if (!leads || pinColorOf.every((pinColor) => pinColor < 0)) return false;
  const columns = grid.columns.length;
  const last = (grid.rows.length - 1) * columns;
  const pinColorAt = (cell: number) => pinColorOf[leads(cell)] ?? -1; // none for NO_TOKEN
  for (let cell = 0; cell < last; cell++) {
    if (pinColorAt(cell) >= 0 && pinColorAt(cell) !== pinColorAt(last + (cell % columns))) return true;
  }
  return false;
}

/** The row from which something holds all the way up. */
function firstOf(grid: Grid, holds: (row: number) => boolean): number {
  let row = grid.rows.length - 1;
  while (row > 0 && holds(row - 1)) row--;
  return row;
}

function best(ranks: Float32Array): [row: number, rank: number] {
  let row = -1;
  for (const [at, rank] of ranks.entries()) if (rank < (ranks[row] ?? Number.POSITIVE_INFINITY)) row = at;
  return [row, ranks[row] ?? Number.NaN];
}
