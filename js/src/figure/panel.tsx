// A grid in its place: the heatmap, its legend and its chart; or several of them beside each other.

import { BarsView } from "../bars/bars-view.js";
import { Chart } from "../chart/chart.js";
import { Color, Rows } from "../controls/controls.js";
import type { Cell, Grid } from "../data/grid.js";
import { pictureOf } from "../heatmap/cells.js";
import { HeatmapView, type Paints } from "../heatmap/heatmap-view.js";
import { gutterFor, usefulWidths } from "../heatmap/layout.js";
import { Legend } from "../heatmap/legend.js";
import { Check, unchecked } from "../pieces/check.js";
import type { Reading } from "../state/grid-state.js";
import { AT_A_GLANCE, type Readings } from "../state/view-state.js";
import { Promotes } from "./promotes.js";

export function Panel({ reading, ...rest }: Paints & { reading: Reading; open?: (cell: Cell) => void }) {
  return (
    <div class="lw-body" style={widthsOf(reading.grid)}>
      <div class="lw-main">
        <Cells reading={reading} legend {...rest} />
      </div>
      {reading.grid.trajectories && <Chart reading={reading} />}
    </div>
  );
}

interface CellsProps extends Paints {
  reading: Reading;
  legend: boolean;
  accompanied?: boolean;
  open?: (cell: Cell) => void;
}

/** The heatmap with its legend, or the bars; and what the selected part promotes. */
function Cells({ reading, legend, ...rest }: CellsProps) {
  const { palette, painted } = rest;
  const picture = pictureOf(reading);
  return (
    <>
      {isBars(reading) ? (
        <BarsView reading={reading} painted={painted} />
      ) : (
        <HeatmapView reading={reading} picture={picture} {...rest} />
      )}
      {legend && !isBars(reading) && <Legend readings={[reading]} palette={palette.value} />}
      <Promotes {...{ reading, palette, painted }} />
    </>
  );
}

function isBars({ grid }: Reading): boolean {
  return grid.view === "bars";
}

export function Panels({ readings, ...rest }: Paints & { readings: Readings }) {
  const { each, names } = readings;
  const [first] = each;
  return (
    <>
      <div class="lw-panels" data-many={each.length > AT_A_GLANCE} style={widthsOf(first!.grid)}>
        {each.map((reading, i) => (
          <Beside
            key={i}
            readings={readings}
            reading={reading}
            name={names[i]!}
            charted={each.length <= AT_A_GLANCE}
            {...rest}
          />
        ))}
      </div>
      {readings.holds("color") && !isBars(first!) && (
        <div style={widthsOf(first!.grid)}>
          <Legend readings={each} palette={rest.palette.value} />
        </div>
      )}
    </>
  );
}

interface BesideProps extends Paints {
  readings: Readings;
  reading: Reading;
  name: string;
  charted: boolean;
}

function Beside({ readings, reading, name, charted, ...rest }: BesideProps) {
  const { grid } = reading;
  const apart = reading !== readings.each[0];
  return (
    <section class="lw-panel" aria-label={name} style={widthsOf(grid)}>
      <div class="lw-panel-head">
        <p class="lw-strong">
          <bdi>{name}</bdi>
        </p>
        <p class="lw-muted" title={grid.notes.join(", ")}>
          {grid.notes.join(", ")}
        </p>
        {!readings.check && !isBars(reading) && <Check check={grid.check} none={unchecked(grid)} />}
        {apart && !readings.holds("color") && <Color reading={reading} />}
        {apart && !readings.holds("stride") && <Rows reading={reading} />}
      </div>
      <Cells reading={reading} legend={!readings.holds("color")} accompanied {...rest} />
      {charted && grid.trajectories && <Chart reading={reading} />}
    </section>
  );
}

function widthsOf(grid: Grid) {
  const gutter = gutterFor(grid);
  // bars want the room of a few columns, however many positions they can show
  const { legible, widest } = usefulWidths(grid.view === "bars" ? 6 : grid.columns.length, gutter);
  return { "--lw-gutter": `${gutter}px`, "--lw-legible": `${legible}px`, "--lw-widest": `${widest}px` };
}
