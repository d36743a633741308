// Hints, which open one by one: a nudge, a suggestion, and the answer.

import { isDone, type Kind } from "./kinds.js";
import { type Part, type Spec, tells } from "./part.js";
import { Rich } from "./rich.js";

const NAMES = ["A nudge", "A suggestion"];

/** Hints alone. */
export const hints: Kind<Spec> = {
  label: "Hints",
  asks: false,
  isAnswer: () => false,
  judge: () => null,
  Body: Hints,
};

export function Hints({ part }: { part: Part }) {
  const { hints, terms } = part.spec;
  const opened = part.hints.value;
  const next = opened < hints.length && !isDone(part) ? part.hint(opened) : null;
  if (!opened && !next) return null;
  return (
    <div class="lw-hints">
      <ol aria-label="Hints" aria-live="polite">
        {hints.slice(0, opened).map((_, i) => {
          const { say, code } = part.hint(i);
          return (
            <li key={i}>
              <span class="lw-count">{i + 1}</span>
              <div>
                <p>
                  <Rich text={say} terms={terms} />
                </p>
                {code !== undefined && <pre>{code}</pre>}
              </div>
            </li>
          );
        })}
      </ol>
      {next && (
        <button type="button" class="lw-hint" onClick={() => part.openHint()}>
          <span class="lw-count" data-next="true">
            {opened + 1}
          </span>
          {tells(next) ? (
            <span>
              <strong>Show me</strong> <span class="lw-muted">counts as shown, not solved</span>
            </span>
          ) : (
            <span>
              {opened === 0 && <strong>A hint: </strong>}
              {(NAMES[opened] ?? "One more").toLowerCase()}
            </span>
          )}
        </button>
      )}
    </div>
  );
}
