// The figure that a part asks about: the same as everywhere, without what chooses and what would give the answer away.

import type { ReadonlySignal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { OverChart, type OverChartProps } from "../chart/over.js";
import { type Message, piecesOf, type Shown } from "../data/wire.js";
import { createView } from "../figure/view.js";
import { OverMap, type OverMapProps } from "../heatmap/over.js";
import type { Shared } from "../state/settings.js";
import type { ViewState } from "../state/view-state.js";

interface Props {
  message: Message;
  settings: Shared;
  /** What is shown of the grids. */
  seen: ReadonlySignal<(shown: Shown) => Shown>;
  map?: ComponentType<OverMapProps>;
  chart?: ComponentType<OverChartProps>;
  /** Told each view that is made; returns what ends its watch. */
  watch?: (view: ViewState) => () => void;
}

/** All but the message stays as it was at first. */
export function FigureOf({ message, ...props }: Props) {
  const el = useRef<HTMLDivElement>(null);
  const { settings, seen, map = null, chart = null, watch } = useRef(props).current;
  useLayoutEffect(() => {
    const ending = new AbortController();
    let unwatch: (() => void) | undefined;
    const view = createView(el.current!, settings, ending.signal, {
      seen: (shown) => seen.peek()(shown),
      around: (figure, made) => {
        unwatch?.();
        unwatch = watch?.(made);
        return (
          <OverMap.Provider value={map}>
            <OverChart.Provider value={chart}>{figure}</OverChart.Provider>
          </OverMap.Provider>
        );
      },
    });
    const pieces = piecesOf(message);
    const end = seen.subscribe(() => void view.show(pieces));
    return () => {
      end();
      unwatch?.();
      ending.abort();
    };
  }, [message]);
  return <div class="lw-figure-of" ref={el} />;
}
