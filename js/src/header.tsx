// What it is, and whether to believe it, in one line.

import type { Grid } from "./grid.js";
import { visible } from "./marks.js";
import type { Reading } from "./reading.js";
import type { Readings } from "./readings.js";

export function Header({ readings, front }: { readings: Readings; front: Reading }) {
  const together = readings.layout.value === "side by side";
  const grids = together ? readings.each.map(({ grid }) => grid) : [front.grid];
  const common = (factOf: (grid: Grid) => string) => {
    const [fact, ...others] = new Set(grids.map(factOf));
    return others.length ? "" : fact!;
  };
  const check = readings.layout.value === "one" ? front.grid.check : readings.check;
  const title = common((grid) => grid.title) || titles(grids);
  const facts = [common(({ model }) => model), common(size), common(together ? ({ kind }) => kind : what)];
  return (
    <>
      <div class="lw-header">
        <p class="lw-title">
          <bdi>{title.split(" ").map(visible).join(" ")}</bdi>
        </p>
        <p class="lw-muted">{facts.filter(Boolean).join(" · ")}</p>
        {(readings.check || readings.layout.value === "one") && <Check check={check} />}
      </div>
      {readings.notes.map((note) => (
        <p key={note} class="lw-muted">
          {note}
        </p>
      ))}
    </>
  );
}

function what({ kind, notes }: Grid): string {
  return [kind, notes.join(", ")].filter(Boolean).join(": ");
}

function size({ rows, columns, columnLabels, view }: Grid): string {
  if (view === "bars" && columns.length === 1) return count(rows.length, "row");
  return `${count(rows.length, "row")} × ${count(columns.length, columnLabels ? "column" : "token")}`;
}

const NAMED = 3;

/** The prompts that are compared, as many as can be named. */
function titles(grids: Grid[]): string {
  const all = [...new Set(grids.map(({ title }) => title))];
  const rest = all.length - NAMED;
  return all.slice(0, NAMED).join(" / ") + (rest > 0 ? ` / and ${rest} more` : "");
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

export function Check({ check }: Pick<Grid, "check">) {
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
