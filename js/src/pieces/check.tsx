// Whether a grid keeps what it claims.

import { type Grid, isLens } from "../data/grid.js";

/** Whether a grid keeps what it claims, or what there is to say where it claims nothing. */
export function Check({ check, none }: Pick<Grid, "check"> & { none: string }) {
  const holds = check && check.error !== null && check.error <= check.tolerance;
  return (
    <p class={`lw-check ${holds === false ? "lw-warning" : "lw-muted"}`}>
      {holds && <span class="lw-tick-mark">✓ </span>}
      {check?.says ?? none}
    </p>
  );
}

/** What a grid that claims nothing has to say of that. */
export function unchecked(grid: Grid): string {
  return isLens(grid) ? "not checked against the model" : "";
}
