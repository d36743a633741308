// The Python that makes a view: only what differs from how it began.

import { codePoint, UNSEEN } from "../data/marks.js";
import { type Settings, shared } from "./settings.js";
import type { ViewState } from "./view-state.js";

const NOT_CHOSEN = new Set<string>(["live", "prompt", "progress"] satisfies (keyof Settings)[]);

export function codeOf({ settings, each, names }: ViewState): string {
  const initial = shared();
  const state = Object.entries(settings)
    .filter(([name]) => !NOT_CHOSEN.has(name))
    .map(([name, { value }]) => [name, value, initial[name as keyof Settings].value] as const)
    .filter(([, value, usual]) => JSON.stringify(value) !== JSON.stringify(usual))
    .map(([name, value]) => `${JSON.stringify(name)}: ${python(value)}`);
  const grids = each.length > 1 ? `lw.compare(${names.map((_, i) => letter(i)).join(", ")})` : "grid";
  return `lw.LensWidget(${[grids, state.length ? `state={${state.join(", ")}}` : ""].filter(Boolean).join(", ")})`;
}

/** a, b, …, z, a1, b1, … */
function letter(i: number): string {
  return String.fromCharCode(97 + (i % 26)) + (i < 26 ? "" : Math.floor(i / 26));
}

/** A setting as Python writes it; there are no booleans among them. What can't be seen is written by its number. */
function python(value: unknown): string {
  if (value === null) return "None";
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  return JSON.stringify(value).replace(UNSEEN, (one) => (one === " " ? one : `\\U${codePoint(one, 8)}`));
}
