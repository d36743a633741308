// What Python and the browser share, kept the same on both sides.

import { effect } from "@preact/signals";
import type { Writable } from "../state/settings.js";

/** The part of a notebook's model that this needs. */
interface Sharing {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  // biome-ignore lint/suspicious/noExplicitAny: what comes with an event depends on which it is
  on(event: string, listener: (...given: any[]) => void): void;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  off(event: string, listener: (...given: any[]) => void): void;
}

/** Keeps a signal and its trait the same, whichever changes; `suit` makes something of what somebody edited. */
export function share<T>(
  given: object,
  name: string,
  setting: Writable<T>,
  suit: (value: unknown) => T,
  signal: AbortSignal,
): void {
  const model = given as Sharing;
  listen(model, `change:${name}`, signal, () => {
    // a list arrives as a new one each time, also when it holds what it held
    if (!isEqual(model.get(name), setting.peek())) setting.value = suit(model.get(name));
  });
  const end = effect(() => {
    const value = setting.value;
    if (isEqual(value, model.get(name))) return;
    model.set(name, value);
    model.save_changes();
  });
  signal.addEventListener("abort", end);
}

/** Calls back now and at every event. */
export function listen(given: object, event: string, signal: AbortSignal, happened: () => void): void {
  on(given, event, signal, happened);
  happened();
}

// biome-ignore lint/suspicious/noExplicitAny: as above
export function on(given: object, event: string, signal: AbortSignal, happened: (...given: any[]) => void): void {
  const model = given as Sharing;
  model.on(event, happened);
  signal.addEventListener("abort", () => model.off(event, happened));
}

function isEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
