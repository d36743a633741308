// What made the step on either side, in pairs: the parts that moved what each side says, where both grids carry them.

import { carried } from "../chart/carried.js";
import { totalOf } from "../data/grid.js";
import { nameOf } from "../data/names.js";
import { named } from "../pieces/named.js";
import type { GridState } from "../state/grid-state.js";
import { decimalsFor, fixed } from "../text/number.js";

const SHOWN = 5;

interface Props {
  state: GridState;
  /** What each side says in the end. */
  said: number[];
  row: number;
  column: number;
}

export function Made({ state, said, row, column }: Props) {
  const { grid, sides } = state;
  const pair = sides.map(({ state: one }, side) => partsOf(one, grid.tokens.ids[said[side]!]!, row, column));
  if (!pair.every(({ size }) => size)) return null;
  const valuesOf = (names: string[]) => pair.map((of) => totalOf(names.map((name) => of.get(name) ?? 0)));
  const size = (name: string) => Math.max(...valuesOf([name]).map(Math.abs));
  const names = [...new Set(pair.flatMap((of) => [...of.keys()]))].sort((a, b) => size(b) - size(a));
  const others = names.splice(SHOWN);
  const lines = names.map((name) => ({ name, values: valuesOf([name]) }));
  if (others.length) lines.push({ name: `${others.length} smaller`, values: valuesOf(others) });
  const reach = Math.max(...lines.flatMap(({ values }) => values.map(Math.abs))) || 1;
  const decimals = decimalsFor(lines.flatMap(({ values }) => values));
  const numbers = (values: number[]) =>
    values.map((value, side) => (
      <td key={side} class={`lw-number lw-side-${side}`}>
        {fixed(value, decimals, true)}
      </td>
    ));
  return (
    <div class="lw-made" {...named("What made it")}>
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
            {numbers(pair.map((of) => totalOf([...of.values()])))}
          </tr>
        </tbody>
      </table>
    </div>
  );
}

/** What the parts of a grid added to a token's logit in a row, by name; nothing where that isn't known. */
function partsOf(state: GridState, id: number, slot: number, column: number): Map<string, number> {
  const row = state.inSlot({ row: slot, column })?.row ?? -1;
  const { labels, values } = carried(state.grid, [column, id, row]) ?? { labels: [], values: [] };
  return new Map(labels.map((label, i) => [label, values[i]!]));
}
