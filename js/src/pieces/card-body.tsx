// What a card says of its cell: what the model would have said there, how sure it was, and how the followed tokens fare.

import { type Cell, isLaidOut, isThere } from "../data/grid.js";
import { columnPlace } from "../data/names.js";
import type { GridState } from "../state/grid-state.js";
import { verdicts } from "../text/row-quantity.js";
import { facts, nothing, probabilityAndRank } from "../text/words.js";
import { Candidates } from "./candidates.js";
import { PatchedBody } from "./patched.js";
import { ColumnName, Dot } from "./token.js";

export type More = { name: string; value: string }[] | undefined;

interface Props {
  state: GridState;
  cell: Cell;
  /** One that stays can be clicked. */
  held?: boolean;
  /** For looking elsewhere while another is held, or beside the one that is pointed at. */
  isSmall?: boolean;
  more?: More;
}

export function CardBody(props: Props) {
  return props.state.grid.sweep ? <PatchedBody {...props} /> : <ReadBody {...props} />;
}

function ReadBody({ state, cell, held = false, isSmall = false, more = [] }: Props) {
  const { grid, quantity, followed, pinColors, sides } = state;
  const isFilled = isThere(grid, cell);
  const wide = !isSmall && sides.length > 0;
  return (
    <>
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
      {!isSmall &&
        grid.below?.says[cell.column]?.map((words) => (
          <p key={words} class="lw-muted">
            {words}
          </p>
        ))}
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
    </>
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
