// How many of the parts are shown.

import type { Signal } from "@preact/signals";
import { Menu } from "../pieces/menu.js";
import { FEW_BARS } from "../state/grid-state.js";

const COUNTS = [FEW_BARS, 50, 200];

export function Counts({ count, parts }: { count: Signal<number>; parts: number }) {
  const counts = COUNTS.filter((number) => number + 1 < parts);
  if (!counts.length) return null;
  return (
    <Menu
      label="show"
      chosen={count.value}
      choose={(number) => (count.value = Number(number))}
      options={[...counts, parts].map((n) => [n, n < parts ? `the ${n} largest` : `all ${parts}`] as const)}
    />
  );
}
