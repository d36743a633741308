// The trajectories of both sides in one chart, on the rows of the words beside it.

import { useSignal } from "@preact/signals";
import type { Line } from "../chart/lines.js";
import { Plot } from "../chart/plot.js";
import { Sides } from "../chart/sides.js";
import { Ruler } from "../pieces/ruler.js";
import type { GridState } from "../state/grid-state.js";

const [ROW, HEADER] = [24, 28];
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
      <Sides names={state.sides.map(({ name }) => name)} />
    </div>
  );
}
