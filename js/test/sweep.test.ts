// A sweep on screen: what is read off it, what is said of it, and that it can be seen, heard and reached.

import { describe, expect, it } from "vitest";
import { userEvent } from "vitest/browser";
import { answerOf, quietColumns, saidOf } from "../src/data/sweep.js";
import { decode } from "../src/data/wire.js";
import { quiet } from "../src/lessons/covered.js";
import { asText, experiment, outcome, spokenCell } from "../src/text/sweep.js";
import { FakeModel, hindrances, scroller, show } from "./host.js";
import { message, type Wish } from "./messages.js";

const HOSTILE = "<img src=x onerror=alert(1)>";
const SEEN = HOSTILE.replaceAll(" ", "␣");

/** Rows embed to L3: column 1 brings back most up to L1, then column 3. */
const recovered = (row: number, column: number) =>
  column === 0 ? 0 : column === 1 ? (row < 3 ? 0.8 - row / 20 : 0.01) : column === 3 ? (row < 3 ? -0.2 : 0.9) : 0.02;

const SWEEP: Wish = {
  texts: [" The", " osse", " is", HOSTILE, " iffel"],
  quantities: [
    { name: "recovered", center: 0, domain: [-1, 1], values: recovered },
    { name: "effect", center: 0, values: (row, column) => 4 * recovered(row, column) },
    { name: "logit", values: (row, column) => 4 * recovered(row, column) - 1 },
  ],
  candidates: (row, column) =>
    recovered(row, column) > 0.5
      ? [
          [4, 0.6],
          [3, 0.1],
        ]
      : [
          [3, 0.7],
          [4, 0.1],
        ],
  followed: () => [3, 4],
  targets: [{ label: HOSTILE, tokens: [3] }],
  sweep: { columns: [0, 4, 2, 3], tokens: [3, 4], said: [-1, -10, -12, -0.5] },
};
const HEADS: Wish = { ...SWEEP, columnLabels: ["H0", "H1", "H2", "H3"] };
const ABLATION: Wish = {
  ...SWEEP,
  sweep: { ...SWEEP.sweep!, source: "", put: "taken out", target: null, first: 0, columns: [-1, -1, -1, -1] },
  quantities: SWEEP.quantities!.slice(1).map((one) => ({ unit: "logits", ...one })),
};

async function gridOf(wish: Wish) {
  return (await decode(await message(wish))).grids[0]!;
}

describe("what a sweep says", () => {
  it("doesn't tell where the effect lies while that is asked", async () => {
    const shown = await decode(await message(SWEEP));
    expect(shown.grids[0]!.sweep!.story).not.toEqual([]);
    expect(quiet(shown).grids[0]!.sweep!.story).toEqual([]);
  });

  it("tells what base and source say, and which columns nothing was run in", async () => {
    const grid = await gridOf(SWEEP);
    expect(answerOf(grid.sweep!, "base")).toEqual({ token: 3, probability: 0.5 });
    expect(answerOf(grid.sweep!, "source").token).toBe(4);
    expect(saidOf(grid.sweep!, "base", 4)).toBeCloseTo(2 ** -10);
    expect(saidOf(grid.sweep!, "base", 2)).toBeNaN();
    expect(quietColumns(grid)).toEqual([{ from: 0, to: 1 }]);
    expect(quietColumns(await gridOf(HEADS))).toEqual([]);
  });

  it("has a sentence for each cell", async () => {
    const grid = await gridOf(SWEEP);
    const cell = { row: 2, column: 1 };
    expect(asText(experiment(grid, cell))).toBe("If ␣osse at L1 were ␣iffel");
    expect(outcome(grid, cell)).toBe("0.70 of the difference comes back");
    expect(outcome(grid, { row: 1, column: 0 })).toBe("same in both runs: effect exactly 0, not run");
    expect(outcome(grid, { row: 1, column: 3 })).toBe("it goes away from the source, by 0.20 of the difference");
    expect(spokenCell(grid, cell).replaceAll("\u202f", " ")).toBe(
      "If ␣osse at L1 were ␣iffel: 0.70 of the difference comes back; the model would say ␣iffel, 60 %; " +
        `the base says ${SEEN}, 50 %.`,
    );
    expect(asText(experiment(await gridOf(HEADS), cell))).toBe("If L1H1 were as in the source");
    const without = await gridOf(ABLATION);
    expect(asText(experiment(without, cell))).toBe("If ␣osse at L1 were taken out");
    expect(outcome(without, cell)).toMatch(/^logit moves by \+2\.80 logits$/);
  });
});

describe("a sweep in the page", () => {
  it("is two prompts and their answers, a story, a card and no markup", async () => {
    const model = new FakeModel(await message(SWEEP), { selected: [2, 1] });
    const { root } = await show(model);
    expect(root.querySelector(".lw-title")!.textContent!.replaceAll("\u202f", " ")).toBe(
      `a prompt of tests → ${SEEN} 50 %`,
    );
    expect(root.querySelector(".lw-from")!.textContent).toContain("the source’s prompt → ␣iffel");
    const card = root.querySelector(".lw-held")!;
    expect(card.querySelector(".lw-strong")!.textContent).toBe("If ␣osse at L1 were ␣iffel");
    expect(card.querySelector(".lw-way-value")!.textContent).toBe("+1.80");
    expect([...card.querySelectorAll("tbody th")].map((one) => one.textContent)).toEqual(["␣iffel", SEEN]);
    expect(root.querySelectorAll("img, script")).toHaveLength(0);
    expect(root.querySelector(".lw-chart")).toBeNull();
    expect(await hindrances(root)).toEqual([]);
  });

  it("reads a cell aloud as a sentence", async () => {
    const { root } = await show(new FakeModel(await message(SWEEP)));
    scroller(root).focus();
    await userEvent.keyboard("{ArrowLeft}");
    expect(root.querySelector(".lw-spoken")!.textContent).toMatch(/^If .* at L3 were as in the source: /);
  });

  it.each([HEADS, ABLATION])("shows heads and what is taken out", async (wish) => {
    const { root } = await show(new FakeModel(await message(wish), { selected: [2, 3] }));
    expect(root.dataset.state).toBe("ready");
    expect(await hindrances(root)).toEqual([]);
  });
});
