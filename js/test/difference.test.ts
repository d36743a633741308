// Two grids told apart in words, as a reader meets them.

import { describe, expect, it } from "vitest";
import { userEvent } from "vitest/browser";
import { FakeModel, hindrances, show } from "./host.js";
import { comparing, type Wish } from "./messages.js";

// zero leads everywhere in the first, and one from L0 on in the second, but for the first column
const told = (row: number, column: number) => (row > 0 && column > 0 ? [0, 1] : [0, 0]);
const DIFFERENCE: Wish = {
  candidates: null,
  trajectories: null,
  quantities: [
    { name: "probability", center: 0, values: () => 0.25 },
    { name: "total variation", values: (row) => row / 4 },
    { name: "belief", values: () => 0.8 },
  ],
  leaders: told,
  equal: [0],
  why: "a position can’t see what comes after it",
};
const jumps = {
  parts: ["{}H0", "{}.mlp", "norm rescale"],
  entries: [
    [3, 0, (row: number) => [row, 2, -0.5]],
    [3, 1, (row: number) => [2 * row, 1, -0.5]],
  ],
} as NonNullable<Wish["jumps"]>;

async function two(settings = {}, wish: Wish = {}, sides: Wish = {}) {
  const message = await comparing([sides, sides], {
    differences: [{ ...DIFFERENCE, ...wish }],
    names: ["France", "Spain"],
  });
  const model = new FakeModel(message, { view: "difference", ...settings });
  return { model, ...(await show(model)) };
}

const words = (root: HTMLElement) => [...root.querySelectorAll<HTMLElement>(".lw-words button")];

describe("a difference", () => {
  it("is told in words where another token leads, and blank where none does", async () => {
    const { root } = await two();
    expect(root.querySelector("[role=application]")).toBeNull();
    expect(words(root)).toHaveLength(12);
    expect(words(root)[0]!.textContent).toBe("zero → one");
    expect(root.querySelector(".lw-said")!.textContent).toMatch(/France says ␣zero.*Spain says ␣one/);
    expect(root.querySelector(".lw-words tbody tr:last-child td:not([class])")!.textContent).toBe("");
  });

  it("is the larger the farther apart the two are", async () => {
    const { root } = await two();
    const sizes = words(root).map((word) => Number.parseFloat(word.style.fontSize));
    expect(sizes[0]).toBeCloseTo(11 + 6 * Math.sqrt(0.8), 1);
    expect(sizes.at(-1)).toBeCloseTo(11 + 6 * Math.sqrt(0.2), 1);
  });

  it("says once of the columns that are equal why they are", async () => {
    const { root } = await two();
    expect(root.querySelectorAll(".lw-equal")).toHaveLength(1);
    expect(root.querySelector(".lw-equal")!.textContent).toBe(
      "Equal to the last bit: a position can’t see what comes after it.",
    );
    expect((await two({}, { why: "" })).root.querySelector(".lw-equal")!.textContent).toBe("Equal to the last bit.");
  });

  it("leaves out the layers beneath that say little, and says how little", async () => {
    const { root } = await two({}, { rows: 12, leaders: (_, column) => (column > 0 ? [0, 1] : [0, 0]), quantities: [
      { name: "probability", center: 0, values: () => 0.25 },
      { name: "total variation", values: (row) => (row > 8 ? 0.9 : 0.1) },
      { name: "belief", values: () => 1 },
    ] }, { rows: 12 }); // biome-ignore format: one wish
    expect(root.querySelectorAll(".lw-words tbody tr")).toHaveLength(4);
    expect(root.textContent).toMatch(/embed to L6: 24 of 24 leaders differ, none by more than 10\s%/);
    await userEvent.click([...root.querySelectorAll("button")].find((one) => one.textContent === "show all layers")!);
    expect(root.querySelectorAll(".lw-words tbody tr")).toHaveLength(12);
  });

  it("has numbers where they are asked for, and words again", async () => {
    const { model, root } = await two();
    const menu = root.querySelector<HTMLSelectElement>(".lw-menu select")!;
    expect(menu.value).toBe("");
    await userEvent.selectOptions(menu, "total variation");
    expect(model.get("color")).toBe("total variation");
    await expect.poll(() => root.querySelector("[role=application]")).not.toBeNull();
    await userEvent.selectOptions(root.querySelector<HTMLSelectElement>(".lw-menu select")!, "words");
    await expect.poll(() => root.querySelector(".lw-words")).not.toBeNull();
  });

  it("selects by a click or by keys, with one stop for Tab", async () => {
    const { model, root } = await two();
    expect(words(root).filter(({ tabIndex }) => tabIndex === 0)).toHaveLength(1);
    words(root)[0]!.focus();
    await userEvent.keyboard("{ArrowRight}{Enter}");
    expect(model.get("selected")).toEqual([4, 2]);
    expect(root.querySelector(".lw-words [aria-current] th")!.textContent).toBe("L3");
    await userEvent.click(words(root)[1]!);
    expect(model.get("selected")).toBeNull();
  });

  it("draws both trajectories in one chart: one side whole, the other broken", async () => {
    const { root } = await two();
    const lines = [...root.querySelectorAll(".lw-both .lw-plot .lw-line")];
    expect(lines.filter((line) => !line.matches(".lw-other")).length).toBeGreaterThan(0);
    expect(lines.filter((line) => line.matches(".lw-other")).length).toBeGreaterThan(0);
    expect(root.querySelector(".lw-both svg")!.getAttribute("aria-label")).toMatch(/␣zero ends at/);
    expect(root.querySelector(".lw-both p")!.textContent).toMatch(/France.*Spain/);
  });

  it("shows what made the step in pairs, whose sum is the jump, where both carry it", async () => {
    const { root } = await two({ selected: [2, 3] }, {}, { jumps });
    const lines = [...root.querySelectorAll(".lw-made tr")].map(({ textContent }) => textContent!);
    expect(root.querySelector(".lw-made")!.textContent).toContain("What made it, at L1");
    expect(lines[0]).toBe("L1H0+2.00+4.00");
    expect(lines.at(-1)).toMatch(/^sum = the jump\+3.50?\+4.50?$/);
    expect((await two()).root.querySelector(".lw-made")).toBeNull();
  });
});

it.each(["light", "dark"])("hinders nobody (%s)", async (theme) => {
  document.documentElement.setAttribute("theme", theme);
  const { root } = await two({ selected: [2, 3] }, {}, { jumps });
  expect(await hindrances(root)).toEqual([]);
  document.documentElement.removeAttribute("theme");
});
