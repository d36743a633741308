import { afterEach, describe, expect, it, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import { mount } from "../src/host/widget.js";
import { FakeModel, hindrances, show } from "./host.js";
import { comparing, message } from "./messages.js";

afterEach(async () => {
  document.documentElement.removeAttribute("theme");
  await page.viewport(1200, 900);
});

const PARTS = ["{}H0", "{}H1", "{}.mlp", "norm rescale"];
/** Token 0 is carried in the last column: what moved it to a row is the row's number in the MLP, and a little by H0. */
const jumps = {
  parts: PARTS,
  entries: [[3, 0, (row: number) => (row ? [0.25, Number.NaN, row, -0.125] : PARTS.map(() => Number.NaN))]] as [
    number,
    number,
    (row: number) => number[],
  ][],
};

const steps = (root: ParentNode) => root.querySelector<HTMLElement>(".lw-steps")!;
const panel = (root: ParentNode) => root.querySelector<HTMLElement>(".lw-jump");
const rowsOf = (root: ParentNode) =>
  [...panel(root)!.querySelectorAll("tbody tr[data-place]")].map((row) => row.textContent);

/** Points at, or clicks, a step at 0.6 of the way from one row to the next. */
function onStep(root: HTMLElement, type: "pointermove" | "click", row: number) {
  const { x, y, width, height } = steps(root).getBoundingClientRect();
  const [left, right] = [7, width - Math.max(120, Math.min(180, 0.36 * width))];
  const probability = 0.4 * known(row - 1) + 0.6 * known(row);
  const at = {
    clientX: x + left + probability * (right - left),
    clientY: y + ((5 - 0.5 - (row - 0.4)) / 5) * height,
  };
  steps(root).dispatchEvent(new PointerEvent(type, { ...at, bubbles: true }));
}
/** Where `message` has every trajectory in a row. */
const known = (row: number) => (13 + 20 * row) / 1000;

describe("a step of a trajectory", () => {
  it("says where it is pointed at what it is, and opens who made it, with their sum", async () => {
    const model = new FakeModel(await message({ jumps }));
    const { root } = await show(model);
    onStep(root, "pointermove", 2);
    await vi.waitFor(() => expect(steps(root).title).toMatch(/L0 to L1/));
    expect(model.sent).toEqual([]);
    onStep(root, "click", 2);
    expect(model.get("jump")).toEqual([3, 100, 2]);
    await vi.waitFor(() => expect(panel(root)).not.toBeNull());
    expect(panel(root)!.textContent).toContain("What moved “␣zero” between L0 and L1");
    expect(panel(root)!.textContent).toMatch(
      /added to its logit at position 3; its probability went from 3.3\s% to 5.3\s%/,
    );
    expect(rowsOf(root)).toEqual(["L1.mlp+2.00", "L1H0+0.25", "norm rescale−0.13"]);
    expect(panel(root)!.querySelector("tfoot")!.textContent).toBe("sum✓ rows sum to the jump, off by 1e-6+2.13");
    onStep(root, "click", 2);
    expect(model.get("jump")).toBeNull();
    await vi.waitFor(() => expect(panel(root)).toBeNull());
  });

  it("warns where what is carried of it doesn't add up", async () => {
    const check = { error: 0.25, tolerance: 1e-4, claim: "rows sum to the jump" };
    const { root } = await show(new FakeModel(await message({ jumps: { ...jumps, check } }), { jump: [3, 100, 2] }));
    expect(panel(root)!.querySelector("tfoot .lw-warning")!.textContent).toBe(
      "check failed: rows sum to the jump, off by 3e-1, more than 1e-4",
    );
  });

  it("is reached with the keys, and let go with them, and they stay here", async () => {
    const model = new FakeModel(await message({ jumps }));
    const { root } = await show(model);
    const heard: string[] = [];
    const listen = (event: KeyboardEvent) => heard.push(event.key);
    document.addEventListener("keydown", listen);
    steps(root).focus();
    const told = () => steps(root).getAttribute("aria-valuetext");
    await userEvent.keyboard("{End}{Home}{ArrowUp}{ArrowUp}");
    await vi.waitFor(() => expect(told()).toMatch(/^␣zero, L1 to L2: 5.3\s% to 7.3\s%/));
    await userEvent.keyboard("{ArrowRight}");
    await vi.waitFor(() => expect(told()).toMatch(/^␣one, L1 to L2/));
    await userEvent.keyboard("{ArrowLeft}{Enter}");
    await vi.waitFor(() => expect(rowsOf(root)[0]).toBe("L2.mlp+3.00"));
    await userEvent.keyboard("{Escape}{Escape}{Escape}");
    document.removeEventListener("keydown", listen);
    expect(model.get("jump")).toBeNull();
    expect(heard).toEqual(["Escape"]);
  });

  it("that Python opens is open", async () => {
    const model = new FakeModel(await message({ jumps }));
    const { root } = await show(model);
    model.change("jump", [3, 100, 4]);
    await vi.waitFor(() => expect(rowsOf(root)[0]).toBe("L3.mlp+4.00"));
    await userEvent.click(panel(root)!.querySelector("[aria-label='Close what moved it']")!);
    expect(model.get("jump")).toBeNull();
    model.change("jump", [99, 100, 4]);
    expect(panel(root)).toBeNull();
  });

  it("in a saved page opens as it did in the notebook", async () => {
    const el = document.createElement("div");
    document.body.append(el);
    const remove = mount(el, await message({ jumps }), { jump: [3, 100, 1] });
    await vi.waitFor(() => expect(rowsOf(el)[0]).toBe("L0.mlp+1.00"));
    remove();
    const end = mount(el, await message({ jumps }), { jump: [1, 100, 1] });
    await vi.waitFor(() => expect(panel(el)!.textContent).toContain("there is no model here to ask"));
    end();
    el.remove();
  });

  it("can't be opened where nothing is carried and nobody can be asked", async () => {
    const { root } = await show(new FakeModel(await message()));
    expect(steps(root)).toBeNull();
  });

  it("of a pin of several tokens can't, as no parts sum to it", async () => {
    const { root } = await show(
      new FakeModel(await message({ jumps, followed: () => [0, 1] }), { pins: [[100, 101]] }),
    );
    expect(steps(root)).toBeNull();
  });
});

describe("a step that isn't carried", () => {
  const explained = () =>
    message({
      view: "bars",
      columns: 1,
      rowLabels: ["norm rescale", "L1H0", "L1.mlp"],
      rows: 3,
      candidates: null,
      trajectories: null,
      check: { error: 1e-6, tolerance: 1e-4, claim: "rows sum to the jump" },
      quantities: [{ name: "contribution", unit: "logits", center: 0, values: (row: number) => 2 ** row }],
    });

  it("is asked of the kernel, which answers with bars and whether they add up", async () => {
    const model = new FakeModel(await message(), { explains: true });
    const { root } = await show(model);
    onStep(root, "click", 2);
    await vi.waitFor(() => expect(panel(root)!.textContent).toContain("Asking the model…"));
    const jump = model.get("jump");
    model.change("explained", { jump: [0, 100, 1], grid: await explained() }); // an answer to another question
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(panel(root)!.textContent).toContain("Asking the model…");
    model.change("explained", { jump, grid: await explained() });
    await vi.waitFor(() => expect(rowsOf(root)).toEqual(["L1.mlp+4", "L1H0+2", "norm rescale+1"]));
    expect(panel(root)!.querySelector("tfoot")!.textContent).toBe("sum✓ rows sum to the jump, off by 1e-6+7");
  });

  it("of one of several grids is asked of that one, and answered there", async () => {
    await page.viewport(1500, 900);
    const model = new FakeModel(await comparing([{}, { followed: () => [0] }, {}]), { explains: true });
    const { root } = await show(model);
    const panels = [...root.querySelectorAll<HTMLElement>(".lw-panel")];
    await vi.waitFor(() => expect(root.querySelectorAll("[data-chart=beside]")).toHaveLength(3));
    onStep(panels[1]!, "click", 2);
    expect(model.get("jump")).toEqual([3, 100, 2, 1]);
    await vi.waitFor(() => expect(panel(panels[1]!)!.textContent).toContain("Asking the model…"));
    model.change("explained", { jump: [3, 100, 2], grid: await explained() }); // an answer about the other grid
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(panel(panels[1]!)!.textContent).toContain("Asking the model…");
    model.change("explained", { jump: [3, 100, 2, 1], grid: await explained() });
    await vi.waitFor(() => expect(rowsOf(panels[1]!)).toEqual(["L1.mlp+4", "L1H0+2", "norm rescale+1"]));
    expect(panel(panels[0]!)).toBeNull();
    onStep(panels[0]!, "click", 2);
    expect(model.get("jump")).toEqual([3, 100, 2]);
    await vi.waitFor(() => expect(panel(panels[1]!)).toBeNull());
  });

  it("is told in a sentence where the model can't be asked", async () => {
    const jump = [3, 100, 2];
    const model = new FakeModel(await message(), { explains: true, jump });
    const { root } = await show(model);
    model.change("explained", { jump, error: "ValueError: this cache has no heads" });
    await vi.waitFor(() => expect(panel(root)!.textContent).toContain("this cache has no heads"));
  });

  it("is told in a sentence where the kernel is gone, and where it takes its time", async () => {
    const model = new FakeModel(await message(), { explains: true, jump: [3, 100, 2] });
    const { el, root } = await show(model);
    await vi.waitFor(() => expect(panel(root)!.textContent).toContain("No answer yet"), { timeout: 6000 });
    el.classList.add("jupyter-widgets-disconnected");
    model.happen("comm_live_update");
    await vi.waitFor(() => expect(panel(root)!.textContent).toContain("The kernel that could be asked is gone"));
  });

  it.each(["light", "dark"])("hinders no reader (%s)", async (theme) => {
    document.documentElement.setAttribute("theme", theme);
    const model = new FakeModel(await message({ jumps }), { explains: true, jump: [3, 100, 2], pins: [[100]] });
    const { root } = await show(model);
    steps(root).focus();
    await userEvent.keyboard("{ArrowDown}");
    for (const jump of [
      [3, 100, 2],
      [3, 101, 2],
    ]) {
      model.change("jump", jump);
      await vi.waitFor(() => expect(panel(root)).not.toBeNull());
      expect(await hindrances(root)).toEqual([]);
    }
  });
});

describe("a part of a logit", () => {
  const parts = (changes = {}) =>
    message({
      view: "bars",
      columns: 1,
      rows: 3,
      rowLabels: ["embed", "L1H0", "L1.mlp"],
      candidates: null,
      trajectories: null,
      quantities: [{ name: "contribution", unit: "logits", center: 0, values: (row: number) => row }],
      ...changes,
    });
  const promoted = () =>
    message({
      columns: 2,
      rows: 1,
      rowLabels: ["L1H0 direction 1"],
      columnLabels: ["+1", "−1"],
      trajectories: null,
      candidates: (_, column) => [[column, Number.NaN]],
      quantities: [{ name: "logit added", center: 0, values: (_, column) => (column ? -3 : 4) }],
      notes: ["its scale is not"],
    });

  it("that is a head or a neuron tells what it promotes, where there is a model to ask", async () => {
    const model = new FakeModel(await parts(), { explains: true, selected: [1, 0] });
    const { root } = await show(model);
    const button = () => panel(root)!.querySelector("button")!;
    expect(button().textContent).toBe("what L1H0 promotes");
    await userEvent.click(button());
    expect(model.get("jump")).toEqual([0, -1, 1]);
    await vi.waitFor(() => expect(panel(root)!.textContent).toContain("Asking the model…"));
    model.change("explained", { jump: [0, -1, 1], grid: await promoted() });
    await vi.waitFor(() => expect(panel(root)!.querySelector(".lw-scroller")).not.toBeNull());
    panel(root)!.querySelector<HTMLElement>(".lw-scroller")!.focus();
    await userEvent.keyboard("{Home}");
    await vi.waitFor(() => expect(panel(root)!.textContent).toContain("logit added"));
    expect(panel(root)!.textContent).toMatch(/, −1, ␣one, logit added −3$/);
    await userEvent.click(button());
    expect(model.get("jump")).toBeNull();
    model.change("selected", [2, 0]); // an MLP as a whole promotes nothing that can be told
    await vi.waitFor(() => expect(panel(root)).toBeNull());
  });

  it("says where there is none that one would be asked", async () => {
    const { root } = await show(new FakeModel(await parts(), { selected: [1, 0] }));
    expect(panel(root)!.textContent).toBe("A model at hand would tell what L1H0 promotes.");
  });
});
