// What every part of a lesson is, whatever it asks: what it asks as plain data, and what was answered as signals.

import { type Signal, signal } from "@preact/signals";
import type { Message } from "../data/wire.js";
import type { Source } from "../export/saved-page.js";
import { unseal } from "./seal.js";

/** What is asked, as Python writes it; each kind has more. */
export interface Spec {
  kind: string;
  id: string;
  lesson: string;
  question: string;
  /** Sealed. */
  hints: string[];
  /** Each with its definition. */
  terms: [term: string, definition: string][];
}

/** What was answered, as plain data: what a page keeps, and Python's `state()`. */
export interface State {
  /** The answers that were given, in order. */
  tried: unknown[];
  /** How many hints were opened. */
  hints: number;
  /** Whether the answer was shown. */
  given_up: boolean;
}

export interface Hint {
  say: string;
  /** The state of a figure that it sets. */
  show?: Record<string, unknown>;
  /** What solves an exercise. */
  code?: string;
}

export class Part<Asked extends Spec = Spec> {
  readonly tried: Signal<unknown[]>;
  readonly hints: Signal<number>;
  readonly givenUp: Signal<boolean>;
  /** The state that a hint shows; a figure takes it. */
  readonly shown: Signal<Record<string, unknown> | null> = signal(null);

  constructor(
    readonly spec: Asked,
    state: Partial<State> = {},
    /** Its figure, where it has one, and what a page of that is written with. */
    readonly message?: Message,
    readonly source?: Source,
  ) {
    const { tried, hints, given_up } = suited(state, spec);
    this.tried = signal(tried);
    this.hints = signal(hints);
    this.givenUp = signal(given_up);
  }

  get answer(): unknown {
    return this.tried.value.at(-1);
  }

  get state(): State {
    return { tried: this.tried.value, hints: this.hints.value, given_up: this.givenUp.value };
  }

  set state(state: Partial<State>) {
    const { tried, hints, given_up } = suited(state, this.spec);
    this.tried.value = tried;
    this.hints.value = hints;
    this.givenUp.value = given_up;
  }

  try(answer: unknown): void {
    this.tried.value = [...this.tried.value, answer];
  }

  hint(number: number): Hint {
    try {
      return JSON.parse(unseal(this.spec.hints[number]!, this.spec.question));
    } catch {
      return { say: "This hint can’t be read: somebody edited the page." };
    }
  }

  openHint(): void {
    const hint = this.hint(this.hints.peek());
    this.hints.value += 1;
    if (!tells(hint)) return;
    this.givenUp.value = true;
    if (hint.show) this.shown.value = hint.show;
  }
}

/** Whether a hint shows the answer. */
export function tells({ show, code }: Hint): boolean {
  return show !== undefined || code !== undefined;
}

/** A state as it was saved, or as much of it as somebody left whole. */
export function suited(state: unknown, { hints: has }: Spec): State {
  const { tried, hints, given_up } = (typeof state === "object" && state ? state : {}) as Record<string, unknown>;
  return {
    tried: Array.isArray(tried) ? tried : [],
    hints: Number.isInteger(hints) ? Math.max(0, Math.min(hints as number, has.length)) : 0,
    given_up: given_up === true,
  };
}
