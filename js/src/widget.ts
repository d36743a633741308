// The module that a notebook loads. It is the only file that touches `model`, which carries what Python shares.

import { effect } from "@preact/signals";
import type { Source } from "./export.js";
import { type Settings, type Shared, shared } from "./reading.js";
import { createView } from "./view.js";
import type { Message } from "./wire.js";

interface Traits extends Settings {
  grids: Message;
  /** A reference to the model that holds the script; `loader.ts` follows it. */
  script: string | null;
}

/** The part of an anywidget model that is used here. */
export interface Model {
  get<Name extends keyof Traits>(name: Name): Traits[Name];
  set<Name extends keyof Settings>(name: Name, value: Settings[Name]): void;
  save_changes(): void;
  on(event: `change:${keyof Traits}`, listener: () => void): void;
  off(event: `change:${keyof Traits}`, listener: () => void): void;
  widget_manager?: { get_model(name: string): Promise<unknown> };
}

export interface Host {
  model: Model;
  el: HTMLElement;
  signal: AbortSignal;
}

export default (source?: Source) => ({
  render({ model, el, signal }: Host): void {
    const settings = shared();
    for (const name of Object.keys(settings) as (keyof Settings)[]) share(model, settings, name, signal);
    const view = createView(el, settings, signal, source);
    listen(model, "grids", signal, () => view.show(model.get("grids")));
  },
});

/** Shows a message in a page that has no kernel. Returns what takes it away again. */
export function mount(el: HTMLElement, message: Message, state: Partial<Settings> = {}, source?: Source): () => void {
  const ending = new AbortController();
  createView(el, shared(state), ending.signal, source).show(message);
  return () => ending.abort();
}

/** Keeps a setting and its trait the same, whichever changes. */
function share<Name extends keyof Settings>(model: Model, settings: Shared, name: Name, signal: AbortSignal): void {
  const setting = settings[name];
  listen(model, name, signal, () => {
    // a list arrives as a new one each time, also when it holds what it held
    if (!isEqual(model.get(name), setting.peek())) setting.value = model.get(name);
  });
  const end = effect(() => {
    const value = setting.value;
    if (isEqual(value, model.get(name))) return;
    model.set(name, value);
    model.save_changes();
  });
  signal.addEventListener("abort", end);
}

/** Calls back now and whenever a trait changes. */
function listen(model: Model, name: keyof Traits, signal: AbortSignal, changed: () => void): void {
  model.on(`change:${name}`, changed);
  signal.addEventListener("abort", () => model.off(`change:${name}`, changed));
  changed();
}

function isEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
