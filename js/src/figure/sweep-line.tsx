// Beneath the base of a sweep: what a state was taken from, and where the effect lies.

import { NO_TOKEN } from "../data/grid.js";
import { nameOf } from "../data/names.js";
import { answerOf, type Side } from "../data/sweep.js";
import { Pieces } from "../pieces/token.js";
import type { GridState } from "../state/grid-state.js";
import { percent } from "../text/number.js";

export function SweepLine({ state: { grid } }: { state: GridState }) {
  const { source, put, story } = grid.sweep!;
  return (
    <div class="lw-sweep-line">
      <p class="lw-from">
        {source ? (
          <>
            <span class="lw-muted">with one state taken from </span>
            <bdi>{source}</bdi>
            <SideAnswer grid={grid} side="source" />
          </>
        ) : (
          <span class="lw-muted">with one part at a time {put}</span>
        )}
      </p>
      <p class="lw-sentence">
        <Pieces pieces={story} />
      </p>
    </div>
  );
}

/** What the base or the source says, in its color. */
export function SideAnswer({ grid, side }: Pick<GridState, "grid"> & { side: Side }) {
  const { token, probability } = answerOf(grid.sweep!, side);
  if (token === NO_TOKEN) return null;
  return (
    <span class={`lw-answer lw-${side}`}>
      {" → "}
      <bdi class="lw-token">{nameOf(grid, token)}</bdi> {percent(probability)}
    </span>
  );
}
