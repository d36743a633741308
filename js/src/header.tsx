// What it is, and whether to believe it, in one line.

import type { Grid } from "./grid.js";
import { visible } from "./marks.js";

export function Header({ grid }: { grid: Grid }) {
  const { title, model, rows, columns, kind, notes } = grid;
  const size = `${rows.length} ${rows.length === 1 ? "row" : "rows"} × ${columns.length} ${columns.length === 1 ? "token" : "tokens"}`;
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

function Check({ check }: Pick<Grid, "check">) {
  if (!check) return <p class="lw-check lw-muted">last row not checked</p>;
  const { error, tolerance } = check;
  if (error === null) return <p class="lw-check lw-warning">last row is not the model: it isn’t finite</p>;
  const off = error === 0 ? "exactly" : `off by ${error.toExponential(0)}`;
  if (error > tolerance) {
    return (
      <p class="lw-check lw-warning">
        last row is not the model: {off}, more than {tolerance.toExponential(0)}
      </p>
    );
  }
  return (
    <p class="lw-check lw-muted">
      <span class="lw-tick-mark">✓</span> last row is the model, {off}
    </p>
  );
}
