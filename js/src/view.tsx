// One view: the header, the controls, the heatmap and the chart of a grid, or the sentence that says why there is none.

import { type Signal, signal } from "@preact/signals";
import { render } from "preact";
import { useMemo } from "preact/hooks";
import { Chart } from "./chart.js";
import { type Palette, paletteOf } from "./colour.js";
import { Controls } from "./controls.js";
import type { Source } from "./export.js";
import { Export } from "./export-menu.js";
import { Header } from "./header.js";
import { HeatmapView } from "./heatmap-view.js";
import { gutterFor, usefulWidths } from "./layout.js";
import { Legend } from "./legend.js";
import { pictureOf } from "./picture.js";
import { Reading, type Shared } from "./reading.js";
import { followTheme } from "./theme.js";
import { decode, type Message } from "./wire.js";

export interface View {
  /** Shows the grid of a message; the one before stays until it is decoded. */
  show(message: Message): Promise<void>;
}

/** Puts a view into `el`, until the signal is aborted. */
export function createView(el: HTMLElement, settings: Shared, aborted: AbortSignal, source?: Source): View {
  const root = document.createElement("div");
  root.className = "lenswidget";
  root.dataset.state = "loading";
  el.append(root);
  const palette = signal<Palette | null>(null);
  const arrived = arrival(root, aborted).then(() =>
    followTheme(root, aborted, () => {
      palette.value = paletteOf(root);
    }),
  );
  aborted.addEventListener("abort", () => {
    render(null, root);
    root.remove();
  });

  let frame = 0;
  const ready = () => {
    if (root.dataset.state === "ready") return;
    frame = requestAnimationFrame(() => {
      root.dataset.state = "ready";
    });
  };
  const fail = (sentence: string) => {
    render(
      <p role="alert" class="lw-warning">
        {sentence}
      </p>,
      root,
    );
    cancelAnimationFrame(frame);
    root.dataset.state = "error";
  };
  let latest = 0;
  return {
    async show(message) {
      const turn = ++latest;
      try {
        const [[grid]] = await Promise.all([decode(message), arrived]);
        if (turn !== latest || aborted.aborted) return;
        if (!grid?.rows.length || !grid.columns.length) return fail("There is nothing to show: the grid is empty.");
        const reading = new Reading(grid, settings);
        const look = palette as Signal<Palette>;
        render(<Reader key={turn} {...{ reading, message, source }} palette={look} painted={ready} />, root);
      } catch (reason) {
        if (turn === latest) fail((reason as Error).message);
      }
    },
  };
}

/** Waits for an element to stand in the page: a host may hand over one that doesn't yet, where CSS has no values. */
function arrival(root: HTMLElement, aborted: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const observer = new ResizeObserver(() => {
      if (!root.isConnected) return;
      observer.disconnect();
      resolve();
    });
    observer.observe(root); // calls back at once, and again when the element gets a size
    aborted.addEventListener("abort", () => observer.disconnect());
  });
}

interface Props {
  reading: Reading;
  message: Message;
  source: Source | undefined;
  palette: Signal<Palette>;
  painted: () => void;
}

function Reader({ reading, message, source, palette, painted }: Props) {
  const { grid } = reading;
  const picture = useMemo(() => pictureOf(reading), [reading]);
  const gutter = gutterFor(grid.rows);
  const { legible, widest } = usefulWidths(grid.columns.length, gutter);
  const widths = { "--lw-gutter": `${gutter}px`, "--lw-legible": `${legible}px`, "--lw-widest": `${widest}px` };
  return (
    <figure aria-label={`${grid.kind}: ${grid.title}`}>
      <Header grid={grid} />
      <Controls reading={reading}>
        <Export {...{ reading, message, source, palette, picture }} />
      </Controls>
      <div class="lw-body" style={widths}>
        <div class="lw-main">
          <HeatmapView reading={reading} picture={picture} palette={palette} painted={painted} />
          <Legend reading={reading} picture={picture.value} palette={palette.value} />
        </div>
        {grid.trajectories && <Chart reading={reading} />}
      </div>
    </figure>
  );
}
