// Prompts to try: each with its grid, and a box for others where a kernel reads them.

import { useComputed, useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Shown } from "../data/wire.js";
import { named } from "../pieces/named.js";
import { FigureOf } from "./figure-of.js";
import { answersTo, type Kind } from "./kinds.js";
import type { Part } from "./part.js";
import { Rich } from "./rich.js";
import { type FigureSpec, useSettings } from "./settings-of.js";

interface Spec extends FigureSpec {
  prompts: string[];
  /** Whether others can be typed. */
  types: boolean;
  /** Why the last that was typed has no grid. */
  problem: string;
}

export const promptsToTry: Kind<Spec> = {
  label: "Prompts",
  asks: false,
  isAnswer: (_, answer) => typeof answer === "string",
  judge: () => null,
  Body,
};

/** The part in which something was typed: what comes of it is another part, and the box keeps the focus. */
let asking = "";

function Body({ part }: { part: Part<Spec> }) {
  const { question, terms, prompts, types, problem } = part.spec;
  const settings = useSettings(part, {});
  const last = useComputed(() => answersTo(part).at(-1) as string | undefined);
  const box = useRef<HTMLInputElement>(null);
  const typed = useSignal(problem ? (last.peek() ?? "") : "");
  useLayoutEffect(() => {
    if (asking === part.spec.id) box.current?.focus({ preventScroll: true });
    asking = "";
  }, []);
  const at = useComputed(() => Math.max(0, prompts.indexOf(last.value ?? prompts[0]!)));
  const seen = useComputed(() => {
    const which = at.value;
    return ({ grids }: Shown): Shown => ({ grids: [grids[which] ?? grids[0]!], comparison: null });
  });
  const choose = (prompt: string) => (part.tried.value = [prompt]);
  const isAsked = types && last.value !== undefined && !prompts.includes(last.value);
  return (
    <div class="lw-prompts" {...named(question || "Prompts to try")}>
      {question && (
        <h3>
          <Rich text={question} terms={terms} />
        </h3>
      )}
      <div class="lw-acts">
        {prompts.map((prompt, i) => (
          <button
            key={prompt}
            type="button"
            class="lw-second"
            aria-pressed={i === at.value}
            onClick={() => choose(prompt)}
          >
            <bdi>{prompt}</bdi>
          </button>
        ))}
      </div>
      {types && (
        <form
          class="lw-acts"
          onSubmit={(event) => {
            event.preventDefault();
            if (!typed.value.trim()) return;
            asking = part.spec.id;
            choose(typed.value);
          }}
        >
          <input
            ref={box}
            type="search"
            aria-label="Another prompt"
            placeholder="Type another prompt"
            value={typed.value}
            onInput={(event) => (typed.value = event.currentTarget.value)}
          />
          <button type="submit" class="lw-main">
            Read
          </button>
        </form>
      )}
      <p role="status" class={problem ? "lw-warning" : "lw-muted"}>
        {isAsked && (problem || "The kernel reads it…")}
      </p>
      <FigureOf message={part.message!} {...{ settings, seen }} />
    </div>
  );
}
