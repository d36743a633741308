// Tour: one figure, shown step by step, with a caption for each step.

import { useComputed, useSignalEffect } from "@preact/signals";
import type { Shown } from "../data/wire.js";
import { keysFor } from "../pieces/keys.js";
import { named } from "../pieces/named.js";
import { shared } from "../state/settings.js";
import { FigureOf } from "./figure-of.js";
import { answersTo, type Kind } from "./kinds.js";
import type { Part } from "./part.js";
import { Rich } from "./rich.js";
import { type FigureSpec, set, useSettings } from "./settings-of.js";

interface Spec extends FigureSpec {
  stops: { show: Record<string, unknown>; say: string }[];
}

export const tour: Kind<Spec> = {
  label: "Tour",
  asks: false,
  isAnswer: ({ stops }, answer) => Number.isInteger(answer) && stops[answer as number] !== undefined,
  judge: () => null,
  Body,
};

const ALONG: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1 };

function Body({ part }: { part: Part<Spec> }) {
  const { question, stops, terms } = part.spec;
  const settings = useSettings(part, {});
  const seen = useComputed(() => (shown: Shown) => shown);
  const at = useComputed(() => (answersTo(part).at(-1) as number | undefined) ?? 0);
  useSignalEffect(() => set(settings, stateAt(part.spec, at.value)));
  const go = (by: number) => {
    const next = at.peek() + by;
    if (stops[next]) part.tried.value = [next];
    return stops[next] !== undefined;
  };
  return (
    <div class="lw-tour" {...named(question || "Tour")}>
      {question && (
        <h3>
          <Rich text={question} terms={terms} />
        </h3>
      )}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the same as its buttons */}
      <div class="lw-stop" onKeyDown={keysFor((key) => key in ALONG && go(ALONG[key]!))}>
        <p aria-live="polite">
          <strong>
            {at.value + 1} of {stops.length}
          </strong>{" "}
          <Rich text={stops[at.value]!.say} terms={terms} />
        </p>
        <button type="button" class="lw-second" aria-disabled={at.value === 0} onClick={() => go(-1)}>
          Back
        </button>
        <button type="button" class="lw-main" aria-disabled={at.value === stops.length - 1} onClick={() => go(1)}>
          Next
        </button>
      </div>
      <FigureOf message={part.message!} {...{ settings, seen }} />
    </div>
  );
}

/** How the figure is shown at a stop: what other stops change and this one doesn't is as it was at first. */
function stateAt({ stops, shown }: Spec, at: number): Record<string, unknown> {
  const first = shared({ stride: 1, ...shown });
  const changed = new Set(stops.flatMap(({ show }) => Object.keys(show)));
  const usual = Object.entries(first).filter(([name]) => changed.has(name));
  return { ...Object.fromEntries(usual.map(([name, { value }]) => [name, value])), ...stops[at]!.show };
}
