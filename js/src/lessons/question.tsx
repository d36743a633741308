// A question as it stands in a page or in a quiz: what it asks, what answers it, and what helps.

import { Hints } from "./hints.js";
import { isDone, kindOf } from "./kinds.js";
import type { Part } from "./part.js";
import { Rich } from "./rich.js";

interface Props {
  part: Part;
  /** What stands over it, in place of what its kind says. */
  label?: string;
  /** The first answer is the last. */
  once?: boolean;
}

export function Question({ part, label, once = false }: Props) {
  const kind = kindOf(part.spec)!;
  const { question, terms } = part.spec;
  return (
    <div class="lw-question">
      <p class="lw-what">{label ?? kind.label}</p>
      <h3>
        <Rich text={question} terms={terms} />
      </h3>
      <kind.Body part={part} once={once} />
      {!once && <Hints part={part} />}
      {!once && part.tried.value.length > 0 && !isDone(part) && (
        <p class="lw-acts">
          <button
            type="button"
            class="lw-plain"
            onClick={() => {
              part.givenUp.value = true;
            }}
          >
            Show the answer
          </button>
        </p>
      )}
    </div>
  );
}
