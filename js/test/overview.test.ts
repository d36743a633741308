// Many prompts at once, as a reader meets them.

import { describe, expect, it } from "vitest";
import { userEvent } from "vitest/browser";
import cases from "../../tests/golden/answers.json";
import { answersOf, placesOf } from "../src/data/answers.js";
import { NO_TOKEN } from "../src/data/grid.js";
import { decode } from "../src/data/wire.js";
import { FakeModel, hindrances, show } from "./host.js";
import { ANSWERS, comparing, type Wish } from "./messages.js";

const LEAD = [0.1, 0.4, 0.5, 0.8];

/** An overview in which each case is a line. */
function overviewOf(lines: { leaders: number[]; right: number[] }[]): Wish {
  return {
    ...ANSWERS,
    title: `${lines.length} prompts`,
    notes: ["no answer leads for good before L0"],
    rows: lines.length,
    rowLabels: lines.map((_, i) => `prompt ${i}`),
    candidates: (row, column) => [[lines[row]!.leaders[column]! & 0xffff, LEAD[column]!]],
    targets: lines.map(({ right }) => ({ label: "", tokens: right })),
  };
}

async function overview(lines = cases as { leaders: number[]; right: number[] }[], settings = {}) {
  const wishes: Wish[] = Array.from({ length: 5 }, () => ({}));
  const message = await comparing(wishes, { overview: overviewOf(lines) });
  return { message, model: new FakeModel(message, settings) };
}

describe("each line", () => {
  it.each(cases.map((one, row) => ({ ...one, row })))("$is: as Python says", async (one) => {
    const { message } = await overview();
    const grid = (await decode(message)).comparison!.overview!;
    const answer = answersOf(grid)[one.row]!;
    expect([answer.decided, answer.right, answer.ledUntil]).toEqual([one.decided, one.isRight, one.ledUntil]);
    expect(answer.leaders).toEqual(one.leaders.map((leader) => (leader < 0 ? NO_TOKEN : leader)));
    expect(answer.probability).toBeCloseTo(0.8, 2);
    expect(answer.heights[1]).toBeCloseTo(one.leaders[1]! < 0 ? 0 : 0.4 * 0.5, 2);
  });

  it("gives more room to what can be believed", async () => {
    const grid = (await decode((await overview()).message)).comparison!.overview!;
    expect(placesOf(grid).map((place) => Math.round(place * 10))).toEqual([0, 1, 3, 6, 10]);
  });

  it("says the answer, whether it is right, and what became of the one that is", async () => {
    const { model } = await overview();
    const { root } = await show(model);
    const lines = [...root.querySelectorAll(".lw-answers li")].map(({ textContent }) => textContent!);
    expect(lines).toHaveLength(cases.length);
    expect(lines[0]).toMatch(/prompt 0.*✓.*two.*80\s%.*decided at L1/);
    expect(lines[3]).toMatch(/✗.*one.*right: two 25\s%, led until L1.*decided at L2/);
    expect(lines[4]).toMatch(/never led/);
    expect(lines[6]).not.toMatch(/[✓✗]/);
    expect(root.textContent).toContain("no answer leads for good before L0.");
    expect(root.textContent).not.toContain("Point at a cell");
  });

  it("opens into the grid that it is of, by a click or by keys", async () => {
    const { model } = await overview();
    const { root } = await show(model);
    const [first] = root.querySelectorAll<HTMLElement>(".lw-answers button");
    first!.focus();
    await userEvent.keyboard("{ArrowDown}{ArrowDown}{ArrowUp}{Enter}");
    expect([model.get("shown"), model.get("view")]).toEqual([1, "one"]);
  });

  it("can be sorted by where it was decided", async () => {
    const { root } = await show((await overview()).model);
    await userEvent.selectOptions(root.querySelector(".lw-overview select")!, "decision layer");
    const decided = [...root.querySelectorAll(".lw-decided")].map(({ textContent }) => textContent!.slice(-5).trim());
    const places = decided.map((label) => ["embed", "at L0", "at L1", "at L2"].indexOf(label));
    expect(places).toEqual([...places].sort());
  });
});

it.each([320, 500, 1100])("is as wide as a place of %i pixels, and hinders nobody", async (width) => {
  const place = document.createElement("div");
  place.style.width = `${width}px`;
  document.body.append(place);
  const { root } = await show((await overview()).model, place);
  expect(root.scrollWidth).toBeLessThanOrEqual(width);
  expect(await hindrances(root)).toEqual([]);
  place.remove();
});
