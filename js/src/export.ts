// What a reader can take away, as text that is made here, in the browser, with no kernel.

import { escaped } from "./escape.js";
import { candidatesAt, type Grid, leaders } from "./grid.js";
import type { Settings, Shared } from "./reading.js";
import type { Message } from "./wire.js";

/** What a page is made of: the script, packed, and stylesheet that show this view, and a page with gaps, as `page.py` writes it. */
export interface Source {
  code: string;
  style: string;
  page: string;
}

/** One line a cell, as `Grid.to_dataframe` has it. Texts are JSON strings: exact, and to a spreadsheet no formula. */
export function csvOf(grid: Grid): string {
  const leading = leaders(grid);
  const names = ["row", "layer", "position", "token_id", "token"];
  if (leading) names.push("top_id", "top");
  const columns = grid.columns.length;
  const lines = [[...names, ...grid.quantities.map(({ name }) => name)].map(quoted)];
  for (const [row, layer] of grid.rows.entries()) {
    for (let column = 0; column < columns; column++) {
      const cell = row * columns + column;
      const token = (place: number) => [grid.tokens.ids[place] ?? "", quoted(grid.tokens.texts[place] ?? "")];
      lines.push([
        ...[row, quoted(layer), grid.positions[column]!, ...token(grid.columns[column]!)].map(String),
        ...(leading ? token(leading[cell]!).map(String) : []),
        ...grid.quantities.map(({ values }) => numeral(values[cell]!)),
      ]);
    }
  }
  return lines.map((line) => line.join(",")).join("\n");
}

/** Everything that the view knows, in one object; what is no number in JSON is its name. */
export function jsonOf(grid: Grid): string {
  const columns = grid.columns.length;
  const each = <T>(value: (row: number, column: number) => T) =>
    grid.rows.map((_, row) => Array.from({ length: columns }, (_, column) => value(row, column)));
  const number = (value: number) => (Number.isFinite(value) ? Number(value.toPrecision(6)) : numeral(value));
  const token = (place: number) => ({ id: grid.tokens.ids[place] ?? null, text: grid.tokens.texts[place] ?? "" });
  return JSON.stringify({
    ...{ title: grid.title, kind: grid.kind, model: grid.model, notes: grid.notes, check: grid.check },
    ...{ rows: grid.rows, positions: [...grid.positions], tokens: [...grid.columns].map(token) },
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
  });
}

/** A page that shows the same, alive, in the state that it is in. */
export function pageOf(title: string, message: Message, settings: Shared, { code, style, page }: Source): string {
  const now = Object.fromEntries(Object.entries(settings).map(([name, { value }]) => [name, value])) as Settings &
    object;
  const parts: Record<string, string> = {
    title: escaped(title),
    style,
    figures: `<div data-lens="${base64(message)}" data-lens-settings="${escaped(JSON.stringify(now))}"></div>`,
    template: JSON.stringify(page).replaceAll("<", "\\u003c"),
    code,
  };
  // in one pass: a title may hold what looks like a gap
  return page.replace(/\{(\w+)\}/g, (gap, name) => parts[name] ?? gap);
}

function base64(message: Message): string {
  const bytes = ArrayBuffer.isView(message)
    ? new Uint8Array(message.buffer, message.byteOffset, message.byteLength)
    : new Uint8Array(message);
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
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
