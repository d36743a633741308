// The numbers that a reader takes away, as CSV or JSON, made here, in the browser, with no kernel.

import { candidatesAt, type Grid, leading, NO_TOKEN } from "../data/grid.js";

/**
 * One line a cell, as `Grid.to_dataframe` has it, after the number of its grid where there are several. Texts are JSON
 * strings: exact, and to a spreadsheet no formula.
 */
export function csvOf(grids: Grid[]): string {
  const names = [...new Set(grids.flatMap(({ quantities }) => quantities.map(({ name }) => name)))];
  const numbered = grids.length > 1 ? ["grid"] : [];
  const tops = grids.some(({ candidates }) => candidates) ? ["top_id", "top"] : [];
  const lines = [[...numbered, "row", "layer", "position", "token_id", "token", ...tops, ...names].map(quoted)];
  for (const [number, grid] of grids.entries()) {
    const leads = leading(grid);
    const quantities = names.map((name) => grid.quantities.find((quantity) => quantity.name === name));
    const columns = grid.columns.length;
    const token = (place = NO_TOKEN) => [`${grid.tokens.ids[place] ?? ""}`, quoted(grid.tokens.texts[place] ?? "")];
    for (const [row, layer] of grid.exact.rows.entries()) {
      for (let column = 0; column < columns; column++) {
        if (grid.gaps.has(column)) continue;
        const cell = row * columns + column;
        lines.push([
          ...numbered.map(() => `${number}`),
          ...[`${row}`, quoted(layer), `${grid.positions[column]!}`, ...token(grid.columns[column])],
          ...(tops.length ? token(leads?.(cell)) : []),
          ...quantities.map((quantity) => (quantity ? numeral(quantity.values[cell]!) : "")),
        ]);
      }
    }
  }
  return lines.map((line) => line.join(",")).join("\n");
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
  const number = (value: number) => (Number.isFinite(value) ? Number(value.toPrecision(6)) : numeral(value));
  const token = (place: number) => ({ id: grid.tokens.ids[place] ?? null, text: grid.tokens.texts[place] ?? "" });
  const { title, kind, model, notes, check, rows } = grid.exact;
  return {
    ...{ title, kind, model, notes, check, rows, positions: [...grid.positions], tokens: [...grid.columns].map(token) },
    quantities: grid.quantities.map(({ name, unit, values }) => {
      return { name, unit, values: each((row, column) => number(values[row * columns + column]!)) };
    }),
    candidates:
      grid.candidates &&
      each((row, column) =>
        candidatesAt(grid, { row, column }).map((one) => ({
          ...token(one.token),
          probability: number(one.probability),
        })),
      ),
  };
}

function numeral(value: number): string {
  return Number.isNaN(value)
    ? "NaN"
    : Number.isFinite(value)
      ? String(Number(value.toPrecision(6)))
      : value > 0
        ? "inf"
        : "-inf";
}

function quoted(text: string): string {
  return `"${JSON.stringify(text).replaceAll('"', '""')}"`;
}
