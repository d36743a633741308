// A grid in its place: the heatmap, its legend and its chart; or several of them beside each other.

import { BarsView } from "../bars/bars-view.js";
import { Chart } from "../chart/chart.js";
import { Color, Rows } from "../controls/controls.js";
import type { Cell, Grid } from "../data/grid.js";
import { printedOf } from "../export/drawing.js";
import { cellsOf } from "../heatmap/cells.js";
import { HeatmapView, type Paints } from "../heatmap/heatmap-view.js";
import { gutterFor, usefulWidths } from "../heatmap/layout.js";
import { Legend } from "../heatmap/legend.js";
import { Check, unchecked } from "../pieces/check.js";
import type { GridState } from "../state/grid-state.js";
import { MOST_SIDE_BY_SIDE, type ViewState } from "../state/view-state.js";
import type { Palette } from "../style/palette.js";
import { printing } from "../style/print.js";
import { Promotes } from "./promotes.js";

export function Panel({ state, ...rest }: Paints & { state: GridState; open?: (cell: Cell) => void }) {
  return (
    <div class="lw-body" style={widthsOf(state.grid)}>
      <div class="lw-main">
        <GridView state={state} legend {...rest} />
      </div>
      {state.grid.trajectories && <Chart state={state} />}
    </div>
  );
}

interface GridViewProps extends Paints {
  state: GridState;
  legend: boolean;
  accompanied?: boolean;
  open?: (cell: Cell) => void;
}

/** The heatmap with its legend, or the bars; and what the selected part promotes. */
function GridView({ state, legend, ...rest }: GridViewProps) {
  const { palette, painted } = rest;
  const cells = cellsOf(state);
  return (
    <>
      {isBars(state) ? (
        <BarsView state={state} painted={painted} />
      ) : (
        <HeatmapView state={state} cells={cells} {...rest} />
      )}
      {printing.value && !isBars(state) && <Printed state={state} palette={palette.value} />}
      {legend && !isBars(state) && <Legend states={[state]} palette={palette.value} />}
      <Promotes {...{ state, palette, painted }} />
    </>
  );
}

/** All of the cells, as wide as the paper: on screen some may have to be scrolled to. */
function Printed({ state, palette }: { state: GridState; palette: Palette }) {
  const { svg } = printedOf(state, cellsOf(state).value, palette);
  return <div class="lw-printed" dangerouslySetInnerHTML={{ __html: svg }} />;
}

function isBars({ grid }: GridState): boolean {
  return grid.view === "bars";
}

export function Panels({ view, ...rest }: Paints & { view: ViewState }) {
  const { each, names } = view;
  const [first] = each;
  return (
    <>
      <div class="lw-panels" data-many={each.length > MOST_SIDE_BY_SIDE} style={widthsOf(first!.grid)}>
        {each.map((state, i) => (
          <Beside
            key={i}
            view={view}
            state={state}
            name={names[i]!}
            charted={each.length <= MOST_SIDE_BY_SIDE}
            {...rest}
          />
        ))}
      </div>
      {view.holds("color") && !isBars(first!) && (
        <div style={widthsOf(first!.grid)}>
          <Legend states={each} palette={rest.palette.value} />
        </div>
      )}
    </>
  );
}

interface BesideProps extends Paints {
  view: ViewState;
  state: GridState;
  name: string;
  charted: boolean;
}

function Beside({ view, state, name, charted, ...rest }: BesideProps) {
  const { grid } = state;
  const apart = state !== view.each[0];
  return (
    <section class="lw-panel" aria-label={name} style={widthsOf(grid)}>
      <div class="lw-panel-head">
        <p class="lw-strong">
          <bdi>{name}</bdi>
        </p>
        <p class="lw-muted" title={grid.notes.join(", ")}>
          {grid.notes.join(", ")}
        </p>
        {!view.check && !isBars(state) && <Check check={grid.check} none={unchecked(grid)} />}
        {apart && !view.holds("color") && <Color state={state} />}
        {apart && !view.holds("stride") && <Rows state={state} />}
      </div>
      <GridView state={state} legend={!view.holds("color")} accompanied {...rest} />
      {charted && grid.trajectories && <Chart state={state} />}
    </section>
  );
}

function widthsOf(grid: Grid) {
  const gutter = gutterFor(grid);
  // bars want the room of a few columns, however many positions they can show
  const { legible, widest } = usefulWidths(grid.view === "bars" ? 6 : grid.columns.length, gutter);
  return { "--lw-gutter": `${gutter}px`, "--lw-legible": `${legible}px`, "--lw-widest": `${widest}px` };
}
