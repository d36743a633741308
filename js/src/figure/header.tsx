// What was asked and what the model says, what it is, and whether to believe it.

import type { ComponentChildren } from "preact";
import { candidatesAt, type Grid, isLens, NO_TOKEN } from "../data/grid.js";
import { nameOf } from "../data/names.js";
import { Check, unchecked } from "../pieces/check.js";
import { colorOf } from "../pieces/token.js";
import type { GridState } from "../state/grid-state.js";
import type { ViewState } from "../state/view-state.js";
import { percent } from "../text/number.js";
import { SideAnswer } from "./sweep-line.js";

interface Props {
  view: ViewState;
  front: GridState;
  /** What became of what was asked. */
  children: ComponentChildren;
}

export function Header({ view, front, children }: Props) {
  const together = view.layout.value === "side by side";
  const grids = together ? view.each.map(({ grid }) => grid) : [front.grid];
  const common = (factOf: (grid: Grid) => string) => {
    const [fact, ...others] = new Set(grids.map(factOf));
    return others.length ? "" : fact!;
  };
  const check = view.layout.value === "one" ? front.grid.check : view.check;
  // bars say it beside their sum
  const isToldHere = front.grid.view !== "bars" && (view.check || view.layout.value === "one");
  // in words nothing is subtracted
  const isInWords = front.isInWords.value && !together;
  const title = isInWords ? front.grid.sides!.names.join(" → ") : common((grid) => grid.title) || titles(grids);
  const kind = common(together || isInWords ? (grid) => grid.kind : what);
  const said = [common(({ model }) => model), common(size), kind];
  const facts = said.filter(Boolean).join(" · ");
  return (
    <>
      <div class="lw-header">
        <p class="lw-title" title={title}>
          <bdi>{elided(title)}</bdi>
          {!together && (front.grid.sweep ? <SideAnswer grid={front.grid} side="base" /> : <Answer state={front} />)}
        </p>
      </div>
      {children}
      <div class="lw-facts">
        <p class="lw-muted" title={facts}>
          {facts}
        </p>
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

/** What the model says in the end, where the last column is the end of the prompt. */
function Answer({ state: { grid, pinColorOf } }: { state: GridState }) {
  const column = grid.columns.length - 1;
  const [leader] = candidatesAt(grid, { row: grid.rows.length - 1, column });
  if (!leader || !isLens(grid) || grid.columnLabels || grid.following?.[column] !== NO_TOKEN) return null;
  const pinColor = pinColorOf.value[leader.token]!;
  return (
    <span class="lw-answer" style={pinColor >= 0 ? { color: colorOf(pinColor) } : undefined}>
      {" → "}
      <bdi class="lw-token">{nameOf(grid, leader.token)}</bdi> {percent(leader.probability)}
    </span>
  );
}

const LONG = 140;

/** A long prompt without its middle: how it begins says which one it is, and how it ends what is asked. */
function elided(title: string): string {
  const characters = [...`${title}`];
  if (characters.length <= LONG) return title;
  return `${characters.slice(0, 0.4 * LONG).join("")} … ${characters.slice(-0.6 * LONG).join("")}`;
}

function what({ kind, notes, view, sweep }: Grid): string {
  if (view === "overview") return ""; // its notes are the sentence above its lines
  // the lines above say what was put where, and the legend what no effect means
  const said = sweep ? notes.filter((note) => !/^each cell: |^an effect of zero /.test(note)) : notes;
  return [kind, said.join(", ")].filter(Boolean).join(": ");
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
