// The kinds of parts, by their names; `all.ts` puts them in.

import type { FunctionComponent } from "preact";
import type { Part, Spec } from "./part.js";

export interface Kind<Asked extends Spec = Spec> {
  /** What stands over its question. */
  label: string;
  /** Whether something is an answer to it at all. */
  isAnswer(asked: Asked, answer: unknown): boolean;
  /** Whether an answer is right; null where there is no right and wrong. */
  judge(asked: Asked, answer: unknown): boolean | null;
  /** What stands under its question. With `once`, the first answer is the last, and the right one stands beside it. */
  Body: FunctionComponent<{ part: Part<Asked>; once?: boolean }>;
  /** Whether it is a question, with hints and an answer that can be shown; else all of it is its body. */
  asks: boolean;
  /** What is kept beside its state, for those who don't know what it asks: the score of a quiz. */
  beside?(part: Part<Asked>): object;
}

// biome-ignore lint/suspicious/noExplicitAny: each kind knows what it asks, and a part is only given to its own
const kinds = new Map<string, Kind<any>>();

export function addKind<Asked extends Spec>(name: string, kind: Kind<Asked>): void {
  kinds.set(name, kind);
}

export function kindOf({ kind }: Spec): Kind | undefined {
  return kinds.get(kind);
}

/** The answers that were given, without what somebody edited into none. */
export function answersTo(part: Part): unknown[] {
  const kind = kindOf(part.spec);
  return part.tried.value.filter((answer) => kind?.isAnswer(part.spec, answer));
}

/** Whether the answer that was given last is right; null before there is one, or where there is no right and wrong. */
export function standsRight(part: Part): boolean | null {
  const answers = answersTo(part);
  return answers.length ? kindOf(part.spec)!.judge(part.spec, answers.at(-1)) : null;
}

/** Whether there is nothing left to answer; where there is no right and wrong, one answer is all. */
export function isDone(part: Part, once = false): boolean {
  const isAnswered = answersTo(part).length > 0;
  return part.givenUp.value || (isAnswered && (once || standsRight(part) !== false));
}
