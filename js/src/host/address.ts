// What a reader chose, in the address of a page: so that a link opens it as it was seen.

import { effect } from "@preact/signals";
import { type Settings, type Shared, suited } from "../state/settings.js";

const CHOICES = [
  "selected", "pins", "color", "view", "shown", "trajectory", "filter", "rows_compared", "jump", "order",
] as const satisfies (keyof Settings)[]; // biome-ignore format: a list
/** Longer ones are cut off by whatever they are sent through. */
const LONGEST = 2000;
const REST = 200;

/** What an address says of the page's figures, whatever somebody made of it: only choices, and only of their kind. */
export function addressed(hash: string, figure: number): Partial<Settings> {
  if (hash.length > LONGEST) return {};
  try {
    const said = JSON.parse(decodeURIComponent(hash.slice(1)))[figure];
    const known = CHOICES.filter((name) => Object.hasOwn(said, name));
    return Object.fromEntries(known.map((name) => [name, suited(name, said[name])]));
  } catch {
    return {}; // another page's, or nobody's
  }
}

/** Keeps the choices in all figures of a page in its address, and takes them from there when that changes. */
export function keepAddress(figures: Shared[]): void {
  const usual = figures.map(chosen);
  let now = location.hash;
  let wait: ReturnType<typeof setTimeout> | undefined;
  const write = () => {
    const said = figures.map((settings, i) => {
      const differs = Object.entries(chosen(settings)).filter(
        ([name, value]) => JSON.stringify(value) !== JSON.stringify(usual[i]![name as keyof Settings]),
      );
      return Object.fromEntries(differs);
    });
    const is = said.some((one) => Object.keys(one).length) ? `#${encodeURIComponent(JSON.stringify(said))}` : "";
    if (is === now || is.length > LONGEST || (!is && !Object.keys(addressed(now, 0)).length)) return;
    now = is;
    try {
      history.replaceState(history.state, "", is || location.pathname + location.search);
    } catch {
      // a frame without an address of its own
    }
  };
  const read = () => {
    now = location.hash;
    for (const [i, settings] of figures.entries()) {
      for (const [name, value] of Object.entries({ ...usual[i], ...addressed(now, i) })) {
        (settings[name as keyof Settings] as { value: unknown }).value = value;
      }
    }
  };
  if (figures.some((_, i) => Object.keys(addressed(now, i)).length)) read();
  addEventListener("hashchange", read);
  effect(() => {
    for (const settings of figures) chosen(settings);
    clearTimeout(wait);
    wait = setTimeout(write, REST);
  });
}

function chosen(settings: Shared): Partial<Settings> {
  return Object.fromEntries(CHOICES.map((name) => [name, settings[name].value]));
}
