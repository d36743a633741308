// What only a running Python can answer, and whether there is one to ask.

import { type ReadonlySignal, signal } from "@preact/signals";
import type { Grid } from "../data/grid.js";
import type { Jump } from "./settings.js";

/** The answer to what moved a token, or why there is none. */
export interface Answer {
  jump: Jump;
  grid?: Grid;
  error?: string;
}

export interface Live {
  /** Whether Python had the model that it takes. It may have gone since: only an answer shows that it is there. */
  explains: ReadonlySignal<boolean>;
  explained: ReadonlySignal<Answer | null>;
  /** Says that no kernel listens any more. */
  isLost: ReadonlySignal<boolean>;
  /** Asks for something; what comes of it is shown. */
  ask(request: Request): void;
}

/** What is asked of the model behind a prompt. */
export type Request =
  | { do: "type"; prompt: string }
  /** `instead` is a position, and the id of the token that is to follow it. */
  | ({ do: "write"; instead?: [position: number, id: number] } & Writing)
  | { do: "stop" | "show tried" | "new chat" | "send whole" };

/** How the model goes on: with so many tokens, each the likeliest at temperature 0. */
export interface Writing {
  count: number;
  temperature: number;
  top_p: number;
  seed: number;
}

/** How a reader wants it, in all views of a page. */
export const writing = signal<Writing>({ count: 20, temperature: 0, top_p: 1, seed: 0 });
