// What it is, and whether to believe it, in one line.

import type { Grid } from "./grid.js";
import { visible } from "./marks.js";

export function Header({ grid }: { grid: Grid }) {
  const { title, model, rows, columns, columnLabels, kind, notes } = grid;
  const size = `${count(rows.length, "row")} × ${count(columns.length, columnLabels ? "column" : "token")}`;
  const what = [kind, notes.join(", ")].filter(Boolean).join(": ");
  return (
    <div class="lw-header">
      <p class="lw-title">
        <bdi>{title.split(" ").map(visible).join(" ")}</bdi>
      </p>
      <p class="lw-muted">{[model, size, what].filter(Boolean).join(" · ")}</p>
      <Check check={grid.check} />
    </div>
  );
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

function Check({ check }: Pick<Grid, "check">) {
  if (!check) return <p class="lw-check lw-muted">not checked against the model</p>;
  const { error, tolerance, claim } = check;
  if (error === null) return <p class="lw-check lw-warning">{claim}: not checked, as it isn’t finite</p>;
  const off = error === 0 ? "exactly" : `off by ${error.toExponential(0)}`;
  if (error > tolerance) {
    return (
      <p class="lw-check lw-warning">
        not so: {claim}, {off}, more than {tolerance.toExponential(0)}
      </p>
    );
  }
  return (
    <p class="lw-check lw-muted">
      <span class="lw-tick-mark">✓</span> {claim}, {off}
    </p>
  );
}
