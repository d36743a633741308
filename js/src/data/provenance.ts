// Where a grid came from, as every file says that a reader takes away; as lenswidget/grids/provenance.py has it.

import type { Grid } from "./grid.js";
import { codePoint } from "./marks.js";

/** What it is and what made it, by name, as Python says it. */
export function provenanceOf({ exact }: Grid): Record<string, string> {
  return Object.fromEntries(exact.provenance);
}

/** That of several as one text: an object, or a list of them; JSON in ASCII, so that any file can hold it. */
export function provenanceText(every: Record<string, string>[]): string {
  return JSON.stringify(every.length > 1 ? every : every[0]).replace(/[^ -~]/g, (unit) => `\\u${codePoint(unit, 4)}`);
}
