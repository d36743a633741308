// An exercise, which is answered and checked in a notebook's cell: here stands how it stands.

import type { Kind } from "./kinds.js";
import { answersTo, standsRight } from "./kinds.js";
import { Mark } from "./mark.js";
import type { Part, Spec } from "./part.js";
import { Rich } from "./rich.js";

interface Exercise extends Spec {
  minutes: number;
  /** What kind of value an answer is. */
  expects: string;
  /** In a page, where the notebook can be run, or "": nothing can be answered in the page itself. */
  notebook?: string;
}

export const exercise: Kind<Exercise> = {
  label: "Exercise",
  asks: true,
  isAnswer: (_, answer) => typeof answer === "boolean",
  judge: (_, answer) => answer === true,
  Body({ part }) {
    const { minutes, expects, notebook, terms } = part.spec;
    return (
      <p class="lw-muted">
        {minutes} {minutes === 1 ? "minute" : "minutes"}
        {expects && (
          <>
            {" · your answer is "}
            <Rich text={expects} terms={terms} />
          </>
        )}
        <Standing part={part} />
        {notebook !== undefined && " · answered in the notebook"}
        {notebook && (
          <>
            {": "}
            <a href={notebook}>open it in Colab</a>
          </>
        )}
      </p>
    );
  },
};

function Standing({ part }: { part: Part<Exercise> }) {
  const tries = answersTo(part).length;
  if (!tries) return null;
  const right = standsRight(part) === true;
  return (
    <span class="lw-standing" role="status">
      <Mark stand={right ? "right" : "wrong"} />
      {right ? (part.givenUp.value ? "right, after it was shown" : "solved") : "not yet"}, {tries}{" "}
      {tries === 1 ? "try" : "tries"}
    </span>
  );
}
