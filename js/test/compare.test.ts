// Several grids in one view, as a reader meets them.

import { afterEach, describe, expect, it, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import { canvasOf, card, cards, chips, click, FakeModel, hindrances, hover, pixels, scroller, show } from "./host.js";
import { ANSWERS, type Comparing, comparing, message, type Wish } from "./messages.js";

const quantities = [{ name: "probability", domain: [0, 1], values: () => 0.5 }];
const overview: Wish = { ...ANSWERS, rows: 2, check: null };
const mean: Wish = { kind: "Mean", columnLabels: ["a", "b", "≠", "d"], trajectories: null, check: null };

async function two(about: Comparing = {}, settings: Record<string, unknown> = {}, wishes: Wish[] = [{}, {}]) {
  const model = new FakeModel(await comparing(wishes, { overview, mean, ...about }), settings);
  return { model, ...(await show(model)) };
}

const panels = (root: HTMLElement) => [...root.querySelectorAll<HTMLElement>(".lw-panel")];
const choose = (root: HTMLElement, name: string) =>
  userEvent.click([...root.querySelectorAll(".lw-segments span")].find(({ textContent }) => textContent === name)!);

afterEach(async () => {
  document.documentElement.removeAttribute("theme");
  localStorage.clear();
  await page.viewport(1200, 900);
});

describe("two grids", () => {
  it("stand side by side under their names, with one scale", async () => {
    const { root } = await two({ names: ["Logit lens", "Tuned lens"] });
    expect(panels(root).map((panel) => panel.querySelector(".lw-strong")!.textContent)).toEqual([
      "Logit lens",
      "Tuned lens",
    ]);
    const [left, right] = panels(root).map((panel) => panel.getBoundingClientRect());
    expect(left!.right).toBeLessThan(right!.left);
    expect(root.querySelectorAll(".lw-gradient")).toHaveLength(1);
  });

  it("stand above each other where the cell is narrow", async () => {
    await page.viewport(480, 900);
    const { root } = await two();
    const [upper, lower] = panels(root).map((panel) => panel.getBoundingClientRect());
    expect(upper!.bottom).toBeLessThanOrEqual(lower!.top);
    expect(root.scrollWidth).toBeLessThanOrEqual(480);
  });

  it("each show a card for the cell that is pointed at in one; the one that is pointed at tells more", async () => {
    const { model, root } = await two();
    await hover(root, 3, 1);
    await vi.waitFor(() => expect(cards(root)).toHaveLength(2));
    expect(cards(root).every(({ textContent }) => textContent!.startsWith("L2position"))).toBe(true);
    const [full, small] = cards(root);
    expect(full!.querySelector("dl")).not.toBeNull();
    expect(small!.querySelector("dl")).toBeNull();
    for (const [i, panel] of panels(root).entries()) {
      const [box, frame] = [cards(root)[i]!.getBoundingClientRect(), panel.getBoundingClientRect()];
      expect(box.left >= frame.left && box.right <= frame.right).toBe(true);
    }
    expect(model.sent).toEqual([]);
  });

  it("select together, and Python hears of the slot", async () => {
    const { model, root } = await two();
    await click(panels(root)[1]!, 4, 2);
    expect(model.sent).toEqual([{ selected: [4, 2] }]);
    await vi.waitFor(() => expect(root.querySelectorAll(".lw-held")).toHaveLength(2));
  });

  it("scroll together until that link is let go", async () => {
    const wide = { columns: 120 };
    const columns = Array.from({ length: 120 }, (_, slot) => [slot, slot]);
    const { model, root } = await two({ columns }, {}, [wide, wide]);
    const [one, other] = panels(root).map(scroller);
    one!.scrollLeft = 800;
    await vi.waitFor(() => expect(other!.scrollLeft).toBe(800));
    await userEvent.click(root.querySelector("summary")!);
    const box = [...root.querySelectorAll<HTMLInputElement>(".lw-popup input")].find(
      (input) => input.parentElement!.textContent === "scroll",
    )!;
    await userEvent.click(box);
    expect(model.get("links")).not.toContain("scroll");
    other!.scrollLeft = 100;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(one!.scrollLeft).toBe(800);
  });

  it("show a gap as a gap: no word, no card but that there is none", async () => {
    const columns = [[0, 0], [-1, 1], [1, 2], [2, 3]]; // biome-ignore format: one slot a pair
    const { root } = await two({ columns }, {}, [{ columns: 3 }, {}]);
    expect(root.querySelector(".lw-legend")!.textContent).toContain("empty columns have no such token");
    await hover(panels(root)[1]!, 2, 1);
    await vi.waitFor(() => expect(cards(root)[0]!.textContent).toContain("no such token in this prompt"));
    expect(cards(root)[1]!.textContent).toContain("␣zero");
    const context = root.querySelector("canvas")!.getContext("2d")!;
    const [across, down] = [scroller(root).offsetLeft, scroller(root).offsetHeight / 2];
    const width = scroller(root).firstElementChild!.clientWidth / 4;
    const gap = context.getImageData((across + width + 4) * devicePixelRatio, down, (width - 8) * devicePixelRatio, 1);
    expect(gap.data.every((channel) => channel === 0)).toBe(true);
  });

  it("in front of each other are tabs, switched in place", async () => {
    const { model, root } = await two({ names: ["raw", "tuned"] }, { view: "one" }, [
      { kind: "Raw" },
      { kind: "Tuned" },
    ]);
    expect(root.querySelector(".lw-facts")!.textContent).toContain("Raw");
    await choose(root, "tuned");
    expect(model.get("shown")).toBe(1);
    await vi.waitFor(() => expect(root.querySelector(".lw-facts")!.textContent).toContain("Tuned"));
  });

  it("less one another are a difference, whose card tells both sides", async () => {
    const { model, root } = await two({ names: ["raw", "tuned"] });
    await choose(root, "difference");
    expect(model.get("view")).toBe("difference");
    await vi.waitFor(() => expect(panels(root)).toHaveLength(0));
    expect(root.querySelector(".lw-controls")!.textContent).toContain("tuned less raw");
    await hover(root, 3, 1);
    await vi.waitFor(() => expect(card(root)!.querySelectorAll(".lw-candidates")).toHaveLength(2));
    expect(card(root)!.textContent).toMatch(/raw.*␣zero.*tuned.*␣zero.*\+25\s% points/);
  });

  it("call what is pinned by its name in their difference, too", async () => {
    const { root } = await two({}, { view: "difference", pins: [[101]] });
    expect(chips(root)).toContain("␣one");
    await choose(root, "mean");
    await vi.waitFor(() => expect(root.querySelector(".lw-panel")).toBeNull());
    expect(chips(root)).toContain("␣one");
  });

  it("with nothing in common stand side by side, and say so", async () => {
    const { root } = await two(
      { differences: [null], notes: ["These have nothing in common."] },
      { view: "difference" },
    );
    expect(panels(root)).toHaveLength(2);
    expect(root.textContent).toContain("These have nothing in common.");
  });

  it("have one legend for all that is met in any of them", async () => {
    const rowQuantities = [{ name: "held-out KL", values: [4, 3, 2, 1, 0] }];
    const odd = [{ name: "probability", domain: [0, 1], values: (row: number) => (row ? 0.5 : Number.NaN) }];
    const { root } = await two({}, {}, [{}, { rowQuantities, quantities: odd }]);
    const said = root.querySelector(".lw-legend")!.textContent;
    expect(said).toContain("held-out KL");
    expect(said).toContain("not a number");
  });

  it("are exported together as they are shown together, a picture and a table of both", async () => {
    const files: Blob[] = [];
    vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => {});
    vi.spyOn(URL, "createObjectURL").mockImplementation((file) => `blob:${files.push(file as Blob)}`);
    const { root } = await two({}, {}, [{ title: "one" }, { title: "other" }]);
    for (const kind of ["svg", "csv", "json"]) {
      await userEvent.selectOptions(root.querySelector("[aria-label=Export]")!, kind);
      await vi.waitFor(() => expect(root.querySelector(".lw-export")!.textContent).toContain(`.${kind}`));
    }
    const [svg, csv, json] = await Promise.all(files.map((file) => file.text()));
    const drawn = new DOMParser().parseFromString(svg!, "image/svg+xml");
    const words = [...drawn.querySelectorAll("text")].map(({ textContent }) => textContent);
    expect(words).toEqual(expect.arrayContaining(["grid 0", "grid 1"]));
    const names = ["grid", ...Array(20).fill("grid 0"), ...Array(20).fill("grid 1")];
    expect(
      csv!
        .trim()
        .split("\n")
        .map((line) => line.split('"')[1]),
    ).toEqual(names);
    expect(JSON.parse(json!).map(({ title }: { title: string }) => title)).toEqual(["one", "other"]);
    vi.restoreAllMocks();
  });

  it("have a check in common, or one each where one fails", async () => {
    const check = { error: 0.5, tolerance: 1e-3, claim: "last row is the model" };
    const { root } = await two({}, {}, [{}, { check }]);
    const [one, other] = panels(root).map((panel) => panel.querySelector(".lw-check")!.textContent);
    expect(one).toContain("✓");
    expect(other).toContain("check failed: last row is the model");
    const both = await two();
    expect(both.root.querySelectorAll(".lw-check")).toHaveLength(1);
  });

  it("two views of them agree", async () => {
    const model = new FakeModel(await comparing([{}, {}]));
    const [one, other] = [await show(model), await show(model)];
    await click(one.root, 3, 3);
    await vi.waitFor(() => expect(cards(other.root)).toHaveLength(2));
    await choose(one.root, "difference");
    await vi.waitFor(() => expect(panels(other.root)).toHaveLength(0));
  });
});

it("thirty grids stand side by side, each in its place", async () => {
  const { root } = await two({}, { view: "side by side" }, Array(30).fill({}));
  expect(panels(root)).toHaveLength(30);
  await hover(root, 2, 2);
  await vi.waitFor(() => expect(cards(root).length).toBeGreaterThan(0));
});

describe("layer against layer", () => {
  const candidates = (row: number) =>
    (row < 2 ? [[0, 0.6], [1, 0.3], [2, 0.1]] : [[1, 0.5], [0, 0.3], [3, 0.1]]) as [number, number][]; // biome-ignore format: two

  it("two labels that are clicked tell what entered, rose, fell and left, with places", async () => {
    const model = new FakeModel(await message({ candidates }));
    const { root } = await show(model);
    const height = scroller(root).offsetHeight / 5;
    for (const row of [1, 4]) {
      await userEvent.click(root.querySelector(".lw-cells")!, { position: { x: 20, y: (4.5 - row) * height } });
    }
    expect(model.get("rows_compared")).toEqual([1, 4]);
    await vi.waitFor(() => expect(root.querySelector(".lw-changes")).not.toBeNull());
    expect(root.querySelector(".lw-changes")!.textContent).toContain("from L0 to L3");
    const cells = [...root.querySelectorAll(".lw-list tbody tr:first-child td")].map(({ textContent }) => textContent);
    expect(cells).toEqual(["␣three →3", "␣one 2→1", "␣zero 1→2", "␣two 3→"]);
    await userEvent.click(root.querySelector("[aria-label='Close']")!);
    expect(model.get("rows_compared")).toEqual([]);
  });

  it("the key C picks a row, and again lets it go; the menus pick, too", async () => {
    const model = new FakeModel(await message({ candidates }));
    const { root } = await show(model);
    scroller(root).focus();
    await userEvent.keyboard("{ArrowUp}c{PageDown}c");
    expect(model.get("rows_compared")).toEqual([4, 0]);
    await userEvent.keyboard("c");
    expect(model.get("rows_compared")).toEqual([4]);
    await userEvent.selectOptions(root.querySelector("[aria-label='Another layer']")!, "L1");
    expect(model.get("rows_compared")).toEqual([4, 2]);
  });
});

it("the layers to look at can be all that is shown", async () => {
  const leads = (row: number) => [[row < 3 ? 0 : 1, 0.6]] as [number, number][];
  const model = new FakeModel(await message({ candidates: leads }));
  const { root } = await show(model);
  expect(root.querySelector(".lw-story")!.textContent).toContain("␣one leads from L2 on.");
  const before = scroller(root).offsetHeight;
  const rows = [...root.querySelectorAll("select")].find((menu) => menu.textContent!.includes("to look at"))!;
  await userEvent.selectOptions(rows, "the 3 to look at");
  expect(model.get("filter")).toBe("look here");
  await vi.waitFor(() => expect(scroller(root).offsetHeight).toBeLessThan(before));
});

describe("what is followed, led and was overwritten", () => {
  const leads = (row: number) => [[row === 2 ? 0 : 1, 0.6]] as [number, number][];

  it("has a broken ring, and what leads to the end a whole one", async () => {
    const { root } = await show(new FakeModel(await message({ candidates: leads }), { pins: [[100]] }));
    const whole = await show(new FakeModel(await message({ candidates: () => [[0, 0.6]] }), { pins: [[100]] }));
    expect(root.querySelector(".lw-broken")).not.toBeNull();
    expect(whole.root.querySelector(".lw-broken")).toBeNull();
    expect(pixels(root)).not.toBe(pixels(whole.root));
  });
});

describe("copy code", () => {
  it("writes the Python that makes the view, and nothing that is as it began", async () => {
    let copied = "";
    vi.spyOn(navigator.clipboard, "writeText").mockImplementation(async (text) => {
      copied = text;
    });
    const { root, model } = await two({}, { view: "difference", pins: [[100, 101]], selected: [1, 2] });
    await userEvent.click(root.querySelector("summary")!);
    await userEvent.click(root.querySelector(".lw-popup button")!);
    await vi.waitFor(() =>
      expect(copied).toBe(
        'lw.LensWidget(lw.compare(a, b), state={"selected": [1, 2], "pins": [[100, 101]], "view": "difference"})',
      ),
    );
    model.change("selected", null);
    model.change("pins", []);
    model.change("view", "");
    await userEvent.click(root.querySelector(".lw-popup button")!);
    await vi.waitFor(() => expect(copied).toBe("lw.LensWidget(lw.compare(a, b))"));
    vi.restoreAllMocks();
  });

  it("shows it where a frame may not write to the clipboard", async () => {
    vi.spyOn(navigator.clipboard, "writeText").mockRejectedValue(new Error("not allowed"));
    const { root } = await show(new FakeModel(await message()));
    await userEvent.click(root.querySelector("summary")!);
    await userEvent.click(root.querySelector(".lw-popup button")!);
    await vi.waitFor(() => expect(root.querySelector("textarea")!.value).toBe("lw.LensWidget(grid)"));
    vi.restoreAllMocks();
  });
});

it("a cell keeps its card under the pointer where what is held stands out of sight, and not beside it", async () => {
  const { root } = await show(new FakeModel(await message()));
  await click(root, 2, 2);
  await vi.waitFor(() => expect(root.querySelectorAll(".lw-held")).toHaveLength(1));
  expect(root.querySelector(".lw-floating")).toBeNull();
  await page.viewport(760, 900);
  await vi.waitFor(() => expect(root.querySelector("[data-dock=beneath]")).not.toBeNull());
  await hover(root, 1, 1);
  await hover(root, 2, 2);
  await vi.waitFor(() => expect(root.querySelector(".lw-floating")!.textContent).toMatch(/^L1position 2/));
});

it("what can be done is told where what is held will stand, and goes without moving the cells", async () => {
  const { root } = await show(new FakeModel(await message()));
  const at = () => canvasOf(root).getBoundingClientRect().y - root.getBoundingClientRect().y;
  const before = at();
  expect(root.querySelector(".lw-dock")!.textContent).toContain("a click holds it here");
  await click(root, 1, 1);
  await vi.waitFor(() => expect(root.querySelector(".lw-dock")!.textContent).toMatch(/^L0position 1/));
  expect(root.querySelector(".lw-dock")!.textContent).not.toContain("a click holds it here");
  expect(at()).toBe(before);
  await userEvent.click(root.querySelector("[aria-label='Let go of the cell']")!);
  await vi.waitFor(() => expect(root.querySelector(".lw-dock")!.textContent).toContain("a click holds it here"));
});

describe.each(["light", "dark"])("nothing hinders a reader (%s)", (theme) => {
  it.each(["one", "side by side", "difference", "overview", "mean"])("in the view %s", async (view) => {
    document.documentElement.setAttribute("theme", theme);
    const state = { view, selected: [2, 1], pins: [[100]], rows_compared: [1, 4] };
    const { root } = await two({ notes: ["A note."] }, state, [{ quantities }, { quantities }]);
    root.querySelector("details")!.open = true;
    expect(await hindrances(root)).toEqual([]);
  });
});
