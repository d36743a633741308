// Two grids told apart: words where another token leads, both trajectories on the same rows, and what made the step.

import { useSignal } from "@preact/signals";
import { useLayoutEffect, useMemo } from "preact/hooks";
import { largestStep, mainOf } from "../chart/labels.js";
import { linesOfBoth } from "../chart/lines.js";
import { saidBy, toldOf } from "../data/apart.js";
import { columnName, nameOf } from "../data/names.js";
import type { GridState } from "../state/grid-state.js";
import { percent } from "../text/number.js";
import { Both } from "./both.js";
import { Made } from "./made.js";
import { Words } from "./words.js";

export function Difference({ state, painted }: { state: GridState; painted: () => void }) {
  const { grid } = state;
  const told = useMemo(() => toldOf(grid), [grid])!;
  const { sides, columns, from, beneath } = told;
  const isWhole = useSignal(false);
  useLayoutEffect(painted, []);
  const asked = state.selected.value?.column ?? -1;
  const column = columns.includes(asked) ? asked : (columns.at(-1) ?? grid.columns.length - 1);
  const said = [0, 1].map((side) => saidBy(grid, side, column));
  const rows = [...grid.rows.keys()].slice(isWhole.value ? 0 : from).reverse();
  const lines = linesOfBoth(
    state.sides.map((side) => side.state),
    ...([column, "probability", rows] as const),
    (side, row) => side.inSlot({ row, column })?.row ?? -1,
  );
  const main = mainOf(lines);
  return (
    <div class="lw-difference">
      <p class="lw-said">
        After “<bdi>{columnName(grid, column).trim()}</bdi>”
        {sides.names.map((name, side) => (
          <span key={side}>
            {side ? ", " : " "}
            <bdi>{name}</bdi> says{" "}
            <bdi class={`lw-strong lw-side-${side}`}>
              {nameOf(grid, said[side]!) || "nothing"}{" "}
              {percent(sides.probability((grid.rows.length - 1) * grid.columns.length + column, side))}
            </bdi>
          </span>
        ))}
        .
      </p>
      <p class="lw-muted">
        {sides.names.join(" → ")} where the leading token differs. Size: total variation × belief, at least. Blank: the
        same token leads.
      </p>
      <div class="lw-told">
        <Words {...{ state, told, rows, column }} />
        <Both {...{ state, lines, rows, column }} />
      </div>
      {from > 0 && (
        <p class="lw-muted">
          {grid.rows[0]} to {grid.rows[from - 1]}: {beneath.differ} of {beneath.of} leaders differ, none by more than{" "}
          {percent(beneath.farthest)}.
          <button type="button" aria-pressed={isWhole.value} onClick={() => (isWhole.value = !isWhole.value)}>
            show {isWhole.value ? "fewer" : "all"} layers
          </button>
        </p>
      )}
      <Made {...{ state, said, column }} row={state.selected.value?.row ?? (main ? largestStep(main.values) : 0)} />
    </div>
  );
}
