// Questions in a row, each of them once, and a score.

import { effect, useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { isHeading } from "./headings.js";
import { answersTo, isDone, type Kind, kindOf } from "./kinds.js";
import { Mark, type Stand } from "./mark.js";
import { Part, type Spec, type State } from "./part.js";
import { Question } from "./question.js";
import { Take } from "./take.js";

/** A question in a quiz; a figure comes with it, in base64. */
type Asked = Spec & { grids?: string };

interface Quiz extends Spec {
  title: string;
  questions: Asked[];
}

/** The state of each question, by its id. */
type Answer = Record<string, Partial<State>>;

export const quiz: Kind<Quiz> = {
  label: "Quiz",
  asks: false,
  isAnswer: (_, answer) => typeof answer === "object" && answer !== null,
  judge({ questions }, answer) {
    const firsts = questions.map((one) => standOf(one, stateIn(answer as Answer, one)));
    return firsts.includes(null) ? null : !firsts.includes(false);
  },
  beside: ({ spec, answer }) => ({ score: scoreOf(spec, answer as Answer | undefined) }),
  Body({ part }) {
    const { spec } = part;
    const title = spec.title || "Quiz";
    const isNamed = useMemo(() => isHeading(title), []);
    const place = useRef<HTMLDivElement>(null);
    const questions = useMemo(() => spec.questions.map((one) => child(part, one)), [part]);
    useEffect(() => effect(() => gather(part, questions)), [questions]);
    useEffect(() => effect(() => scatter(part, questions)), [questions]);
    const score = scoreOf(spec, part.answer as Answer | undefined);
    const stands = questions.map((one) => standOf(one.spec, one.state));
    const first = stands.indexOf(null);
    const at = useSignal(first < 0 ? 0 : first);
    const { value: now } = at;
    const question = questions[now]!;
    const isOver = score.answered === score.asked;
    const next = [...stands.keys()].map((i) => (now + 1 + i) % stands.length).find((i) => stands[i] === null);
    const go = (to: number) => {
      at.value = to;
      requestAnimationFrame(() => place.current?.focus({ preventScroll: true }));
    };
    return (
      <div class="lw-quiz">
        <header>
          {!isNamed && <h2>{title}</h2>}
          <span class="lw-muted">every question once, no clock</span>
        </header>
        <div class="lw-score">
          <p role="status">
            <strong>{score.right}</strong> of {score.asked}
            <span class="lw-spoken"> right at the first try, {score.answered} answered</span>
          </p>
          {questions.length > 1 && (
            <ol>
              {stands.map((right, i) => (
                <li key={i}>
                  <button
                    type="button"
                    data-stand={standing(right)}
                    aria-current={i === now ? "step" : undefined}
                    onClick={() => go(i)}
                  >
                    <span>
                      <span class="lw-spoken">Question </span>
                      {i + 1}
                    </span>{" "}
                    <Mark stand={standing(right)} />
                  </button>
                </li>
              ))}
            </ol>
          )}
        </div>
        <div ref={place} class="lw-now" tabIndex={-1}>
          <Question key={now} part={question} once label={questions.length > 1 ? `Question ${now + 1}` : "Question"} />
          {isDone(question, true) && next !== undefined && (
            <p class="lw-acts">
              <button type="button" class="lw-main" onClick={() => go(next)}>
                Next question
              </button>
            </p>
          )}
        </div>
        {isOver && (
          <p class="lw-acts">
            <span>{`${score.right} of ${score.asked} right at the first try.`}</span>
            <button
              type="button"
              class="lw-plain"
              onClick={() => {
                part.tried.value = [];
                go(0);
              }}
            >
              Start again
            </button>
          </p>
        )}
        <Take />
      </div>
    );
  },
};

function standing(right: boolean | null): Stand {
  return right === null ? "open" : right ? "right" : "wrong";
}

function child(part: Part<Quiz>, asked: Asked): Part {
  const { grids } = asked;
  const message = grids ? Uint8Array.from(atob(grids), (character) => character.charCodeAt(0)) : undefined;
  return new Part(asked, stateIn(part.answer as Answer | undefined, asked), message, part.source);
}

/** What a reader did with the questions is the quiz's answer. */
function gather(part: Part<Quiz>, questions: Part[]): void {
  const states = questions.filter((one) => one.tried.value.length > 0).map(({ spec, state }) => [spec.id, state]);
  const answer = Object.fromEntries(states);
  if (states.length && !isEqual(answer, part.tried.peek()[0])) part.tried.value = [answer];
}

/** What comes from elsewhere, Python or another window, is what the questions show. */
function scatter(part: Part<Quiz>, questions: Part[]): void {
  const answer = part.answer as Answer | undefined;
  for (const one of questions) {
    const state = stateIn(answer, one.spec);
    const before = { tried: one.tried.peek(), hints: one.hints.peek(), given_up: one.givenUp.peek() };
    const isOther = !isEqual(state.tried ?? [], before.tried);
    if (isOther) one.state = state;
  }
}

function stateIn(answer: Answer | undefined, { id }: Spec): Partial<State> {
  const state = answer && Object.hasOwn(answer, id) ? answer[id] : null;
  return typeof state === "object" && state ? state : {};
}

/** Whether the first answer to a question is right; null before there is one. */
function standOf(asked: Spec, state: Partial<State>): boolean | null {
  const [first] = answersTo(new Part(asked, state));
  return first === undefined ? null : kindOf(asked)!.judge(asked, first) !== false;
}

function scoreOf({ questions }: Quiz, answer: Answer | undefined): { right: number; answered: number; asked: number } {
  const stands = questions.map((one) => standOf(one, stateIn(answer, one)));
  return {
    right: stands.filter(Boolean).length,
    answered: stands.filter((one) => one !== null).length,
    asked: stands.length,
  };
}

function isEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
