// Groups side by side: a line for the mean of each, with its standard deviation, and a thin one for the column that is pointed at.

import { clamp } from "../data/grid.js";
import { type Group, groupsOf } from "../data/groups.js";
import type { GridState } from "../state/grid-state.js";
import { scaleOf } from "../style/scale.js";
import type { Axis, Line } from "./lines.js";
import type { Place } from "./place.js";

/** Of what colors the cells; none where columns have no groups. */
export function linesOfGroups({ grid, quantity: { value } }: GridState, column: number | undefined): Line[] {
  const one = { tokens: [], isRival: false };
  const groups = groupsOf(grid, value).map((group, i) => ({
    ...{ ...one, group, label: group.name, pinColor: i, values: group.mean },
  }));
  if (!groups.length || column === undefined) return groups;
  const values = grid.rows.map((_, row) => value.values[row * grid.columns.length + column]!);
  return [{ ...one, label: "", pinColor: null, values }, ...groups];
}

/** The scale of the colors, as far as there are values: an entropy may end far above. */
export function axisOfGroups({ quantity, scale }: GridState): Axis {
  const [low, high] = scale.value.domain;
  const most = quantity.value.values.reduce((most, one) => (one > most && one < high ? one : most), low);
  const { place, ticks } = scaleOf(quantity.value, [low, most > low ? most : high]);
  return { place: (value) => clamp(place(value), 0, 1), ticks };
}

/** Values by row, and how far each spreads to both sides. */
interface Banded {
  values: ArrayLike<number>;
  group?: Pick<Group, "mean" | "spread">;
}

/** From each row to the next, so that there is a gap where it isn't known. */
export function band({ group, values }: Banded, { x, y, lowest }: Place): string {
  const at = (row: number, by: number) => `${x(values[row]! + by * group!.spread[row]!)},${y(row)}`;
  const parts = group!.mean.map((value, row) =>
    row > lowest && Number.isFinite(value + values[row - 1]!)
      ? `M${at(row - 1, -1)}L${at(row - 1, 1)}L${at(row, 1)}L${at(row, -1)}Z`
      : "",
  );
  return parts.join("");
}

/** The row in which a group is furthest to the right of all others, where its name can stand beside it. */
export function rowApart({ values }: Line, lines: Line[], { x, lowest }: Place): number {
  const others = lines.filter((other) => other.group && other.values !== values);
  let [best, most] = [values.length - 1, Number.NEGATIVE_INFINITY];
  for (let row = best; row >= lowest; row--) {
    const ahead = others.map((other) => x(values[row]!) - x(other.values[row]!)).filter(Number.isFinite);
    const apart = Math.min(x(values[row]!), ...ahead);
    if (apart > most) [best, most] = [row, apart];
  }
  return best;
}
