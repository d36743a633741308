// Grid: what is drawn. The browser's twin of lenswidget/grids/grid.py, as `wire.ts` decodes it.
//
// A token is its place in `tokens`, here and in every other file of the front-end; NO_TOKEN stands where there is
// none. Ids, which Python knows tokens by, are met only where pins come in and go out. A cell is one number,
// `row * columns + column`, wherever it indexes an array.

export const NO_TOKEN = -1;

/** A piece of a sentence: words, or what a token says. */
export type Piece = string | { token: string };

export interface Quantity {
  name: string;
  /** What kind of number it is, whatever it speaks of: "probability", "rank", "contribution". */
  measure: string;
  unit: string;
  scale: "linear" | "log";
  /** The end that stands out. */
  strong: "high" | "low";
  domain: [number, number] | null;
  /** The ends of its scale: its domain, or what Python found. */
  ends: [number, number];
  center: number | null;
  /** The followed target that the quantity speaks of, or null where it speaks of the cell. */
  target: number | null;
  /** Whether its values came in half precision, or were made of such. */
  isHalf: boolean;
  values: Float32Array;
}

/** One number for every row, drawn beside the row labels. */
export interface RowQuantity {
  name: string;
  unit: string;
  /** The good end. */
  strong: "high" | "low";
  domain: [number, number] | null;
  /** A sentence about a row, with {} where its value goes; "" for the name and the value. */
  says: string;
  values: Float32Array;
  /** The same number for each kind of what it was measured on: each style of text, for one. */
  parts: { name: string; values: Float32Array }[];
}

/**
 * Who moved a token from one row to the next: `values[(entry * rows + row) * parts + part]`, NaN where there is no such
 * part. In the name of a part {} stands for the row's label.
 */
export interface Jumps {
  columns: Int32Array;
  tokens: Int32Array;
  parts: string[];
  values: Float32Array;
  check: Check;
}

/** How nearly a claim holds that a grid makes of itself; an error that isn't known is null. */
export interface Check {
  error: number | null;
  tolerance: number;
  claim: string;
  /** All of that in words. */
  says: string;
}

/** What a grid is called, and what it says of itself. */
export interface Described {
  title: string;
  kind: string;
  model: string;
  notes: string[];
  check: Check | null;
  /** Where it came from, by name. */
  provenance: [name: string, value: string][];
  rows: string[];
  /** What columns are where they are no tokens. */
  columnLabels: string[] | null;
  /** Of columns that are prompts: the group of each, what is said of each, and the numbers that this speaks of. */
  below?: { groups: string[] | null; says: string[][]; quantities: BelowQuantity[] };
}

/** One number for every column, drawn below it; null where it isn't known. */
export interface BelowQuantity {
  name: string;
  unit: string;
  /** The value from which on it is much, or null. */
  line: number | null;
  values: (number | null)[];
  /** Who reaches the line, in words. */
  reach?: string;
  /** What is said of a group, by its name. */
  ofGroups?: [group: string, says: string][];
  /** Values of what is none of the columns, by what it is called. */
  elsewhere?: [name: string, values: (number | null)[]][];
}

/** Every text in it but those of tokens and the names that quantities are known by is as readers see it. */
export interface Grid extends Described {
  /** The same as Python has it, for files. */
  exact: Described;
  tokens: { ids: number[]; texts: string[]; special: Set<number> };
  columns: Int32Array;
  view: "heatmap" | "bars" | "overview";
  positions: Int32Array;
  /** Columns that are kept, and left out of the scale. */
  excluded: Set<number>;
  /** Columns that aren't there, kept free for what another grid has in their place. */
  gaps: Set<number>;
  /** Cells that a reader is to guess before they are shown. */
  covered?: Set<number>;
  /** The token that really follows each column. */
  following: Int32Array | null;
  /** The row from which the leading token is the output's, all the way up. */
  decision: Int32Array | null;
  targets: { label: string; tokens: number[] }[];
  quantities: Quantity[];
  rowQuantities: RowQuantity[];
  jumps: Jumps | null;
  /** What leads on both sides, where the grid is the difference of two. */
  sides: Sides | null;
  candidates: Candidates | null;
  /** Entries `offsets[c]` to `offsets[c + 1]` belong to column `c`; `places[row * entries + entry]` is one in `probabilities`. */
  trajectories: { offsets: Int32Array; tokens: Int32Array; places: Uint8Array; probabilities: Float32Array } | null;
  /** What the cells are patches of, where they are. */
  sweep: Sweep | null;
  /** Whether a notebook can ask for these bars again with some of them taken out. */
  canEdit?: boolean;
  /** What each row of an overview answers. */
  answers?: Answer[];
}

/** What a prompt is answered with in the end. */
export interface Answer {
  token: number;
  probability: number;
  /** The column from which the answer leads in every layer. */
  decided: number;
  /** Whether it is the right answer, null where that isn't known. */
  right: boolean | null;
  rightProbability: number | null;
  /** The last column in which the right answer led before it was lost, or null. */
  ledUntil: number | null;
}

/** What the cells of a grid are patches of: in each, one thing of a base is what it is in a source, or is taken out. */
export interface Sweep {
  /** The source's prompt; "" where something is taken out. */
  source: string;
  /** What is put there, in words. */
  put: string;
  /** The source's token in each column, NO_TOKEN where none answers to it. */
  columns: Int32Array;
  metric: string;
  /** What that is, its tokens as readers see them. */
  measured: string;
  /** Where the effect lies, in words. */
  story: Piece[];
  /** The metric at the base, and at the source, null where there is none. */
  base: number;
  target: number | null;
  /** Where the answer is read. */
  position: number;
  /** The first position at which the two differ. */
  first: number;
  tokens: Int32Array;
  /** What base and source say of `tokens`, in bits: all of the base's, then all of the source's. */
  said: Float32Array;
}

export interface Sides {
  names: string[];
  /** The token that leads in a cell on a side, 0 or 1, and its probability; NO_TOKEN in gaps. */
  token: (cell: number, side: number) => number;
  probability: (cell: number, side: number) => number;
  /** The columns in which nothing differs, to the last bit, and how that comes, if it is known. */
  equal: number[];
  why: string;
}

/** The tokens that come first in each cell, by their place from 0; NO_TOKEN where there are fewer than `count`. */
export interface Candidates {
  count: number;
  token: (cell: number, place: number) => number;
  probability: (cell: number, place: number) => number;
}

export interface Cell {
  row: number;
  column: number;
}

export interface Candidate {
  token: number;
  probability: number;
}

/** The token that leads in a cell, or null where the grid has no candidates. */
export function leading({ candidates }: Grid): ((cell: number) => number) | null {
  return candidates && ((cell) => candidates.token(cell, 0));
}

/** The candidates of one cell, best first. */
export function candidatesAt(grid: Grid, { row, column }: Cell): Candidate[] {
  if (!grid.candidates) return [];
  const { count, token, probability } = grid.candidates;
  const cell = row * grid.columns.length + column;
  return Array.from({ length: count }, (_, place) => ({
    token: token(cell, place),
    probability: probability(cell, place),
  })).filter(({ token }) => token !== NO_TOKEN);
}

/** A token's probability through the rows of a column, or null where it never was a candidate in that column. */
export function trajectory(grid: Grid, column: number, token: number): Float32Array | null {
  if (!grid.trajectories) return null;
  const { offsets, tokens, places, probabilities } = grid.trajectories;
  for (let entry = offsets[column]!; entry < offsets[column + 1]!; entry++) {
    if (tokens[entry] !== token) continue;
    // one byte has no room for "not a number": the first quantity knows
    return Float32Array.from(grid.rows, (_, row) =>
      Number.isFinite(valueAt(grid, { row, column }))
        ? probabilities[places[row * tokens.length + entry]!]!
        : Number.NaN,
    );
  }
  return null;
}

/** A token's place among the candidates of a cell, 1 first, or NaN beyond them. */
export function rankAmongCandidates(grid: Grid, cell: Cell, token: number): number {
  return candidatesAt(grid, cell).findIndex((candidate) => candidate.token === token) + 1 || Number.NaN;
}

/** The values of a quantity by its name, if there is one. */
export function valuesOf({ quantities }: Pick<Grid, "quantities">, wanted: string): Float32Array | undefined {
  return quantities.find(({ name }) => name === wanted)?.values;
}

/** A value of a quantity in a cell; of the first where none is named. */
export function valueAt(grid: Grid, { row, column }: Cell, { values } = grid.quantities[0]!): number {
  return values[row * grid.columns.length + column]!;
}

/** What some numbers come to. */
export function totalOf(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0);
}

/** The number nearest to one from `least` to `most`, or `least` where there is none between. */
export function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}

/** Whether cells are parts of a sum: who made a logit, and not what a lens read. */
export function isAttribution(grid: Grid): boolean {
  return grid.quantities[0]!.measure === "contribution";
}

/** Whether cells are what a lens read of a prompt, row by row; else parts of a sum, what weights promote, or patches. */
export function isLens(grid: Grid): boolean {
  return !grid.sweep && !isAttribution(grid) && grid.quantities[0]!.measure !== "logit added";
}

/** Whether any column is a token of a prompt, and its rows so the steps of one stream: those of heads or of texts are not. */
export function hasTokens(grid: Grid): boolean {
  return grid.columns.some((id) => id !== NO_TOKEN);
}

/** Whether there is anything in a cell: a column that is there, and a part that its layer has, as a sum shows that is one. */
export function isThere(grid: Grid, { row, column }: Cell): boolean {
  if (grid.gaps.has(column) || grid.covered?.has(row * grid.columns.length + column)) return false;
  const value = valueAt(grid, { row, column });
  return !Number.isNaN(value) || !(isLaidOut(grid) || grid.sweep) || (!grid.sweep && grid.check?.error === null);
}

/** Whether columns are parts of the layers that are its rows. */
export function isLaidOut(grid: Grid): boolean {
  return isAttribution(grid) && grid.view === "heatmap" && grid.columnLabels !== null;
}
