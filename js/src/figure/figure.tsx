// What one view shows, top to bottom: the header, a prompt where there is a model to run it, the controls, and the
// grids in the layout that the reader chose.

import type { ReadonlySignal, Signal } from "@preact/signals";
import { Controls } from "../controls/controls.js";
import { More } from "../controls/more.js";
import { PromptBox } from "../controls/prompt-box.js";
import { Tabs } from "../controls/tabs.js";
import type { Message } from "../data/wire.js";
import { Difference } from "../difference/difference.js";
import { Export } from "../export/export-menu.js";
import type { Source } from "../export/saved-page.js";
import { Overview } from "../overview/overview.js";
import { Segments } from "../pieces/segments.js";
import type { GridState } from "../state/grid-state.js";
import { MOST_SIDE_BY_SIDE, type ViewState } from "../state/view-state.js";
import type { Palette } from "../style/palette.js";
import { Body } from "./body.js";
import { Edits } from "./edits.js";
import { Header } from "./header.js";
import { LayerDifference } from "./layer-difference.js";
import { Panels } from "./panel.js";
import { StoryLine } from "./story-line.js";
import { SweepLine } from "./sweep-line.js";

interface Props {
  view: ViewState;
  /** What is shown, as it came, and what a page of it is written with. */
  message: Message;
  source: Source | undefined;
  /** Whether the page's address holds what a reader chose. */
  hasAddress: boolean;
  palette: Signal<Palette>;
  painted: () => void;
}

/** `turn` counts the messages: what belongs to one goes with it, and what is being typed stays. */
export function Figure({ turn, isLost, ...props }: Props & { turn: number; isLost: ReadonlySignal<boolean> }) {
  const { view } = props;
  const { grid } = view.each[0]!;
  return (
    <figure aria-label={`${grid.kind}: ${grid.title}`}>
      <PromptBox settings={view.settings} isLost={isLost} turn={turn} ask={view.experiments.live?.ask} />
      <Shown key={turn} {...props} />
    </figure>
  );
}

function Shown({ view, message, source, hasAddress, palette, painted }: Props) {
  const layout = view.layout.value;
  const front = frontOf(view);
  const together = layout === "side by side";
  const summary = layout === "overview" || layout === "mean";
  const told = together
    ? view.each.slice(0, MOST_SIDE_BY_SIDE).map((one, i) => ({ name: view.names[i]!, state: one }))
    : summary
      ? []
      : [{ name: "", state: front }];
  const panel = { palette, painted };
  return (
    <>
      <Header view={view} front={front}>
        {front.grid.sweep && <SweepLine state={front} />}
        {/* of many, an overview tells the stories of all */}
        {told.length > 0 && !(together && view.each.length > told.length) && (
          <StoryLine told={told.filter(({ state }) => !state.grid.sweep)} />
        )}
      </Header>
      <Edits view={view} />
      <div class="lw-controls">
        <Tabs view={view} />
        <Controls state={front} />
        <div class="lw-layouts">
          {view.layouts.length > 1 && (
            <Segments
              label="Layout"
              options={view.layouts}
              chosen={layout}
              choose={(name) => (view.settings.view.value = name)}
            />
          )}
          <Export
            states={together ? view.each : [front]}
            all={view.each.map(({ grid }) => grid)}
            names={view.exactNames}
            settings={view.settings}
            {...{ message, source }}
          />
          <More view={view} hasAddress={hasAddress} />
        </div>
      </div>
      {together ? (
        <Panels view={view} {...panel} />
      ) : layout === "overview" ? (
        <Overview state={front} painted={painted} open={opening(view)} />
      ) : front.isInWords.value ? (
        <Difference key={front} state={front} painted={painted} />
      ) : (
        <Body key={front} state={front} legend {...panel} />
      )}
      {told.map((one) => (
        <LayerDifference key={one.state} {...one} />
      ))}
    </>
  );
}

/** The grid that the controls speak of. */
function frontOf(view: ViewState): GridState {
  const { layout, shown, each } = view;
  switch (layout.value) {
    case "one":
      return each[shown.value]!;
    case "difference":
      return view.difference(Math.max(1, shown.value)) ?? each[0]!;
    case "overview":
      return view.overview!;
    case "mean":
      return view.mean!;
    default:
      return each[0]!;
  }
}

/** A line opens into the grid that it is a row of. */
function opening({ settings }: ViewState) {
  return (row: number) => {
    settings.shown.value = row;
    settings.view.value = "one";
  };
}
