// Bars about zero that end in their sum: the parts of a logit, or of what moved it. A table to the ear, one tab stop to
// the keys, and only the bars in view are in the page, however many there are.

import { type Signal, useComputed, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { clamp, type Grid } from "../data/grid.js";
import { keysFor } from "../pieces/keys.js";
import { named } from "../pieces/named.js";
import type { Rectangle } from "../pieces/rectangle.js";
import { Ruler } from "../pieces/ruler.js";
import { Segments } from "../pieces/segments.js";
import { ORDERS, type Order } from "../state/settings.js";
import { decimalsFor, fixed } from "../text/number.js";
import { act } from "./bar-keys.js";
import type { Lead } from "./bar-line.js";
import { BarsTable } from "./bars-table.js";
import { Counts } from "./parts-menu.js";
import { BAR_HEIGHT, bySize, nameIn, REST, sumOf } from "./sum.js";

const MOST_BARS = 24;
const SPARE = 8;

interface Props {
  /** What they are the parts of. */
  name: string;
  labels: string[];
  values: ArrayLike<number>;
  /** How far each varies where it is a mean. */
  spread?: ArrayLike<number> | undefined;
  /** What each was before an edit. */
  before?: ArrayLike<number> | undefined;
  lead?: Lead;
  unit: string;
  order: Order;
  reorder: (order: Order) => void;
  /** How many are shown. */
  count: Signal<number>;
  /** Whether they add up to something; else they only stand side by side. */
  sums?: boolean;
  check: Grid["check"];
  /** The part under the pointer or the arrow keys, or REST. */
  active: Signal<number | null>;
  selected?: number | null;
  onSelect?: (place: number | null) => void;
  /** What the arrow keys to the left and right do. */
  onSide?: ((step: number) => void) | undefined;
  /** What stands beside the active bar, or else the selected one. */
  beside?: (place: number, at: Rectangle | null) => ComponentChildren;
  /** More controls. */
  children?: ComponentChildren;
}

export function Bars({
  name,
  labels,
  values,
  spread,
  before,
  unit,
  check,
  active,
  onSelect,
  onSide,
  beside,
  ...rest
}: Props) {
  const { order, reorder, count, sums = true, selected = null, lead, children } = rest;
  const scroller = useRef<HTMLDivElement>(null);
  const scrolled = useSignal(0);
  const width = useSignal(0);
  /** What is read aloud: only what the keys move to. */
  const speech = useSignal("");
  const sorted = useMemo(() => bySize(values, before), [values, before]);
  const sum = useMemo(
    () => sumOf(values, sorted, order, count.value, spread, before),
    [values, sorted, order, count.value, spread, before],
  );
  const { bars } = sum;
  const decimals = useMemo(() => decimalsFor(values), [values]);
  const say = (value: number) => fixed(value, decimals, true);
  const label = (place: number) => nameIn(labels, sum, place);
  const indexOf = (place: number | null) => bars.findIndex((bar) => bar.place === place);
  const seen = Math.min(bars.length, MOST_BARS);
  // a few at a time come into the page, so that most frames of scrolling change nothing in it
  const passed = useComputed(() => Math.floor(scrolled.value / BAR_HEIGHT / SPARE) * SPARE).value;
  const first = clamp(passed - SPARE, 0, bars.length - seen);
  const end = Math.min(bars.length, first + seen + 3 * SPARE);

  const reveal = (index: number) => {
    const element = scroller.current!;
    if (index * BAR_HEIGHT < element.scrollTop) element.scrollTop = index * BAR_HEIGHT;
    else if ((index + 1) * BAR_HEIGHT > element.scrollTop + seen * BAR_HEIGHT)
      element.scrollTop = (index + 1 - seen) * BAR_HEIGHT;
    scrolled.value = element.scrollTop;
  };
  // what Python selects, or the reader in another order, may lie out of sight
  useLayoutEffect(() => {
    const index = indexOf(selected);
    if (index >= 0) reveal(index);
    else if (selected !== null) count.value = sorted.length;
  }, [selected, bars]);

  const choose = (place: number) => {
    if (place === REST) count.value = sorted.length;
    else onSelect?.(place === selected ? null : place);
  };
  const go = (index: number) => {
    const { place, value } = bars[index]!;
    active.value = place;
    speech.value = `${label(place)} ${say(value)}`;
    reveal(index);
  };
  const keys = keysFor((key) => act(key, { bars, active, selected, go, choose, onSelect, onSide }));
  const placeAt = ({ target }: Event) => {
    const place = (target as Element).closest<HTMLElement>("button, [data-place]")?.dataset.place;
    return place === undefined ? null : Number(place);
  };
  const leave = () => {
    active.value = null;
  };

  const open = active.value ?? selected;
  const openAt = indexOf(open);
  return (
    <div>
      <div class="lw-controls">
        <Segments
          label="Order of the bars"
          options={sums ? ORDERS : ORDERS.slice(0, 2)}
          chosen={order}
          choose={reorder}
        />
        <Counts count={count} parts={sorted.length} />
        {children}
      </div>
      <div class="lw-bars-frame">
        <Ruler width={width} />
        {/* biome-ignore lint/a11y/noStaticElementInteractions: it has a role, by `named` */}
        <div
          class="lw-bars"
          ref={scroller}
          {...named(`${name}, ${sorted.length} parts. Arrow keys move, Enter selects, Escape lets go.`)}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what its keys move in
          tabIndex={0}
          style={{ maxHeight: `${(MOST_BARS + 2) * BAR_HEIGHT}px` }}
          onScroll={() => (scrolled.value = scroller.current!.scrollTop)}
          onKeyDown={(event) => event.target === scroller.current && keys(event)}
          onBlur={leave}
          onPointerMove={(event) => (active.value = placeAt(event))}
          onPointerLeave={leave}
          onClick={(event) => {
            const place = placeAt(event);
            if (place !== null) choose(place);
          }}
        >
          <BarsTable
            {...{ sum, first, end, label, say, sums, active, selected, spread, check, unit, lead }}
            isWaterfall={order === "waterfall"}
          />
        </div>
        <p class="lw-spoken" aria-live="polite">
          {speech}
        </p>
        {open !== null && open !== REST && (
          <Beside {...{ beside, scrolled, width, seen }} place={open} index={openAt} />
        )}
      </div>
    </div>
  );
}

interface BesideProps {
  beside: Props["beside"];
  place: number;
  index: number;
  /** How many bars show at once. */
  seen: number;
  scrolled: Signal<number>;
  width: Signal<number>;
}

/** What stands beside the open bar, and follows it where it is scrolled to. */
function Beside({ beside, place, index, seen, scrolled, width }: BesideProps) {
  const y = index * BAR_HEIGHT - scrolled.value;
  const inView = index >= 0 && y > -BAR_HEIGHT && y < seen * BAR_HEIGHT;
  return <>{beside?.(place, inView ? { x: 0, y, width: width.value, height: BAR_HEIGHT } : null)}</>;
}
