// One of several sentences, or each that is true: every one that is chosen says its own sentence.

import { useSignal } from "@preact/signals";
import { useOwnId } from "../pieces/own-id.js";
import { answersTo, isDone, type Kind } from "./kinds.js";
import { Mark, type Stand } from "./mark.js";
import type { Part, Spec } from "./part.js";
import { Rich } from "./rich.js";
import { digest, unseal } from "./seal.js";

interface Choice extends Spec {
  several: boolean;
  /** Each with the sentence that is said when it is chosen, sealed with its text. */
  options: { text: string; say: string }[];
  /** The digests of those that are right. */
  right: string[];
}

export const choice: Kind<Choice> = {
  label: "Question",
  asks: true,
  isAnswer({ several, options }, answer) {
    const texts = several ? answer : [answer];
    return Array.isArray(texts) && texts.every((text) => options.some((one) => one.text === text));
  },
  judge: (asked, answer) => {
    const chosen = (asked.several ? answer : [answer]) as string[];
    return chosen.length === asked.right.length && chosen.every((text) => isRight(asked, text));
  },
  Body({ part, once = false }) {
    const { spec } = part;
    const draft = useSignal<string[]>([]);
    const done = isDone(part, once);
    const given = answersTo(part);
    const chosen = new Set(given.flat() as string[]);
    // of several, those that were ticked last
    const last = new Set(spec.several ? (given.at(-1) as string[] | undefined) : chosen);
    const showsRight = done && (once || part.givenUp.value);
    const toggle = (text: string) => {
      draft.value = draft.value.includes(text) ? draft.value.filter((one) => one !== text) : [...draft.value, text];
    };
    return (
      <>
        <ul class="lw-options" aria-live="polite">
          {spec.options.map(({ text }) => {
            const told = last.has(text) || (showsRight && isRight(spec, text));
            const stand: Stand = told ? (isRight(spec, text) ? "right" : "wrong") : "open";
            const press = spec.several ? () => toggle(text) : () => part.try(text);
            return (
              <Option
                key={text}
                {...{ part, text, stand, press }}
                yours={last.has(text)}
                ticked={spec.several ? draft.value.includes(text) : null}
                isClosed={done || (!spec.several && told)}
              />
            );
          })}
        </ul>
        {spec.several && !done && (
          <p class="lw-acts">
            <button
              type="button"
              class="lw-main"
              disabled={!draft.value.length}
              onClick={() => {
                part.try(draft.value);
                draft.value = [];
              }}
            >
              Check
            </button>
            <span class="lw-muted">Several are right.</span>
          </p>
        )}
      </>
    );
  },
};

interface OptionProps {
  part: Part<Choice>;
  text: string;
  stand: Stand;
  yours: boolean;
  /** Whether it is ticked and not yet checked; null where one press answers. */
  ticked: boolean | null;
  isClosed: boolean;
  press: () => void;
}

function Option({ part, text, stand, yours, ticked, isClosed, press }: OptionProps) {
  const id = useOwnId();
  const { terms } = part.spec;
  return (
    <li data-stand={stand} data-ticked={ticked === true} data-closed={isClosed}>
      <Mark stand={stand} />
      <button
        type="button"
        aria-labelledby={id}
        aria-pressed={ticked ?? undefined}
        aria-disabled={isClosed}
        onClick={() => isClosed || press()}
      />
      <p>
        <span id={id}>
          <Rich text={text} terms={terms} />
        </span>
        {stand !== "open" && (
          <span class="lw-muted">
            {" "}
            {yours && stand === "wrong" && "Your answer. "}
            <Rich text={sentenceOf(part.spec, text)} terms={terms} />
          </span>
        )}
      </p>
    </li>
  );
}

function isRight({ question, right }: Choice, text: string): boolean {
  return right.includes(digest(question, text));
}

function sentenceOf({ question, options }: Choice, text: string): string {
  return unseal(options.find((one) => one.text === text)!.say, `${question}\n${text}`);
}
