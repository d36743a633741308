// Keys that are typed in a view, in a page that has meanings of its own for them.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { userEvent } from "vitest/browser";
import { FakeModel, show } from "./host.js";
import { ANSWERS, comparing, message } from "./messages.js";

/** What a notebook, or slides, do with a cell when one of these is pressed in it. */
const COMMANDS = [..."rymxcvzabdDjkhfosilp0123456?", " ", "Enter", "Delete", "Backspace"].concat(
  ["Up", "Down", "Left", "Right"].map((way) => `Arrow${way}`),
  ["Home", "End", "PageUp", "PageDown"],
);

let done: string[] = [];
/** As Lumino looks for a command: from what has the focus upwards, and before anything else hears of the key. */
function lumino(event: KeyboardEvent): void {
  for (
    let at = event.target as Element | null;
    at && !at.hasAttribute("data-lm-suppress-shortcuts");
    at = at.parentElement
  )
    if (at.matches(".notebook :focus") || at.matches(".notebook")) {
      event.preventDefault();
      return void done.push(`${event.type} ${event.key}`);
    }
}
/** Others listen where all keys end up. */
function bubbled(event: KeyboardEvent): void {
  done.push(`${event.type} ${event.key} above`);
}
const KINDS = ["keydown", "keypress", "keyup"] as const;

beforeEach(() => {
  localStorage.clear();
  document.body.className = "notebook";
  document.addEventListener("keydown", lumino, true);
  for (const kind of KINDS) document.addEventListener(kind, bubbled);
});
afterEach(() => {
  document.body.className = "";
  document.removeEventListener("keydown", lumino, true);
  for (const kind of KINDS) document.removeEventListener(kind, bubbled);
});

const jumps = { parts: ["embed", "L0 attention"], entries: [[3, 0, () => [0.5, -0.25]]] };
const bars = {
  view: "bars",
  rows: 60,
  columns: 1,
  candidates: null,
  trajectories: null,
  quantities: [{ name: "logit", values: (row: number) => 30 - row }],
};
const open = { selected: [1, 1], pins: [[101], [102]], rows_compared: [1, 3] };
const VIEWS: Record<string, () => Promise<FakeModel>> = {
  "one grid": async () => new FakeModel(await message()),
  "all that can be open": async () =>
    new FakeModel(await message({ jumps: jumps as never, rows: 20 }), { ...open, jump: [3, 100, 2] }),
  "two grids": async () => new FakeModel(await comparing([{}, {}]), open),
  "an overview": async () =>
    new FakeModel(await comparing([{}, {}], { overview: { ...ANSWERS, rows: 2 } }), { view: "overview" }),
  "a difference": async () => new FakeModel(await comparing([{}, {}, {}]), { view: "difference", shown: 1 }),
  bars: async () => new FakeModel(await message(bars)),
  "a live prompt": async () => new FakeModel(await message(), { live: true, prompt: "first" }),
};

/** Everything in a view that takes the focus. */
function focusable(root: HTMLElement): HTMLElement[] {
  for (const details of root.querySelectorAll("details")) details.open = true;
  return [...root.querySelectorAll<HTMLElement>("*")].filter((element) => {
    element.focus?.();
    return (element.getRootNode() as Document | ShadowRoot).activeElement === element;
  });
}

function press(element: HTMLElement, key: string, more: KeyboardEventInit = {}): void {
  element.focus();
  for (const kind of KINDS)
    element.dispatchEvent(new KeyboardEvent(kind, { key, bubbles: true, cancelable: true, composed: true, ...more }));
}

it.each(Object.keys(VIEWS))("no key in anything of %s is a command of the page", async (name) => {
  const { root } = await show(await VIEWS[name]!());
  const kinds = new Set<string>();
  done = [];
  for (const element of focusable(root)) {
    kinds.add(element.localName);
    for (const key of COMMANDS) if (element.isConnected) press(element, key);
    expect(done, element.outerHTML.slice(0, 200)).toEqual([]);
  }
  expect([...kinds]).toEqual(
    expect.arrayContaining(
      name === "bars" ? ["div", "select"] : [name === "an overview" ? "button" : "div", "select", "summary"],
    ),
  );
});

it("neither where the view stands in a shadow root", async () => {
  const host = document.createElement("div");
  document.body.append(host);
  const { root } = await show(await VIEWS["all that can be open"]!(), host.attachShadow({ mode: "open" }));
  done = [];
  for (const element of focusable(root)) for (const key of COMMANDS) if (element.isConnected) press(element, key);
  expect(done).toEqual([]);
  host.remove();
});

it("what is a command anywhere, as to save, still is, but not while text is edited", async () => {
  const { root } = await show(await VIEWS["a live prompt"]!());
  done = [];
  press(root.querySelector("select")!, "s", { ctrlKey: true });
  expect(done).toContain("keydown s");
  expect(done).toContain("keydown s above");
  done = [];
  press(root.querySelector("textarea")!, "z", { ctrlKey: true });
  expect(done).not.toContain("keydown z");
});

it("keys beside the view are the page's", async () => {
  await show(await VIEWS["one grid"]!());
  const button = document.createElement("button");
  document.body.append(button);
  done = [];
  press(button, "x");
  expect(done).toHaveLength(4);
  button.remove();
});

it("arrows move from segment to segment", async () => {
  const { root } = await show(await VIEWS["two grids"]!());
  const segments = () => [...root.querySelectorAll<HTMLInputElement>(".lw-layouts input")];
  segments()
    .find(({ checked }) => checked)!
    .focus();
  await userEvent.keyboard("{ArrowRight}");
  await vi.waitFor(() => expect(segments()[2]!.checked).toBe(true));
});
