// A column quantity as dots, a line of them for each group: which columns are beyond the line from which on it is much.

import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { BelowQuantity, Cell } from "../data/grid.js";
import { columnName } from "../data/names.js";
import { cut } from "../pieces/font.js";
import { ARROWS, keysFor } from "../pieces/keys.js";
import { pointIn } from "../pieces/pixels.js";
import { Ruler } from "../pieces/ruler.js";
import type { GridState } from "../state/grid-state.js";
import { titled } from "../text/words.js";
import { Drawn } from "./drawn.js";
import { type Dot, linesOfValues, nearest, next } from "./lines.js";
import { placeOfDots } from "./place.js";

interface Props {
  state: GridState;
  quantity: BelowQuantity;
  /** Brings a column into sight where its cells are. */
  bring: (column: number) => void;
}

/** How wide a card is, and how many letters of a column's name it has. */
const [CARD, MOST] = [250, 160];

export function Dots({ state, quantity, bring }: Props) {
  const { grid, hover, selected, settings } = state;
  const width = useSignal(0);
  const isHere = useSignal(false);
  const lines = useMemo(() => linesOfValues(grid, quantity), [quantity]);
  const [place, drawn, dots] = useMemo(() => {
    const place = placeOfDots(lines, quantity.line!, width.value);
    const dots = lines.flatMap(({ values }, line) =>
      values.map(({ value, column, across }) => ({ x: place.x(value), y: place.y(line, across), value, column, line })),
    );
    const ofColumns = dots.filter((dot): dot is Dot => dot.column !== undefined);
    return [place, <Drawn {...{ lines, place, quantity }} />, ofColumns];
  }, [lines, width.value]);
  const dotAt = (cell: Cell | null) => dots.find(({ column }) => column === cell?.column);
  const [here, held] = [dotAt(hover.value), dotAt(selected.value)];
  const now = here ?? held;
  const row = grid.rows.length - 1;
  const point = (dot: Dot | undefined) => {
    isHere.value = dot !== undefined;
    hover.value = dot ? { row, column: dot.column } : null;
    if (dot) bring(dot.column);
  };
  const under = (event: MouseEvent) => {
    const { x, y } = pointIn(event.currentTarget as HTMLElement, event);
    return nearest(dots, x, y);
  };
  const toggle = ({ column }: Dot) => state.toggleSelected({ row, column });
  const act = (key: string): boolean => {
    const [up, right] = ARROWS[key] ?? [];
    if (up !== undefined) point(next(dots, now, up, right!));
    else if (!now) return false;
    else if (key === "Enter" || key === " ") toggle(now);
    else if (key !== "Escape") return false;
    else if (held) settings.selected.value = null;
    else point(undefined);
    return true;
  };
  const said = ({ column }: Dot) => [cut(columnName(grid, column), MOST), ...grid.below!.says[column]!];
  const name = titled(quantity);
  const summary = lines.map((line) => {
    const beyond = line.values.filter(({ value }) => value >= quantity.line!).length;
    return `${line.name}: ${beyond} of ${line.values.length} beyond the line${line.says && `, ${line.says}`}`;
  });
  return (
    <div class="lw-plot lw-scores">
      <Ruler width={width} />
      {width.value > 0 && (
        <>
          <svg width={width.value} height={place.height} role="img" aria-label={[name, ...summary].join("; ")}>
            {drawn}
            {[held, here].map((dot, i) => dot && <circle class="lw-mark" cx={dot.x} cy={dot.y} r={i ? 6 : 8} />)}
          </svg>
          <div
            class="lw-steps"
            role="slider"
            aria-label={`${name}. Arrow keys move, Enter selects, Escape lets go.`}
            aria-valuemin={place.low}
            aria-valuemax={place.high}
            aria-valuenow={now?.value ?? place.low}
            aria-valuetext={now ? said(now).join(", ") : "no dot yet"}
            tabIndex={0}
            onPointerMove={(event) => point(under(event))}
            onPointerLeave={() => point(undefined)}
            onBlur={() => point(undefined)}
            onClick={(event) => {
              const dot = under(event);
              if (dot) toggle(dot);
            }}
            onKeyDown={keysFor(act)}
          />
          {here && isHere.value && (
            <section
              class="lw-card lw-floating"
              aria-hidden="true"
              style={{
                transform: `translate(${Math.min(here.x + 8, width.value - CARD)}px, ${here.y + 8}px)`,
              }}
            >
              {said(here).map((words, i) => (
                <p key={i} class={i ? "lw-muted" : "lw-strong"}>
                  {words}
                </p>
              ))}
            </section>
          )}
        </>
      )}
    </div>
  );
}
