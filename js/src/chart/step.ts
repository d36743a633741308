// One step of a line, and which is nearest to a point.

import type { Line } from "./lines.js";
import type { Place } from "./place.js";

/** The step of a line that ends in a row. */
export interface Step {
  line: Line;
  row: number;
}

const REACH = 24;

/** A step of a line, where both its ends are known. */
export function stepOf(line: Line | undefined, row: number): Step | null {
  return line && Number.isFinite(line.values[row]!) && Number.isFinite(line.values[row - 1]!) ? { line, row } : null;
}

export function nearest(lines: Line[], { x, y, rowAt, lowest }: Place, left: number, top: number): Step | null {
  const along = rowAt(top);
  const row = Math.ceil(along);
  if (row <= lowest || row >= (lines[0]?.values.length ?? 0)) return null;
  const away = ({ line: { values } }: Step) => {
    const [from, to] = [x(values[row - 1]!), x(values[row]!)];
    // a wide step is as near beside it as above it
    const inside = left >= Math.min(from, to) && left <= Math.max(from, to);
    const across = Math.abs(from + (to - from) * (along - row + 1) - left);
    return inside ? Math.min(across, Math.abs(y(row) - y(row - 1)) / 2) : across;
  };
  const steps = lines.map((line) => stepOf(line, row)).filter((step) => step !== null);
  const best = steps.sort((a, b) => away(a) - away(b))[0];
  return best && away(best) <= REACH ? best : null;
}
