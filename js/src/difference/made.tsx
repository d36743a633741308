// What made the step on either side, in pairs: the parts that moved what each side says, where both grids carry them.

import { nameOf } from "../data/names.js";
import type { GridState } from "../state/grid-state.js";
import { signed } from "../text/number.js";
import { saidBy, through } from "./through.js";

const SHOWN = 5;
const total = (values: Iterable<number>) => [...values].reduce((sum, one) => sum + one, 0);

export function Made({ state, column }: { state: GridState; column: number }) {
  const { grid, sides, selected } = state;
  const said = sides.map((_, side) => saidBy(state, side, column));
  const ids = said.map((token) => grid.tokens.ids[token]!);
  const partsAt = (row: number) => sides.map(({ state: one }, side) => partsOf(one, ids[side]!, row, column));
  const steps = sides.map((_, side) => through(state, side, [ids[side]!], column));
  const slots = [...grid.rows.keys()].filter((row) => partsAt(row).every(({ size }) => size));
  if (!slots.length) return null;
  const step = (row: number) => total(steps.map((of) => of[row]! - of[row - 1]! || 0));
  const chosen = selected.value?.row ?? -1;
  const row = slots.includes(chosen) ? chosen : slots.reduce((best, one) => (step(one) > step(best) ? one : best));
  const pair = partsAt(row);
  const valuesOf = (names: string[]) => pair.map((of) => total(names.map((name) => of.get(name) ?? 0)));
  const size = (name: string) => Math.max(...valuesOf([name]).map(Math.abs));
  const names = [...new Set(pair.flatMap((of) => [...of.keys()]))].sort((a, b) => size(b) - size(a));
  const others = names.splice(SHOWN);
  const lines = names.map((name) => ({ name, values: valuesOf([name]) }));
  if (others.length) lines.push({ name: `${others.length} others`, values: valuesOf(others) });
  const reach = Math.max(...lines.flatMap(({ values }) => values.map(Math.abs))) || 1;
  const numbers = (values: number[]) =>
    values.map((value, side) => (
      <td key={side} class={`lw-number lw-side-${side}`}>
        {signed(value)}
      </td>
    ));
  return (
    <section class="lw-made" aria-label="What made it">
      <p class="lw-strong">What made it, at {grid.rows[row]}</p>
      <p class="lw-muted">
        logits to {sides.map(({ name }, side) => `${nameOf(grid, said[side]!)} in ${name}`).join(", and to ")}
      </p>
      <table>
        <tbody>
          {lines.map(({ name, values }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td class="lw-pair">
                {values.map((value, side) => (
                  <span
                    key={side}
                    style={{
                      left: `${50 + 50 * Math.min(0, value / reach)}%`,
                      width: `${(50 * Math.abs(value)) / reach}%`,
                    }}
                  />
                ))}
              </td>
              {numbers(values)}
            </tr>
          ))}
          <tr class="lw-strong">
            <th scope="row">sum = the jump</th>
            <td />
            {numbers(pair.map((of) => total(of.values())))}
          </tr>
        </tbody>
      </table>
    </section>
  );
}

/** What the parts of a grid added to a token's logit in a row, by name; nothing where that isn't known. */
function partsOf(state: GridState, id: number, slot: number, column: number): Map<string, number> {
  const { jumps, tokens, rows } = state.grid;
  const row = state.inSlot({ row: slot, column })?.row ?? -1;
  const entry = jumps?.tokens.findIndex((token, i) => tokens.ids[token] === id && jumps.columns[i] === column) ?? -1;
  if (!jumps || entry < 0 || row < 0) return new Map();
  const from = (entry * rows.length + row) * jumps.parts.length;
  const all = jumps.parts.map((part, i) => [part.replace("{}", () => rows[row]!), jumps.values[from + i]!] as const);
  return new Map(all.filter(([, value]) => !Number.isNaN(value)));
}
