// What became of the right answer where another one is said.

import type { Answer } from "../data/answers.js";
import type { Grid } from "../data/grid.js";
import { percent } from "../text/number.js";

export function lostIn({ columnLabels }: Grid, { rightProbability, ledUntil }: Answer): string {
  return `${percent(rightProbability)}, ${ledUntil === null ? "never led" : `led until ${columnLabels![ledUntil]}`}`;
}
