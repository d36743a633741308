// A column quantity that has a line, as dots by group: where they lie, how they are pointed at and walked, and what lights up.

import { describe, expect, it } from "vitest";
import { userEvent } from "vitest/browser";
import { decode } from "../src/data/wire.js";
import { linesOfValues, nearest, next } from "../src/dots/lines.js";
import { placeOfDots } from "../src/dots/place.js";
import { drawingOf } from "../src/export/drawing.js";
import { card, FakeModel, hindrances, hover, scroller, show } from "./host.js";
import { message } from "./messages.js";

const HOSTILE = "<img src=x onerror=alert(1)>";
const columnLabels = [HOSTILE, "second", "third", "fourth"];
const score = {
  ...{ name: "unusual", unit: "bits", line: 2, values: [1, 3, null, 2] },
  ...{ reach: "5 % of normal prompts", ofGroups: [["__proto__", "AUROC 0.75 (0.50 to 1.00)"]] },
};
const below = {
  groups: [HOSTILE, "__proto__", "__proto__", "__proto__"],
  says: [[HOSTILE, "1 bits away"], ["__proto__", "3 bits away"], ["__proto__"], ["__proto__", "2 bits away"]],
  quantities: [{ name: "tokens", unit: "", line: null, values: [4, 4, 4, 4] }, score],
};
const elsewhere = [["normal, held out", [0.5, null, 1.5]]];

async function linesOf(more: object = {}) {
  const { grids } = await decode(await message({ below: { ...below, quantities: [{ ...score, ...more }] } }));
  return linesOfValues(grids[0]!, grids[0]!.below!.quantities[0]!);
}

async function dotsOf(more: object = {}) {
  const lines = await linesOf(more);
  const place = placeOfDots(lines, 2, 500);
  return lines.flatMap(({ values }, line) =>
    values.flatMap(({ value, column, across }) =>
      column === undefined ? [] : [{ x: place.x(value), y: place.y(line, across), value, column, line }],
    ),
  );
}

describe("lines of dots", () => {
  it("are what is elsewhere and then the groups as they are met, spread by the golden ratio", async () => {
    const lines = await linesOf({ elsewhere });
    expect(lines.map(({ name, says, group }) => [name, says, group])).toEqual([
      ["normal, held out", "", -1],
      [HOSTILE, "", 0],
      ["__proto__", "AUROC 0.75 (0.50 to 1.00)", 1],
    ]);
    expect(lines.map(({ values }) => values.map(({ value, column }) => [value, column]))).toEqual([
      [[0.5, undefined], [1.5, undefined]], // biome-ignore format: a table
      [[1, 0]],
      [[3, 1], [2, 3]], // biome-ignore format: a table
    ]);
    // the third of its group, though the second isn't known
    expect(lines[2]!.values[1]!.across).toBeCloseTo(2 * (2 * 0.618034 - 1) - 1, 9);
  });

  it("are two where a group has the name of what is elsewhere", async () => {
    const lines = await linesOf({ elsewhere: [["__proto__", [9]]] });
    expect(lines.map(({ name, group, values }) => [name, group, values.length])).toEqual([
      ["__proto__", -1, 1],
      [HOSTILE, 0, 1],
      ["__proto__", 1, 2],
    ]);
  });

  it("are one without groups", async () => {
    const { grids } = await decode(await message({ below: { ...below, groups: null } }));
    expect(linesOfValues(grids[0]!, grids[0]!.below!.quantities[1]!).map(({ name, values }) => [name, values.length]))
      .toEqual([["", 3]]); // biome-ignore format: one line
  });

  it("are on one axis, from the least to the most of all", async () => {
    const place = placeOfDots(await linesOf({ elsewhere }), 2, 500);
    expect([place.x(0.5), place.x(1.75), place.x(3)]).toEqual([8, 250, 492]);
    const alone = placeOfDots(await linesOf({ values: [2, 2, 2, 2] }), 2, 500);
    expect([alone.low, alone.high]).toEqual([1.5, 2.5]);
    const none = placeOfDots(await linesOf({ values: [null, null, null, null] }), 2, 500);
    expect(none.x(2)).toBe(250);
  });

  it("are pointed at where a dot is near", async () => {
    const dots = await dotsOf();
    for (const { x, y, column } of dots) expect(nearest(dots, x + 3, y - 3)?.column).toBe(column);
    expect(nearest(dots, 250, 250)).toBeUndefined();
  });

  it("are walked along their values, and across to the nearest", async () => {
    const dots = await dotsOf();
    const at = (column: number) => dots.find((dot) => dot.column === column);
    expect(next(dots, undefined, 0, 1)?.column).toBe(1); // the highest of all
    expect(next(dots, at(1), 0, -1)?.column).toBe(3);
    expect(next(dots, at(3), 0, -1)?.column).toBe(3);
    expect(next(dots, at(3), 0, Number.POSITIVE_INFINITY)?.column).toBe(1);
    expect(next(dots, at(1), 1, 0)?.column).toBe(0);
    expect(next(dots, at(0), -1, 0)?.column).toBe(3);
    expect(next(dots, at(0), -1, 0)).toBe(next(dots, at(0), Number.NEGATIVE_INFINITY, 0));
  });
});

describe("dots in a view", () => {
  async function shown(settings = {}, quantities: object[] = [{ ...score, elsewhere }]) {
    const model = new FakeModel(await message({ below: { ...below, quantities }, columnLabels }), settings);
    const { root } = await show(model);
    return { model, root, dots: root.querySelector<HTMLElement>(".lw-scores")! };
  }
  const walk = (dots: HTMLElement) => dots.querySelector<HTMLElement>("[role=slider]")!;
  const marks = (dots: HTMLElement) =>
    [...dots.querySelectorAll("circle")].map((one) => Math.round(Number(one.getAttribute("cx"))));
  const lit = (root: HTMLElement) => [...root.querySelectorAll(".lw-column")].map((one) => one.textContent);

  it("are there where a quantity has a line, as text, and for readers", async () => {
    const { root, dots } = await shown();
    expect(dots.querySelectorAll("path.lw-dots")).toHaveLength(3);
    expect(root.querySelector("img")).toBeNull();
    expect(dots.querySelector("svg")!.ariaLabel).toBe(
      `unusual, bits; normal, held out: 0 of 2 beyond the line; ${HOSTILE}: 0 of 1 beyond the line; ` +
        "__proto__: 2 of 2 beyond the line, AUROC 0.75 (0.50 to 1.00)",
    );
    for (const words of ["5 % of normal prompts", "AUROC 0.75 (0.50 to 1.00)", "unusual, bits", "2.00"])
      expect(dots.textContent).toContain(words);
    expect(await hindrances(root)).toEqual([]);
    expect((await shown({}, [below.quantities[0]!])).dots).toBeNull();
  });

  it("say at the line where it is, if not who reaches it", async () => {
    const { dots } = await shown({}, [{ ...score, reach: undefined }]);
    expect(dots.textContent).toContain("line at 2");
  });

  it("that are pointed at are told there, and light up their columns", async () => {
    const { root, dots, model } = await shown();
    const { width } = walk(dots).getBoundingClientRect();
    const x = 8 + ((1 - 0.5) / 2.5) * (width - 16);
    await userEvent.hover(walk(dots), { position: { x, y: 20 + 46 + 21 } });
    expect([...dots.querySelectorAll(".lw-card p")].map((one) => one.textContent)).toEqual([
      ...[HOSTILE, HOSTILE, "1 bits away"],
    ]);
    expect(root.querySelectorAll(".lw-card")).toHaveLength(1);
    expect(lit(root)).toEqual([HOSTILE]);
    expect(marks(dots)).toEqual([Math.round(x)]);
    await userEvent.click(walk(dots), { position: { x, y: 20 + 46 + 21 } });
    expect(model.get("selected")).toEqual([4, 0]);
    await userEvent.click(walk(dots), { position: { x: width / 2, y: 5 } });
    expect(lit(root)).toEqual([HOSTILE]); // held
    expect(dots.querySelector(".lw-card")).toBeNull();
  });

  it("are walked with keys, which say where they are", async () => {
    const { root, dots, model } = await shown();
    walk(dots).focus();
    await userEvent.keyboard("{ArrowRight}");
    expect(walk(dots).ariaValueText).toBe("second, __proto__, 3 bits away");
    await userEvent.keyboard("{ArrowLeft}{Enter}");
    expect(model.get("selected")).toEqual([4, 3]);
    expect(walk(dots).ariaValueNow).toBe("2");
    await userEvent.keyboard("{ArrowUp}");
    expect(lit(root)).toEqual(["fourth", HOSTILE]);
    expect(marks(dots)).toHaveLength(2);
    await userEvent.keyboard("{Escape}");
    expect(model.get("selected")).toBeNull();
    await userEvent.keyboard("{Escape}");
    expect(lit(root)).toEqual([]);
    expect(walk(dots).ariaValueText).toBe("no dot yet");
  });

  it("are marked for the column that is pointed at in the map, whose card is there", async () => {
    const { root, dots } = await shown();
    await hover(root, 2, 1);
    expect(marks(dots)).toHaveLength(1);
    expect(dots.querySelector(".lw-card")).toBeNull();
    expect(card(root)).not.toBeNull();
    await hover(root, 2, 2); // whose value isn't known
    expect(marks(dots)).toHaveLength(0);
  });

  it("bring their columns into sight", async () => {
    const columns = 400;
    const values = Array.from({ length: columns }, (_, i) => i);
    const many = { groups: null, says: values.map(() => []), quantities: [{ ...score, values }] };
    const { root } = await show(
      new FakeModel(await message({ columns, below: many, columnLabels: values.map(String) })),
    );
    const before = scroller(root).scrollLeft;
    expect(before).toBeGreaterThan(0);
    root.querySelector<HTMLElement>(".lw-scores [role=slider]")!.focus();
    await userEvent.keyboard("{ArrowRight}{Home}");
    expect(scroller(root).scrollLeft).toBe(0);
    await userEvent.keyboard("{End}");
    expect(scroller(root).scrollLeft).toBeCloseTo(before, -1);
  });

  it("are in pictures of the view, a long name cut, in full for readers", async () => {
    const name = "x".repeat(300);
    const { root, dots } = await shown({}, [{ ...score, elsewhere: [[name, [1]]] }]);
    expect(dots.querySelector("svg")!.ariaLabel).toContain(name);
    expect(dots.textContent).toContain(`${"x".repeat(27)}…`);
    const { svg } = drawingOf(root.querySelector("figure")!);
    expect(svg).toContain("AUROC 0.75 (0.50 to 1.00)");
    expect(svg).not.toContain("<img");
  });
});
