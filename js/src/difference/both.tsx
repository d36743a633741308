// The trajectories of both sides in one chart, on the rows of the words beside it.

import { useSignal } from "@preact/signals";
import { nameOf } from "../data/names.js";
import { Ruler } from "../pieces/ruler.js";
import { colorOf } from "../pieces/token.js";
import type { GridState } from "../state/grid-state.js";
import { percent } from "../text/number.js";
import { saidBy, through } from "./through.js";

const [ROW, TOP, BOTTOM, MARGIN] = [24, 28, 24, 20];
/** Less than this is not told from 0. */
const WORTH = 0.02;

interface Drawn {
  label: string;
  color: string;
  /** For each side its probability through the rows, NaN where it isn't known. */
  values: number[][];
}

interface Props {
  state: GridState;
  /** From the top down. */
  rows: number[];
  column: number;
}

export function Both({ state, rows, column }: Props) {
  const width = useSignal(0);
  const lines = linesOf(state, column);
  const x = (share: number) => MARGIN + share * (width.value - 2 * MARGIN);
  const y = (i: number) => TOP + (i + 0.5) * ROW;
  const end = TOP + rows.length * ROW;
  const marked = rows.indexOf(state.selected.value?.row ?? -1);
  const said = ({ label, values }: Drawn) => `${label} ${values.map((of) => known(of.at(-1)!)).join(" / ")}`;
  return (
    <>
      <ul class="lw-lines">
        {lines.map((line) => (
          <li key={line.label}>
            <span class="lw-dot" style={{ background: line.color }} />
            <bdi>{said(line)}</bdi>
          </li>
        ))}
        <li class="lw-muted">
          <svg width="52" height="8" aria-hidden="true">
            <path class="lw-line" d="M0 5H22" />
            <path class="lw-line" d="M30 5H52" stroke-dasharray="5 3" />
          </svg>{" "}
          <bdi>{state.sides.map(({ name }) => name).join(" / ")}</bdi>
        </li>
      </ul>
      <div class="lw-both">
        <Ruler width={width} />
        <svg
          width={width.value}
          height={end + BOTTOM}
          role="img"
          aria-label={`Probability, layer by layer, ends at: ${lines.map(said).join(", ")}`}
        >
          {[0, 50, 100].map((hundredths) => (
            <g key={hundredths}>
              <line class="lw-rule" x1={x(hundredths / 100)} x2={x(hundredths / 100)} y1={TOP} y2={end} />
              <text class="lw-tick" x={x(hundredths / 100)} y={end + 16} text-anchor="middle">
                {hundredths} %
              </text>
            </g>
          ))}
          {marked >= 0 && <line class="lw-marker" x1={0} x2={width.value} y1={y(marked)} y2={y(marked)} />}
          {lines.flatMap(({ color, values }) =>
            values.map((of, side) => {
              const points = rows.map((row, i) => [of[row]!, i] as const).filter(([value]) => !Number.isNaN(value));
              const told = points.filter(([value]) => value >= WORTH);
              return (
                told.length > 0 && (
                  <g style={{ stroke: color, fill: color }}>
                    <path
                      class="lw-line"
                      stroke-dasharray={side ? "5 3" : ""}
                      d={`M${points.map(([value, i]) => `${x(value)} ${y(i)}`).join("L")}`}
                    />
                    {told.map(([value, i]) => (
                      <circle key={i} cx={x(value)} cy={y(i)} r="2.5" />
                    ))}
                  </g>
                )
              );
            }),
          )}
        </svg>
      </div>
    </>
  );
}

function known(probability: number): string {
  return Number.isNaN(probability) ? "not a candidate" : percent(probability);
}

/** What is followed, or else what each side says in the end. */
function linesOf(state: GridState, column: number): Drawn[] {
  const { grid, followed, pinColors } = state;
  const said = [...new Set([0, 1].map((side) => saidBy(state, side, column)))];
  const wanted = followed.value.length
    ? followed.value.map(({ tokens, label }, i) => ({ tokens, label, pin: pinColors.value[i]! }))
    : said.map((token, i) => ({ tokens: [token], label: nameOf(grid, token), pin: i }));
  return wanted.map(({ tokens, label, pin }) => ({
    label,
    color: colorOf(pin),
    values: [0, 1].map((side) => {
      const ids = tokens.map((token) => grid.tokens.ids[token]!);
      return through(state, side, ids, column);
    }),
  }));
}
