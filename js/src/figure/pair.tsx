// Two grids on the same rows: a map on either side, the second mirrored, and between them one chart with the lines of both.

import { type ReadonlySignal, useComputed, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { Chart } from "../chart/chart.js";
import { Sides } from "../chart/sides.js";
import { isLens } from "../data/grid.js";
import { cellsOf } from "../heatmap/cells.js";
import { useFrame } from "../heatmap/frame.js";
import { HeatmapView, type Paints } from "../heatmap/heatmap-view.js";
import { gutterFor } from "../heatmap/layout.js";
import { named } from "../pieces/named.js";
import { Ruler } from "../pieces/ruler.js";
import type { GridState } from "../state/grid-state.js";
import type { ViewState } from "../state/view-state.js";
import { printing } from "../style/print.js";
import { Dock } from "./dock.js";
import { PanelHead } from "./panel-head.js";
import { GAP, placesForPair } from "./places.js";
import { Rule } from "./rule.js";

interface Props extends Paints {
  view: ViewState;
  /** What stands there where they can't be told so, or have no room. */
  children: ComponentChildren;
}

export function Pair(props: Props) {
  const { view, children } = props;
  const width = useSignal(0);
  const places = useComputed(() => {
    const { columns } = view.each[0]!.grid;
    const gutter = Math.max(...view.each.map(({ grid }) => gutterFor(grid)));
    return isPair(view) ? placesForPair(width.value, columns.length, gutter) : null;
  });
  const mapWidth = useComputed(() => places.value?.map ?? 0);
  const isRoomy = places.value && !printing.value; // on paper the cells are drawn elsewhere
  return (
    <>
      <Ruler width={width} />
      {isRoomy ? <Mirrored {...props} mapWidth={mapWidth} chart={places.value!.chart} /> : width.value > 0 && children}
    </>
  );
}

/** Whether a view has just two grids, of a lens each, whose rows and colors are the same. */
function isPair(view: ViewState): boolean {
  const { each } = view;
  const areRead = each.every(({ grid }) => isLens(grid) && grid.trajectories && !grid.columnLabels);
  const isShared =
    view.holds("color") && view.holds("stride") && new Set(each.map(({ grid }) => `${grid.rows}`)).size === 1;
  return areRead && isShared && each.length === 2;
}

function Mirrored({ view, mapWidth, chart, ...paints }: Props & { mapWidth: ReadonlySignal<number>; chart: number }) {
  const { each, names } = view;
  const frames = each.map((state, i) => useFrame(state, mapWidth, i > 0));
  const [one, other] = each as [GridState, GridState];
  const { layout } = frames[0]!;
  const map = mapWidth.value;
  const panel = (i: number, also?: ComponentChildren) => (
    <div class="lw-panel" {...named(names[i]!)}>
      <PanelHead {...{ view, state: each[i]! }} name={names[i]!} />
      <div class="lw-places" data-chart="none">
        <HeatmapView
          {...{ state: each[i]!, cells: cellsOf(each[i]!), frame: frames[i]!, width: mapWidth, ...paints }}
          accompanied
        />
        {also}
      </div>
    </div>
  );
  return (
    <div class="lw-mirrored" style={{ gridTemplateColumns: `${map}px ${chart}px ${map}px`, columnGap: `${GAP}px` }}>
      {panel(0, <Rule state={one} layout={layout} width={2 * (map + GAP) + chart} />)}
      <div class="lw-between" data-chart="beside">
        <Chart state={one} other={other} layout={layout} width={chart} isBeside />
        <Sides names={names} />
      </div>
      {panel(1)}
      <div class="lw-docks">
        {each.map((state) => (
          <Dock key={state} state={state} />
        ))}
      </div>
    </div>
  );
}
