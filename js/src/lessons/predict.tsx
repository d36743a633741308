// Predict: rows that stay covered until a reader has drawn a line through them; then guess and truth stand together.

import { effect, useComputed, useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { probabilities } from "../data/followed.js";
import type { Grid } from "../data/grid.js";
import type { Shown } from "../data/wire.js";
import type { ViewState } from "../state/view-state.js";
import { followedBy } from "./at-cell.js";
import { coverOver } from "./cover-over.js";
import { covered } from "./covered.js";
import { FigureOf } from "./figure-of.js";
import { drawn, type Guess, guessOf, meanOff } from "./guess.js";
import { guessOver } from "./guess-over.js";
import type { Kind } from "./kinds.js";
import type { Part } from "./part.js";
import { Rich } from "./rich.js";
import { unseal } from "./seal.js";
import { type FigureSpec, useSettings } from "./settings-of.js";

interface Spec extends FigureSpec {
  /** Ids of the token whose probability is drawn; several count as one. */
  tokens: number[];
  column: number;
  first: number;
  last: number;
  /** What is said once it is uncovered, sealed. */
  say: string;
}

export const predict: Kind<Spec> = {
  label: "Predict",
  asks: true,
  isAnswer: ({ first, last }, answer) => guessOf(answer, last - first + 1) !== null,
  judge: () => null,
  Body,
};

function Body({ part }: { part: Part<Spec> }) {
  const { spec, tried, givenUp } = part;
  const { column, first, last, tokens, question, terms } = spec;
  const count = last - first + 1;
  // the row beneath, so that the chart is of this column
  const held: [number, number] = [Math.max(0, first - 1), column];
  const settings = useSettings(part, { selected: held, trajectory: "probability" });
  const grid = useSignal<Grid | null>(null);
  const kept = useComputed(() => guessOf(tried.value.at(-1), count));
  const guess = useSignal<Guess>(kept.peek() ?? Array(count).fill(null));
  const lifted = useComputed(() => kept.value !== null || givenUp.value);
  const seen = useComputed(() => (lifted.value ? (shown: Shown) => shown : (shown: Shown) => covered(shown, spec)));
  const drawing = useComputed(() => kept.value ?? guess.value);
  const uncover = () => {
    if (drawn(guess.peek()) === count) part.try(guess.peek());
  };
  const parts = useMemo(() => {
    const watch = (view: ViewState) => {
      grid.value = view.each[0]!.grid;
      return effect(() => {
        if (!lifted.value && settings.selected.value?.[1] !== column) settings.selected.value = held;
      });
    };
    const over = { cover: spec, tokens, guess, drawing, isLifted: lifted, uncover };
    return { watch, map: coverOver(spec, lifted), chart: guessOver(over) };
  }, [part]);
  const ready = drawn(guess.value);
  const off = kept.value && grid.value && !grid.value.covered ? offIn(grid.value, spec, kept.value) : null;
  return (
    <div class="lw-predict" data-done={lifted.value}>
      <div aria-live="polite">
        {off !== null && (
          <p class="lw-uncovered">
            Uncovered: you were {Math.round(100 * off)} {Math.round(100 * off) === 1 ? "point" : "points"} off on
            average
          </p>
        )}
        {lifted.value && (
          <p>
            <Rich text={unseal(spec.say, `${question}\nuncovered`)} terms={terms} />
          </p>
        )}
      </div>
      {!lifted.value && (
        <p class="lw-acts">
          <button type="button" class="lw-main" disabled={ready < count} onClick={uncover}>
            Uncover
          </button>
          <button type="button" class="lw-plain" onClick={() => (guess.value = Array(count).fill(null))}>
            start again
          </button>
          <span class="lw-muted">
            {ready} of {count} rows · draw in the chart, or <kbd>↑</kbd> <kbd>↓</kbd> row <kbd>←</kbd> <kbd>→</kbd>{" "}
            value, <kbd>Enter</kbd> uncovers
          </span>
        </p>
      )}
      <FigureOf message={part.message!} {...{ settings, seen, ...parts }} />
    </div>
  );
}

function offIn(grid: Grid, { tokens, column, first }: Spec, guess: Guess): number | null {
  const truth = probabilities(grid, followedBy(grid, tokens), column);
  return truth && meanOff(guess, truth.subarray(first));
}
