// The card beside a cell: what the model would have said there, how sure it was, and how the followed tokens fare.

import { useLayoutEffect, useRef } from "preact/hooks";
import { type Cell, isLaidOut, isLens, isThere } from "../data/grid.js";
import { columnPlace, isMuted, nameOf } from "../data/names.js";
import type { GridState } from "../state/grid-state.js";
import { verdicts } from "../text/row-quantity.js";
import { cellName, facts, followingOf, listed, nothing, probabilityAndRank } from "../text/words.js";
import { place } from "./placing.js";
import type { Rectangle } from "./rectangle.js";
import { ColumnName, Dot } from "./token.js";

interface Props {
  state: GridState;
  cell: Cell;
  /** Where the cell is, or null when it has been scrolled out of sight. */
  at: Rectangle | null;
  /** A card that stays can be clicked; one that follows the pointer must never be under it. */
  held?: boolean;
  /** For looking elsewhere while another is held, or beside the one that is pointed at. */
  isSmall?: boolean;
  /** What is to be said of the cell beyond its quantities. */
  more?: { name: string; value: string }[];
}

export function Card({ state, cell, at, held = false, isSmall = false, more = [] }: Props) {
  const { grid, quantity, followed, pinColors, sides } = state;
  const card = useRef<HTMLElement>(null);
  useLayoutEffect(() => place(card.current!, at));
  const isFilled = isThere(grid, cell);
  const wide = !isSmall && sides.length > 0;
  return (
    <section
      ref={card}
      class={`lw-card${held ? " lw-held" : ""}${isSmall ? " lw-small" : ""}${wide ? " lw-wide" : ""}`}
      aria-hidden={!held}
    >
      <p class="lw-strong">{cellName(grid, cell)}</p>
      {isFilled ? (
        !isLaidOut(grid) && (
          <p class="lw-muted">
            {!grid.columnLabels && `${columnPlace(grid, cell.column)} · `}
            <ColumnName grid={grid} column={cell.column} />
          </p>
        )
      ) : (
        <p class="lw-muted">{nothing(grid)}</p>
      )}
      {verdicts(grid, cell.row).map(
        ({ words, doubtful }) =>
          (doubtful || !isSmall) && (
            <p key={words} class={doubtful ? "lw-warning" : "lw-muted"}>
              {words}
            </p>
          ),
      )}
      {isFilled && grid.candidates && <Candidates state={state} cell={cell} count={isSmall ? 3 : 5} held={held} />}
      {wide && (
        <div class="lw-sides">
          {sides.map((side) => (
            <Side key={side.name} {...side} slot={cell} held={held} />
          ))}
        </div>
      )}
      {isFilled && !isSmall && (
        <dl>
          {[...facts(grid, quantity.value, cell), ...more].map(({ name, value }) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
          {!wide &&
            followed.value.map((one, i) => (
              <div key={i}>
                <dt>
                  <Dot pinColor={pinColors.value[i]!} />
                  <bdi class="lw-token">{one.label}</bdi>
                </dt>
                <dd>{probabilityAndRank(grid, one, cell)}</dd>
              </div>
            ))}
        </dl>
      )}
    </section>
  );
}

/** What one of two grids has in a cell. */
function Side({ name, state, slot, held }: { name: string; state: GridState; slot: Cell; held: boolean }) {
  const cell = state.inSlot(slot);
  return (
    <div>
      <p class="lw-muted">{name}</p>
      {cell && !state.grid.gaps.has(cell.column) ? (
        <Candidates state={state} cell={cell} count={4} held={held} />
      ) : (
        <p>nothing there</p>
      )}
    </div>
  );
}

interface CandidatesProps {
  state: GridState;
  cell: Cell;
  count: number;
  held: boolean;
}

function Candidates({ state, cell, count, held }: CandidatesProps) {
  const { grid } = state;
  const pinColorOf = state.pinColorOf.value;
  const next = followingOf(grid, cell.column);
  const found = listed(grid, cell, count);
  const canPin = held && isLens(grid);
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
        </li>
      ))}
    </ol>
  );
}
