// Two grids told apart: words where another token leads, both trajectories on the same rows, and what made the step.

import { useSignal } from "@preact/signals";
import { useLayoutEffect, useMemo } from "preact/hooks";
import { toldOf } from "../data/apart.js";
import { columnName, nameOf } from "../data/names.js";
import type { GridState } from "../state/grid-state.js";
import { percent } from "../text/number.js";
import { Both } from "./both.js";
import { Made } from "./made.js";
import { saidBy } from "./through.js";
import { Words } from "./words.js";

export function Difference({ state, painted }: { state: GridState; painted: () => void }) {
  const { grid } = state;
  const told = useMemo(() => toldOf(grid), [grid])!;
  const { sides, columns, from, beneath } = told;
  const isWhole = useSignal(false);
  useLayoutEffect(painted, []);
  const asked = state.selected.value?.column ?? -1;
  const column = columns.includes(asked) ? asked : (columns.at(-1) ?? grid.columns.length - 1);
  const rows = [...grid.rows.keys()].slice(isWhole.value ? 0 : from).reverse();
  return (
    <div class="lw-difference">
      <p class="lw-said">
        After “<bdi>{columnName(grid, column).trim()}</bdi>”
        {sides.names.map((name, side) => (
          <span key={side}>
            {side ? ", " : " "}
            <bdi>{name}</bdi> says{" "}
            <bdi class={`lw-strong lw-side-${side}`}>
              {nameOf(grid, saidBy(state, side, column)) || "nothing"}{" "}
              {percent(sides.probability((grid.rows.length - 1) * grid.columns.length + column, side))}
            </bdi>
          </span>
        ))}
        .
      </p>
      <div class="lw-told">
        <p class="lw-muted">
          {sides.names.join(" → ")} where the leading token differs. Size: total variation × belief, at least. Blank:
          the same token leads.
        </p>
        <Words {...{ state, told, rows, column }} />
        <Both {...{ state, rows, column }} />
      </div>
      {from > 0 && (
        <p class="lw-muted lw-story">
          {grid.rows[0]} to {grid.rows[from - 1]}: {beneath.differ} of {beneath.of} leaders differ, none by more than{" "}
          {percent(beneath.farthest)}.
          <button type="button" aria-pressed={isWhole.value} onClick={() => (isWhole.value = !isWhole.value)}>
            show {isWhole.value ? "fewer" : "all"} layers
          </button>
        </p>
      )}
      <Made state={state} column={column} />
    </div>
  );
}
