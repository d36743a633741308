// Bars as a table: those in view, room for the others, and what they sum to.

import type { Signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { Grid } from "../data/grid.js";
import { Check } from "../pieces/check.js";
import { type Lead, Line, Space, Track } from "./bar-line.js";
import type { Sum } from "./sum.js";

interface Props {
  sum: Sum;
  /** Those in view: from the first to before the end. */
  first: number;
  end: number;
  label: (place: number) => string;
  say: (value: number) => string;
  sums: boolean;
  active: Signal<number | null>;
  selected: number | null;
  isWaterfall: boolean;
  spread: ArrayLike<number> | undefined;
  check: Grid["check"];
  unit: string;
  lead: Lead;
}

export function BarsTable({ sum, first, end, label, say, sums, isWaterfall, spread, check, unit, ...marked }: Props) {
  const { bars } = sum;
  const longest = useMemo(() => bars.reduce((length, { place }) => Math.max(length, label(place).length), 8), [bars]);
  return (
    <table aria-rowcount={bars.length + 1}>
      <colgroup>
        <col style={{ width: `${Math.min(190, 12 + longest * 7) + (marked.lead ? 34 : 0)}px` }} />
        <col />
        <col style={{ width: "66px" }} />
      </colgroup>
      <tbody>
        <Space bars={first} />
        {bars.slice(first, end).map((bar, i) => (
          <Line
            key={bar.place}
            {...{ bar, sums, say, ...marked }}
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
  );
}
