// Slots and links, with no page: how cells, colors, pins and scrolling of one grid answer to those of another.

import { describe, expect, it } from "vitest";
import expected from "../../tests/golden/comparison.json";
import { slotsOf, spread } from "../src/data/comparison.js";
import { candidatesAt, leading, NO_TOKEN, trajectory } from "../src/data/grid.js";
import { decode } from "../src/data/wire.js";
import { type Settings, shared } from "../src/state/settings.js";
import { ViewState } from "../src/state/view-state.js";
import { ODD, shadesOf } from "../src/style/scale.js";
import { ANSWERS, type Comparing, comparing, goldenComparison, message, type Wish } from "./messages.js";

async function stateOf(wishes: Wish[], about: Comparing = {}, state: Partial<Settings> = {}) {
  const settings = shared(state);
  return { settings, all: new ViewState(await decode(await comparing(wishes, about)), settings) };
}

describe("what Python wrote of a comparison is what the browser reads", () => {
  it("slots, names and notes", async () => {
    const { comparison, grids } = await decode(await goldenComparison());
    const { header, expected: written } = expected;
    const { exactNames, ...rest } = comparison!;
    expect(exactNames).toEqual(written.names);
    expect(Object.keys(rest).sort()).toEqual(Object.keys(header.comparison).sort());
    expect(comparison!.names).toEqual(written.names);
    expect([...comparison!.rows]).toEqual(written.rows.flat());
    expect([...comparison!.columns]).toEqual(written.columns.flat());
    expect(grids).toHaveLength(written.names.length);
  });

  it("every difference within half precision", async () => {
    const { comparison } = await decode(await goldenComparison());
    for (const [i, quantities] of expected.expected.differences.entries()) {
      for (const [name, rows] of Object.entries(quantities ?? {})) {
        const { values, center } = comparison!.differences[i]!.quantities.find((one) => one.name === name)!;
        if (!["Jensen–Shannon", "KL", "total variation", "belief"].includes(name)) expect(center).toBe(0);
        for (const [cell, number] of (rows as (number | string)[][]).flat().entries()) {
          const value = typeof number === "string" ? Number(number.replace("inf", "Infinity")) : number;
          if (Number.isFinite(value)) expect(values[cell]).toBeCloseTo(value, Math.abs(value) > 10 ? 0 : 2);
          else expect(values[cell]).toBe(value);
        }
      }
    }
  });
});

describe("a grid in its slots", () => {
  const slots = slotsOf(Int32Array.from([0, 0, -1, 1, 1, 2, 2, 3]), 2, 0); // columns 0, gap, 1, 2 of the first grid

  it("has all that it had, and nothing in the gap", async () => {
    const candidates = (row: number, column: number) => [[(row + column) % 4, 0.5]] as [number, number][];
    const followed = (column: number) => [column];
    const wish = { columns: 3, candidates, followed, excluded: [2], following: [1, 2, 3] };
    const [grid] = (await decode(await message(wish))).grids as [never];
    const drawn = spread(grid, slots);
    expect([...drawn.columns]).toEqual([0, NO_TOKEN, 1, 2]);
    expect([...drawn.following!]).toEqual([1, NO_TOKEN, 2, 3]);
    expect([...drawn.gaps]).toEqual([1]);
    expect([...drawn.excluded]).toEqual([3]);
    for (const [slot, column] of [
      [0, 0],
      [2, 1],
      [3, 2],
    ] as const) {
      for (let row = 0; row < 5; row++) {
        expect(candidatesAt(drawn, { row, column: slot })).toEqual(candidatesAt(grid, { row, column }));
        expect(drawn.quantities[0]!.values[row * 4 + slot]).toBe(0.5);
      }
      expect(trajectory(drawn, slot, column)).toEqual(trajectory(grid, column, column));
    }
    expect(candidatesAt(drawn, { row: 0, column: 1 })).toEqual([]);
    expect(leading(drawn)!(1)).toBe(NO_TOKEN);
    expect(trajectory(drawn, 1, 1)).toBeNull();
    const [quantity] = drawn.quantities;
    const scale = {
      ramp: "sequential" as const,
      domain: [0, 1] as [number, number],
      place: (v: number) => v,
      step: () => 7,
      ticks: [],
    };
    expect([...shadesOf(drawn, quantity!, scale).slice(0, 4)]).toEqual([7, ODD.gap, 7, ODD.excluded]);
  });

  it("is itself where it has no gaps", async () => {
    const [grid] = (await decode(await message())).grids as [never];
    expect(spread(grid, slotsOf(Int32Array.from([0, 1, 2, 3]), 1, 0))).toBe(grid);
  });
});

describe("linked grids", () => {
  const depths = { rows: [[0, 0], [1, -1], [2, 1], [3, -1], [4, 2]] }; // biome-ignore format: one slot a pair

  it("point at the same cell, by relative depth, and at none where a row is missing", async () => {
    const { all } = await stateOf([{}, { rows: 3 }], depths);
    const [deep, shallow] = all.each as [never, never] as unknown as typeof all.each;
    deep!.hover.value = { row: 2, column: 3 };
    expect(shallow!.hover.value).toEqual({ row: 1, column: 3 });
    deep!.hover.value = { row: 3, column: 3 };
    expect(shallow!.hover.value).toBeNull();
    shallow!.hover.value = { row: 2, column: 0 };
    expect(deep!.hover.value).toEqual({ row: 4, column: 0 });
  });

  it("select in slots, which is what Python hears of", async () => {
    const { all, settings } = await stateOf([{}, { rows: 3 }], depths);
    all.each[1]!.toggleSelected({ row: 1, column: 2 });
    expect(settings.selected.value).toEqual([2, 2]);
    expect(all.each[0]!.selected.value).toEqual({ row: 2, column: 2 });
  });

  it("that let a link go keep what they had, and go their own ways from there", async () => {
    const { all, settings } = await stateOf([{}, {}]);
    const [one, other] = all.each;
    one!.toggleSelected({ row: 3, column: 1 });
    expect(other!.selected.value).toEqual({ row: 3, column: 1 });
    all.toggle("selection");
    expect(settings.links.value).not.toContain("selection");
    expect(other!.selected.value).toEqual({ row: 3, column: 1 });
    other!.toggleSelected({ row: 0, column: 0 });
    expect(one!.selected.value).toEqual({ row: 3, column: 1 });
    expect(settings.selected.value).toEqual([3, 1]);
    all.toggle("selection");
    expect(other!.selected.value).toEqual({ row: 3, column: 1 });
    all.toggle("selection");
    expect(other!.selected.value).toEqual({ row: 3, column: 1 });
  });

  const probability = (values: () => number, more = {}) => ({ name: "probability", domain: null, values, ...more });

  it("color by one scale, or by one each when that link is let go", async () => {
    const { all } = await stateOf([
      { quantities: [{ name: "entropy", values: (row: number) => row }] },
      { quantities: [{ name: "entropy", values: (row: number) => 10 * row }] },
    ]);
    expect(all.each.map(({ scale }) => scale.value.domain)).toEqual([[0, 40], [0, 40]]); // biome-ignore format: two
    all.toggle("color");
    expect(all.each.map(({ scale }) => scale.value.domain)).toEqual([[0, 4], [0, 40]]); // biome-ignore format: two
  });

  it("color each by its own target, where a quantity speaks of one", async () => {
    const about = (text: string) =>
      probability(() => 0.5, { name: `probability of ${text}`, measure: "probability", target: 0 });
    const { all, settings } = await stateOf([
      { quantities: [probability(() => 0.1), about(" Paris")], targets: [{ label: " Paris", tokens: [0] }] },
      { quantities: [probability(() => 0.1), about(" Madrid")], targets: [{ label: " Madrid", tokens: [1] }] },
    ]);
    settings.color.value = "probability of  Paris";
    expect(all.each.map(({ quantity }) => quantity.value.name)).toEqual([
      "probability of  Paris",
      "probability of  Madrid",
    ]);
    all.each[1]!.settings.color.value = "probability of  Madrid";
    expect(settings.color.value).toBe("probability of  Paris");
  });

  it("pin the same text where two vocabularies give it two ids", async () => {
    const other = { ids: [7, 8, 9, 100], texts: [" two", " one", " nil", " other"] };
    const { all, settings } = await stateOf([{}, other]);
    all.each[0]!.togglePin(1, false); // " one"
    expect(settings.pins.value).toEqual([[101]]);
    expect(all.each[1]!.settings.pins.value).toEqual([[8]]);
    all.each[1]!.togglePin(0, false); // " two", which the first grid knows as 102
    expect(settings.pins.value).toEqual([[101], [102]]);
  });

  it("pin by id where the vocabulary is one, whatever else reads the same", async () => {
    const { all } = await stateOf([{ texts: [" a", " a", " b"] }, { texts: [" a", " a", " b"] }]);
    all.each[0]!.togglePin(1, false);
    expect(all.each[1]!.settings.pins.value).toEqual([[101]]);
  });

  it("scroll together until they are let go", async () => {
    const { all } = await stateOf([{}, {}, {}]);
    all.each[2]!.scroll.value = 3.5;
    expect(all.each.map(({ scroll }) => scroll.value)).toEqual([3.5, 3.5, 3.5]);
    all.toggle("scroll");
    all.each[1]!.scroll.value = 1;
    expect(all.each.map(({ scroll }) => scroll.value)).toEqual([3.5, 1, 3.5]);
  });
});

describe("the view that suits", () => {
  const overview = { ...ANSWERS, rows: 2 };
  it.each([
    [2, {}, {}, "side by side"],
    [4, {}, {}, "side by side"],
    [5, {}, {}, "one"],
    [5, { overview }, {}, "overview"],
    [2, {}, { view: "difference" }, "difference"],
    [2, { differences: [null] }, { view: "difference" }, "side by side"],
    [2, {}, { view: "mean" }, "side by side"],
    [2, {}, { view: "no such view" }, "side by side"],
  ] as [number, Comparing, Partial<Settings>, string][])(
    "of %i grids with %j and %j is %s",
    async (count, about, state, view) => {
      const { all } = await stateOf(Array(count).fill({}), about, state);
      expect(all.layout.value).toBe(view);
    },
  );

  it("has a grid in front, whatever number is asked for", async () => {
    const { all, settings } = await stateOf([{}, {}, {}]);
    for (const [asked, shown] of [
      [-1, 0],
      [1, 1],
      [9, 2],
    ] as const) {
      // biome-ignore format: pairs
      settings.shown.value = asked;
      expect(all.shown.value).toBe(shown);
    }
  });
});

describe("how a failure is read", () => {
  // at every position: zero, then one, one, two, and three at the end
  const leading = [0, 1, 1, 2, 3];
  const wish: Wish = { candidates: (row) => [[leading[row]!, 0.6], [leading[row] === 3 ? 1 : 3, 0.2]] }; // biome-ignore format: two
  const story = async (pins: number[][]) => {
    const { all } = await stateOf([wish, wish], {}, { pins });
    const said = all.each[0]!.story.value;
    const text = said.sentences.map((pieces) =>
      pieces.map((one) => (typeof one === "string" ? one : one.token)).join(""),
    );
    return { text, rows: said.rows, all };
  };

  it("tells what led and was overwritten, by what, and where to look", async () => {
    const { text, rows, all } = await story([[101]]);
    expect(text).toEqual(["␣one led in 2 rows from L0 to L1 and was overwritten in L2 by ␣two."]);
    expect(rows).toEqual([0, 1, 2, 3, 4]);
    expect(all.each[0]!.overwrites.value).toBe(true);
  });

  it("tells from where on the answer leads", async () => {
    const { text, rows, all } = await story([[103]]);
    expect(text).toEqual(["␣three leads from L3 on."]);
    expect(rows).toEqual([3, 4]);
    expect(all.each[0]!.overwrites.value).toBe(false);
  });

  it("tells how near a token came that never led, of a group its best", async () => {
    const never = { candidates: () => [[0, 0.6], [1, 0.2]] as [number, number][] }; // biome-ignore format: two
    const { all } = await stateOf([never, never], {}, { pins: [[101]] });
    expect(all.each[0]!.story.value.sentences[0]).toContain(" never leads; it comes nearest in embed, at rank 2.");
  });

  it("speaks of the output where nothing is followed", async () => {
    expect((await story([])).text).toEqual(["␣three leads from L3 on."]);
  });

  it("filters all grids to the same rows: those to look at in any of them", async () => {
    const other: Wish = { candidates: (row) => [[row < 2 ? 0 : 3, 0.6]] };
    const { all } = await stateOf([wish, other], {}, { pins: [[103]], filter: "look here" });
    expect(all.each.map(({ rowsShown }) => rowsShown.value)).toEqual([[1, 2, 3, 4], [1, 2, 3, 4]]); // biome-ignore format: two
  });
});
