// How a figure in a lesson is shown: as its author says, and as a hint that was opened shows it.

import { type ReadonlySignal, useSignalEffect } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { type Settings, type Shared, shared, suited } from "../state/settings.js";
import type { Part, Spec } from "./part.js";

/** What a part with a figure has in common. */
export interface FigureSpec extends Spec {
  /** How the figure is shown at first. */
  shown: Partial<Settings>;
}

export function useSettings<Asked extends FigureSpec>(part: Part<Asked>, own: Partial<Settings>): Shared {
  const settings = useMemo(() => shared({ stride: 1, ...part.spec.shown, ...own }), [part]);
  useShown(settings, part.shown);
  return settings;
}

/** Takes over what is to be shown, whenever that changes. */
function useShown(settings: Shared, shown: ReadonlySignal<Record<string, unknown> | null>): void {
  useSignalEffect(() => set(settings, shown.value ?? {}));
}

/** Sets what a state has; the rest stays. */
export function set(settings: Shared, state: Record<string, unknown>): void {
  for (const name of Object.keys(state).filter((name) => Object.hasOwn(settings, name)) as (keyof Settings)[])
    (settings[name] as { value: unknown }).value = suited(name, state[name]);
}
