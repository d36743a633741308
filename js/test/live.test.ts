// The prompt box: what is typed, what is told of its running, and what happens when nobody listens any more.

import { afterEach, describe, expect, it, vi } from "vitest";
import { userEvent } from "vitest/browser";
import { piecesOf } from "../src/data/wire.js";
import { click, FakeModel, hindrances, show } from "./host.js";
import { golden, goldenPieces, message } from "./messages.js";

const live = async (settings: Record<string, unknown> = {}) => {
  const model = new FakeModel(await message({ title: "first" }), { live: true, prompt: "first", ...settings });
  const view = await show(model);
  const box = view.root.querySelector("textarea")!;
  const status = () => view.root.querySelector("[role=status]")!.textContent;
  return { model, ...view, box, status };
};

afterEach(() => vi.useRealTimers());

describe("a prompt box", () => {
  it("is there only where a model is", async () => {
    const { root } = await show(new FakeModel(await message()));
    expect(root.querySelector("form")).toBeNull();
  });

  it("sends on Enter, keeps the key from the notebook, and starts a line on Shift Enter", async () => {
    const { model, box } = await live();
    const heard: string[] = [];
    const listen = (event: KeyboardEvent) => heard.push(event.key);
    document.addEventListener("keydown", listen);
    await userEvent.fill(box, "second");
    box.focus();
    await userEvent.keyboard("{Shift>}{Enter}{/Shift}");
    expect(model.sent).toEqual([]);
    await userEvent.keyboard("!{Enter}");
    document.removeEventListener("keydown", listen);
    expect(model.sent).toEqual([{ prompt: "second\n!" }]);
    expect(heard).not.toContain("Enter");
  });

  it("sends the same again when asked to, and says that there is nothing to send when empty", async () => {
    const { model, box, root, status } = await live();
    await userEvent.click(root.querySelector("[type=submit]")!);
    expect(model.sent).toEqual([{ prompt: "" }, { prompt: "first" }]);
    await userEvent.fill(box, "   ");
    await userEvent.click(root.querySelector("[type=submit]")!);
    expect(model.sent).toHaveLength(2);
    await vi.waitFor(() => expect(status()).toBe("There is nothing to run: the prompt is empty."));
  });

  it("shows what is done and how far, keeping the picture and what is being typed, until there is another", async () => {
    const { model, root, box, status } = await live();
    const bar = root.querySelector("progress")!;
    expect(bar.hidden).toBe(true);
    await userEvent.fill(box, "second");
    model.change("progress", { state: "running", done: 0.25, message: "running the model" });
    await vi.waitFor(() => expect(status()).toBe("running the model"));
    expect([bar.hidden, bar.value]).toEqual([false, 0.25]);
    expect(root.querySelector(".lw-title")!.textContent).toBe("first");
    box.focus();
    model.change("grids", await message({ title: "second" }));
    model.change("progress", { state: "idle" });
    await vi.waitFor(() => expect(root.querySelector(".lw-title")!.textContent).toBe("second"));
    expect(root.querySelector("textarea")).toBe(box);
    expect(document.activeElement).toBe(box);
    expect(box.value).toBe("second");
    await vi.waitFor(() => expect(bar.hidden).toBe(true));
  });

  it("waits no longer once an answer came, however quick it was", async () => {
    const { model, root, status } = await live();
    const run = () => userEvent.click(root.querySelector("[type=submit]")!);
    await run();
    await vi.waitFor(() => expect(status()).toBe("Asking the kernel…"));
    model.change("progress", { state: "running", done: 0 });
    model.change("progress", { state: "idle" });
    await vi.waitFor(() => expect(status()).toBe(""));
    await run();
    await vi.waitFor(() => expect(status()).toBe("Asking the kernel…"));
    model.change("grids", await message({ title: "second" })); // from a function that reports nothing
    await vi.waitFor(() => expect(status()).toBe(""));
  });

  it("says what went wrong, and keeps the last good picture", async () => {
    const { model, root, status } = await live();
    model.change("progress", { state: "failed", message: "Out of memory in layer 3: shorten the prompt." });
    await vi.waitFor(() => expect(status()).toContain("Out of memory in layer 3"));
    expect(status()).toContain("The picture is of the last prompt that did");
    expect(root.querySelector(".lw-title")!.textContent).toBe("first");
    expect(await hindrances(root)).toEqual([]);
  });

  it("says that the kernel doesn't answer, until it does", async () => {
    const { model, box, status } = await live();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    box.form!.requestSubmit();
    vi.advanceTimersByTime(5100);
    vi.useRealTimers();
    await vi.waitFor(() => expect(status()).toContain("doesn’t answer"));
    model.change("progress", { state: "running", message: "at last" });
    await vi.waitFor(() => expect(status()).toBe("at last"));
  });

  it("says that the kernel is gone, and stops; the picture stays and can be read", async () => {
    const { model, root, box, status } = await live();
    model.happen("comm_live_update");
    await vi.waitFor(() => expect(status()).toContain("The kernel was restarted or has gone"));
    expect(box.disabled).toBe(true);
    expect(root.querySelector(".lw-title")!.textContent).toBe("first");
    expect(await hindrances(root)).toEqual([]);
    model.change("progress", { state: "running", message: "back again" });
    await vi.waitFor(() => expect(status()).toBe("back again"));
    expect(box.disabled).toBe(false);
  });
});

describe("a model that writes", () => {
  const writing = (settings: Record<string, unknown> = {}) => live({ writes: true, ...settings });
  const button = (root: HTMLElement, name: string) =>
    [...root.querySelectorAll<HTMLButtonElement>(".lw-prompt button")].find((one) => one.textContent === name);

  it("follows what is typed, once the keys rest, and Enter is still there", async () => {
    const { model, box } = await writing();
    await userEvent.fill(box, "first wor");
    await userEvent.fill(box, "first word");
    expect(model.asked).toEqual([]);
    await vi.waitFor(() => expect(model.asked).toEqual([{ do: "type", prompt: "first word" }]));
    box.focus();
    await userEvent.keyboard("{Enter}");
    expect(model.sent).toEqual([{ prompt: "first word" }]);
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(model.asked).toHaveLength(1);
  });

  it("asks for nothing when the box is emptied, and says so", async () => {
    const { model, box, status } = await writing();
    await userEvent.fill(box, "");
    await vi.waitFor(() => expect(status()).toBe("There is nothing to run: the prompt is empty."));
    expect(model.asked).toEqual([]);
  });

  it("takes what the model wrote into the box, but not over what is being typed", async () => {
    const { model, box } = await writing();
    model.change("prompt", "first and more");
    await vi.waitFor(() => expect(box.value).toBe("first and more"));
    await userEvent.fill(box, "something else");
    model.change("prompt", "first and more of it");
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(box.value).toBe("something else");
  });

  it("goes on as the reader wishes, and stops", async () => {
    const { model, root } = await writing();
    await userEvent.click(button(root, "go on")!);
    expect(model.asked).toEqual([{ do: "write", count: 20, temperature: 0, top_p: 1, seed: 0 }]);
    model.change("progress", { state: "running", done: 0.5, message: "writing, 10 of 20" });
    await vi.waitFor(() => expect(button(root, "stop")).toBeDefined());
    await userEvent.click(button(root, "stop")!);
    expect(model.asked[1]).toEqual({ do: "stop" });
    model.change("progress", { state: "idle" });
    await vi.waitFor(() => expect(button(root, "go on")).toBeDefined());
    root.querySelector<HTMLElement>("summary[aria-label='How the model goes on']")!.click();
    const fields = [...root.querySelectorAll<HTMLInputElement>(".lw-prompt input")];
    await userEvent.fill(fields[0]!, "5");
    await userEvent.fill(fields[1]!, "0.8");
    await userEvent.fill(fields[2]!, "7"); // no such top-p
    await userEvent.click(button(root, "go on")!);
    expect(model.asked[2]).toEqual({ do: "write", count: 5, temperature: 0.8, top_p: 1, seed: 0 });
    expect(fields[2]!.value).toBe("1");
    expect(await hindrances(root)).toEqual([]);
    root.querySelector<HTMLElement>("summary[aria-label='How the model goes on']")!.click();
    await userEvent.fill(fields[0]!, "20"); // what a reader wishes holds in all views of a page
    await userEvent.fill(fields[1]!, "0");
    fields[1]!.blur();
  });

  it("lets another token follow, from the card of a cell", async () => {
    const model = new FakeModel(await golden(), { live: true, writes: true, prompt: "first" });
    const { root } = await show(model);
    await click(root, 4, 1);
    await vi.waitFor(() => expect(root.querySelectorAll(".lw-take").length).toBeGreaterThan(1));
    const take = root.querySelectorAll<HTMLButtonElement>(".lw-take")[1]!;
    expect(take.getAttribute("aria-label")).toMatch(/^Go on with /);
    await userEvent.click(take);
    expect(model.asked).toEqual([
      { do: "write", count: 20, temperature: 0, top_p: 1, seed: 0, instead: [1, expect.any(Number)] },
    ]);
    expect(await hindrances(root)).toEqual([]);
  });

  it("has no such tokens where no model writes, or none listens any more", async () => {
    const model = new FakeModel(await golden(), { live: true, writes: true, prompt: "first" });
    const { root } = await show(model);
    model.happen("comm_live_update");
    await click(root, 4, 1);
    await vi.waitFor(() => expect(root.querySelector(".lw-held")).not.toBeNull());
    expect(root.querySelector(".lw-take")).toBeNull();
  });

  it("offers prompts, those that were tried, and all of these side by side", async () => {
    const { model, root } = await writing({ prompts: ["One", "<b>Two</b>"], tried: ["first", "One", "second"] });
    const menu = root.querySelector<HTMLSelectElement>("select[aria-label=Prompts]")!;
    expect([...menu.options].map(({ text }) => text)).toEqual([
      "prompts",
      "One",
      "<b>Two</b>",
      "first",
      "second",
      "all that were tried, side by side",
    ]);
    await userEvent.selectOptions(menu, "<b>Two</b>");
    expect(model.sent).toEqual([{ prompt: "<b>Two</b>" }]);
    expect(root.querySelector("textarea")!.value).toBe("<b>Two</b>");
    await userEvent.selectOptions(menu, "all");
    expect(model.asked).toEqual([{ do: "show tried" }]);
  });
});

describe("a picture that comes in pieces", () => {
  const title = (root: HTMLElement) => root.querySelector(".lw-facts")!.textContent;
  const sent = (model: FakeModel, piece: number, of: number, bytes: unknown) =>
    model.happen("msg:custom", { piece, of }, [bytes]);

  it("grows by each, in every view", async () => {
    const [whole, second, third] = piecesOf(await goldenPieces());
    const model = new FakeModel(whole as Uint8Array, { live: true, writes: true });
    const views = [await show(model), await show(model)];
    for (const { root } of views) expect(title(root)).toContain("2 tokens");
    const of = whole!.byteLength;
    sent(model, 1, of, second);
    for (const { root } of views) await vi.waitFor(() => expect(title(root)).toContain("3 tokens"));
    sent(model, 1, of, second); // told twice
    sent(model, 2, of, third);
    for (const { root } of views) await vi.waitFor(() => expect(title(root)).toContain("4 tokens"));
    // what Python then tells whole is there already
    const before = views[0]!.root.querySelector("[role=application]");
    model.change("grids", await goldenPieces());
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(views[0]!.root.querySelector("[role=application]")).toBe(before);
    expect(model.asked).toEqual([]);
  });

  it("waits for the message that a piece goes on from", async () => {
    const [whole, second] = piecesOf(await goldenPieces());
    const model = new FakeModel(await message(), { live: true, writes: true });
    const { root } = await show(model);
    sent(model, 1, whole!.byteLength, second);
    model.change("grids", whole);
    await vi.waitFor(() => expect(title(root)).toContain("3 tokens"));
    expect(model.asked).toEqual([]);
  });

  it("asks for all where a piece was missed", async () => {
    const [whole, , third] = piecesOf(await goldenPieces());
    const model = new FakeModel(whole as Uint8Array, { live: true, writes: true });
    const { root } = await show(model);
    sent(model, 2, whole!.byteLength, third);
    expect(model.asked).toEqual([{ do: "send whole" }]);
    model.change("grids", await goldenPieces());
    await vi.waitFor(() => expect(title(root)).toContain("4 tokens"));
  });
});

describe("a chat", () => {
  it("shows what was said above the box, which is free for the next question, and begins anew", async () => {
    const { model, root, box } = await live({ writes: true });
    const turns = [
      { role: "user", content: "first" },
      { role: "assistant", content: "<b>Yes</b>" },
    ];
    model.change("prompt", "");
    model.change("turns", turns);
    await vi.waitFor(() => expect(root.querySelectorAll(".lw-turns p")).toHaveLength(2));
    expect(root.querySelector(".lw-turns")!.textContent).toContain("<b>Yes</b>");
    expect(box.value).toBe("");
    expect(await hindrances(root)).toEqual([]);
    await userEvent.click(root.querySelector(".lw-turns button")!);
    expect(model.asked).toEqual([{ do: "new chat" }]);
  });
});
