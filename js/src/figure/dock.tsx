// What is held: the card of the selected cell, and what moved its token there; or the step of a trajectory that is open.

import { carried } from "../chart/carried.js";
import { JumpPanel } from "../chart/jump.js";
import { type Cell, candidatesAt, type Grid, isLens } from "../data/grid.js";
import { HeldCard } from "../pieces/card.js";
import type { GridState } from "../state/grid-state.js";
import { jumpIn, jumpTo } from "../state/jumps.js";
import type { Jump } from "../state/settings.js";

export function Dock({ state }: { state: GridState }) {
  const cell = state.selected.value;
  const opened = jumpIn(state);
  const jump = opened ?? (cell && jumpAt(state, cell));
  const isEmpty = !cell && !jump;
  if (isEmpty && state.which) return null; // said once, by the first of several
  return (
    <div class="lw-dock" data-empty={isEmpty}>
      {isEmpty && <Hint state={state} />}
      {cell && <HeldCard state={state} cell={cell} />}
      {jump && <JumpPanel state={state} jump={jump} isOpened={opened !== null} />}
    </div>
  );
}

/** What can be done here, while nothing is. */
function Hint({ state: { grid, experiments, which } }: { state: GridState }) {
  const canRun = experiments?.live?.explains.value && experiments.canGive(which ?? -1);
  return (
    <p class="lw-muted">
      Point at a cell to see more of it; a click holds it here.{" "}
      {grid.sweep && "It says what the model would say if that state were the source’s. "}
      {isLens(grid) && "A click on a token then follows it, and one on two layers’ names compares them. "}
      {grid.jumps && "A click on a step of a line tells what made it. "}
      {canRun &&
        "Drag a cell onto one of another prompt, or take it up with E, and the model runs with that state there. "}
      Arrow keys work, too.
    </p>
  );
}

/** What moved the token that leads in a cell, where the grid carries it. */
function jumpAt(state: GridState, { row, column }: Cell): Jump | null {
  const { grid } = state;
  const id = leaderOf(grid, { row, column });
  const jump = id !== undefined && row > 0 && jumpTo(state, column, id, row);
  return jump && carried(grid, jump) ? jump : null;
}

function leaderOf(grid: Grid, cell: Cell): number | undefined {
  const [leader] = candidatesAt(grid, cell);
  return leader && grid.tokens.ids[leader.token];
}
