// What the selected head or neuron promotes, whatever the prompt: asked of the model, and shown as the grid that it
// answers with.

import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { type Cell, type Grid, isAttribution } from "../data/grid.js";
import { cellsOf } from "../heatmap/cells.js";
import { useFrame } from "../heatmap/frame.js";
import { HeatmapView, type Paints } from "../heatmap/heatmap-view.js";
import { named } from "../pieces/named.js";
import { Ruler } from "../pieces/ruler.js";
import { Wait } from "../pieces/wait.js";
import { type GridState, gridState } from "../state/grid-state.js";
import { isSameJump, jumpTo } from "../state/jumps.js";
import { shared } from "../state/settings.js";

export function Promotes({ state, ...paints }: Paints & { state: GridState }) {
  const { grid, settings, selected, live } = state;
  const cell = selected.value;
  const answer = live?.explained.value;
  const promoted = useMemo(() => answer?.grid && gridState(answer.grid, shared()), [answer]);
  const name = cell && isAttribution(grid) ? partName(grid, cell) : "";
  if (!/^L\d+[HN]\d+$/.test(name) || state.which === null) return null;
  if (!live?.explains.value) return <p class="lw-muted lw-jump">A model at hand would tell what {name} promotes.</p>;
  const jump = jumpTo(state, cell!.column, -1, cell!.row);
  const isOpen = isSameJump(settings.jump.value, jump);
  return (
    <div class="lw-jump" {...named(`What ${name} promotes`)}>
      <button type="button" aria-expanded={isOpen} onClick={() => (settings.jump.value = isOpen ? null : jump)}>
        what {name} promotes
      </button>
      {isOpen &&
        (promoted && isSameJump(answer!.jump, jump) ? (
          <>
            <p class="lw-muted">{promoted.grid.notes.join("; ")}</p>
            <Answer key={promoted} state={promoted} {...paints} />
          </>
        ) : (
          <Wait key={`${jump}`} live={live} jump={jump} />
        ))}
    </div>
  );
}

function Answer({ state, ...paints }: Paints & { state: GridState }) {
  const width = useSignal(0);
  const frame = useFrame(state, width);
  return (
    <>
      <Ruler width={width} />
      <HeatmapView {...{ state, frame, width }} cells={cellsOf(state)} {...paints} />
    </>
  );
}

/** "L23H3": a row of its own, or a row and a column of layers by heads. */
function partName({ view, rows, columnLabels }: Grid, { row, column }: Cell): string {
  return rows[row]! + ((view === "heatmap" && columnLabels?.[column]) || "");
}
