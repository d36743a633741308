// The card of a cell of a sweep: how far it goes from base to source, and what the model would say, beside what it says.

import { type Cell, candidatesAt, isThere } from "../data/grid.js";
import { isMuted, nameOf } from "../data/names.js";
import { answerOf, isQuiet, metricAt, saidOf } from "../data/sweep.js";
import type { GridState } from "../state/grid-state.js";
import { decimalsFor, fixed, percent } from "../text/number.js";
import { experiment, metricShort, outcome } from "../text/sweep.js";
import { Pieces } from "./token.js";

interface Props {
  state: GridState;
  cell: Cell;
  isSmall?: boolean;
}

export function PatchedTitle({ state: { grid }, cell }: Props) {
  return (
    <p class="lw-strong">
      <Pieces pieces={experiment(grid, cell)} />
    </p>
  );
}

export function PatchedBody({ state, cell, isSmall = false }: Props) {
  const { grid } = state;
  const isRun = isThere(grid, cell) && !isQuiet(grid, cell.column);
  return (
    <>
      <p class="lw-muted">{outcome(grid, cell)}</p>
      {isRun && !isSmall && Number.isFinite(metricAt(grid, cell)) && <Way {...{ state, cell }} />}
      {isRun && grid.candidates && <Answers {...{ state, cell, isSmall }} />}
    </>
  );
}

/** A line from the base to the source, and on it the cell; beyond an end where it goes beyond. */
function Way({ state: { grid }, cell }: Props) {
  const { base, target } = grid.sweep!;
  const value = metricAt(grid, cell);
  const to = target ?? value;
  const decimals = decimalsFor([base, value, to]);
  const signed = (number: number) => fixed(number, decimals, true);
  const ends = [Math.min(base, to, value), Math.max(base, to, value)] as const;
  // the source on the right, whichever is the larger
  const share = (x: number) => {
    const at = (x - ends[0]) / (ends[1] - ends[0] || 1);
    return 100 * (to < base ? 1 - at : at);
  };
  const [from, here] = [share(base), share(value)];
  return (
    <div class="lw-way">
      <p class="lw-way-value" style={{ paddingLeft: `clamp(0px, calc(${here}% - 22px), calc(100% - 48px))` }}>
        {signed(value)}
      </p>
      <div class="lw-way-line" aria-hidden="true">
        <span
          class={target === null ? "" : here < from ? "lw-way-back" : "lw-way-on"}
          style={{ left: `${Math.min(from, here)}%`, width: `${Math.abs(here - from)}%` }}
        />
        <i class="lw-way-base" style={{ left: `${from}%` }} />
        {target !== null && <i class="lw-way-source" style={{ left: `${share(target)}%` }} />}
        <i class="lw-way-here" style={{ left: `${here}%` }} />
      </div>
      <p class="lw-way-ends">
        <span class="lw-base">base {signed(base)}</span>
        <span class="lw-muted lw-way-name">{metricShort(grid)}</span>
        {target !== null && <span class="lw-source">source {signed(target)}</span>}
      </p>
    </div>
  );
}

function Answers({ state: { grid }, cell, isSmall }: Props) {
  const count = isSmall ? 2 : 5;
  const sweep = grid.sweep!;
  const [base, source] = [answerOf(sweep, "base").token, answerOf(sweep, "source").token];
  const found = candidatesAt(grid, cell).slice(0, count);
  if (base >= 0 && !found.some(({ token }) => token === base)) {
    const all = candidatesAt(grid, cell).find(({ token }) => token === base);
    if (all) found.push(all);
  }
  return (
    <table class="lw-would">
      <thead>
        <tr>
          <th scope="col" colSpan={2}>
            {isSmall ? "would say" : "the model would say"}
          </th>
          <th scope="col">base says</th>
        </tr>
      </thead>
      <tbody>
        {found.map(({ token, probability }, i) => {
          const before = saidOf(sweep, "base", token);
          const side = token === base ? "lw-base" : token === source && sweep.source ? "lw-source" : "";
          return (
            <tr key={i}>
              <th scope="row" class={`${side}${isMuted(grid, token) ? " lw-odd" : ""}`}>
                <bdi class="lw-token">{nameOf(grid, token) || "(empty)"}</bdi>
              </th>
              <td>
                <span class={`lw-bar ${side}`} style={{ width: `${100 * (probability || 0)}%` }} />
                {before >= 0 && <span class="lw-before" style={{ left: `${100 * before}%` }} />}
                <span class="lw-value">{percent(probability)}</span>
              </td>
              <td class="lw-muted">{Number.isNaN(before) ? "–" : percent(before)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
