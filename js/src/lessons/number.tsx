// A question that a number answers.

import { useSignal } from "@preact/signals";
import { useOwnId } from "../pieces/own-id.js";
import { answersTo, isDone, type Kind } from "./kinds.js";
import type { Spec } from "./part.js";
import { Rich } from "./rich.js";
import { keyOf } from "./sealed.js";
import { Verdict, Verdicts } from "./verdict.js";

interface Asked extends Spec {
  unit: string;
  sealed: string;
}

interface Key {
  right: number;
  within: number;
  say: string;
}

export const number: Kind<Asked> = {
  label: "Question",
  asks: true,
  isAnswer: (_, answer) => Number.isFinite(answer),
  judge(asked, answer) {
    const { right = Number.NaN, within = 0 } = keyOf<Key>(asked);
    // as Python reckons: what was typed in decimals is right at the very end of what is allowed
    return Math.abs((answer as number) - right) <= within + 1e-9 * Math.max(1, Math.abs(right));
  },
  Body({ part, once = false }) {
    const { spec } = part;
    const { unit, terms } = spec;
    const id = useOwnId();
    const typed = useSignal("");
    const problem = useSignal("");
    const done = isDone(part, once);
    const given = answersTo(part) as number[];
    const { right, say = "" } = keyOf<Key>(spec);
    const isSolved = given.some((one) => number.judge(spec, one));
    const check = (event: Event) => {
      event.preventDefault();
      const value = read(typed.value, unit);
      problem.value = value === null ? sentence(typed.value) : "";
      if (value === null) return;
      part.try(value);
      typed.value = "";
    };
    return (
      <>
        {!done && (
          <form class="lw-acts" onSubmit={check}>
            <input
              type="text"
              inputMode="decimal"
              autocomplete="off"
              size={10}
              aria-label={unit ? `Your answer, in ${unit}` : "Your answer"}
              aria-invalid={problem.value !== ""}
              aria-describedby={id}
              value={typed.value}
              onInput={({ currentTarget }) => {
                typed.value = currentTarget.value;
              }}
            />
            {unit && <span class="lw-muted">{unit}</span>}
            <button type="submit" class="lw-main">
              Check
            </button>
          </form>
        )}
        <p id={id} class="lw-warning" role="status" hidden={!problem.value}>
          {problem.value}
        </p>
        <Verdicts>
          {given.map((one, i) => {
            const isRight = number.judge(spec, one)!;
            return (
              <Verdict key={i} stand={isRight ? "right" : "wrong"}>
                <strong>{`${one} ${unit}`.trim()}</strong>
                {isRight ? ". " : ", no. "}
                {isRight && <Rich text={say} terms={terms} />}
              </Verdict>
            );
          })}
          {done && !isSolved && right !== undefined && (
            <Verdict stand="right">
              <strong>{`${right} ${unit}`.trim()}</strong>. <Rich text={say} terms={terms} />
            </Verdict>
          )}
        </Verdicts>
      </>
    );
  },
};

/** A number as people write it: with a comma, a narrow space, or its unit. */
function read(text: string, unit: string): number | null {
  let plain = text.replace(/\s/g, "").replace(/\u2212/g, "-");
  const ends = unit.replace(/\s/g, "");
  if (ends && plain.endsWith(ends)) plain = plain.slice(0, -ends.length);
  if (/^[^,]*,\d+$/.test(plain) && !plain.includes(".")) plain = plain.replace(",", ".");
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) && Number.isFinite(Number(plain)) ? Number(plain) : null;
}

function sentence(text: string): string {
  return text.trim()
    ? `“${text.trim().slice(0, 40)}” is no number. Write one such as 12 or 0.5.`
    : "There is no answer yet. Write a number such as 12 or 0.5.";
}
