// A grid in its place: the heatmap, the chart on its rows and the rule that runs through both, and what is held; or bars.

import { useComputed, useSignal } from "@preact/signals";
import { BarsView } from "../bars/bars-view.js";
import { Chart } from "../chart/chart.js";
import { type Grid, isLens } from "../data/grid.js";
import { Dots } from "../dots/dots.js";
import { cellsOf } from "../heatmap/cells.js";
import { useFrame } from "../heatmap/frame.js";
import { wholeDrawn } from "../heatmap/heatmap-drawing.js";
import { HeatmapView, type Paints } from "../heatmap/heatmap-view.js";
import { gutterFor } from "../heatmap/layout.js";
import { Legend } from "../heatmap/legend.js";
import { Long } from "../long/long.js";
import { Ruler } from "../pieces/ruler.js";
import type { GridState } from "../state/grid-state.js";
import type { Palette } from "../style/palette.js";
import { printing } from "../style/print.js";
import { Dock } from "./dock.js";
import { GAP, placesFor } from "./places.js";
import { Promotes } from "./promotes.js";
import { Rule } from "./rule.js";

interface Props extends Paints {
  state: GridState;
  /** Whether its legend isn't told for several at once. */
  legend: boolean;
  /** Whether others stand beside it. */
  accompanied?: boolean;
  /** Whether there is room for its trajectory. */
  charted?: boolean;
}

export function Body(props: Props) {
  const { state, palette, painted } = props;
  const { view } = state.grid;
  return view === "bars" ? (
    <div class="lw-body">
      <BarsView state={state} painted={painted} />
      <Promotes {...{ state, palette, painted }} />
    </div>
  ) : (
    <MapAndMore {...props} />
  );
}

function MapAndMore({ state, legend, accompanied = false, charted = true, palette, painted }: Props) {
  const { grid } = state;
  const hasChart = charted && grid.trajectories !== null && !grid.sweep;
  const width = useSignal(0);
  const places = useComputed(() => {
    const gutter = gutterFor(grid, width.value || undefined);
    return placesFor({ width: width.value, columns: grid.columns.length, gutter, hasChart, isPanel: accompanied });
  });
  const mapWidth = useComputed(() => places.value.map);
  const frame = useFrame(state, mapWidth);
  const cells = cellsOf(state);
  const { map, chart, dock, dockAt } = places.value;
  const isBeside = places.value.isBeside && !printing.value; // on paper the cells are drawn elsewhere
  const columns = [map, isBeside ? chart : 0, dockAt === "beside" ? dock : 0].filter(Boolean);
  return (
    <div class="lw-body">
      <Ruler width={width} />
      {!accompanied && isLong(grid) && <Long key={state} {...{ state, frame, cells, palette }} />}
      {grid.below?.quantities.map(
        (quantity) => quantity.line !== null && <Dots key={quantity} bring={frame.bring} {...{ state, quantity }} />,
      )}
      <div
        class="lw-places"
        data-chart={hasChart ? (isBeside ? "beside" : "beneath") : "none"}
        data-dock={dockAt}
        style={{ gridTemplateColumns: columns.map((one) => `${one}px`).join(" "), columnGap: `${GAP}px` }}
      >
        <HeatmapView
          {...{ state, cells, frame, palette, painted, accompanied }}
          width={mapWidth}
          isDocked={dockAt !== "beneath"}
        />
        {hasChart && <Chart state={state} layout={frame.layout} width={chart} isBeside={isBeside} />}
        <div class="lw-beneath">
          {printing.value && <Printed state={state} palette={palette.value} />}
          {legend && <Legend states={[state]} palette={palette.value} />}
          <Promotes {...{ state, palette, painted }} />
        </div>
        <Dock state={state} />
        <Rule state={state} layout={frame.layout} width={isBeside ? map + GAP + chart : map} />
      </div>
    </div>
  );
}

/** So many tokens no map shows at once. */
const MANY = 48;

function isLong(grid: Grid): boolean {
  return isLens(grid) && !grid.columnLabels && grid.columns.length > MANY;
}

/** All of the cells, as wide as the paper: on screen some may have to be scrolled to. */
function Printed({ state, palette }: { state: GridState; palette: Palette }) {
  const __html = wholeDrawn(state, cellsOf(state).value, palette);
  return <div class="lw-printed" dangerouslySetInnerHTML={{ __html }} />;
}
