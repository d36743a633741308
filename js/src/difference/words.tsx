// The words of a difference, as a table: a layer a line, a column for each position in which anything differs.

import { useLayoutEffect, useRef } from "preact/hooks";
import { saidBy, type Told } from "../data/apart.js";
import type { Grid } from "../data/grid.js";
import { cellText } from "../data/marks.js";
import { named } from "../pieces/named.js";
import { rove } from "../pieces/roving.js";
import { type GridState, isSame } from "../state/grid-state.js";
import { percent } from "../text/number.js";

/** So many columns are told; a table of more is too much to lay out. */
const MOST = 40;

interface Props {
  state: GridState;
  told: Told;
  /** From the top down. */
  rows: number[];
  /** The column that is looked at. */
  column: number;
}

export function Words({ state, told: { sides, columns, weightOf }, rows, column }: Props) {
  const { grid, selected } = state;
  const place = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    place.current!.scrollLeft = 1e6; // a prompt is answered at its end
  }, []);
  const shown = columns.slice(-MOST);
  let stop = selected.value;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
    <div class="lw-words" {...named("What changed, in words")} tabIndex={0} ref={place} data-roves>
      <table>
        <thead>
          <tr>
            <td />
            {sides.equal.length > 0 && (
              <th scope="col">
                {sides.equal.length > 3
                  ? `${sides.equal.length} positions`
                  : sides.equal.map((at) => columnText(grid, at)).join(" ")}
              </th>
            )}
            {shown.map((at) => (
              <th key={at} scope="col" class={at === column ? "lw-strong" : ""}>
                <bdi>{columnText(grid, at)}</bdi>
              </th>
            ))}
            <th scope="col">probability of the leader</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row, i) => (
            <tr key={row} aria-current={selected.value?.row === row ? "true" : undefined}>
              <th scope="row">{grid.rows[row]}</th>
              {sides.equal.length > 0 && !i && (
                <td rowSpan={rows.length} class="lw-equal">
                  Equal to the last bit{sides.why && `: ${sides.why}`}.
                </td>
              )}
              {shown.map((at) => {
                const weight = weightOf(row, at);
                if (weight === null) return <td key={at} />;
                stop ??= { row, column: at };
                const isStop = isSame(stop, { row, column: at });
                return (
                  <td key={at}>
                    <button
                      type="button"
                      tabIndex={isStop ? 0 : -1}
                      aria-pressed={isSame({ row, column: at }, selected.value)}
                      style={{ fontSize: `${11 + 6 * Math.sqrt(weight)}px`, fontWeight: weight < 0.25 ? 400 : 650 }}
                      onClick={() => state.toggleSelected({ row, column: at })}
                      onKeyDown={rove}
                    >
                      <Word {...{ state, row, at }} side={0} /> → <Word {...{ state, row, at }} side={1} />
                    </button>
                  </td>
                );
              })}
              <td class="lw-muted">
                {weightOf(row, column) !== null &&
                  [0, 1]
                    .map((side) => percent(sides.probability(row * grid.columns.length + column, side)))
                    .join(" → ")}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {columns.length > MOST && (
        <p class="lw-muted">
          The last {MOST} of {columns.length} positions that differ; as numbers, all can be seen.
        </p>
      )}
    </div>
  );
}

/** A word has its side's color where it is what that side says in the end. */
function Word({ state, row, at, side }: { state: GridState; row: number; at: number; side: number }) {
  const { grid } = state;
  const token = grid.sides!.token(row * grid.columns.length + at, side);
  const isSaid = token === saidBy(grid, side, at);
  return <bdi class={isSaid ? `lw-side-${side}` : ""}>{cellText(grid.tokens.texts[token] ?? "")}</bdi>;
}

function columnText({ columnLabels, columns, tokens }: Grid, at: number): string {
  return columnLabels?.[at]?.trim() ?? cellText(tokens.texts[columns[at]!] ?? "");
}
