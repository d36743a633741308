// What is said of an answer, in a line with its mark.

import type { ComponentChildren } from "preact";
import { Mark, type Stand } from "./mark.js";

export function Verdict({ stand, children }: { stand: Stand; children: ComponentChildren }) {
  return (
    <li data-stand={stand}>
      <Mark stand={stand} />
      <p>{children}</p>
    </li>
  );
}

/** Verdicts, one under another, the last of which a screen reader is told. */
export function Verdicts({ children }: { children: ComponentChildren }) {
  return (
    <ul class="lw-verdicts" aria-live="polite">
      {children}
    </ul>
  );
}
