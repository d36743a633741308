// The small pure files: texts, numbers, scales, places.

import { describe, expect, it } from "vitest";
import cases from "../../tests/golden/belief.json";
import numbers from "../../tests/golden/numbers.json";
import { belief, beliefsOf, trustOf } from "../src/data/belief.js";
import { type Grid, NO_TOKEN, type RowQuantity } from "../src/data/grid.js";
import { cellText, visible } from "../src/data/marks.js";
import { decode } from "../src/data/wire.js";
import { cellAt, layoutOf, placeOf } from "../src/heatmap/layout.js";
import { placeCard } from "../src/pieces/placing.js";
import { STEPS } from "../src/style/palette.js";
import { ODD, scaleOf, shadesOf, ticks } from "../src/style/scale.js";
import { decimalsFor, fixed, lessThan, percent, plain, tick } from "../src/text/number.js";
import { rowQuantityName, verdicts } from "../src/text/row-quantity.js";
import { storyOf } from "../src/text/story.js";
import { message, type Wish } from "./messages.js";

describe("a token's text", () => {
  it.each([
    [" Paris", "␣Paris"],
    ["\n\n", "⏎⏎"],
    ["\t", "⇥"],
    ["\r", "␍"],
    ["", ""],
    ["\u202eabc", "‹U+202E›abc"],
    ["a\u200bb", "a‹U+200B›b"],
    ["\u00a0", "‹U+00A0›"],
    ["\0", "‹U+0000›"],
    ["\ud83d", "‹U+D83D›"],
    ["\u0301", "◌\u0301"],
    ["</script>", "</script>"],
    ["日本", "日本"],
    ["👍", "👍"],
  ])("%j shows everything in it: %j", (text, seen) => {
    expect(visible(text)).toBe(seen);
  });

  it("loses its leading space in a cell if anything is left", () => {
    expect(cellText(" Paris")).toBe("Paris");
    expect(cellText(" ")).toBe("␣");
    expect(cellText("  ")).toBe("␣");
  });
});

describe("a number", () => {
  const spaced = (text: string) => text.replaceAll("\u202f", " ");

  it.each([
    [0, "< 0.1 %"],
    [0.0004, "< 0.1 %"],
    [0.001, "0.1 %"],
    [0.077, "7.7 %"],
    [0.0996, "10 %"],
    [0.91, "91 %"],
    [0.994, "99.4 %"],
    [0.9996, "> 99.9 %"],
    [1, "100 %"],
    [Number.NaN, "NaN"],
  ])("%d is the probability %s", (probability, text) => {
    expect(spaced(percent(probability))).toBe(text);
  });

  it.each([
    [0, "0"],
    [1.0625, "1.06"],
    [-2.5, "−2.50"],
    [12.34, "12.3"],
    [123.4, "123"],
    [49152, "49 152"],
    [0.00004, "0.00004"],
    [Number.POSITIVE_INFINITY, "∞"],
    [Number.NEGATIVE_INFINITY, "−∞"],
  ])("%d is written %s", (value, text) => {
    expect(spaced(plain(value))).toBe(text);
  });

  it.each(numbers.alone)("%s alone is written %s, as in Python", (value, text) => {
    expect(plain(Number(value))).toBe(text);
  });

  it.each(numbers.beside)("%j beside each other are written %j", (...row) => {
    const [values, texts] = row as [(number | string)[], string[]];
    const all = values.map(Number);
    expect(all.map((value) => fixed(value, decimalsFor(all), true))).toEqual(texts);
  });

  it.each(numbers.axis)("%d beside an axis is written %s, as in Python", (value, text) => {
    expect(tick(Number(value))).toBe(text);
  });

  it.each(numbers.ticks)("%j has %j on its axis, as in Python", (ends, found) => {
    const [low, high, count] = ends as [number, number, number];
    for (const [i, one] of ticks([low, high], count).entries()) expect(one).toBeCloseTo(found[i]!, 12);
    expect(ticks([low, high], count)).toHaveLength(found.length);
  });

  it("that is only a bound says so once", () => {
    expect(spaced(lessThan(0.02))).toBe("< 2.0 %");
    expect(spaced(lessThan(0.0001))).toBe("< 0.1 %");
  });
});

describe("a scale", () => {
  const shades = async (quantity: Record<string, unknown>, values: number[], excluded: number[] = []) => {
    const quantities = [{ name: "q", ...quantity, values: (_: number, column: number) => values[column]! }];
    const {
      grids: [grid],
    } = await decode(await message({ rows: 1, columns: values.length, quantities, excluded }));
    const scale = scaleOf(grid!.quantities[0]!, grid!.quantities[0]!.ends);
    return { scale, shades: [...shadesOf(grid!, grid!.quantities[0]!, scale)] };
  };

  it("begins and ends with the data where nothing else is said, leaving out what is excluded", async () => {
    const found = await shades({}, [900, 2, 3, 4], [0]);
    expect(found.scale.domain).toEqual([2, 4]);
    expect(found.shades).toEqual([ODD.excluded, 0, 128, STEPS - 1]);
  });

  it("gives each odd value a look of its own", async () => {
    const { NaN: nan, POSITIVE_INFINITY: up, NEGATIVE_INFINITY: down } = Number;
    const found = await shades({ domain: [0, 1] }, [0, nan, up, down, 1.5, -0.5]);
    expect(found.shades).toEqual([0, ODD.nan, ODD.above, ODD.below, ODD.high, ODD.low]);
    expect(new Set(found.shades).size).toBe(6);
  });

  it("makes low values stand out where low is strong, and counts ranks by their powers", async () => {
    const found = await shades({ scale: "log", strong: "low", domain: [1, 10000] }, [1, 100, 10000]);
    expect(found.shades).toEqual([STEPS - 1, 128, 0]);
    expect(found.scale.ticks.map(({ label }) => label)).toEqual(["1", "10", "100", "1k", "10k"]);
  });

  it.each([
    [
      [0, 1],
      [0, 0.2, 0.4, 0.6, 0.8, 1],
    ],
    [
      [-1, 1],
      [-1, -0.5, 0, 0.5, 1],
    ],
    [
      [0, 15.6],
      [0, 5, 10, 15],
    ],
    [
      [0.31, 0.62],
      [0.4, 0.5, 0.6],
    ],
    [
      [-3200, 4100],
      [-2000, 0, 2000, 4000],
    ],
    [
      [1e20, 1e20 + 32768],
      [1e20, 1e20 + 16384, 1e20 + 32768],
    ],
  ] as [[number, number], number[]][])("has round numbers beside it, from %j", (domain, expected) => {
    const found = ticks(domain, 4);
    if (domain[0] < 1e20) expect(found).toEqual(expected);
    else expect(found.length).toBeLessThan(10); // where numbers are further apart than ticks would be, it ends, too
  });

  it("reaches as far on both sides of its center", async () => {
    const found = await shades({ center: 0 }, [-1, 0, 4]);
    expect(found.scale.domain).toEqual([-4, 4]);
    expect(found.shades[1]).toBe(128);
  });

  it("has a place for a value that is the only one, and for none at all", async () => {
    expect((await shades({}, [7, 7])).shades).toEqual([128, 128]);
    expect((await shades({}, [Number.NaN])).shades).toEqual([ODD.nan]);
  });
});

describe("a layout", () => {
  const wishes = { rows: 31, columns: 15, width: 1000, height: 0, stride: 0, gutter: 56, density: 1 };

  it("always keeps the last row, whatever the stride", () => {
    for (const rows of [1, 2, 31, 80, 128]) {
      for (const stride of [0, 1, 2, 3, 7, 200]) {
        expect(layoutOf({ ...wishes, rows, stride }).rows.at(-1)).toBe(rows - 1);
      }
    }
  });

  it("leaves every row legible by itself, and draws every row when asked to", () => {
    expect(layoutOf({ ...wishes, rows: 128 }).cellHeight).toBeGreaterThanOrEqual(17);
    expect(layoutOf({ ...wishes, rows: 128, stride: 1 }).rows).toHaveLength(128);
  });

  it("scrolls rather than make columns too narrow to read", () => {
    const layout = layoutOf({ ...wishes, columns: 4096 });
    expect(layout.cellWidth).toBe(40);
    expect(layout.viewWidth).toBe(1000 - 56);
  });

  it("finds the cell that it placed", () => {
    const layout = layoutOf({ ...wishes, rows: 80, columns: 400, stride: 3 });
    for (const cell of [
      { row: 79, column: 0 },
      { row: 1, column: 399 },
      { row: 40, column: 200 },
    ]) {
      const scrolled = 123;
      const { x, y, width, height } = placeOf(layout, cell, scrolled);
      expect(cellAt(layout, x + width / 2, y + height / 2, scrolled)).toEqual(cell);
    }
  });

  it("puts a card off the row and the column that are read, inside the frame", () => {
    const frame = { x: -16, y: -80, width: 1032, height: 800 };
    const card = { width: 250, height: 280 };
    for (let x = 56; x < 950; x += 62) {
      for (let y = 0; y < 600; y += 20) {
        const cell = { x, y, width: 62, height: 20 };
        const [left, top] = placeCard(cell, card, { width: 1000, height: 646 }, frame);
        expect(left >= x + 62 || left + card.width <= x).toBe(true);
        expect(top >= y + 20 || top + card.height <= y).toBe(true);
        expect(left >= frame.x && left + card.width <= frame.x + frame.width).toBe(true);
        expect(top >= frame.y && top + card.height <= frame.y + frame.height).toBe(true);
      }
    }
  });
});

describe("a quantity of rows", () => {
  const rowQuantity = (values: number[], more = {}): RowQuantity => ({
    name: "held-out KL",
    unit: "bits",
    strong: "low",
    domain: [0, 6],
    says: "",
    values: Float32Array.from(values),
    parts: [],
    ...more,
  });

  it.each([
    [rowQuantity([0, 3, 6, 150, Number.NaN]), [1, 0.5, 0, 0, Number.NaN]],
    [rowQuantity([-1, 0, 1], { strong: "high", domain: [-1, 1] }), [0, 0.5, 1]],
    [rowQuantity([2, 4, 3, Number.NaN], { domain: null }), [1, 0, 0.5, Number.NaN]],
    [rowQuantity([2, 2], { domain: null }), [1, 1]],
    [rowQuantity([Number.NaN], { domain: null }), [Number.NaN]],
  ])("says how far a row can be believed, %#", (one, trust) => {
    expect([...trustOf(one)]).toEqual(trust);
  });

  it("says it in words, and nothing where nothing is known", () => {
    const rowQuantities = [rowQuantity([1, 9, Number.NaN], { says: "this row was {} away" }), rowQuantity([2, 2, 2])];
    expect(verdicts({ rowQuantities } as Grid, 1)).toEqual([
      { words: "this row was 9 bits away", doubtful: true },
      { words: "held-out KL: 2 bits", doubtful: false },
    ]);
    expect(verdicts({ rowQuantities } as Grid, 2)).toHaveLength(1);
  });

  it("says what each of its parts is, of a row and on average over those that aren't the output", () => {
    const parts = [
      { name: "prose", values: Float32Array.from([4, 2, 0]) },
      { name: "code", values: Float32Array.from([6, 3, 0]) },
    ];
    const one = rowQuantity([5, 2.5, 0], { parts });
    expect(verdicts({ rowQuantities: [one] } as Grid, 1)[0]!.words).toBe("held-out KL: 2.50 bits: prose 2, code 3");
    expect(rowQuantityName(one)).toBe("held-out KL: 0 to 6 bits; mean over rows: prose 3, code 4.50");
  });
});

it("a story tells how far a step went, and what the last block took away", async () => {
  const candidates = (row: number) => [[row < 2 ? 0 : 1, 0.6]] as [number, number][];
  const grid = (await decode(await message({ columns: 1, candidates, rows: 4 }))).grids[0]!;
  const told = (probabilities: number[]) => {
    const trajectories = {
      ...{ offsets: Int32Array.of(0, 1), tokens: Int32Array.of(1), places: Uint8Array.from([0, 1, 2, 3]) },
      probabilities: Float32Array.from(probabilities),
    };
    const story = storyOf({ ...grid, trajectories } as Grid, 0, []);
    return story.sentences[0]!.map((piece) => (typeof piece === "string" ? piece : piece.token)).join("");
  };
  const plainly = (text: string) => text.replaceAll("\u202f", " ");
  expect(plainly(told([0, 0.04, 0.95, 0.7]))).toBe(
    "␣one leads from L1 on, rising there from 4.0 % to 95 %. L2 takes it from 95 % down to 70 %.",
  );
  expect(told([0, 0.44, 0.45, 0.44])).toBe("␣one leads from L1 on.");
});

it("texts that a model wrote have no story: their rows are no steps of one stream", async () => {
  const grid = (await decode(await message({ columns: 2, rows: 4 }))).grids[0]!;
  expect(storyOf(grid, 0, []).sentences).toHaveLength(1);
  const columns = grid.columns.map(() => NO_TOKEN);
  expect(storyOf({ ...grid, columns, columnLabels: ["1", "2"] } as Grid, 0, []).sentences).toHaveLength(0);
});

it("a zero on a logarithmic scale stands at its low end, as in Python's pictures", async () => {
  const shades = async (values: number[], domain: [number, number] | null = null) => {
    const quantities = [{ name: "size", scale: "log", domain, values: (row: number) => values[row]! }];
    const grid = (await decode(await message({ rows: values.length, columns: 1, quantities }))).grids[0]!;
    const size = { ...grid.quantities[0]!, values: Float32Array.from(values) };
    return [...shadesOf(grid, size, scaleOf(size, size.ends))];
  };
  const top = STEPS - 1;
  expect(await shades([0, 1, 10, -5, 100])).toEqual([0, 0, Math.round(top / 2), 0, top]);
  expect(await shades([0, 1, 10, -5, 100], [0, 100])).toEqual([0, 0, Math.round(top / 2), 0, top]);
  expect(await shades([0, 0])).toEqual([0, 0]);
  expect((await shades([0.3, 0.3]))[0]).toBeGreaterThan(0);
});

describe("belief", () => {
  it.each(cases)("of %j is as Python has it", (one) => {
    const found = belief(Number(one.kl), one.blind);
    expect(Number(found.toFixed(12))).toBe(Number(one.belief));
  });

  it("is that in the row, the least of several; else by the cell's own KL; else all", async () => {
    const bits = (values: number[]) => ({ name: "held-out KL", unit: "bits", strong: "low", domain: [0, 4], values });
    const quantities = [
      { name: "probability", domain: [0, 1], values: () => 0.5 },
      { name: "KL to the output", unit: "bits", values: (row: number) => [9, 3, 1.5, 3, Number.NaN][row]! },
    ];
    const of = async (wish: Wish) => {
      const all = beliefsOf((await decode(await message({ columns: 1, quantities, ...wish }))).grids[0]!);
      return all && [...all].map((one) => Math.round(1000 * one) / 1000);
    };
    expect(await of({})).toEqual([0.125, 0.5, 0.707, 0.5, 1]);
    const measured = [bits([8, 4, 1, 0, Number.NaN]), bits([8, 2, 2, 0, Number.NaN])];
    expect(await of({ rowQuantities: measured })).toEqual([0.063, 0.25, 0.5, 1, 1]);
    const other = [{ ...measured[0]!, unit: "layers" }];
    expect(await of({ rowQuantities: other })).toEqual([0.125, 0.5, 0.707, 0.5, 1]);
    expect(await of({ quantities: quantities.slice(0, 1) })).toBeNull();
    expect(await of({ quantities: [{ ...quantities[0]!, name: "contribution" }, quantities[1]!] })).toBeNull();
  });
});
