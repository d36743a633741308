// A grid of bars in the page: its position, and the card of a part.

import { useSignal, useSignalEffect } from "@preact/signals";
import { useLayoutEffect, useMemo } from "preact/hooks";
import { partsOf } from "../data/followed.js";
import { clamp, isAttribution, totalOf } from "../data/grid.js";
import { columnName } from "../data/names.js";
import { FloatingCard } from "../pieces/card.js";
import { Menu } from "../pieces/menu.js";
import type { GridState } from "../state/grid-state.js";
import { percent } from "../text/number.js";
import { quantityName } from "../text/words.js";
import { Track } from "./bar-line.js";
import { Bars } from "./bars.js";
import { bySize, REST } from "./sum.js";
import { takingOut } from "./take-out.js";

interface Props {
  state: GridState;
  /** Called after each painting. */
  painted: () => void;
}

/** The first quantity has the bars, and the card has the others. */
export function BarsView({ state, painted }: Props) {
  const { grid, selected, settings, hover, bars } = state;
  const quantity = grid.quantities[0]!;
  const columns = grid.columns.length;
  const active = useSignal<number | null>(null);
  const column = state.column.value;
  const parts = useMemo(() => partsOf(grid, column), [grid, column]);
  const { values, before, predicted } = parts;
  const sorted = useMemo(() => bySize(values, before), [parts]);
  useLayoutEffect(painted);
  useSignalEffect(() => {
    const row = active.value;
    hover.value = row === null || row === REST ? null : { row, column };
  });

  // under edits: how the sum changed, and how it was predicted to
  const [now, was] = before ? [totalOf(values) - totalOf(before), predicted && totalOf(predicted)] : [0];

  const toColumn = (to: number) => {
    bars.column.value = clamp(to, 0, columns - 1);
    if (selected.value) settings.selected.value = [selected.value.row, bars.column.value];
  };
  const sums = isAttribution(grid);
  const rankAndShare = (row: number) => {
    const rank = { name: "by size", value: `${sorted.indexOf(row) + 1} of ${sorted.length}` };
    const share = values[row]! / totalOf(values);
    return sums && share > 0 && share <= 1 ? [rank, { name: "of the sum", value: percent(share) }] : [rank];
  };
  return (
    <div class="lw-bars-view">
      {before && <p class="lw-sentence">{grid.notes.at(-1)}</p>}
      {was !== undefined && (
        <Track value={now} from={0} to={now} was={was} domain={[Math.min(0, now, was), Math.max(1e-9, now, was)]} />
      )}
      <Bars
        name={`${grid.kind}, ${quantityName(grid, quantity)}`}
        labels={grid.rows}
        {...parts}
        lead={takingOut(state)}
        order={state.order.value}
        reorder={(order) => (settings.order.value = order)}
        count={bars.count}
        unit={quantity.unit}
        sums={sums}
        check={grid.check}
        active={active}
        selected={selected.value?.row ?? null}
        onSelect={(row) => (settings.selected.value = row === null ? null : [row, column])}
        onSide={(step) => toColumn(column + step)}
        beside={(row, at) => <FloatingCard state={state} cell={{ row, column }} at={at} more={rankAndShare(row)} />}
      >
        {columns > 1 && (
          <Menu
            label="at"
            chosen={column}
            choose={(at) => toColumn(Number(at))}
            options={Array.from(grid.columns, (_, i) => {
              return [i, (grid.columnLabels ? "" : `${grid.positions[i]}: `) + columnName(grid, i)] as const;
            })}
          />
        )}
      </Bars>
    </div>
  );
}
