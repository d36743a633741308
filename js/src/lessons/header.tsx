// The top of a lesson: how long it takes, what to know before, its moves, its terms, and what there is to see.

import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { useOwnId } from "../pieces/own-id.js";
import { isHeading } from "./headings.js";
import type { Kind } from "./kinds.js";
import { Mark } from "./mark.js";
import type { Spec } from "./part.js";
import { Rich } from "./rich.js";
import { scoreOf } from "./storage.js";

interface Lesson extends Spec {
  title: string;
  lead: string;
  see: string;
  number: number | null;
  minutes: number;
  guesses: number;
  exercises: number;
  questions: number;
  know: { text: string; lesson: string }[];
  moves: { name: string; text: string }[];
  words: { term: string; says: string }[];
}

export const header: Kind<Lesson> = {
  label: "Lesson",
  asks: false,
  isAnswer: () => false,
  judge: () => null,
  Body({ part: { spec } }) {
    const { title, lead, see, know, moves, words, terms } = spec;
    const isNamed = useMemo(() => isHeading(title), []);
    return (
      <div class="lw-lesson">
        <p class="lw-muted">{countsOf(spec).join(" · ")}</p>
        {title && !isNamed && <h2 class="lw-title">{title}</h2>}
        {lead && (
          <p class="lw-lead">
            <Rich text={lead} terms={terms} />
          </p>
        )}
        {know.length > 0 && (
          <div class="lw-know">
            <span class="lw-muted">Know before</span>
            <ul>
              {know.map(({ text, lesson }) => {
                const score = lesson ? scoreOf(lesson) : null;
                return (
                  <li key={text}>
                    {score && score.answered === score.asked && <Mark stand="right" />}
                    <Rich text={text} terms={terms} />
                  </li>
                );
              })}
            </ul>
          </div>
        )}
        {moves.length > 0 && (
          <>
            <h2>{moves.length === 3 ? "Three moves" : "Moves"}</h2>
            <ol class="lw-moves">
              {moves.map(({ name, text }, i) => (
                <li key={name}>
                  {PICTURES[i % PICTURES.length]}
                  <p>
                    <strong>{name}</strong>
                    <span class="lw-muted">
                      <Rich text={text} terms={terms} />
                    </span>
                  </p>
                </li>
              ))}
            </ol>
          </>
        )}
        {words.length > 0 && <Words words={words} />}
        {see && (
          <p>
            <strong>You will see: </strong>
            <Rich text={see} terms={terms} />
          </p>
        )}
      </div>
    );
  },
};

function countsOf({ number, minutes, guesses, exercises, questions }: Lesson): string[] {
  const some = (count: number, what: string) => (count ? [`${count} ${what}${count === 1 ? "" : "s"}`] : []);
  return [
    ...(number === null ? [] : [`Lesson ${number}`]),
    ...some(minutes, "minute"),
    ...(guesses === 1 ? ["1 guess"] : some(guesses, "guesse")),
    ...some(exercises, "exercise"),
    ...(questions ? [`quiz of ${questions}`] : []),
  ];
}

/** The terms of a lesson, one of which is open. */
function Words({ words }: { words: Lesson["words"] }) {
  const id = useOwnId();
  const open = useSignal(0);
  return (
    <>
      <h2>Key terms</h2>
      <div class="lw-terms">
        {words.map(({ term }, i) => (
          <button
            key={term}
            type="button"
            aria-expanded={open.value === i}
            aria-controls={id}
            onClick={() => {
              open.value = open.value === i ? -1 : i;
            }}
          >
            {term}
          </button>
        ))}
      </div>
      <p id={id} class="lw-meaning" aria-live="polite" hidden={open.value < 0}>
        {words[open.value] && (
          <>
            <strong>{`${words[open.value]!.term}.`}</strong> <Rich text={words[open.value]!.says} />
          </>
        )}
      </p>
    </>
  );
}

/** The picture of a move: cells as their inks, lines and bars as paths. */
const PICTURES = [
  <svg class="lw-move" key="read" viewBox="0 0 60 40" aria-hidden="true">
    {[..."1213411234213241212311212"].map((ink, i) => (
      <rect
        x={12 * (i % 5)}
        y={8 * Math.floor(i / 5)}
        width="11"
        height="7"
        style={{ fill: `var(--lw-blue-${ink})` }}
      />
    ))}
  </svg>,
  <svg class="lw-move" key="follow" viewBox="0 0 60 40" aria-hidden="true">
    <path d="M4 39V22L24 12 56 4" style={{ stroke: "var(--lw-pin-1)" }} />
    <path d="M4 39 52 30 44 22 54 14 10 3" style={{ stroke: "var(--lw-pin-4)" }} />
  </svg>,
  <svg class="lw-move" key="ask" viewBox="0 0 60 40" aria-hidden="true">
    <path d="M4 3h52v8H4zM4 16h40v8H4zM4 29h14v8H4z" style={{ fill: "var(--lw-pin-1)" }} />
  </svg>,
];
