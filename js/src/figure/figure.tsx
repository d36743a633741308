// What one view shows, top to bottom: the header, a prompt where there is a model to run it, the controls, and the
// grids in the layout that the reader chose.

import type { ReadonlySignal, Signal } from "@preact/signals";
import { Controls } from "../controls/controls.js";
import { Hint } from "../controls/hint.js";
import { More } from "../controls/more.js";
import { PromptBox } from "../controls/prompt-box.js";
import { Tabs } from "../controls/tabs.js";
import { isLens } from "../data/grid.js";
import type { Message } from "../data/wire.js";
import { Export } from "../export/export-menu.js";
import type { Source } from "../export/saved-page.js";
import { Segments } from "../pieces/segments.js";
import type { Reading } from "../state/grid-state.js";
import { AT_A_GLANCE, type Readings } from "../state/view-state.js";
import type { Palette } from "../style/palette.js";
import { Header } from "./header.js";
import { LayerDifference } from "./layer-difference.js";
import { Panel, Panels } from "./panel.js";
import { StoryLine } from "./story-line.js";

interface Props {
  readings: Readings;
  /** What is shown, as it came, and what a page of it is written with. */
  message: Message;
  source: Source | undefined;
  palette: Signal<Palette>;
  painted: () => void;
}

/** `turn` counts the messages: what belongs to one goes with it, and what is being typed stays. */
export function Figure({ turn, isLost, ...props }: Props & { turn: number; isLost: ReadonlySignal<boolean> }) {
  const { readings } = props;
  const { grid } = readings.each[0]!;
  return (
    <figure aria-label={`${grid.kind}: ${grid.title}`}>
      <PromptBox settings={readings.settings} isLost={isLost} turn={turn} />
      <Shown key={turn} {...props} />
    </figure>
  );
}

function Shown({ readings, message, source, palette, painted }: Props) {
  const layout = readings.layout.value;
  const reading = frontOf(readings);
  const together = layout === "side by side";
  const summary = layout === "strips" || layout === "mean";
  const told = together
    ? readings.each.slice(0, AT_A_GLANCE).map((one, i) => ({ name: readings.names[i]!, reading: one }))
    : summary
      ? []
      : [{ name: "", reading }];
  const panel = { palette, painted };
  return (
    <>
      <Header readings={readings} front={reading} />
      <div class="lw-controls">
        <Tabs readings={readings} />
        <Controls reading={reading} />
        <div class="lw-layouts">
          {readings.layouts.length > 1 && (
            <Segments
              label="Layout"
              options={readings.layouts}
              chosen={layout}
              choose={(name) => (readings.settings.view.value = name)}
            />
          )}
          <Export
            readings={together ? readings.each : [reading]}
            settings={readings.settings}
            {...{ message, source, palette }}
          />
          <More readings={readings} />
        </div>
      </div>
      {isLens(reading.grid) && reading.grid.view !== "bars" && <Hint settings={readings.settings} />}
      {together ? (
        <Panels readings={readings} {...panel} />
      ) : (
        <Panel key={reading} reading={reading} {...panel} {...(layout === "strips" && { open: opening(readings) })} />
      )}
      {told.length > 0 && <StoryLine settings={readings.settings} told={told} />}
      {told.map((one) => (
        <LayerDifference key={one.reading} {...one} />
      ))}
    </>
  );
}

/** The reading that the controls speak of. */
function frontOf(readings: Readings): Reading {
  const { layout, shown, each } = readings;
  switch (layout.value) {
    case "one":
      return each[shown.value]!;
    case "difference":
      return readings.difference(Math.max(1, shown.value)) ?? each[0]!;
    case "strips":
      return readings.overview!;
    case "mean":
      return readings.mean!;
    default:
      return each[0]!;
  }
}

/** A strip opens into the grid that it is a row of. */
function opening({ settings }: Readings) {
  return ({ row }: { row: number }) => {
    settings.shown.value = row;
    settings.view.value = "one";
  };
}
