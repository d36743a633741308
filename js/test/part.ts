// Parts of lessons to test with: mounted as a page mounts them.

import { expect, onTestFinished, vi } from "vitest";
import "../src/style/lessons.css";
import type { Message } from "../src/data/wire.js";
import { Part, type Spec, type State } from "../src/lessons/part.js";
import { createPart } from "../src/lessons/part-view.js";

/** A part, in an element of a width, with its figure painted. */
export async function show(spec: object, message: Message, state: Partial<State> = {}, width = 1100) {
  const el = document.createElement("div");
  el.style.width = `${width}px`;
  document.body.append(el);
  const ending = new AbortController();
  const asked = { id: "", lesson: "", question: "Where?", hints: [], terms: [], ...spec } as unknown as Spec;
  const part = new Part(asked, state, message);
  createPart(el, part, ending.signal);
  onTestFinished(() => {
    ending.abort();
    el.remove();
  });
  await painted(el);
  const figure = el.querySelector<HTMLElement>(".lw-figure-of .lenswidget")!;
  return { el, part, figure };
}

/** Waits for the figure to be painted. */
export async function painted(el: HTMLElement): Promise<void> {
  const isReady = () => el.querySelector<HTMLElement>(".lw-figure-of .lenswidget")?.dataset.state;
  await vi.waitFor(() => expect(isReady()).toBe("ready"), { timeout: 10_000 });
}

/** The digest of an answer, by the browser's own SHA-256. */
export async function digested(question: string, answer: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${question}\n${answer}`));
  return [...new Uint8Array(bytes)]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("")
    .slice(0, 16);
}
