// One bar as a line of the table: its name, its bar about zero, its number.

import { type Signal, useComputed } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { BAR_HEIGHT, type Bar, REST } from "./sum.js";

/** The room of bars that are out of sight. */
export function Space({ bars }: { bars: number }) {
  return bars > 0 ? <tr style={{ height: `${bars * BAR_HEIGHT}px` }} /> : null;
}

/** What stands before the name of a part. */
export type Lead = ((label: string) => ComponentChildren) | undefined;

interface LineProps {
  index: number;
  bar: Bar;
  domain: [number, number];
  label: string;
  active: Signal<number | null>;
  selected: number | null;
  /** Whether a line leads from this bar to the next. */
  isStep: boolean;
  spread: number | undefined;
  sums: boolean;
  lead: Lead;
  say: (value: number) => string;
}

export function Line({ index, bar, label, active, selected, sums, lead, say, ...track }: LineProps) {
  const isActive = useComputed(() => active.value === bar.place).value;
  const isRest = bar.place === REST;
  const hasValue = sums || !isRest;
  return (
    <tr
      aria-rowindex={index + 1}
      aria-current={bar.place === selected}
      data-place={bar.place}
      class={isActive ? "lw-active" : ""}
      title={isRest ? "Click to show them all" : label}
    >
      <th scope="row">
        {lead?.(label)}
        <bdi>{label}</bdi>
      </th>
      <td>{hasValue && <Track {...bar} {...track} isRest={isRest} />}</td>
      <td>{hasValue && say(bar.value)}</td>
    </tr>
  );
}

interface TrackProps extends Omit<Bar, "place"> {
  domain: [number, number];
  isRest?: boolean;
  isStep?: boolean;
  spread?: number | undefined;
}

/** A bar between two places; all of the width where the value is no finite number. */
export function Track({ value, from, to, was, domain: [low, high], isRest, isStep, spread }: TrackProps) {
  const percent = (length: number) => `${(100 * length) / (high - low)}%`;
  const kind = Number.isNaN(value) ? "nan" : value < 0 ? "minus" : "plus";
  const box = Number.isFinite(value)
    ? { left: percent(Math.min(from, to) - low), width: percent(Math.abs(to - from)) }
    : { left: 0, width: "100%" };
  return (
    <div class="lw-track">
      {was !== undefined && (
        <i class="lw-was" style={{ left: percent(from + Math.min(0, was) - low), width: percent(Math.abs(was)) }} />
      )}
      <i class={`lw-signed lw-${kind}${isRest ? " lw-rest" : ""}`} style={box} />
      <i class="lw-zero" style={{ left: percent(-low) }} />
      {spread !== undefined && Number.isFinite(spread) && (
        <i class="lw-spread" style={{ left: percent(to - spread - low), width: percent(2 * spread) }} />
      )}
      {isStep && <i class="lw-step" style={{ left: percent(to - low) }} />}
    </div>
  );
}
