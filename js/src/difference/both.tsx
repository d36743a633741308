// The trajectories of both sides in one chart, on the rows of the words beside it.

import { useSignal } from "@preact/signals";
import { type Line, linesOf } from "../chart/lines.js";
import { Plot } from "../chart/plot.js";
import { Ruler } from "../pieces/ruler.js";
import type { GridState } from "../state/grid-state.js";

const [ROW, HEADER] = [24, 28];
/** A line that never gets so far in what is shown is not told from 0; one that is only compared with must get farther. */
const WORTH = { line: 0.02, rival: 0.1 };

interface Props {
  state: GridState;
  lines: Line[];
  /** From the top down. */
  rows: number[];
  column: number;
}

export function Both({ state, lines, rows, column }: Props) {
  const width = useSignal(0);
  const layout = { rows: [...rows].reverse(), cellHeight: ROW, header: HEADER, height: rows.length * ROW };
  const row = state.selected.value?.row ?? null;
  return (
    <div class="lw-both">
      <Ruler width={width} />
      {width.value > 0 && (
        <Plot {...{ state, column, lines, layout, row }} measure="probability" width={width.value} isBeside />
      )}
      <p class="lw-muted">
        <svg width="24" height="8" aria-hidden="true">
          <path class="lw-line" d="M0 4H22" />
        </svg>
        <bdi>{state.sides[0]!.name}</bdi>{" "}
        <svg width="24" height="8" aria-hidden="true">
          <path class="lw-line lw-other" d="M0 4H22" />
        </svg>
        <bdi>{state.sides[1]!.name}</bdi>
      </p>
    </div>
  );
}

/** The lines of both sides, counted in the rows of the difference; where nothing is followed, a color for each side. */
export function linesOfBoth({ grid, sides }: GridState, column: number, rows: number[]): Line[] {
  return sides.flatMap(({ state }, side) =>
    linesOf(state, column, "probability")
      .lines.map((line) => ({
        ...line,
        pinColor: line.pinColor ?? side,
        isOther: side > 0,
        values: grid.rows.map((_, row) => line.values[state.inSlot({ row, column })?.row ?? -1] ?? Number.NaN),
      }))
      .filter(({ values, isRival }) => rows.some((row) => values[row]! >= WORTH[isRival ? "rival" : "line"])),
  );
}
