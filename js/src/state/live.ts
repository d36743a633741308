// What only a running Python can answer, and whether there is one to ask.

import type { ReadonlySignal } from "@preact/signals";
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
}
