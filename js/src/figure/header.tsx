// What it is, and whether to believe it, in one line.

import type { Grid } from "../data/grid.js";
import { Check, unchecked } from "../pieces/check.js";
import type { GridState } from "../state/grid-state.js";
import type { ViewState } from "../state/view-state.js";

export function Header({ view, front }: { view: ViewState; front: GridState }) {
  const together = view.layout.value === "side by side";
  const grids = together ? view.each.map(({ grid }) => grid) : [front.grid];
  const common = (factOf: (grid: Grid) => string) => {
    const [fact, ...others] = new Set(grids.map(factOf));
    return others.length ? "" : fact!;
  };
  const check = view.layout.value === "one" ? front.grid.check : view.check;
  // bars say it beside their sum
  const isToldHere = front.grid.view !== "bars" && (view.check || view.layout.value === "one");
  const title = common((grid) => grid.title) || titles(grids);
  const facts = [common(({ model }) => model), common(size), common(together ? ({ kind }) => kind : what)];
  return (
    <>
      <div class="lw-header">
        <p class="lw-title">
          <bdi>{title}</bdi>
        </p>
        <p class="lw-muted">{facts.filter(Boolean).join(" · ")}</p>
        {isToldHere && <Check check={check} none={unchecked(front.grid)} />}
      </div>
      {view.layout.value !== "overview" &&
        view.notes.map((note) => (
          <p key={note} class="lw-muted">
            {note}
          </p>
        ))}
    </>
  );
}

function what({ kind, notes, view }: Grid): string {
  if (view === "overview") return ""; // its notes are the sentence above its lines
  return [kind, notes.join(", ")].filter(Boolean).join(": ");
}

function size({ rows, columns, columnLabels, view }: Grid): string {
  if (view === "overview") return count(columns.length, "layer");
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
