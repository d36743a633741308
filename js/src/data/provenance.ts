// Where a grid came from, as every file says that a reader takes away. Twin of lenswidget/grids/provenance.py.

import type { Grid } from "./grid.js";
import { codePoint } from "./marks.js";

/** What it is and what made it, by name, as Python has it. A title that is the prompt, and a kind that is the lens, are said once. */
export function provenanceOf({ exact }: Grid): Record<string, string> {
  const { title, kind, model, notes, provenance } = exact;
  const made = new Map(provenance);
  const all = [
    ["title", title === made.get("prompt") ? "" : title],
    ["kind", kind === made.get("lens") ? "" : kind],
    ["model", model],
    ["notes", notes.join("; ")],
    ...provenance,
  ];
  return Object.fromEntries(all.filter(([, value]) => value));
}

/** That of several as one text: an object, or a list of them; JSON in ASCII, so that any file can hold it. */
export function provenanceText(every: Record<string, string>[]): string {
  return JSON.stringify(every.length > 1 ? every : every[0]).replace(/[^ -~]/g, (unit) => `\\u${codePoint(unit, 4)}`);
}
