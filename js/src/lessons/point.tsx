// Point: a question that is answered in the figure itself. What is said of a cell is read off the grid that is shown.

import { effect, type ReadonlySignal, untracked, useComputed, useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { Cell, Grid } from "../data/grid.js";
import type { Shown } from "../data/wire.js";
import { Pieces } from "../pieces/token.js";
import { LINKS } from "../state/settings.js";
import type { ViewState } from "../state/view-state.js";
import { type Asked, toldAt } from "./at-cell.js";
import { quiet } from "./covered.js";
import { FigureOf } from "./figure-of.js";
import { isDone, type Kind } from "./kinds.js";
import { marksOver } from "./marks-over.js";
import type { Part } from "./part.js";
import { Rich } from "./rich.js";
import { digest, unseal } from "./seal.js";
import { type FigureSpec, useSettings } from "./settings-of.js";
import { Verdict, Verdicts } from "./verdict.js";

interface Spec extends FigureSpec {
  /** By the digest of each cell that is right: what the author says of it, sealed with the cell. */
  right: Record<string, string>;
  /** What is asked of each grid. */
  asked: Asked[];
}

/** A row, a column, and which of several grids. */
type Pointed = [row: number, column: number, which: number];

export const point: Kind<Spec> = {
  label: "Point",
  asks: true,
  isAnswer: (_, answer): answer is Pointed =>
    Array.isArray(answer) && answer.length === 3 && answer.every((one) => Number.isInteger(one) && one >= 0),
  judge: ({ question, right }, answer) => Object.hasOwn(right, digest(question, keyOf(answer as Pointed))),
  Body,
};

function Body({ part, once = false }: { part: Part<Spec>; once?: boolean }) {
  const { tried, givenUp, spec } = part;
  // a choice in one grid is an answer to that one alone
  const settings = useSettings(part, { view: "side by side", links: LINKS.filter((link) => link !== "selection") });
  const grids = useSignal<Grid[]>([]);
  const done = useComputed(() => isDone(part, once));
  const seen = useComputed(() => (done.value ? (shown: Shown) => shown : quiet));
  const given = useComputed(() => tried.value.filter((answer) => point.isAnswer(spec, answer)) as Pointed[]);
  const marks = useComputed(() => {
    const all = done.value && (once || givenUp.value) ? [...given.value, ...allRight(spec, grids.value)] : given.value;
    return all.map((answer) => ({
      cell: cellOf(answer),
      which: answer[2],
      isRight: point.judge(spec, answer) === true,
    }));
  });
  const parts = useMemo(() => {
    const choose = ({ row, column }: Cell, which: number) => {
      const isNew = !given.peek().some((other) => keyOf(other) === keyOf([row, column, which]));
      if (isNew && !done.peek()) part.try([row, column, which]);
    };
    const watch = (view: ViewState) => {
      grids.value = view.each.map(({ grid }) => grid);
      const ends = view.each.map(({ selected }, which) => onChoice(selected, (cell) => choose(cell, which)));
      return () => {
        for (const end of ends) end();
      };
    };
    return { watch, map: marksOver(marks) };
  }, [part]);
  return (
    <div class="lw-asks" data-done={done.value}>
      <FigureOf message={part.message!} {...{ settings, seen, ...parts }} />
      <Verdicts>
        {!given.value.length && !done.value && (
          <Verdict stand="open">Click to answer, or go there with the arrow keys and press Enter.</Verdict>
        )}
        {given.value.map(
          (answer) => grids.value[answer[2]] && <Told key={keyOf(answer)} {...{ spec, answer }} grids={grids.value} />,
        )}
      </Verdicts>
    </div>
  );
}

/** What an answer is met with: what stands there, and what the author says of it. */
function Told({ spec, answer, grids }: { spec: Spec; answer: Pointed; grids: Grid[] }) {
  const { asked, right, question, terms } = spec;
  const [row, column, which] = answer;
  const isRight = point.judge(spec, answer) === true;
  const rows = rightIn(spec, grids, column, which).map(([right]) => right);
  const verdict = isRight ? "right" : !rows.length ? "elsewhere" : row < Math.min(...rows) ? "below" : "above";
  const { head, pieces } = toldAt(grids[which]!, asked[which]!, cellOf(answer), verdict);
  const said = isRight && unseal(right[digest(question, keyOf(answer))]!, `${question}\n${keyOf(answer)}`);
  return (
    <Verdict stand={isRight ? "right" : "wrong"}>
      <strong>{head}</strong> <Pieces pieces={pieces} /> {said && <Rich text={said} terms={terms} />}
    </Verdict>
  );
}

function rightIn(spec: Spec, grids: Grid[], column: number, which: number): Pointed[] {
  const cells = (grids[which]?.rows ?? []).map((_, row): Pointed => [row, column, which]);
  return cells.filter((answer) => point.judge(spec, answer));
}

function allRight(spec: Spec, grids: Grid[]): Pointed[] {
  return grids.flatMap(({ columns }, which) => {
    const { column } = spec.asked[which]!;
    return (column === null ? [...columns.keys()] : [column]).flatMap((one) => rightIn(spec, grids, one, which));
  });
}

/** Calls back at every choice but the one that was there. */
function onChoice(selected: ReadonlySignal<Cell | null>, choose: (cell: Cell) => void): () => void {
  let isFirst = true;
  return effect(() => {
    const cell = selected.value;
    if (!isFirst && cell) untracked(() => choose(cell));
    isFirst = false;
  });
}

function keyOf([row, column, which]: Pointed): string {
  return `${row} ${column} ${which}`;
}

function cellOf([row, column]: Pointed): Cell {
  return { row, column };
}
