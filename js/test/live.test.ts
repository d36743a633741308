// The prompt box: what is typed, what is told of its running, and what happens when nobody listens any more.

import { afterEach, describe, expect, it, vi } from "vitest";
import { userEvent } from "vitest/browser";
import { FakeModel, hindrances, show } from "./host.js";
import { message } from "./messages.js";

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
