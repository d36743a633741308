// The trajectory: how what is followed fares at one position, through the layers, on the rows of the heatmap beside it.

import { type ReadonlySignal, useComputed } from "@preact/signals";
import type { Layout } from "../heatmap/layout.js";
import { Menu } from "../pieces/menu.js";
import { useRested } from "../pieces/rested.js";
import { ColumnName } from "../pieces/token.js";
import type { GridState } from "../state/grid-state.js";
import type { Measure } from "../state/settings.js";
import { unitOf } from "../text/number.js";
import { quantityName } from "../text/words.js";
import { linesOfGroups } from "./group-lines.js";
import { linesOf, linesOfBoth } from "./lines.js";
import { Plot } from "./plot.js";

const MEASURES: Record<Measure, string> = { probability: "probability", log: "log probability", rank: "rank" };

interface Props {
  state: GridState;
  /** Another grid on the same rows, whose lines stand among those of the first. */
  other?: GridState | undefined;
  layout: ReadonlySignal<Layout>;
  width: number;
  /** Whether it stands beside the heatmap, on the same rows, and not beneath. */
  isBeside: boolean;
}

export function Chart({ state, other, layout, width, isBeside }: Props) {
  const { grid, settings, selected } = state;
  const hover = useRested(state.hover);
  const measured = useComputed(() => {
    const { value } = settings.trajectory;
    return MEASURES[value] ? value : "probability";
  });
  const position = useComputed(() => (selected.value ?? hover.value)?.column ?? grid.columns.length - 1);
  // apart, because the pointer moves along a column more often than from one to another
  const compared = useComputed(() =>
    // what is held and what a reader follows have lines of their own
    other || selected.value || settings.pins.value.length ? [] : linesOfGroups(state, hover.value?.column),
  );
  const plotted = useComputed(() =>
    compared.value.length
      ? { lines: compared.value, absent: [] }
      : other
        ? { lines: linesOfBoth([state, other], position.value, measured.value, [...grid.rows.keys()]), absent: [] }
        : linesOf(state, position.value, measured.value),
  );
  const unit = unitOf(state.quantity.value);
  const isOfGroups = compared.value.length > 0;
  const [measure, column, { lines, absent }] = [measured.value, position.value, plotted.value];
  const marked = hover.value?.column === column ? hover.value : selected.value;
  return (
    <div class="lw-chart">
      <div class="lw-chart-head">
        {isOfGroups ? (
          <span>
            mean {quantityName(grid, state.quantity.value)}
            {unit && ` (${unit})`} ± SD by group
          </span>
        ) : (
          <>
            <Menu
              name="Chart scale"
              chosen={measure}
              choose={(name) => (settings.trajectory.value = name as Measure)}
              options={Object.entries(MEASURES)}
            />
            <span>
              {grid.gaps.has(column) ? "no such token in this prompt" : <ColumnName grid={grid} column={column} />}
            </span>
          </>
        )}
      </div>
      {width > 0 && (
        <Plot {...{ state, column, lines, measure, width, isBeside }} layout={layout.value} row={marked?.row ?? null} />
      )}
      {absent.map((label) => (
        <p key={label} class="lw-muted">
          <bdi class="lw-token">{label}</bdi> was never among the candidates here
        </p>
      ))}
    </div>
  );
}
