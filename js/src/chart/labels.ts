// What is written in the chart: each line by its end, or at its highest where that is lower down, and beside the row of
// one step what made it.

import { candidatesAt, type Grid } from "../data/grid.js";
import { cut } from "../pieces/font.js";
import type { GridState } from "../state/grid-state.js";
import { jumpTo } from "../state/jumps.js";
import type { Measure } from "../state/settings.js";
import { decimalsFor, fixed, percent, plain } from "../text/number.js";
import { carried } from "./carried.js";
import { rowApart } from "./group-lines.js";
import { apart, type Line } from "./lines.js";
import type { Place } from "./place.js";

export interface Label {
  x: number;
  y: number;
  /** A token, which may be written the other way. */
  name?: string;
  text: string;
  /** Of a line; what isn't one's is in the page's own ink. */
  line?: Line;
}

const HIGH = 16;
const ASIDE = 14;
/** What a label beside a point needs, roughly: letters are no wider on the whole. */
const LETTER = 6.2;

/** `step` is the row to which the step leads that is told of the line that matters most. */
export function labelsOf(
  state: GridState,
  column: number,
  lines: Line[],
  measure: Measure,
  place: Place,
  step: number,
) {
  const labels = lines.map((line) => named(line, lines, measure, place)).filter((label) => label !== null);
  // of two that would be written into each other, one goes to the others
  for (const [i, label] of labels.entries()) {
    const runs = (other: Label) => other.x < place.right && Math.abs(other.y - label.y) < HIGH;
    if (label.x < place.right && labels.slice(0, i).some(runs)) label.x = place.right + ASIDE;
  }
  const made =
    measure === "rank" ? null : whatMade(state, column, lines, step, (place.width - place.right - ASIDE) / LETTER);
  // only those in the column on the right can run into each other, and what made a step stays on its row
  const aside = labels.filter(({ x }) => x > place.right).sort((a, b) => a.y - b.y);
  const [first, end] = [place.top + HIGH / 2, place.bottom - HIGH / 2];
  const at = made ? place.y(step) : end + HIGH;
  const room = Math.max(0, Math.floor((at - first) / HIGH));
  const above = aside.filter(({ y }, i) => i < room && y < at - HIGH / 4);
  spread(above, first, at - HIGH);
  spread(aside.slice(above.length), at + HIGH, end);
  return made ? [...labels, { x: place.right + ASIDE, y: at, text: made } as Label] : labels;
}

function spread(labels: Label[], top: number, bottom: number): void {
  const moved = apart(
    labels.map(({ y }) => y),
    HIGH,
    top,
    bottom,
  );
  for (const [i, label] of labels.entries()) label.y = moved[i]!;
}

function named(line: Line, lines: Line[], measure: Measure, place: Place): Label | null {
  const { group } = line;
  if (!group && !line.label) return null;
  const values = Array.from(line.values);
  const strength = (value: number) => (measure === "rank" ? 1 / value : value);
  const end = values.findLastIndex(Number.isFinite);
  if (end < place.lowest) return null;
  let high = end;
  for (let row = end; row >= place.lowest; row--)
    if (strength(values[row]!) > strength(values[high]!) * 1.001) high = row;
  const isAtEnd = strength(values[end]!) >= 0.5 * strength(values[high]!);
  const row = group ? rowApart(line, lines, place) : line.isRival || !isAtEnd ? high : end;
  const value = values[row]!;
  const name = cut(line.label, 12);
  const text = ` ${group ? `(${group.count})` : measure === "rank" ? plain(value) : percent(value)}`;
  const beside = place.x(value + (group?.spread[row] ?? 0)) + 9;
  const fits = (group || line.isRival) && beside + (name + text).length * LETTER < (group ? place.width : place.right);
  return { x: fits ? beside : place.right + ASIDE, y: place.y(row) - place.x(value) / 100, name, text, line }; // of equals, the likelier above
}

/** What made a step: its largest part and by how much it moved the token, in as much room as there is. */
function whatMade(state: GridState, column: number, lines: Line[], row: number, room: number): string | null {
  const line = mainOf(lines);
  const { grid } = line?.state ?? state;
  const id = line?.tokens.length === 1 ? grid.tokens.ids[line.tokens[0]!] : undefined;
  const parts = id === undefined ? null : carried(grid, jumpTo(state, column, id, row));
  if (!parts) return null;
  const [largest] = [...parts.labels.keys()].sort((a, b) => Math.abs(parts.values[b]!) - Math.abs(parts.values[a]!));
  const moved = ` ${fixed(parts.values[largest!]!, decimalsFor(parts.values), true)}`;
  const long = `${parts.labels[largest!]}${moved} towards ${line!.label}`;
  return long.length <= room ? long : cut(parts.labels[largest!]!, room - moved.length) + moved;
}

/** The line of what is followed first; of what the model says, where nothing is. */
export function mainOf(lines: Line[]): Line | undefined {
  return lines.find(({ isRival }) => !isRival);
}

/** The step that is told where none is pointed at: to the row from which what the model says leads, else the largest. */
export function tellingStep(grid: Grid, column: number, { tokens, values }: Line): number {
  const [leader] = candidatesAt(grid, { row: grid.rows.length - 1, column });
  return (leader && tokens.includes(leader.token) && grid.decision?.[column]) || largestStep(values);
}

/** The row to which a line moves most. */
export function largestStep(values: ArrayLike<number>): number {
  let best = 1;
  const size = (row: number) => Math.abs(values[row]! - values[row - 1]!) || 0;
  for (let row = 2; row < values.length; row++) if (size(row) > size(best)) best = row;
  return best;
}
