// What moved a token between two rows: bars that sum to the jump of its logit. Carried in the grid for a few tokens, asked
// of the kernel for any other, and where there is neither, a sentence says so.

import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { Bars } from "../bars/bars.js";
import { NO_TOKEN, trajectory } from "../data/grid.js";
import { nameOf } from "../data/names.js";
import { Close } from "../pieces/close.js";
import { named } from "../pieces/named.js";
import { Wait } from "../pieces/wait.js";
import type { GridState } from "../state/grid-state.js";
import type { Jump, Order, Shared } from "../state/settings.js";
import { percent } from "../text/number.js";
import { answered, carried, type Moved } from "./carried.js";

interface Props {
  state: GridState;
  jump: Jump;
  /** Whether a reader opened it; else it goes with the cell that is held. */
  isOpened: boolean;
}

export function JumpPanel({ state, jump, isOpened }: Props) {
  const { grid, settings, live } = state;
  const parts = useMemo(() => carried(grid, jump), [grid, `${jump}`]) ?? answered(live, jump);
  if (grid.columns[jump[0]] === undefined || grid.rows[jump[2] - 1] === undefined) return null;
  const [column, id, row] = jump;
  const token = grid.tokens.ids.indexOf(id);
  const name = nameOf(grid, token) || `token ${id}`;
  const path = token === NO_TOKEN ? null : trajectory(grid, column, token);
  const rows = `${grid.rows[row - 1]} and ${grid.rows[row]}`;
  return (
    <div class="lw-jump" {...named(`What moved ${name} between ${rows}`)}>
      <p class="lw-strong">
        What moved “<bdi class="lw-token">{name}</bdi>” between {rows}
      </p>
      <p class="lw-muted">
        what each part added to its logit at position {grid.positions[column]}
        {path && `; its probability went from ${percent(path[row - 1]!)} to ${percent(path[row]!)}`}
      </p>
      {parts ? (
        <Parts name={`What moved ${name}`} parts={parts} settings={settings} />
      ) : (
        <Wait key={`${jump}`} {...{ live, jump }} />
      )}
      {isOpened && <Close label="Close what moved it" act={() => (settings.jump.value = null)} />}
    </div>
  );
}

/** As many as a glance takes in. */
const FEW = 7;

function Parts({ name, parts, settings: { order } }: { name: string; parts: Moved; settings: Shared }) {
  const active = useSignal<number | null>(null);
  const count = useSignal(FEW);
  const reorder = (one: Order) => (order.value = one);
  return <Bars {...{ name, ...parts, active, count, reorder }} order={order.value} unit="logits" />;
}
