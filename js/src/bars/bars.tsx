// Bars about zero that end in their sum: the parts of a logit, or of what moved it. A table to the ear, one tab stop to
// the keys, and only the bars in view are in the page, however many there are.

import { type Signal, useComputed, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { Grid } from "../data/grid.js";
import { Check } from "../pieces/check.js";
import { keysFor } from "../pieces/keys.js";
import { Menu } from "../pieces/menu.js";
import type { Rectangle } from "../pieces/rectangle.js";
import { Ruler } from "../pieces/ruler.js";
import { Segments } from "../pieces/segments.js";
import { FEW_BARS } from "../state/grid-state.js";
import { ORDERS, type Order } from "../state/settings.js";
import { decimalsFor, fixed } from "../text/number.js";
import { type Bar, bySize, nameIn, REST, sumOf } from "./sum.js";

const BAR_HEIGHT = 23;
const MOST_BARS = 24;
const SPARE = 8;
const COUNTS = [FEW_BARS, 50, 200];

interface Props {
  /** What they are the parts of. */
  name: string;
  labels: string[];
  values: ArrayLike<number>;
  /** How far each varies where it is a mean. */
  spread?: ArrayLike<number> | undefined;
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

export function Bars({ name, labels, values, spread, unit, check, active, onSelect, onSide, beside, ...rest }: Props) {
  const { order, reorder, count, sums = true, selected = null, children } = rest;
  const scroller = useRef<HTMLElement>(null);
  const scrolled = useSignal(0);
  const width = useSignal(0);
  /** What is read aloud: only what the keys move to. */
  const speech = useSignal("");
  const sorted = useMemo(() => bySize(values), [values]);
  const sum = useMemo(
    () => sumOf(values, sorted, order, count.value, spread),
    [values, sorted, order, count.value, spread],
  );
  const { bars } = sum;
  const decimals = useMemo(() => decimalsFor(values), [values]);
  const say = (value: number) => fixed(value, decimals, true);
  const label = (place: number) => nameIn(labels, sum, place);
  const indexOf = (place: number | null) => bars.findIndex((bar) => bar.place === place);
  const seen = Math.min(bars.length, MOST_BARS);
  // a few at a time come into the page, so that most frames of scrolling change nothing in it
  const passed = useComputed(() => Math.floor(scrolled.value / BAR_HEIGHT / SPARE) * SPARE).value;
  const first = Math.max(0, Math.min(passed - SPARE, bars.length - seen));
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
  /** Does what a key asks for; false for a key that asks for nothing here. */
  const act = (key: string): boolean => {
    const now = active.value ?? selected;
    const index = indexOf(now);
    const next = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: bars.length - 1 }[key];
    if (next !== undefined) {
      const within = Math.max(0, Math.min(next, bars.length - 1));
      const { place, value } = bars[within]!;
      active.value = place;
      speech.value = `${label(place)} ${say(value)}`;
      reveal(within);
    } else if (onSide && (key === "ArrowLeft" || key === "ArrowRight")) {
      onSide(key === "ArrowLeft" ? -1 : 1);
    } else if ((key === "Enter" || key === " ") && now !== null) {
      choose(now);
    } else if (key === "Escape" && selected !== null) {
      onSelect?.(null);
    } else if (key === "Escape" && active.value !== null) {
      active.value = null;
    } else {
      return false;
    }
    return true;
  };
  const placeAt = ({ target }: Event) => {
    const place = (target as Element).closest<HTMLElement>("[data-place]")?.dataset.place;
    return place === undefined ? null : Number(place);
  };
  const leave = () => {
    active.value = null;
  };

  const open = active.value ?? selected;
  const openAt = indexOf(open);
  const longest = useMemo(() => bars.reduce((length, { place }) => Math.max(length, label(place).length), 8), [bars]);
  const isWaterfall = order === "waterfall";
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
        <section
          class="lw-bars"
          ref={scroller}
          aria-label={`${name}, ${sorted.length} parts. Arrow keys move, Enter selects, Escape lets go.`}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what its keys move in
          tabIndex={0}
          style={{ maxHeight: `${(MOST_BARS + 2) * BAR_HEIGHT}px` }}
          onScroll={() => (scrolled.value = scroller.current!.scrollTop)}
          onKeyDown={keysFor(act)}
          onBlur={leave}
          onPointerMove={(event) => (active.value = placeAt(event))}
          onPointerLeave={leave}
          onClick={(event) => {
            const place = placeAt(event);
            if (place !== null) choose(place);
          }}
        >
          <table aria-rowcount={bars.length + 1}>
            <colgroup>
              <col style={{ width: `${Math.min(190, 12 + longest * 7)}px` }} />
              <col />
              <col style={{ width: "66px" }} />
            </colgroup>
            <tbody>
              <Space bars={first} />
              {bars.slice(first, end).map((bar, i) => (
                <Line
                  key={bar.place}
                  {...{ bar, sums, active, selected, say }}
                  index={first + i}
                  domain={sum.domain}
                  label={label(bar.place)}
                  isStep={isWaterfall}
                  spread={spread?.[bar.place]}
                />
              ))}
              <Space bars={bars.length - end} />
            </tbody>
            {sums && (
              <tfoot>
                <tr aria-rowindex={bars.length + 1}>
                  <th scope="row">sum</th>
                  <td class="lw-claim">
                    {isWaterfall && <Track value={sum.total} from={0} to={sum.total} domain={sum.domain} />}
                    {sum.odd ? (
                      <span class="lw-warning">
                        {sum.odd === 1 ? "one part is" : `${sum.odd} parts are`} no finite number
                      </span>
                    ) : (
                      <Check check={check} none={unit} />
                    )}
                  </td>
                  <td>{say(sum.total)}</td>
                </tr>
              </tfoot>
            )}
          </table>
        </section>
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

function Counts({ count, parts }: { count: Signal<number>; parts: number }) {
  const counts = COUNTS.filter((number) => number + 1 < parts);
  if (!counts.length) return null;
  return (
    <Menu label="show" chosen={count.value} choose={(number) => (count.value = Number(number))}>
      {[...counts, parts].map((number) => (
        <option key={number} value={number}>
          {number < parts ? `the ${number} largest` : `all ${parts}`}
        </option>
      ))}
    </Menu>
  );
}

/** The room of bars that are out of sight. */
function Space({ bars }: { bars: number }) {
  return bars > 0 ? <tr style={{ height: `${bars * BAR_HEIGHT}px` }} /> : null;
}

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
  say: (value: number) => string;
}

function Line({ index, bar, label, active, selected, sums, say, ...track }: LineProps) {
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
function Track({ value, from, to, domain: [low, high], isRest, isStep, spread }: TrackProps) {
  const percent = (length: number) => `${(100 * length) / (high - low)}%`;
  const kind = Number.isNaN(value) ? "nan" : value < 0 ? "minus" : "plus";
  const box = Number.isFinite(value)
    ? { left: percent(Math.min(from, to) - low), width: percent(Math.abs(to - from)) }
    : { left: 0, width: "100%" };
  return (
    <div class="lw-track">
      <i class={`lw-signed lw-${kind}${isRest ? " lw-rest" : ""}`} style={box} />
      <i class="lw-zero" style={{ left: percent(-low) }} />
      {spread !== undefined && Number.isFinite(spread) && (
        <i class="lw-spread" style={{ left: percent(to - spread - low), width: percent(2 * spread) }} />
      )}
      {isStep && <i class="lw-step" style={{ left: percent(to - low) }} />}
    </div>
  );
}
