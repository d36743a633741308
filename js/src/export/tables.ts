// The numbers that a reader takes away, as CSV or JSON, made here, in the browser, with no kernel.

import COLUMNS from "../../../lenswidget/grids/columns.json";
import { candidatesAt, type Grid, leading, NO_TOKEN, type Quantity, valueAt } from "../data/grid.js";
import { provenanceOf, provenanceText } from "../data/provenance.js";

/** What a column of a table holds: a text in quotes, a number as it is written, "" where there is nothing. */
type Column = (row: number, column: number) => string;

/**
 * One line a cell, as `to_dataframe` of a Grid or a Comparison has it: the same columns in the same order, under the same
 * names. One column more, the last, says in its first line where the numbers came from. Texts are as they are, in quotes.
 */
export function csvOf(grids: Grid[], names: string[]): string {
  const tables = grids.map((grid, i) => ({
    places: placesOf(grid, grids.length > 1 && names[i]!),
    numbers: numbersOf(grid),
  }));
  const places = COLUMNS.filter((name) => tables.some((table) => table.places[name]));
  const numbers = [...new Set(tables.flatMap((table) => [...table.numbers.keys()]))];
  const lines = [[...places, ...numbers, "provenance"].map(quoted)];
  let from = quoted(provenanceText(grids.map(saidOf)));
  for (const [i, grid] of grids.entries()) {
    const table = tables[i]!;
    const ordered = [...places.map((name) => table.places[name]), ...numbers.map((name) => table.numbers.get(name))];
    for (const row of grid.rows.keys()) {
      for (const column of grid.columns.keys()) {
        if (grid.gaps.has(column)) continue;
        lines.push([...ordered.map((one) => (one ? one(row, column) : "")), from]);
        from = "";
      }
    }
  }
  return lines.map((line) => `${line}\n`).join("");
}

/** Where a cell stands and what leads in it, by the names of COLUMNS; `name` is the grid's, where there are several. */
function placesOf(grid: Grid, name: string | false): Record<string, Column | false | null | undefined> {
  const { ids, texts } = grid.tokens;
  const { rows, columnLabels, below } = grid.exact;
  const id = (token = NO_TOKEN) => `${ids[token] ?? NO_TOKEN}`;
  const text = (token = NO_TOKEN) => (token in texts ? quoted(texts[token]!) : "");
  const leads = leading(grid);
  const leader = (row: number, column: number) => leads!(row * grid.columns.length + column);
  return {
    grid: name !== false && (() => quoted(name)),
    row: (row) => `${row}`,
    layer: (row) => quoted(rows[row]!),
    column: columnLabels && ((_, column) => quoted(columnLabels[column]!)),
    group: below?.groups && ((_, column) => quoted(below.groups![column]!)),
    position: (_, column) => `${grid.positions[column]}`,
    token_id: (_, column) => id(grid.columns[column]),
    token: (_, column) => text(grid.columns[column]),
    top_id: leads && ((row, column) => id(leader(row, column))),
    top: leads && ((row, column) => text(leader(row, column))),
  };
}

function numbersOf(grid: Grid): Map<string, Column> {
  const { below } = grid.exact;
  return new Map<string, Column>([
    ...grid.quantities.map((quantity): [string, Column] => [
      quantity.name,
      (row, column) => numeral(quantity, valueAt(grid, { row, column }, quantity)),
    ]),
    ...(below?.quantities ?? []).map(({ name, values }): [string, Column] => [
      name,
      (_, column) => `${values[column] ?? ""}`,
    ]),
  ]);
}

/** Where a grid came from, and which of its numbers came to this page in half precision. */
function saidOf(grid: Grid): Record<string, string> {
  const rounded = grid.quantities.filter(({ isHalf }) => isHalf).map(({ name }) => name);
  return { ...provenanceOf(grid), ...(rounded[0] && { rounded: `to half precision: ${rounded.join(", ")}` }) };
}

/** Everything that the view knows, an object a grid, in a list where there are several. */
export function jsonOf(grids: Grid[]): string {
  const all = grids.map(plainOf);
  return JSON.stringify(all.length > 1 ? all : all[0]);
}

/** What is no number in JSON is its name. */
function plainOf(grid: Grid): unknown {
  const columns = grid.columns.length;
  const each = <T>(value: (row: number, column: number) => T) =>
    grid.rows.map((_, row) => Array.from({ length: columns }, (_, column) => value(row, column)));
  const number = (quantity: Quantity | null, value: number) =>
    Number.isFinite(value) ? Number(digits(quantity, value)) : `${value}`;
  const token = (place: number) => ({ id: grid.tokens.ids[place] ?? null, text: grid.tokens.texts[place] ?? "" });
  const { title, kind, model, notes, check, rows } = grid.exact;
  return {
    ...{ title, kind, model, notes, check, rows, positions: [...grid.positions], tokens: [...grid.columns].map(token) },
    provenance: saidOf(grid),
    quantities: grid.quantities.map((quantity) => {
      const { name, unit } = quantity;
      return { name, unit, values: each((row, column) => number(quantity, valueAt(grid, { row, column }, quantity))) };
    }),
    candidates:
      grid.candidates &&
      each((row, column) =>
        candidatesAt(grid, { row, column }).map((one) => ({
          ...token(one.token),
          probability: number(null, one.probability),
        })),
      ),
  };
}

/** A number as pandas reads it: nothing for NaN. */
function numeral(quantity: Quantity, value: number): string {
  if (Number.isNaN(value)) return "";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  return digits(quantity, value);
}

/** The digits that are known of a number: four of half precision, of single precision as many as tell it from its neighbors. */
function digits(quantity: Quantity | null, value: number): string {
  if (!quantity || quantity.isHalf) return `${Number(value.toPrecision(4))}`;
  const enough = [6, 7, 8, 9].find((count) => Math.fround(Number(value.toPrecision(count))) === value) ?? 9;
  return `${Number(value.toPrecision(enough))}`;
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
