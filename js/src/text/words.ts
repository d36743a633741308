// What the card says about a cell, in words and numbers; the same is read aloud.

import { type Followed, probabilities, ranks } from "../data/followed.js";
import {
  type BelowQuantity,
  type Candidate,
  type Cell,
  candidatesAt,
  type Grid,
  isAttribution,
  isLaidOut,
  isLens,
  isThere,
  NO_TOKEN,
  type Quantity,
  trajectory,
  valueAt,
} from "../data/grid.js";
import { spaced } from "../data/marks.js";
import { columnName, columnPlace, nameOf } from "../data/names.js";
import { lessThan, percent, plain, withUnit } from "./number.js";
import { verdicts } from "./row-quantity.js";
import { spokenCell } from "./sweep.js";

/** A column quantity's name, with its unit. */
export function titled({ name, unit }: BelowQuantity): string {
  return unit ? `${name}, ${unit}` : name;
}

/** What a cell is called: as its row, "L26" or "L23.mlp"; "L23 H3" where columns are parts of the layers that are its rows. */
export function cellName(grid: Grid, { row, column }: Cell): string {
  const label = grid.rows[row]!;
  return isLaidOut(grid) ? `${label} ${grid.columnLabels![column]}` : label;
}

/** The token that really follows a column, or NO_TOKEN. */
export function followingOf(grid: Grid, column: number): number {
  return grid.following?.[column] ?? NO_TOKEN;
}

/**
 * The first `count` candidates with their probabilities, then the token that really follows if it isn't one of them.
 * Where that is no candidate in any row it is known only to be less likely than the last.
 */
export function listed(grid: Grid, cell: Cell, count: number): (Candidate & { text: string })[] {
  const all = candidatesAt(grid, cell);
  const said = (probability: number) => (isLens(grid) ? percent(probability) : "");
  const first = all.slice(0, count).map((one) => ({ ...one, text: said(one.probability) }));
  const token = followingOf(grid, cell.column);
  if (!all.length || token === NO_TOKEN || first.some((candidate) => candidate.token === token)) return first;
  const known = all.find((candidate) => candidate.token === token)?.probability;
  const probability = known ?? trajectory(grid, cell.column, token)?.[cell.row];
  if (probability !== undefined) return [...first, { token, probability, text: percent(probability) }];
  return [...first, { token, probability: 0, text: lessThan(all.at(-1)!.probability) }];
}

const SAID_BY_CANDIDATES = new Set(["probability", "log-probability", "logit"]);

/** The quantities of the cell that the candidates don't say already, and the one that colors it. */
export function facts(grid: Grid, shown: Quantity, cell: Cell): { name: string; value: string }[] {
  const at = (of: Quantity) => valueAt(grid, cell, of);
  return grid.quantities
    .filter((of) => {
      if (of === shown) return !(grid.candidates && of === grid.quantities[0]);
      // a quantity that speaks of the next token is no number where nothing follows
      return of.target === null && !SAID_BY_CANDIDATES.has(of.name) && !Number.isNaN(at(of));
    })
    .map((of) => ({ name: quantityName(grid, of), value: withUnit(of, at(of)) }));
}

/** A quantity's name, its target as readers see tokens. */
export function quantityName(grid: Grid, { name, measure, target }: Quantity): string {
  if (target === null) return spaced(name);
  const { tokens } = grid.targets[target]!;
  return `${spaced(measure)} of ${tokens.map((token) => nameOf(grid, token)).join(" + ")}`;
}

/** How what is followed fares in a cell: "91 %, rank 1", or that it isn't known. */
export function probabilityAndRank(grid: Grid, followed: Followed, { row, column }: Cell): string {
  const probability = probabilities(grid, followed, column)?.[row];
  if (probability === undefined) return "not a candidate here";
  const rank = ranks(grid, followed, column)[row]!;
  return Number.isNaN(rank) ? percent(probability) : `${percent(probability)}, rank ${plain(rank)}`;
}

/** What is said of a cell with nothing in it. */
export function nothing(grid: Grid): string {
  if (grid.covered) return "covered until you have guessed";
  return isAttribution(grid) ? "no such part" : "no such token in this prompt";
}

/** A cell, for the ear. */
export function spoken(grid: Grid, shown: Quantity, cell: Cell): string {
  if (grid.sweep) return spokenCell(grid, cell);
  const [leader] = candidatesAt(grid, cell);
  const value = valueAt(grid, cell, shown);
  return [
    cellName(grid, cell),
    [columnPlace(grid, cell.column), columnName(grid, cell.column)]
      .filter(Boolean)
      .join(isAttribution(grid) ? ", " : " after "),
    leader && nameOf(grid, leader.token) + (isLens(grid) ? ` leads with ${percent(leader.probability)}` : ""),
    isThere(grid, cell) ? `${quantityName(grid, shown)} ${withUnit(shown, value)}` : nothing(grid),
    ...(grid.below?.says[cell.column] ?? []),
    ...verdicts(grid, cell.row).map(({ words }) => words),
  ]
    .filter(Boolean)
    .join(", ");
}
