// What a sweep says, in words: where the effect lies, and what each of its cells would have done.

import { type Cell, candidatesAt, type Grid, isThere, NO_TOKEN } from "../data/grid.js";
import { spaced } from "../data/marks.js";
import { nameOf } from "../data/names.js";
import { answerOf, isByPosition, isQuiet, sourceToken, tellingOf } from "../data/sweep.js";
import { inCell, percent, withUnit } from "./number.js";
import type { Piece } from "./told.js";

/** Less than this of the way is no place where anything is kept. */
const HALF = 0.5;
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
  const value = shown!.values[cell.row * grid.columns.length + cell.column]!;
  if (isQuiet(grid, cell.column)) {
    const after = grid.positions[cell.column]! > position && grid.positions[cell.column]! >= first;
    return after ? "after the answer is read: effect exactly 0, not run" : QUIET;
  }
  if (!isThere(grid, cell)) return "not run: nothing in the source answers to it";
  if (shown!.name === "estimate") {
    const exact = grid.quantities.find(({ name }) => name === "recovered")?.values[
      cell.row * grid.columns.length + cell.column
    ];
    const run = exact === undefined || Number.isNaN(exact) ? "not run exactly" : `exactly ${inCell(shown!, exact)}`;
    return `estimated: ${inCell(shown!, value)} of the difference; ${run}`;
  }
  if (value === 0) return "nothing changes";
  if (shown!.name !== "recovered") return `${metricName(grid)} moves by ${withUnit(shown!, value)}`;
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

/** Where the effect lies, from the numbers alone. */
export function sweepStory(grid: Grid): Piece[] {
  const isRows = isByPosition(grid) && grid.rows.every((row) => !row.includes("."));
  const isExact = grid.quantities[0]!.name === "recovered";
  return isRows && isExact && grid.sweep!.target !== null ? alongRows(grid) : ofLargest(grid);
}

interface Phase {
  column: number;
  from: number;
  to: number;
  low: number;
  high: number;
}

/** Rows one on the other in which the same column brings most back, and no less than half. */
function phasesOf(grid: Grid): Phase[] {
  const values = tellingOf(grid);
  const columns = grid.columns.length;
  const phases: Phase[] = [];
  for (const row of grid.rows.keys()) {
    const line = values.subarray(row * columns, (row + 1) * columns);
    let column = -1;
    for (const [at, value] of line.entries()) if (value > (line[column] ?? 0)) column = at;
    const value = line[column] ?? 0;
    if (value < HALF) continue;
    const last = phases.at(-1);
    if (last?.column === column && last.to === row - 1) {
      Object.assign(last, { to: row, low: Math.min(last.low, value), high: Math.max(last.high, value) });
    } else phases.push({ column, from: row, to: row, low: value, high: value });
  }
  return phases;
}

function alongRows(grid: Grid): Piece[] {
  const phases = phasesOf(grid);
  if (!phases.length) return ["No one cell brings back half of the difference.", ...largestOne(grid)];
  const named = ({ column }: Phase): Piece[] => [
    column === grid.columns.length - 1 && phases.length > 1 ? "the last token, " : "",
    { token: nameOf(grid, grid.columns[column]!) },
  ];
  const [first, ...others] = phases.length > 3 ? longest(phases) : phases;
  const said: Piece[] = [
    first!.from === 0 ? `Up to ${grid.rows[first!.to]}` : `From ${grid.rows[first!.from]} to ${grid.rows[first!.to]}`,
    " the difference is kept at ",
    ...named(first!),
    `: patched alone, that cell brings back ${span(grid, first!)} of it.`,
  ];
  for (const phase of others) {
    const to = phase.to === grid.rows.length - 1 ? " on" : phase.to > phase.from ? ` to ${grid.rows[phase.to]}` : "";
    said.push(
      ` ${to ? "From" : "At"} ${grid.rows[phase.from]}${to} it lies at `,
      ...named(phase),
      ` (${span(grid, phase)}).`,
    );
  }
  const told = new Set([first!, ...others].flatMap(({ from, to }) => grid.rows.slice(from, to + 1)));
  const [low, high] = [first!.to, others.at(-1)?.from ?? first!.to];
  const between = grid.rows.slice(low + 1, high).filter((row) => !told.has(row));
  if (between.length) {
    const where = between.length > 1 ? `Between, in ${between[0]} to ${between.at(-1)}, it` : `In ${between[0]} it`;
    said.push(` ${where} lies at no one cell for long.`);
  }
  return said;
}

/** The three that hold longest, from the bottom up. */
function longest(phases: Phase[]): Phase[] {
  const by = [...phases].sort((a, b) => b.to - b.from - (a.to - a.from)).slice(0, 3);
  return by.sort((a, b) => a.from - b.from);
}

function span(grid: Grid, { low, high }: Phase): string {
  const [from, to] = [low, high].map((value) => inCell(grid.quantities[0]!, value));
  return from === to ? from! : `${from} to ${to}`;
}

/** The cells of the largest effect, up to three. */
function largestOf(grid: Grid): Cell[] {
  const values = tellingOf(grid);
  const columns = grid.columns.length;
  return [...values.keys()]
    .filter((cell) => Number.isFinite(values[cell]) && values[cell] !== 0 && !grid.excluded.has(cell % columns))
    .sort((a, b) => Math.abs(values[b]!) - Math.abs(values[a]!))
    .slice(0, 3)
    .map((cell) => ({ row: Math.floor(cell / columns), column: cell % columns }));
}

function named(grid: Grid, cell: Cell): Piece[] {
  const [shown] = grid.quantities;
  const value = shown!.values[cell.row * grid.columns.length + cell.column]!;
  const at: Piece[] = isByPosition(grid) ? [" at ", { token: nameOf(grid, grid.columns[cell.column]!) }] : [];
  return [siteName(grid, cell), ...at, ` (${inCell(shown!, value)})`];
}

function largestOne(grid: Grid): Piece[] {
  const [one] = largestOf(grid);
  return one ? [" The most is ", ...named(grid, one), "."] : [];
}

function ofLargest(grid: Grid): Piece[] {
  const { target, put } = grid.sweep!;
  const found = largestOf(grid);
  if (!found.length) return ["No cell changes the answer."];
  const listed = found.flatMap((cell, i): Piece[] => [i ? ", then " : "", ...named(grid, cell)]);
  if (target !== null) {
    const how = grid.quantities[0]!.name === "estimate" ? "By estimate" : "Patched alone";
    return [`${how}, most moves at `, ...listed, "; 1 is all of the difference."];
  }
  const unit = grid.quantities[0]!.unit;
  return [`One at a time ${put}, most moves ${metricName(grid)}${unit ? `, in ${unit}` : ""}: `, ...listed, "."];
}

/** What is measured, with its tokens as readers see them: "logit difference of ␣Paris − ␣Rome". */
export function metricName(grid: Grid): string {
  const [kind, of] = grid.sweep!.metric.split(" of ", 2);
  return of ? `${spaced(kind!)} of ${metricOf(grid)}` : spaced(kind!);
}

/** The same where there is little room: a difference needs no more than its two. */
export function metricShort(grid: Grid): string {
  return grid.sweep!.metric.startsWith("logit difference of ") ? metricOf(grid) : metricName(grid);
}

function metricOf(grid: Grid): string {
  return grid.targets.map(({ tokens }) => tokens.map((token) => nameOf(grid, token)).join(" + ")).join(" − ");
}
