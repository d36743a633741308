// Two grids on the same rows: mirrored maps, and one chart between them.

import { afterEach, describe, expect, it, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import { FakeModel, hindrances, show } from "./host.js";
import { comparing, type Wish } from "./messages.js";

const HOSTILE = "<img src=x onerror=alert(1)>";

afterEach(() => page.viewport(1200, 900));

async function two(settings = {}, wishes: Wish[] = [{}, {}], width = 1500) {
  await page.viewport(width, 900);
  const model = new FakeModel(await comparing(wishes), settings);
  const { root } = await show(model);
  const maps = [...root.querySelectorAll<HTMLElement>(".lw-heatmap")];
  return { model, root, maps };
}

const mirrored = (root: HTMLElement) => root.querySelector(".lw-mirrored");
const box = (element: Element) => element.getBoundingClientRect();
/** Points at a cell of a map, whichever side its labels are on. */
function point(map: HTMLElement, row: number, column: number, type = "pointermove") {
  const scroller = map.querySelector<HTMLElement>(".lw-scroller")!;
  const { x, y, width, height } = box(scroller);
  const at = { clientX: x + ((column + 0.5) * width) / 4, clientY: y + ((4.5 - row) * height) / 5 };
  scroller.dispatchEvent(new PointerEvent(type, { bubbles: true, ...at }));
}

describe("two grids", () => {
  it("stand either side of one chart, their rows on one line, the second's labels on its right", async () => {
    const { root, maps } = await two();
    expect(mirrored(root)).not.toBeNull();
    expect(root.querySelectorAll(".lw-chart")).toHaveLength(1);
    const [one, other] = maps.map((map) => box(map.querySelector(".lw-scroller")!));
    const chart = box(root.querySelector(".lw-plot svg")!);
    expect(other!.y).toBe(one!.y);
    expect(other!.height).toBe(one!.height);
    expect(one!.right).toBeLessThanOrEqual(chart.left);
    expect(chart.right).toBeLessThanOrEqual(other!.left);
    expect(one!.left).toBeGreaterThan(box(maps[0]!).left + 40);
    expect(other!.left).toBe(box(maps[1]!).left);
    expect(root.querySelectorAll(".lw-line").length).toBeGreaterThan(2);
    expect(root.querySelector(".lw-sample")!.textContent).toMatch(/grid 0.*grid 1/);
    expect(await hindrances(root)).toEqual([]);
  });

  it("are pointed at together: a ring in both, labels on the outer sides, one rule through all", async () => {
    const { root, maps } = await two();
    point(maps[1]!, 2, 1);
    await vi.waitFor(() => expect(root.querySelectorAll(".lw-ring")).toHaveLength(2));
    const [one, other] = [...root.querySelectorAll(".lw-row")].map(box);
    expect(one!.right).toBeLessThan(box(maps[0]!.querySelector(".lw-scroller")!).left);
    expect(other!.left).toBeGreaterThan(box(maps[1]!.querySelector(".lw-scroller")!).right);
    const rule = box(root.querySelector(".lw-row-rule")!);
    expect(rule.left).toBeLessThanOrEqual(one!.left);
    expect(rule.right).toBeGreaterThanOrEqual(other!.right - 1);
    expect(Math.abs(rule.y - box(root.querySelectorAll(".lw-ring")[1]!).y)).toBeLessThan(3);
    expect(root.querySelectorAll(".lw-floating:not(.lw-small)")).toHaveLength(1);
  });

  it("are walked by keys, and what is held stands beneath, a card each", async () => {
    const { root, maps, model } = await two();
    maps[1]!.querySelector<HTMLElement>(".lw-scroller")!.focus();
    await userEvent.keyboard("{ArrowLeft}{ArrowDown}{Enter}");
    expect(model.get("selected")).toEqual([3, 3]);
    await vi.waitFor(() => expect(root.querySelectorAll(".lw-docks .lw-held")).toHaveLength(2));
  });

  it("a label on the right picks its row", async () => {
    const { maps, model } = await two();
    const cells = maps[1]!.querySelector<HTMLElement>(".lw-cells")!;
    const { right, y } = box(maps[1]!.querySelector(".lw-scroller")!);
    cells.dispatchEvent(new MouseEvent("click", { bubbles: true, clientX: right + 30, clientY: y + 5 }));
    expect(model.get("rows_compared")).toEqual([4]);
  });

  it("each step of a line is one of its own grid", async () => {
    const { root, model } = await two({ explains: true }, [{}, { followed: () => [1] }]);
    const steps = root.querySelector<HTMLElement>(".lw-steps")!;
    steps.focus();
    const asked = new Set<string>();
    for (const keys of ["{ArrowUp}{Enter}", "{ArrowRight}{Enter}", "{ArrowRight}{Enter}"]) {
      await userEvent.keyboard(keys);
      asked.add(`${(model.get("jump") as number[] | null)?.[3] ?? 0}`);
    }
    expect([...asked].sort()).toEqual(["0", "1"]);
  });

  it.each([
    ["a narrow place", {}, [{}, {}], 760],
    ["other rows", {}, [{}, { rows: 4 }], 1500],
    ["colors of their own", { links: ["hover", "selection", "stride"] }, [{}, {}], 1500],
    ["three", {}, [{}, {}, {}], 1500],
    ["parts of a sum", {}, [{ view: "bars", columns: 1, trajectories: null }, {}], 1500],
  ] as [string, object, Wish[], number][])("have a chart each in %s", async (_, settings, wishes, width) => {
    const { root } = await two(settings, wishes, width);
    expect(root.dataset.state).toBe("ready");
    expect(mirrored(root)).toBeNull();
    expect(root.querySelectorAll(".lw-panel")).toHaveLength(wishes.length);
  });

  it("have names and tokens that are only text, and are as good where nothing leads", async () => {
    const texts = [HOSTILE, " one", "\u202e", "]]>"];
    const { root } = await two({}, [
      { texts, title: HOSTILE },
      { texts, quantities: [{ name: "probability", values: () => Number.NaN }] },
    ]);
    expect(root.dataset.state).toBe("ready");
    expect(root.querySelectorAll("img, script")).toHaveLength(0);
  });
});
