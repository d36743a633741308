// The tokens of a cell, likeliest first, over bars of how likely they are.

import { type Cell, isLens } from "../data/grid.js";
import { isMuted, nameOf } from "../data/names.js";
import type { GridState } from "../state/grid-state.js";
import { writing } from "../state/live.js";
import { followingOf, listed } from "../text/words.js";
import { Dot } from "./token.js";

interface Props {
  state: GridState;
  cell: Cell;
  count: number;
  held: boolean;
}

export function Candidates({ state, cell, count, held }: Props) {
  const { grid } = state;
  const pinColorOf = state.pinColorOf.value;
  const next = followingOf(grid, cell.column);
  const found = listed(grid, cell, count);
  const canPin = held && isLens(grid);
  const { live } = state;
  const canTake = canPin && state.which === 0 && state.settings.writes.value && !live?.isLost.value;
  const Line = canPin ? "button" : "div"; // for what only follows a pointer, the least to lay out
  if (!found.length) return <p class="lw-muted">no one token leads here</p>;
  return (
    <ol class="lw-candidates">
      {found.map(({ token, probability, text }, i) => (
        // by place: the next cell's candidates are written into the same lines
        <li key={i}>
          <Line
            type="button"
            class={isMuted(grid, token) ? "lw-token lw-odd" : "lw-token"}
            title="Click to pin, shift-click to join the last pin"
            onClick={(event) => canPin && state.togglePin(token, event.shiftKey)}
          >
            <span class="lw-bar" style={{ width: `${100 * (probability || 0)}%` }} />
            {pinColorOf[token]! >= 0 && <Dot pinColor={pinColorOf[token]!} />}
            <bdi>{nameOf(grid, token) || "(empty)"}</bdi>
            {token === next && <span class="lw-follows">follows</span>}
          </Line>
          <span class="lw-number">{text}</span>
          {canTake && (
            <button
              type="button"
              class="lw-take"
              aria-label={`Go on with ${nameOf(grid, token)}`}
              onClick={() =>
                live?.ask({
                  do: "write",
                  ...writing.value,
                  instead: [grid.positions[cell.column]!, grid.tokens.ids[token]!],
                })
              }
            >
              ↷
            </button>
          )}
        </li>
      ))}
    </ol>
  );
}
