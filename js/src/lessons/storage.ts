// What a reader answered in a page stays in the browser, and can be taken out and put in. Where the browser keeps nothing, it
// stays until the page is closed, and the page says so.

import { effect, type ReadonlySignal, signal } from "@preact/signals";
import { kindOf } from "./kinds.js";
import { type Part, type State, suited } from "./part.js";

export const PREFIX = "lenswidget/";
const FORBIDDEN = "This browser keeps nothing for this page: your answers last until you close it.";
const FULL = "This browser’s storage is full: your answers last until you close the page.";
const FORMAT = "lenswidget answers";

/** The parts that are shown, by where their answers are kept. */
const parts = new Map<string, Set<Part>>();
const problem = signal("");
/** Whether this is a page, whose answers the browser keeps; in a notebook, its kernel does. */
let keeps = false;

/** What a course's answers are, as a file. */
interface Answers {
  format: typeof FORMAT;
  version: 1;
  lessons: Record<string, Record<string, Partial<State>>>;
}

/** Lets a part's answers be taken out with all others, and put in. */
export function register(part: Part, aborted: AbortSignal): void {
  const key = keyOf(part);
  const same = parts.get(key) ?? new Set();
  parts.set(key, same.add(part));
  aborted.addEventListener("abort", () => same.delete(part));
}

/** Keeps a part's answers in the browser, and as they are in another window of the same page. Returns what can't be kept, in a sentence. */
export function keepAnswers(part: Part, aborted: AbortSignal): ReadonlySignal<string> {
  keeps = true;
  const key = keyOf(part);
  const before = read(key);
  const [same] = parts.get(key) ?? [];
  if (before !== null) part.state = parsed(before);
  else if (same) part.state = same.state;
  register(part, aborted);
  let isNew = true;
  const end = effect(() => {
    const { state } = part;
    // what nobody has touched isn't kept
    if (!isNew || isTouched(state)) write(key, JSON.stringify({ ...state, ...kindOf(part.spec)?.beside?.(part) }));
    isNew = false;
    for (const other of parts.get(key)!) if (!isSame(other, state)) other.state = state;
  });
  addEventListener(
    "storage",
    ({ key: changed, newValue }) => {
      if (changed !== key && changed !== null) return;
      const now = newValue === null ? {} : parsed(newValue);
      if (!isSame(part, now)) part.state = now;
    },
    { signal: aborted },
  );
  aborted.addEventListener("abort", end);
  return problem;
}

/** All answers that this browser has, of all lessons, as a file. */
export function takeOut(): string {
  const lessons = new Map<string, Map<string, Partial<State>>>();
  const add = (key: string, state: Partial<State>) => {
    const [lesson, id] = split(key);
    lessons.set(lesson, (lessons.get(lesson) ?? new Map()).set(id, state));
  };
  for (const key of keeps ? keys() : []) add(key, parsed(read(key) ?? ""));
  for (const [key, [part]] of parts) {
    if (part && isTouched(part.state)) add(key, { ...part.state, ...kindOf(part.spec)?.beside?.(part) });
  }
  const plain = Object.fromEntries([...lessons].map(([lesson, states]) => [lesson, Object.fromEntries(states)]));
  return JSON.stringify({ format: FORMAT, version: 1, lessons: plain } satisfies Answers, null, 1);
}

/** Puts in what was taken out, in place of what is there. Returns what came of it, in a sentence. */
export function putIn(text: string): string {
  let lessons: [string, Record<string, Partial<State>>][];
  try {
    const answers = JSON.parse(text) as Answers;
    if (answers.format !== FORMAT) throw new TypeError();
    if (answers.version !== 1) return `These answers are of version ${answers.version}; this page reads version 1.`;
    lessons = Object.entries(answers.lessons);
    for (const [, states] of lessons) Object.entries(states);
  } catch {
    return "This file holds no answers: choose an answers.json that was saved in a lesson.";
  }
  let count = 0;
  for (const [lesson, states] of lessons) {
    for (const [id, state] of Object.entries(states)) {
      const key = `${PREFIX}${lesson}/${id}`;
      count += 1;
      if (keeps) write(key, JSON.stringify(state));
      for (const part of parts.get(key) ?? []) part.state = state;
    }
  }
  return `Opened: ${count} ${count === 1 ? "answer" : "answers"} of ${lessons.length} ${lessons.length === 1 ? "lesson" : "lessons"}.`;
}

/** The score of a lesson's quiz, as it was kept. */
export function scoreOf(lesson: string): { right: number; answered: number; asked: number } | null {
  const { score } = parsed(read(`${PREFIX}${lesson}/quiz`) ?? "") as { score?: Record<string, unknown> };
  const { right, answered, asked } = score ?? {};
  const isWhole = [right, answered, asked].every(Number.isInteger);
  return isWhole ? ({ right, answered, asked } as { right: number; answered: number; asked: number }) : null;
}

function keyOf({ spec }: Part): string {
  return `${PREFIX}${spec.lesson}/${spec.id}`;
}

function split(key: string): [lesson: string, id: string] {
  const [, lesson = "", ...id] = key.split("/");
  return [lesson, id.join("/")];
}

function isTouched({ tried, hints, given_up }: State): boolean {
  return tried.length > 0 || hints > 0 || given_up;
}

function isSame(part: Part, state: unknown): boolean {
  return JSON.stringify(part.state) === JSON.stringify(suited(state, part.spec));
}

function keys(): string[] {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
  } catch {
    return [];
  }
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
    if (localStorage.getItem(key) !== text) {
      localStorage.setItem(key, text);
      dispatchEvent(new Event("lenswidget-kept"));
    }
    problem.value = "";
  } catch (reason) {
    problem.value = (reason as DOMException).name === "QuotaExceededError" ? FULL : FORBIDDEN;
  }
}

function parsed(text: string): Partial<State> {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {}; // somebody edited it
  }
}
