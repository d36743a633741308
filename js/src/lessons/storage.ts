// What a reader answered in a page stays in the browser, and can be taken out and put in. Where the browser keeps nothing, it
// stays until the page is closed, and the page says so.

import { effect, type ReadonlySignal, signal } from "@preact/signals";
import type { Part, State } from "./part.js";

const PREFIX = "lenswidget/";
const FORBIDDEN = "This browser keeps nothing for this page: your answers last until you close it.";
const FULL = "This browser’s storage is full: your answers last until you close the page.";

/** The parts of this page, by where they are kept. */
const parts = new Map<string, Set<Part>>();
const problem = signal("");

/** Keeps a part's answers in the browser, and as they are in another window of the same page. Returns what can't be kept, in a sentence. */
export function keepAnswers(part: Part, aborted: AbortSignal): ReadonlySignal<string> {
  const key = keyOf(part);
  const before = read(key);
  if (before !== null) part.state = parsed(before);
  parts.set(key, (parts.get(key) ?? new Set()).add(part));
  let first = true;
  const end = effect(() => {
    const text = JSON.stringify(part.state);
    // what nobody has answered yet isn't kept
    if (!first || part.tried.value.length || part.hints.value) write(key, text);
    first = false;
    for (const other of parts.get(key)!) {
      if (other !== part && JSON.stringify(other.state) !== text) other.state = part.state;
    }
  });
  addEventListener(
    "storage",
    ({ key: changed, newValue }) => {
      if (changed !== key && changed !== null) return;
      const now = newValue === null ? {} : parsed(newValue);
      if (JSON.stringify(now) !== JSON.stringify(part.state)) part.state = now;
    },
    { signal: aborted },
  );
  aborted.addEventListener("abort", () => {
    end();
    parts.get(key)!.delete(part);
  });
  return problem;
}

function keyOf({ spec }: Part): string {
  return `${PREFIX}${spec.lesson}/${spec.id}`;
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    problem.value = FORBIDDEN;
    return null;
  }
}

function write(key: string, text: string): void {
  try {
    if (localStorage.getItem(key) !== text) localStorage.setItem(key, text);
    problem.value = "";
  } catch (reason) {
    problem.value = (reason as DOMException).name === "QuotaExceededError" ? FULL : FORBIDDEN;
  }
}

function parsed(text: string): Partial<State> {
  try {
    return JSON.parse(text);
  } catch {
    return {}; // somebody edited it
  }
}
