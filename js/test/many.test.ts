// Many prompts: what is known of a column stands in its card, as text, and in the table that a reader takes away.

import { describe, expect, it } from "vitest";
import { userEvent } from "vitest/browser";
import type { BelowQuantity } from "../src/data/grid.js";
import { groupsOf } from "../src/data/groups.js";
import { decode } from "../src/data/wire.js";
import { drawingOf } from "../src/export/drawing.js";
import { csvOf } from "../src/export/tables.js";
import { paintBelow } from "../src/heatmap/below-painter.js";
import { layoutOf } from "../src/heatmap/layout.js";
import { Pen } from "../src/heatmap/pen.js";
import type { Palette } from "../src/style/palette.js";
import { card, FakeModel, middle, scroller, show } from "./host.js";
import { message } from "./messages.js";

const HOSTILE = "<img src=x onerror=alert(1)>";
const below = {
  groups: ["a", "b", HOSTILE, "__proto__"],
  says: [[], [], [HOSTILE, "far", `${HOSTILE}!`], []],
  quantities: [],
};

it("a column's group and what is said of it stand in its card, as text", async () => {
  const { root } = await show(new FakeModel(await message({ below }), { selected: [2, 2] }));
  await expect.poll(() => card(root)?.textContent).toContain(`${HOSTILE}far${HOSTILE}!`);
  expect(root.querySelector("img")).toBeNull();
});

it("what is said of a prompt names it, also of the last one", async () => {
  const columnLabels = ["first", "second", "third", HOSTILE];
  const { root } = await show(new FakeModel(await message({ below, columnLabels })));
  expect(root.querySelector(".lw-story")?.textContent).toContain(HOSTILE);
});

it("a table has the group of each column", async () => {
  const { grids } = await decode(await message({ below }));
  const [head, ...lines] = csvOf(grids, ["a"]).split("\n");
  const place = head!.split(",").indexOf('"group"');
  expect(lines.slice(0, 4).map((line) => line.split(",")[place])).toEqual(
    ["a", "b", HOSTILE, "__proto__"].map((group) => `"${group}"`),
  );
});

describe("what is known of columns, beneath the cells", () => {
  const one = { name: HOSTILE, unit: "bits", line: 2.5, values: [1, null, 2.5, -1.5] };
  const PALETTE = { ink: "dark", faint: "pale", muted: "words" } as Palette;
  const layout = layoutOf({ rows: 3, columns: 4, width: 1000, height: 0, stride: 0, gutter: 80, density: 1 });
  const written = (below: BelowQuantity[], scrolled = 0) => {
    const pen = new Pen();
    paintBelow(pen, below, layout, PALETTE, scrolled);
    return pen.svg;
  };
  const bars = (svg: string) =>
    [...svg.matchAll(/M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)h\S+" fill="(dark|pale)"/g)].map(([, ...found]) => [
      ...found.slice(0, 4).map(Number),
      found[4],
    ]);

  it("stands under its columns, dark from its line on, and hangs from 0 where it is less", () => {
    const { left, cellWidth } = layout;
    const found = bars(written([one]));
    const [first, most, least] = found as [number[], number[], number[]];
    expect(found.map((bar) => bar[4])).toEqual(["pale", "dark", "pale"]);
    expect(found.map((bar) => bar[0])).toEqual([0, 2, 3].map((column) => left + column * cellWidth));
    // 26 pixels for 4 bits: 6.5 each
    expect(found.map((bar) => bar[3])).toEqual([6.5, 16.25, 9.75]);
    expect(first[1]! + first[3]!).toBe(most[1]! + most[3]!);
    expect(least[1]).toBeCloseTo(most[1]! + most[3]!, 9);
  });

  it("scrolls with them, and shows nothing beside them", () => {
    const { left, cellWidth } = layout;
    const found = bars(written([{ ...one, values: [1, 1, 1, 1] }], 1.5 * cellWidth));
    expect(found.map((bar) => bar[0])).toEqual([left, left + 0.5 * cellWidth, left + 1.5 * cellWidth]);
    expect(found[0]![2]).toBe(0.5 * cellWidth - 1);
  });

  it("says its name, its unit, its ends and its line, as text", () => {
    const svg = written([one]);
    expect(svg).not.toContain("<img");
    const { body } = new DOMParser().parseFromString(`<svg>${svg}</svg>`, "text/html");
    const words = [...body.querySelectorAll("text")].map(({ textContent }) => textContent);
    expect(words).toEqual([`${HOSTILE}, bits · line at 2.50`, "−1.50", "2.50"]);
  });

  it("that is 0 throughout, or not known at all, has one end", () => {
    expect(bars(written([{ ...one, line: null, values: [0, 0, 0, 0] }]))).toHaveLength(4);
    expect(bars(written([{ ...one, line: null, values: [null, null, null, null] }]))).toHaveLength(0);
    expect(written([{ ...one, line: null, values: [0] }]).match(/<text/g)).toHaveLength(2);
  });

  it("is in the view, in what is read aloud, and in pictures", async () => {
    const { root } = await show(new FakeModel(await message({ below: { ...below, quantities: [one] } })));
    const canvas = root.querySelector<HTMLCanvasElement>(".lw-cells canvas[role=img]")!;
    expect(canvas.ariaLabel).toBe(`${HOSTILE}, bits · line at 2.50`);
    expect(new Set(canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height).data).size).toBeGreaterThan(
      2,
    );
    scroller(root).focus();
    await userEvent.keyboard("{ArrowUp}{ArrowLeft}");
    await expect.poll(() => root.querySelector(".lw-spoken")?.textContent).toContain(`${HOSTILE}, far`);
    expect(drawingOf(root.querySelector("figure")!).svg).toContain("line at 2.50");
  });
});

describe("groups side by side", () => {
  // rows by columns: the first three columns are of one group, the last of another
  const groups = [HOSTILE, HOSTILE, HOSTILE, "__proto__"];
  const values = [
    [1, 2, 6, 9],
    [0, 4, Number.NaN, 8],
    [Number.NaN, Number.NaN, Number.NaN, 1],
  ];
  const quantities = [
    { name: "entropy", unit: "bits", domain: [0, 40], values: (row: number, column: number) => values[row]![column]! },
  ];
  const many = { below: { groups, says: [[], [], [], []], quantities: [] }, rows: 3, columns: 4, quantities };

  it("have the mean and the standard deviation of what is known of them, as NumPy has them", async () => {
    const { grids } = await decode(await message(many));
    const [first, last, ...none] = groupsOf(grids[0]!, grids[0]!.quantities[0]!);
    expect(none).toEqual([]);
    expect(first).toMatchObject({ name: HOSTILE, count: 3, mean: [3, 2, Number.NaN] });
    expect(first!.spread.map((one) => Number(one.toFixed(6)))).toEqual([2.160247, 2, Number.NaN]);
    expect(last).toEqual({ name: "__proto__", count: 1, mean: [9, 8, 1], spread: [0, 0, 0] });
  });

  it("stand in the chart with their names, until a cell is held or a token followed", async () => {
    const model = new FakeModel(await message(many));
    const { root } = await show(model);
    const chart = root.querySelector<HTMLElement>(".lw-chart")!;
    await expect.poll(() => chart.querySelectorAll(".lw-band").length).toBe(2);
    expect(chart.querySelector("img")).toBeNull();
    expect(chart.textContent).toContain("mean entropy (bits) ± SD by group");
    expect([...chart.querySelectorAll(".lw-label")].map((one) => one.textContent)).toEqual([
      "<img src=x … (3)",
      "__proto__ (1)",
    ]);
    expect(chart.querySelector("svg")!.ariaLabel).toContain("__proto__ ends at 1 bits");
    // as far as there are values, and not to the end of the colors
    expect([...chart.querySelectorAll(".lw-tick")].map((one) => one.textContent)).toEqual(["0", "2", "4", "6", "8"]);
    // where a group isn't known there is neither line nor band
    expect(chart.querySelector(".lw-band")!.getAttribute("d")!.match(/M/g)).toHaveLength(1);
    const lines = () => chart.querySelectorAll("path.lw-line").length;
    await userEvent.hover(scroller(root), { position: middle(root, 1, 1, 3) });
    await expect.poll(lines).toBe(3);
    model.change("selected", [1, 3]);
    await expect.poll(() => chart.querySelectorAll(".lw-band").length).toBe(0);
    expect(chart.querySelector("[aria-label='Chart scale']")).not.toBeNull();
    model.change("selected", null);
    await expect.poll(() => chart.querySelectorAll(".lw-band").length).toBe(2);
    model.change("pins", [[10]]);
    await expect.poll(() => chart.querySelectorAll(".lw-band").length).toBe(0);
  });
});
