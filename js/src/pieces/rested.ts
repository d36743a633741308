// What a signal settles on: what costs too much to redraw at every step of a pointer waits until it rests.

import { type ReadonlySignal, useSignal, useSignalEffect } from "@preact/signals";

const REST = 60; // milliseconds

export function useRested<T>(moving: { readonly value: T; peek(): T }): ReadonlySignal<T> {
  const rested = useSignal(moving.peek());
  useSignalEffect(() => {
    const now = moving.value;
    const timer = setTimeout(() => {
      rested.value = now;
    }, REST);
    return () => clearTimeout(timer);
  });
  return rested;
}
