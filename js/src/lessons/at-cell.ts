// What stands in a cell that a reader points out, read off the grid that is shown: the answer to a question about it.

import { type Followed, followedOf, probabilities, ranks } from "../data/followed.js";
import { type Cell, candidatesAt, type Grid, isLens, type Piece, valueAt } from "../data/grid.js";
import { columnName, nameOf } from "../data/names.js";
import { percent, plain, withUnit } from "../text/number.js";
import { cellName, quantityName } from "../text/words.js";

/** What a question looks for; `tokens` are ids. */
export type Asked =
  | { what: "lead"; tokens: number[]; column: number; stays: boolean }
  | { what: "jump"; tokens: number[]; column: number }
  | { what: "greatest" | "least"; quantity: string; column: number | null }
  | { what: "cell"; column: number | null };

/** How a cell that was tried lies to one that is right in its column, where there is one. */
export type Verdict = "right" | "below" | "above" | "elsewhere";

export interface Told {
  /** "L23, not yet." */
  head: string;
  pieces: Piece[];
}

export function toldAt(grid: Grid, asked: Asked, cell: Cell, verdict: Verdict): Told {
  const name = grid.rows.length > 1 ? cellName(grid, cell) : columnName(grid, cell.column);
  const head = `${name}, ${verdict === "right" ? "yes" : shortOf(asked, verdict)}.`;
  if (asked.column !== null && asked.column !== cell.column && verdict !== "right") {
    const wanted = { token: columnName(grid, asked.column) };
    return { head, pieces: ["The question is about the column ", wanted, "."] };
  }
  return { head, pieces: piecesAt(grid, asked, cell, verdict) };
}

function shortOf({ what }: Asked, verdict: Verdict): string {
  if (what !== "lead") return "no";
  return verdict === "below" ? "not yet" : verdict === "above" ? "it led before" : "no";
}

function piecesAt(grid: Grid, asked: Asked, cell: Cell, verdict: Verdict): Piece[] {
  const one = "tokens" in asked ? followedBy(grid, asked.tokens) : null;
  const known = one && probabilities(grid, one, cell.column);
  switch (asked.what) {
    case "lead":
      return known ? ofLead(grid, one!, known, cell, verdict) : leader(grid, cell);
    case "jump":
      return known ? ofJump(grid, one!, known, cell) : leader(grid, cell);
    case "greatest":
    case "least": {
      const quantity = grid.quantities.find(({ name }) => name === asked.quantity) ?? grid.quantities[0]!;
      return [`${capital(quantityName(grid, quantity))}: ${withUnit(quantity, valueAt(grid, cell, quantity))}.`];
    }
    default:
      return leader(grid, cell);
  }
}

function ofLead(grid: Grid, one: Followed, known: Float32Array, cell: Cell, verdict: Verdict): Piece[] {
  const { row, column } = cell;
  const token = { token: one.label };
  const leads = (at: number) => one.tokens.includes(candidatesAt(grid, { row: at, column })[0]?.token ?? -1);
  const now = percent(known[row]!);
  if (!leads(row)) {
    const rank = ranks(grid, one, column)[row]!;
    const place = ["first", "second", "third"][rank - 1];
    const stands = place ? ` is ${place}, with ${now}.` : ` has ${now}${rank > 0 ? ` and rank ${plain(rank)}` : ""}.`;
    return [...leader(grid, cell), " ", token, stands];
  }
  const lost = grid.rows.findIndex((_, at) => at > row && !leads(at));
  if (lost >= 0) return [token, ` leads with ${now}, and loses the lead at ${grid.rows[lost]}.`];
  if (verdict !== "right") return [token, ` leads with ${now}, as it did in the row below.`];
  const above = grid.rows.length - 1 - row;
  const holds = above > 1 ? ` and holds it in all ${above} rows above` : above ? " and holds it in the row above" : "";
  return [token, ` takes the lead with ${now}${holds}.`];
}

function ofJump(grid: Grid, one: Followed, known: Float32Array, { row }: Cell): Piece[] {
  if (!row) return ["There is no row below it to rise from."];
  const [before, now] = [known[row - 1]!, known[row]!];
  const token = { token: one.label };
  return [token, ` goes from ${percent(before)} in ${grid.rows[row - 1]} to ${percent(now)} here.`];
}

/** Who leads in a cell, or what number stands there. */
function leader(grid: Grid, cell: Cell): Piece[] {
  const [first] = candidatesAt(grid, cell);
  if (!first || !isLens(grid)) {
    const quantity = grid.quantities[0]!;
    return [`${capital(quantityName(grid, quantity))}: ${withUnit(quantity, valueAt(grid, cell))}.`];
  }
  return [{ token: nameOf(grid, first.token) }, ` leads with ${percent(first.probability)}.`];
}

/** A token by its ids, as the grid follows it if it does. */
export function followedBy(grid: Grid, ids: number[]): Followed {
  const key = (tokens: number[]) => `${tokens.map((token) => grid.tokens.ids[token]).sort()}`;
  const all = followedOf(grid, [ids]);
  return all.find(({ tokens, target }) => target !== null && key(tokens) === `${[...ids].sort()}`) ?? all.at(-1)!;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
