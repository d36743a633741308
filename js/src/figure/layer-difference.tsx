// Layer against layer: which tokens rose, fell, entered and left between two rows, at every position.

import { useComputed } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { type Change, changes, type Moved } from "../data/changes.js";
import type { Grid } from "../data/grid.js";
import { columnName, nameOf } from "../data/names.js";
import { Close } from "../pieces/close.js";
import { named } from "../pieces/named.js";
import { useRested } from "../pieces/rested.js";
import { Dot } from "../pieces/token.js";
import type { GridState } from "../state/grid-state.js";

const KINDS = ["entered", "rose", "fell", "left"] as const;

export function LayerDifference({ state, name }: { state: GridState; name: string }) {
  const { grid, settings, column } = state;
  const open = useRested(state.open);
  const rows = useComputed(() => {
    const [a, b] = settings.rows_compared.value;
    const isThere = (row: number | undefined) => row !== undefined && grid.rows[row] !== undefined;
    return isThere(a) && isThere(b) && grid.candidates ? [Math.min(a!, b!), Math.max(a!, b!)] : null;
  });
  const found = useComputed(() => (rows.value ? changes(grid, rows.value[0]!, rows.value[1]!) : []));
  const list = useRef<HTMLDivElement>(null);
  const looked = open.value?.column ?? column.value;
  // the position that is looked at, within the list and without moving the page
  useEffect(() => {
    const line = list.current?.querySelector<HTMLElement>("[aria-current]");
    if (line) list.current!.scrollTop = line.offsetTop - list.current!.clientHeight / 2;
  }, [looked, rows.value]);
  if (!rows.value) return null;
  const [before, after] = rows.value as [number, number];
  const { count } = grid.candidates!;
  return (
    <div class="lw-changes" {...named(`Layer against layer ${name}`)}>
      <p class="lw-panel-head">
        <span class="lw-strong">
          {name && `${name}: `}from {grid.rows[before]} to {grid.rows[after]}
        </span>
        <span class="lw-muted">places among the {count} likeliest tokens</span>
        <Close label="Close" act={() => (settings.rows_compared.value = [])} />
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys */}
      <div class="lw-list" ref={list} tabIndex={0} {...named(`Positions ${name}`)}>
        <table>
          <thead>
            <tr>
              <th scope="col">after</th>
              {KINDS.map((kind) => (
                <th key={kind} scope="col">
                  {kind}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {found.value.map((change) => (
              <Line key={change.column} state={state} change={change} isLooked={change.column === looked} />
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function Line({ state, change, isLooked }: { state: GridState; change: Change; isLooked: boolean }) {
  const { grid } = state;
  return (
    <tr {...(isLooked ? { "aria-current": "true" } : {})}>
      <th scope="row">
        <span class="lw-muted">{grid.positions[change.column]}</span>{" "}
        <bdi class="lw-token">{columnName(grid, change.column)}</bdi>
      </th>
      {KINDS.map((kind) => (
        <td key={kind}>
          {change[kind].map((one) => (
            <MovedToken key={one.token} grid={grid} moved={one} pinColor={state.pinColorOf.value[one.token]!} />
          ))}
        </td>
      ))}
    </tr>
  );
}

function MovedToken({
  grid,
  moved: { token, before, after },
  pinColor,
}: {
  grid: Grid;
  moved: Moved;
  pinColor: number;
}) {
  const places = before && after ? `${before}→${after}` : after ? `→${after}` : `${before}→`;
  return (
    <span class="lw-moved">
      {pinColor >= 0 && <Dot pinColor={pinColor} />}
      <bdi class="lw-token">{nameOf(grid, token)}</bdi> <span class="lw-muted">{places}</span>
    </span>
  );
}
