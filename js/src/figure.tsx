// What one view shows, top to bottom: the header, a prompt where there is a model to run it, the controls, and the
// grids in the layout that the reader chose.

import type { ReadonlySignal, Signal } from "@preact/signals";
import type { Palette } from "./colour.js";
import { Controls } from "./controls.js";
import type { Source } from "./export.js";
import { Export } from "./export-menu.js";
import { isLens } from "./grid.js";
import { Header } from "./header.js";
import { Hint } from "./hint.js";
import { LayerDifference } from "./layer-difference.js";
import { More } from "./more.js";
import { Panel, Panels } from "./panel.js";
import { PromptBox } from "./prompt-box.js";
import type { Reading } from "./reading.js";
import { AT_A_GLANCE, type Readings } from "./readings.js";
import { Segments } from "./segments.js";
import { StoryLine } from "./story-line.js";
import { Tabs } from "./tabs.js";
import type { Message } from "./wire.js";

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
