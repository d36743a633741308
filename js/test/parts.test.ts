// Parts of lessons: what they ask, as Python writes it, and how they are answered by hand and by keys.

import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import golden from "../../tests/golden/seal.json";
import "../src/style/lessons.css";
import createWidget from "../src/host/lessons.js";
import { mountPart } from "../src/host/parts.js";
import type { Host } from "../src/host/widget.js";
import { explainTerms } from "../src/lessons/prose-terms.js";
import { digest, unseal } from "../src/lessons/seal.js";
import { sha256 } from "../src/lessons/sha256.js";
import { putIn, takeOut } from "../src/lessons/storage.js";
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
  onTestFinished(mountPart(el, JSON.stringify({ part, state }), new Uint8Array()));
  const root = el.querySelector<HTMLElement>(".lenswidget")!;
  await vi.waitFor(() => expect(root.dataset.state).not.toBe("loading"));
  return root;
}

/** A part as a notebook shows it. */
async function inNotebook(model: FakeModel) {
  const el = document.createElement("div");
  document.body.append(el);
  const ending = new AbortController();
  onTestFinished(() => ending.abort());
  createWidget().render({ model, el, signal: ending.signal } as unknown as Host);
  const root = el.querySelector<HTMLElement>(".lenswidget")!;
  await vi.waitFor(() => expect(root.dataset.state).toBe("ready"));
  return { root, end: () => ending.abort() };
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
    expect(root.querySelector("[aria-live]")!.textContent).toContain(
      "Not right: It would say gold. Your answer. Not so.",
    );
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
    const { root, end } = await inNotebook(model);
    await userEvent.click(option(root, 0));
    expect(model.sent).toEqual([{ tried: ["It would say gold."] }]);
    model.change("tried", ["None"]);
    await vi.waitFor(() => expect(stands(root)).toEqual(["open", "open", "wrong"]));
    expect(localStorage.length).toBe(0);
    end();
    expect(model.listening).toBe(0);
  });
});

describe("a number", () => {
  const number = {
    kind: "number",
    unit: "%",
    sealed: seal('{"right": 96, "within": 2, "say": "All but *certain*."}', QUESTION),
  };
  const asked = () => ({ ...choice(), ...number, hints: [] });

  it.each([
    ["96", true],
    [" 97,5 % ", true],
    ["9.8e1", true],
    ["98.01", false],
    ["−96", false],
  ])("reads %s", async (text, isRight) => {
    const root = await inPage(asked());
    const box = root.querySelector("input")!;
    await userEvent.fill(box, text);
    await userEvent.keyboard("{Enter}");
    expect(root.querySelector(".lw-verdicts li")!.getAttribute("data-stand")).toBe(isRight ? "right" : "wrong");
    expect(root.textContent!.includes("All but certain.")).toBe(isRight);
    expect(await hindrances(root)).toEqual([]);
  });

  it.each(["", "abc", "1,000,5", "Infinity", "0x10", "12 apples"])("says that %s is none", async (text) => {
    const root = await inPage(asked());
    await userEvent.fill(root.querySelector("input")!, text);
    await press(root, "Check");
    expect(root.querySelector(".lw-warning")!.textContent).toMatch(text ? /no number/ : /no answer yet/);
    expect(kept()).toBeNull();
  });

  it("shows the answer where it isn’t found", async () => {
    const root = await inPage(asked(), { tried: [3] });
    await press(root, "Show the answer");
    expect(root.querySelector(".lw-verdicts")!.textContent).toContain("96 %");
  });
});

describe("an order", () => {
  const right = ["embedding", "blocks", "norm", "unembedding"];
  const items = ["norm", "embedding", "unembedding", "blocks"];
  const asked = () => {
    const sealed = seal(JSON.stringify({ right, say: "As it is read." }), QUESTION);
    return { ...choice(), kind: "order", items, sealed, hints: [] };
  };
  const shown = (root: HTMLElement) => [...root.querySelectorAll(".lw-order li")].map((one) => one.textContent);

  it("is made by keys, the focus staying on what moves", async () => {
    const root = await inPage(asked());
    root.querySelectorAll<HTMLElement>(".lw-order button")[0]!.focus();
    await userEvent.keyboard("{ArrowDown}{End}");
    expect(shown(root)).toEqual(["embedding", "unembedding", "blocks", "norm"]);
    expect(document.activeElement!.textContent).toBe("norm");
    expect(root.querySelector("[role=status]")!.textContent).toBe("norm: now 4 of 4");
    await press(root, "Check");
    expect(root.querySelector(".lw-verdicts")!.textContent).toContain("1 of 4 stand where they belong");
    const unembedding = [...root.querySelectorAll<HTMLElement>(".lw-order button")].find(
      (one) => one.textContent === "unembedding",
    )!;
    unembedding.focus();
    await userEvent.keyboard("{End}");
    expect(await hindrances(root)).toEqual([]);
  });

  it("is made by dragging", async () => {
    const root = await inPage(asked());
    const [first, , , last] = [...root.querySelectorAll<HTMLElement>(".lw-order button")];
    await userEvent.dragAndDrop(last!, first!);
    expect(shown(root)[0]).toBe("blocks");
  });

  it("is right when all stand where they belong", async () => {
    const root = await inPage(asked(), { tried: [items, right] });
    expect(root.querySelector(".lw-verdicts")!.textContent).toContain("As it is read.");
    expect(root.querySelector<HTMLButtonElement>(".lw-order button")!.disabled).toBe(true);
  });
});

describe("a quiz", () => {
  const number = (id: string, right: number) => {
    const question = `How many, ${id}?`;
    const sealed = seal(JSON.stringify({ right, within: 0, say: "" }), question);
    return { kind: "number", id, lesson: "test", question, hints: [], terms: [], unit: "", sealed };
  };
  const quiz = (questions: object[] = [choice(), number("n", 2), number("__proto__", 3)]) => {
    return { kind: "quiz", id: "quiz", lesson: "test", question: "", hints: [], terms: [], title: "", questions };
  };
  const keptQuiz = () => JSON.parse(localStorage.getItem("lenswidget/test/quiz") ?? "null");
  const answer = async (root: HTMLElement, text: string) => {
    await userEvent.fill(root.querySelector("input[type=text]")!, text);
    await userEvent.keyboard("{Enter}");
  };
  const squares = (root: HTMLElement) =>
    [...root.querySelectorAll<HTMLElement>(".lw-score button")].map((one) => one.dataset.stand);

  it("says its title where no heading of the page does", async () => {
    const said = async () => (await inPage(quiz())).querySelector(".lw-quiz h2")?.textContent;
    expect(await said()).toBe("Quiz");
    const heading = document.createElement("h2");
    heading.textContent = "Quiz¶";
    document.body.prepend(heading);
    expect(await said()).toBeUndefined();
    heading.remove();
  });

  it("asks every question once, and keeps the score", async () => {
    const root = await inPage(quiz());
    await userEvent.click(option(root, 0));
    expect(stands(root)).toEqual(["wrong", "right", "open"]);
    await press(root, "Next question");
    await answer(root, "2");
    expect(root.querySelector(".lw-score p")!.textContent).toBe("1 of 3 right at the first try, 2 answered");
    await press(root, "Next question");
    await answer(root, "3");
    expect(squares(root)).toEqual(["wrong", "right", "right"]);
    expect(keptQuiz().score).toEqual({ right: 2, answered: 3, asked: 3 });
    expect(Object.keys(keptQuiz().tried[0])).toEqual(["q", "n", "__proto__"]);
    expect(root.textContent).toContain("2 of 3 right at the first try.");
    expect(await hindrances(root)).toEqual([]);
    await press(root, "Start again");
    expect(squares(root)).toEqual(["open", "open", "open"]);
    expect(keptQuiz().score).toEqual({ right: 0, answered: 0, asked: 3 });
  });

  it("is gone on with where it was left", async () => {
    const first = await inPage(quiz());
    await userEvent.click(option(first, 1));
    first.remove();
    const root = await inPage(quiz());
    expect(squares(root)).toEqual(["right", "open", "open"]);
    expect(root.querySelector(".lw-what")!.textContent).toBe("Question 2");
  });

  it("has one question, or one whose kind is unknown", async () => {
    const root = await inPage(quiz([number("n", 2)]));
    await answer(root, "5");
    expect(root.querySelector(".lw-score")!.textContent).toContain("0 of 1");
    expect(root.querySelector(".lw-score ol")).toBeNull();
  });

  it("is taken out as a file, and put in", async () => {
    const root = await inPage(quiz());
    await userEvent.click(option(root, 1));
    const file = takeOut();
    expect(JSON.parse(file)).toMatchObject({
      format: "lenswidget answers",
      version: 1,
      lessons: { test: { quiz: { score: { right: 1 } } } },
    });
    await press(root, "Next question");
    await answer(root, "7");
    expect(putIn(file)).toMatch(/^Opened: \d answers? of 1 lesson\.$/);
    await vi.waitFor(() => expect(squares(root)).toEqual(["right", "open", "open"]));
    for (const bad of [
      "",
      "{}",
      "[]",
      "null",
      '{"format": "lenswidget answers", "version": 1, "lessons": {"a": null}}',
    ]) {
      expect(putIn(bad)).toContain("holds no answers");
    }
    expect(putIn('{"format": "lenswidget answers", "version": 2}')).toContain("version 2");
    expect(squares(root)).toEqual(["right", "open", "open"]);
  });

  it("takes what Python answers", async () => {
    const model = new FakeModel(new Uint8Array(), { part: quiz(), tried: [], hints: 0, given_up: false });
    const { root } = await inNotebook(model);
    model.change("tried", [{ n: { tried: [2] } }]);
    await vi.waitFor(() => expect(squares(root)).toEqual(["open", "right", "open"]));
    await userEvent.click(option(root, 1));
    expect(model.get("tried")).toMatchObject([{ q: { tried: ["A map can read <b>gold</b>."] }, n: { tried: [2] } }]);
  });
});

describe("the top of a lesson", () => {
  const lesson = {
    ...{
      kind: "lesson",
      id: "header",
      lesson: "test",
      question: "",
      hints: [],
      terms: [],
      title: "Gold",
      number: 3,
      minutes: 25,
    },
    ...{
      guesses: 1,
      exercises: 4,
      questions: 15,
      lead: "It says **Au**.",
      see: "a jump",
      know: [{ text: "rows", lesson: "one" }],
    },
    ...{
      moves: [{ name: "Read", text: "rows" }],
      words: [
        { term: "jump", says: "A *step*." },
        { term: "lens", says: "A map." },
      ],
    },
  };

  it("says how long, what before, and what words mean", async () => {
    localStorage.setItem("lenswidget/one/quiz", '{"score": {"right": 1, "answered": 2, "asked": 2}}');
    const root = await inPage(lesson);
    expect(root.textContent).toContain("Lesson 3 · 25 minutes · 1 guess · 4 exercises · quiz of 15");
    expect(root.querySelector(".lw-know .lw-mark")).not.toBeNull();
    expect(root.querySelector(".lw-meaning")!.textContent).toBe("jump. A step.");
    await press(root, "lens");
    expect(root.querySelector(".lw-meaning")!.textContent).toBe("lens. A map.");
    expect(await hindrances(root)).toEqual([]);
  });
});

describe("a term in the prose of a page", () => {
  it("has a card on focus and hover, and lets go of it", async () => {
    document.body.innerHTML =
      '<p><a href="#x" data-lens-term="A *step* <b>up</b>.">jump</a> <a href="#y">other</a></p>';
    explainTerms();
    const card = document.querySelector<HTMLElement>(".lw-explains")!;
    const link = document.querySelector<HTMLElement>("[data-lens-term]")!;
    expect(card.hidden).toBe(true);
    link.focus();
    expect(card.hidden).toBe(false);
    expect(card.textContent).toBe("A step <b>up</b>.");
    expect(link.getAttribute("aria-describedby")).toBe(card.id);
    await userEvent.keyboard("{Escape}");
    expect(card.hidden).toBe(true);
    await userEvent.hover(link);
    await vi.waitFor(() => expect(card.hidden).toBe(false));
    await userEvent.hover(document.body, { position: { x: 500, y: 500 } });
    await vi.waitFor(() => expect(card.hidden).toBe(true));
  });
});
