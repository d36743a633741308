// What a grid carries of who moved a token, and what the kernel answered.

import type { Grid } from "../data/grid.js";
import { isSameJump } from "../state/jumps.js";
import type { Live } from "../state/live.js";
import type { Jump } from "../state/settings.js";

export interface Moved {
  labels: string[];
  values: Float32Array;
  check: Grid["check"];
}

/** The parts that the grid carries of a jump. */
export function carried({ jumps, tokens, rows }: Grid, [column, id, row]: Jump): Moved | null {
  if (!jumps || row < 1) return null;
  const token = tokens.ids.indexOf(id);
  const entry = jumps.tokens.findIndex((other, i) => other === token && jumps.columns[i] === column);
  if (entry < 0) return null;
  const count = jumps.parts.length;
  const start = (entry * rows.length + row) * count;
  const all = jumps.values.subarray(start, start + count);
  // a part that this block doesn't have is NaN
  const there = jumps.parts.map((_, part) => part).filter((part) => !Number.isNaN(all[part]!));
  if (!there.length) return null;
  return {
    labels: there.map((part) => jumps.parts[part]!.replace("{}", () => rows[row]!)),
    values: Float32Array.from(there, (part) => all[part]!),
    check: jumps.check,
  };
}

/** The parts that the kernel answered with. */
export function answered(live: Live | null, jump: Jump): Moved | null {
  const answer = live?.explained.value;
  if (!answer?.grid || !isSameJump(answer.jump, jump)) return null;
  const { rows, columns, quantities, check } = answer.grid;
  const values = Float32Array.from(rows, (_, row) => quantities[0]!.values[row * columns.length]!);
  return { labels: rows, values, check };
}
