// Parts of lessons: what they ask, as Python writes it, and how they are answered by hand and by keys.

import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import golden from "../../tests/golden/seal.json";
import "../src/style/lessons.css";
import createWidget from "../src/host/lessons.js";
import { mountPart } from "../src/host/parts.js";
import type { Host } from "../src/host/widget.js";
import { digest, unseal } from "../src/lessons/seal.js";
import { sha256 } from "../src/lessons/sha256.js";
import { FakeModel, hindrances } from "./host.js";

beforeEach(() => localStorage.clear());
afterEach(() => {
  document.body.innerHTML = "";
  vi.restoreAllMocks();
});

/** A text as Python seals it: what unseals is what seals. */
function seal(text: string, key: string): string {
  const bytes = new TextEncoder().encode(text);
  const raw = btoa(String.fromCharCode(...bytes));
  const mixed = unsealBytes(raw, key);
  return btoa(String.fromCharCode(...mixed));
}

function unsealBytes(raw: string, key: string): Uint8Array {
  const bytes = Uint8Array.from(atob(raw), (one) => one.charCodeAt(0));
  const block = (i: number) => sha256(new TextEncoder().encode(`${key}\n${i}`));
  return bytes.map((byte, i) => byte ^ block(Math.floor(i / 32))[i % 32]!);
}

const QUESTION = "What may you *conclude*, with `x < 1`?";
const OPTIONS = {
  "It would say gold.": "Not so.",
  "A map can read <b>gold</b>.": "Whether it is used is open.",
  None: "One is.",
};

function choice(right = ["A map can read <b>gold</b>."], more: Record<string, unknown> = {}) {
  const options = Object.entries(OPTIONS).map(([text, say]) => ({ text, say: seal(say, `${QUESTION}\n${text}`) }));
  const hints = ["Think of [[lens]]es.", { say: "It is the second.", show: {} }].map((hint) =>
    seal(JSON.stringify(typeof hint === "string" ? { say: hint } : hint), QUESTION),
  );
  const digests = right.map((text) => digest(QUESTION, text));
  const several = right.length > 1;
  const terms = [["lens", "What *moves* a row."]];
  return {
    kind: "choice",
    id: "q",
    lesson: "test",
    question: QUESTION,
    hints,
    terms,
    several,
    options,
    right: digests,
    ...more,
  };
}

async function inPage(part: object, state: object = {}) {
  const el = document.createElement("div");
  document.body.append(el);
  mountPart(el, JSON.stringify({ part, state }), new Uint8Array());
  const root = el.querySelector<HTMLElement>(".lenswidget")!;
  await vi.waitFor(() => expect(root.dataset.state).not.toBe("loading"));
  return root;
}

const kept = () => JSON.parse(localStorage.getItem("lenswidget/test/q") ?? "null");
const stands = (root: HTMLElement) =>
  [...root.querySelectorAll<HTMLElement>(".lw-options li")].map((one) => one.dataset.stand);
const option = (root: HTMLElement, i: number) => root.querySelectorAll<HTMLElement>(".lw-options button")[i]!;
const press = (root: HTMLElement, name: string | RegExp) =>
  page.elementLocator(root).getByRole("button", { name }).click();

describe("what is sealed", () => {
  it.each(golden)("is what Python sealed: $salt", ({ salt, text, digest: made, sealed }) => {
    expect(digest(salt, text)).toBe(made);
    expect(unseal(sealed, salt)).toBe(text);
  });

  it("is hashed as the browser hashes, at every length around a block", async () => {
    for (const length of [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000]) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length) % 256);
      expect(sha256(bytes)).toEqual(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
    }
  });

  it("is nothing where somebody edited it", () => {
    expect(unseal("%", "k")).toBe("");
  });
});

describe("a choice", () => {
  it("says what each option says, and that it is right", async () => {
    const root = await inPage(choice());
    expect(root.querySelector("h3")!.textContent).toBe("What may you conclude, with x < 1?");
    expect(root.querySelector("b")).toBeNull();
    expect(root.textContent).not.toContain("Not so.");
    await userEvent.click(option(root, 0));
    expect(stands(root)).toEqual(["wrong", "open", "open"]);
    expect(root.querySelector("[role=status]")!.textContent).toBe("Not right. Not so.");
    expect(kept()).toEqual({ tried: ["It would say gold."], hints: 0, given_up: false });
    await userEvent.click(option(root, 1));
    expect(stands(root)).toEqual(["wrong", "right", "open"]);
    option(root, 2).click(); // there is nothing left to answer
    expect(kept().tried).toHaveLength(2);
    expect(await hindrances(root)).toEqual([]);
  });

  it("is answered by keys alone", async () => {
    const root = await inPage(choice());
    option(root, 0).focus();
    await userEvent.keyboard("{Tab}{Enter}");
    expect(stands(root)).toEqual(["open", "right", "open"]);
    expect(document.activeElement).toBe(option(root, 1));
  });

  it("opens hints one by one, and one that shows the answer counts as shown", async () => {
    const root = await inPage(choice());
    await press(root, /hint/);
    expect(root.querySelector(".lw-hints ol")!.textContent).toContain("Think of lenses.");
    await press(root, "lens");
    expect(root.querySelector("[role=tooltip]")!.textContent).toBe("What moves a row.");
    await userEvent.keyboard("{Escape}");
    expect(root.querySelector("[role=tooltip]")).toBeNull();
    await press(root, /Show me/);
    expect(stands(root)).toEqual(["open", "right", "open"]);
    expect(kept()).toEqual({ tried: [], hints: 2, given_up: true });
  });

  it("shows the answer after a wrong one", async () => {
    const root = await inPage(choice());
    await userEvent.click(option(root, 2));
    await press(root, "Show the answer");
    expect(stands(root)).toEqual(["open", "right", "wrong"]);
    expect(kept().given_up).toBe(true);
  });

  it("takes several, checked together", async () => {
    const root = await inPage(choice(["It would say gold.", "None"]));
    await userEvent.click(option(root, 0));
    await userEvent.click(option(root, 1));
    await press(root, "Check");
    expect(stands(root)).toEqual(["right", "wrong", "open"]);
    await userEvent.click(option(root, 0));
    await userEvent.click(option(root, 2));
    await press(root, "Check");
    expect(stands(root)).toEqual(["right", "open", "right"]);
    expect(await hindrances(root)).toEqual([]);
  });
});

describe("what was answered in a page", () => {
  it("is there when the page is opened again, in place of what the page was made with", async () => {
    localStorage.setItem("lenswidget/test/q", JSON.stringify({ tried: ["None"], hints: 1, given_up: false }));
    const root = await inPage(choice(), { tried: ["It would say gold."] });
    expect(stands(root)).toEqual(["open", "open", "wrong"]);
    expect(root.querySelectorAll(".lw-hints li")).toHaveLength(1);
  });

  it("is the same in a page that is open twice, in one window or two", async () => {
    const [one, other] = [await inPage(choice()), await inPage(choice())];
    await userEvent.click(option(one, 0));
    expect(stands(other)).toEqual(["wrong", "open", "open"]);
    const newValue = JSON.stringify({ tried: ["None"], hints: 0, given_up: false });
    dispatchEvent(new StorageEvent("storage", { key: "lenswidget/test/q", newValue }));
    await vi.waitFor(() => expect(stands(one)).toEqual(["open", "open", "wrong"]));
  });

  it.each([
    ["SecurityError", "keeps nothing"],
    ["QuotaExceededError", "storage is full"],
  ])("lasts until the page is closed where there is a %s", async (name, sentence) => {
    vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
      throw new DOMException("no", name);
    });
    const root = await inPage(choice());
    await userEvent.click(option(root, 0));
    expect(stands(root)).toEqual(["wrong", "open", "open"]);
    expect(root.querySelector(".lw-note")!.textContent).toContain(sentence);
  });

  it.each(["{", "3", '{"tried": 3, "hints": "x"}', '{"tried": [3, {"__proto__": 1}], "hints": 99}', "null"])(
    "is nothing where somebody edited it into %s",
    async (text) => {
      localStorage.setItem("lenswidget/test/q", text);
      const root = await inPage(choice());
      expect(stands(root)).toEqual(["open", "open", "open"]);
      await userEvent.click(option(root, 1));
      expect(stands(root)).toEqual(["open", "right", "open"]);
    },
  );

  it("is a sentence where there is no part", async () => {
    for (const part of [{ kind: "__proto__", hints: [] }, { kind: "quizz", hints: [] }, 3]) {
      const root = await inPage(part as object);
      expect(root.querySelector("[role=alert]")!.textContent).toContain("can’t be shown");
    }
  });
});

describe("a part in a notebook", () => {
  it("tells Python what was tried, and takes what Python answers", async () => {
    const model = new FakeModel(new Uint8Array(), { part: choice(), tried: [], hints: 0, given_up: false });
    const el = document.createElement("div");
    document.body.append(el);
    const ending = new AbortController();
    onTestFinished(() => ending.abort());
    createWidget().render({ model, el, signal: ending.signal } as unknown as Host);
    const root = el.querySelector<HTMLElement>(".lenswidget")!;
    await vi.waitFor(() => expect(root.dataset.state).toBe("ready"));
    await userEvent.click(option(root, 0));
    expect(model.sent).toEqual([{ tried: ["It would say gold."] }]);
    model.change("tried", ["None"]);
    await vi.waitFor(() => expect(stands(root)).toEqual(["open", "open", "wrong"]));
    expect(localStorage.length).toBe(0);
    ending.abort();
    expect(model.listening).toBe(0);
  });
});
