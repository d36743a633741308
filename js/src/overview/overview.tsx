// Many prompts at once: each is one line, with what it answers first and how it came to it beside that. A click opens it.

import { useComputed, useSignal } from "@preact/signals";
import { useLayoutEffect, useMemo } from "preact/hooks";
import { type Answered, answersOf, placesOf } from "../data/answers.js";
import type { Grid } from "../data/grid.js";
import { cellText } from "../data/marks.js";
import { measuring, WORD_FONT } from "../pieces/font.js";
import { Menu } from "../pieces/menu.js";
import { rove } from "../pieces/roving.js";
import { Ruler } from "../pieces/ruler.js";
import type { GridState } from "../state/grid-state.js";
import { percent } from "../text/number.js";
import { type Colors, LINE, lineDrawn } from "./line-drawing.js";

const COLORS: Colors = {
  right: "var(--lw-right)",
  wrong: "var(--lw-wrong)",
  answer: "var(--lw-blue-3)",
  other: "var(--lw-other)",
  ink: "var(--lw-ink)",
  muted: "var(--lw-muted)",
};
const ORDERS: Record<string, (a: Answered, b: Answered) => number> = {
  "as given": () => 0,
  "decision layer": (a, b) => a.decided - b.decided,
};

interface Props {
  state: GridState;
  painted: () => void;
  /** What a click on a line does. */
  open: (row: number) => void;
}

export function Overview({ state, painted, open }: Props) {
  const { grid } = state;
  const width = useSignal(0);
  const order = useSignal("as given");
  const answers = useMemo(() => answersOf(grid), [grid]);
  const shares = useMemo(() => placesOf(grid), [grid]);
  const breadth = useMemo(() => {
    const context = measuring(WORD_FONT.replace("12", "600 11"));
    return (word: string) => context.measureText(word).width;
  }, []);
  const places = useComputed(() => shares.map((share) => share * width.value));
  const sorted = answers
    .map((answer, row) => ({ answer, row }))
    .sort((a, b) => ORDERS[order.value]!(a.answer, b.answer));
  useLayoutEffect(painted, []);
  const isKnown = answers.some(({ right }) => right !== null);
  return (
    <div class="lw-overview">
      {grid.notes.map((note) => (
        <p key={note} class="lw-sentence">
          {note}.
        </p>
      ))}
      <Menu
        label="sort"
        chosen={order.value}
        choose={(name) => (order.value = name)}
        options={Object.keys(ORDERS).map((name) => [name, name] as const)}
      />
      <div class="lw-answers">
        <div class="lw-answers-head" aria-hidden="true">
          <span>prompt</span>
          <span>says next</span>
          <span class="lw-layers">
            <Ruler width={width} />
            <Layers labels={grid.columnLabels!} places={places.value} breadth={breadth} />
          </span>
          <span>decided at</span>
        </div>
        <ul aria-label="Prompts" data-roves>
          {sorted.map(({ answer, row }, i) => (
            <li key={row}>
              <button type="button" tabIndex={i ? -1 : 0} onClick={() => open(row)} onKeyDown={rove}>
                <bdi class="lw-asked">{answer.name}</bdi>
                <Says grid={grid} answer={answer} />
                <svg
                  width={width.value}
                  height={LINE}
                  aria-hidden="true"
                  dangerouslySetInnerHTML={{ __html: lineDrawn(grid, answer, places.value, breadth, COLORS) }}
                />
                <span class="lw-decided">
                  <span class="lw-aside">decided at </span>
                  {grid.columnLabels![answer.decided]}
                </span>
              </button>
            </li>
          ))}
        </ul>
      </div>
      <div class="lw-legend lw-keys">
        {isKnown ? (
          <>
            <Key color={COLORS.right}>the right answer leads</Key>
            <Key color={COLORS.wrong}>what is said, and isn’t right</Key>
          </>
        ) : (
          <Key color={COLORS.answer}>what is said leads</Key>
        )}
        <Key color={COLORS.other}>another token leads</Key>
        <span>
          <span class="lw-bracket" />
          decided: what is said leads from here on
        </span>
        <span>height: probability × belief; width: belief in the layer</span>
      </div>
    </div>
  );
}

function Key({ color, children }: { color: string; children: string }) {
  return (
    <span>
      <span class="lw-key" style={{ background: color }} />
      {children}
    </span>
  );
}

/** The answer, whether it is right, and what became of the one that is. */
function Says({ grid, answer }: { grid: Grid; answer: Answered }) {
  const { token, probability, right, rightTokens, rightProbability, ledUntil } = answer;
  const said = (tokens: number[]) =>
    tokens.map((one) => cellText(grid.tokens.texts[one] ?? "")).join(" + ") || "nothing";
  return (
    <span class="lw-says" data-right={right}>
      {right !== null && (
        <span role="img" aria-label={right ? "right" : "not right"}>
          {right ? "✓" : "✗"}
        </span>
      )}
      <bdi class="lw-strong">{said([token])}</bdi> <span>{percent(probability)}</span>
      <span class="lw-amount" aria-hidden="true">
        <span style={{ width: `${100 * (probability || 0)}%` }} />
      </span>
      {right === false && (
        <span class="lw-lost lw-muted">
          right: <bdi>{said(rightTokens)}</bdi> {percent(rightProbability ?? Number.NaN)},{" "}
          <span class="lw-strong">{ledUntil === null ? "never led" : `led until ${grid.columnLabels![ledUntil]}`}</span>
        </span>
      )}
    </span>
  );
}

/** The names of the layers, as many as have room; the last is always there. */
function Layers({
  labels,
  places,
  breadth,
}: {
  labels: string[];
  places: number[];
  breadth: (word: string) => number;
}) {
  let free = Number.POSITIVE_INFINITY;
  return (
    <>
      {labels
        .map((label, i) => ({ label, middle: (places[i]! + places[i + 1]!) / 2, wide: breadth(label) + 8 }))
        .reverse()
        .filter(({ middle, wide }) => {
          const fits = middle + wide / 2 <= free;
          if (fits) free = middle - wide / 2;
          return fits;
        })
        .map(({ label, middle }) => (
          <span key={label} style={{ left: `${middle}px` }}>
            {label}
          </span>
        ))}
    </>
  );
}
