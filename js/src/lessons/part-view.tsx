// One part in the page: its question and what answers it, or the sentence that says why there is none.

import type { ReadonlySignal } from "@preact/signals";
import { render } from "preact";
import { rootIn } from "../pieces/root.js";
import { followTheme } from "../style/theme.js";
import "./all.js";
import { kindOf } from "./kinds.js";
import type { Part } from "./part.js";
import { Question } from "./question.js";

/** Puts a part into `el`, until the signal is aborted; `problem` says that nothing can be kept. */
export function createPart(
  el: HTMLElement,
  part: Part,
  aborted: AbortSignal,
  problem: ReadonlySignal<string> | null = null,
): void {
  const { root, arrived } = rootIn(el, aborted);
  root.classList.add("lw-part");
  root.dataset.kind = part.spec.kind;
  arrived.then(() => {
    if (aborted.aborted) return;
    followTheme(root, aborted, () => {});
    render(<Whole part={part} problem={problem} />, root);
    root.dataset.state = kindOf(part.spec) ? "ready" : "error";
  });
}

function Whole({ part, problem }: { part: Part; problem: ReadonlySignal<string> | null }) {
  const kind = kindOf(part.spec);
  if (!kind) {
    return (
      <p role="alert" class="lw-warning">
        This part of a lesson can’t be shown: it is a “{`${part.spec.kind}`}”, which this script doesn’t have. Make the
        page again.
      </p>
    );
  }
  return (
    <>
      {kind.asks ? <Question part={part} /> : <kind.Body part={part} />}
      {problem?.value && part.tried.value.length > 0 && <p class="lw-muted lw-note">{problem.value}</p>}
    </>
  );
}
