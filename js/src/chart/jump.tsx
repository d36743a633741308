// What moved a token between two rows: bars that sum to the jump of its logit. Carried in the grid for a few tokens, asked
// of the kernel for any other, and where there is neither, a sentence says so.

import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { Bars } from "../bars/bars.js";
import { type Grid, NO_TOKEN, trajectory } from "../data/grid.js";
import { nameOf } from "../data/names.js";
import { Close } from "../pieces/close.js";
import { Wait } from "../pieces/wait.js";
import { FEW_BARS, type GridState } from "../state/grid-state.js";
import { isSameJump, jumpIn, type Live, useLive } from "../state/live.js";
import type { Jump, Order, Shared } from "../state/settings.js";
import { percent } from "../text/number.js";

export function JumpPanel({ state }: { state: GridState }) {
  const { grid, settings } = state;
  const live = useLive();
  const jump = jumpIn(state);
  const parts = useMemo(() => jump && carried(grid, jump), [grid, jump]) ?? (jump && answered(live, jump));
  if (!jump || grid.columns[jump[0]] === undefined || grid.rows[jump[2] - 1] === undefined) return null;
  const [column, id, row] = jump;
  const token = grid.tokens.ids.indexOf(id);
  const name = nameOf(grid, token) || `token ${id}`;
  const path = token === NO_TOKEN ? null : trajectory(grid, column, token);
  const rows = `${grid.rows[row - 1]} and ${grid.rows[row]}`;
  return (
    <section class="lw-jump" aria-label={`What moved ${name} between ${rows}`}>
      <div class="lw-chart-head">
        <p class="lw-strong">
          What moved “<bdi class="lw-token">{name}</bdi>” between {rows}
        </p>
        <Close label="Close what moved it" act={() => (settings.jump.value = null)} />
      </div>
      <p class="lw-muted">
        what each part added to its logit at position {grid.positions[column]}
        {path && `; its probability went from ${percent(path[row - 1]!)} to ${percent(path[row]!)}`}
      </p>
      {parts ? (
        <Parts name={`What moved ${name}`} parts={parts} settings={settings} />
      ) : (
        <Wait key={`${jump}`} {...{ live, jump }} />
      )}
    </section>
  );
}

interface Moved {
  labels: string[];
  values: Float32Array;
  check: Grid["check"];
}

function Parts({ name, parts, settings: { order } }: { name: string; parts: Moved; settings: Shared }) {
  const active = useSignal<number | null>(null);
  const count = useSignal(FEW_BARS);
  const reorder = (one: Order) => (order.value = one);
  return <Bars {...{ name, ...parts, active, count, reorder }} order={order.value} unit="logits" />;
}

/** The parts that the grid carries of a jump. */
function carried({ jumps, tokens, rows }: Grid, [column, id, row]: Jump): Moved | null {
  if (!jumps) return null;
  const token = tokens.ids.indexOf(id);
  const entry = jumps.tokens.findIndex((other, i) => other === token && jumps.columns[i] === column);
  if (entry < 0) return null;
  const count = jumps.parts.length;
  const start = (entry * rows.length + row) * count;
  const all = jumps.values.subarray(start, start + count);
  // a part that this block doesn't have is NaN
  const there = jumps.parts.map((_, part) => part).filter((part) => !Number.isNaN(all[part]!));
  if (!there.length) return null;
  return {
    labels: there.map((part) => jumps.parts[part]!.replace("{}", () => rows[row]!)),
    values: Float32Array.from(there, (part) => all[part]!),
    check: jumps.check,
  };
}

/** The parts that the kernel answered with. */
function answered(live: Live | null, jump: Jump): Moved | null {
  const answer = live?.explained.value;
  if (!answer?.grid || !isSameJump(answer.jump, jump)) return null;
  const { rows, columns, quantities, check } = answer.grid;
  const values = Float32Array.from(rows, (_, row) => quantities[0]!.values[row * columns.length]!);
  return { labels: rows, values, check };
}
