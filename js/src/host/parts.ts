// A part of a lesson, in a notebook and in a page.

import type { Message } from "../data/wire.js";
import type { Source } from "../export/saved-page.js";
import { Part, type Spec, type State, suited } from "../lessons/part.js";
import { createPart } from "../lessons/part-view.js";
import { keepAnswers, register } from "../lessons/storage.js";
import { listen, share } from "./sharing.js";

/** The part of an anywidget model that is used here. */
interface Model {
  get(name: "part"): Spec;
  get(name: "grids"): Message;
}

export function renderPart(model: Model, el: HTMLElement, signal: AbortSignal, source?: Source): void {
  let ending = new AbortController();
  signal.addEventListener("abort", () => ending.abort());
  const show = () => {
    ending.abort();
    ending = new AbortController();
    const spec = model.get("part");
    const part = new Part(spec, {}, model.get("grids"), source);
    const suit =
      <Name extends keyof State>(name: Name) =>
      (value: unknown) =>
        suited({ [name]: value }, spec)[name];
    share(model, "tried", part.tried, suit("tried"), ending.signal);
    share(model, "hints", part.hints, suit("hints"), ending.signal);
    share(model, "given_up", part.givenUp, suit("given_up"), ending.signal);
    register(part, ending.signal);
    createPart(el, part, ending.signal);
  };
  // another figure comes as both
  listen(model, "change:part change:grids", signal, show);
}

/** What `data-lens-part` says of a part, in a page that has no kernel. Returns what takes it away again. */
export function mountPart(el: HTMLElement, text: string, message: Message, source?: Source): () => void {
  const ending = new AbortController();
  const { signal } = ending;
  let said: { part: Spec; state?: Partial<State> };
  try {
    said = JSON.parse(text);
    if (!Array.isArray(said.part.hints)) throw new TypeError();
  } catch {
    said = { part: { kind: "", id: "", lesson: "", question: "", hints: [], terms: [] } };
  }
  const asked = { ...said.part, types: false }; // no kernel reads what is typed
  const part = new Part(asked, said.state, message, source);
  createPart(el, part, signal, keepAnswers(part, signal));
  return () => ending.abort();
}
