import { afterEach, describe, expect, it, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import { bySize, REST, sumOf } from "../src/bars/sum.js";
import { drawingOf } from "../src/export/drawing.js";
import { FakeModel, hindrances, scroller, show } from "./host.js";
import { message } from "./messages.js";

afterEach(async () => {
  document.documentElement.removeAttribute("theme");
  await page.viewport(1200, 900);
});

describe("a sum", () => {
  const values = [0.5, -3, 2, 0.25, -0.125, 1];
  const laid = (order: Parameters<typeof sumOf>[2], count: number, of: number[] = values) =>
    sumOf(of, bySize(of), order, count);

  it.each([1, 3, 4, 6, 99])("of %d shown parts and the rest is the sum of all", (count) => {
    for (const order of ["by size", "in order", "waterfall"] as const) {
      const { bars, total } = laid(order, count);
      expect(bars.reduce((sum, { value }) => sum + value, 0)).toBe(total);
      expect(total).toBe(0.625);
    }
  });

  it("shows the largest, in one order or the other, and then the rest", () => {
    expect(laid("by size", 3).bars.map(({ place }) => place)).toEqual([1, 2, 5, REST]);
    expect(laid("in order", 3).bars.map(({ place }) => place)).toEqual([1, 2, 5, REST]);
    expect(laid("in order", 4).bars.map(({ place }) => place)).toEqual([0, 1, 2, 5, REST]);
  });

  it("names a part that would be the only one left out", () => {
    expect(laid("by size", 5)).toMatchObject({ left: 0, bars: { length: 6 } });
  });

  it("falls from bar to bar until it reaches the total", () => {
    const { bars, total, domain } = laid("waterfall", 3);
    expect(bars[0]!.from).toBe(0);
    for (const [i, bar] of bars.slice(1).entries()) expect(bar.from).toBe(bars[i]!.to);
    expect(bars.at(-1)!.to).toBe(total);
    expect(domain).toEqual([-3, 0.625]);
  });

  it("has room for how far each part varies", () => {
    const { domain } = sumOf([2, -1], bySize([2, -1]), "by size", 12, [0.5, 0.25]);
    expect(domain).toEqual([-1.25, 2.5]);
    expect(sumOf([2, -1], [0, 1], "by size", 12, [Number.NaN, 0]).domain).toEqual([-1, 2]);
  });

  it("hides nothing that is no number", () => {
    const { bars, odd, total } = laid("by size", 2, [1, Number.NaN, 2, Number.NEGATIVE_INFINITY, 3]);
    expect(bars.map(({ place }) => place)).toEqual([1, 3, REST]);
    expect([odd, total]).toEqual([2, Number.NaN]);
  });
});

const VALUES = [0.28125, -1.53125, 3, 0.0625];
const claim = "rows sum to the logit";

/** A message of bars: rows are parts, and each column has them a little larger. */
const bars = (wish: Record<string, unknown> = {}) =>
  message({
    rows: 4,
    columns: 1,
    view: "bars",
    candidates: null,
    trajectories: null,
    check: { error: 2e-6, tolerance: 1e-4, claim },
    quantities: [
      {
        name: "contribution",
        unit: "logits",
        center: 0,
        values: (row: number, column: number) => VALUES[row]! * (column + 1),
      },
    ],
    ...wish,
  });
const many = (count: number) =>
  message({
    rows: count,
    columns: 1,
    view: "bars",
    candidates: null,
    trajectories: null,
    quantities: [{ name: "contribution", unit: "logits", center: 0, values: (row: number) => (row % 2 ? -row : row) }],
  });

const rowsOf = (root: HTMLElement) =>
  [...root.querySelectorAll("tbody tr[data-place]")].map((row) => [
    row.querySelector("th")!.textContent,
    row.lastElementChild!.textContent,
  ]);
const foot = (root: HTMLElement) => root.querySelector("tfoot")!.textContent!;
const order = (root: HTMLElement, name: string) =>
  userEvent.click([...root.querySelectorAll(".lw-segments span")].find((span) => span.textContent === name)!);
const menu = (root: HTMLElement, name: string) =>
  [...root.querySelectorAll<HTMLLabelElement>(".lw-menu")]
    .find((label) => label.textContent!.startsWith(name))!
    .querySelector("select")!;

describe("bars", () => {
  it("stand in the order of their size, and end in their sum", async () => {
    const { root } = await show(new FakeModel(await bars()));
    expect(rowsOf(root)).toEqual([
      ["L1", "+3.00"],
      ["L0", "−1.53"],
      ["embed", "+0.28"],
      ["L2", "+0.06"],
    ]);
    expect(foot(root)).toBe("sum✓ rows sum to the logit, off by 2e-6+1.81");
    expect(root.textContent!.split("rows sum to the logit")).toHaveLength(2); // said once
    expect(root.querySelector("canvas")).toBeNull();
  });

  it("stand as the network has them, and fall to the total", async () => {
    const model = new FakeModel(await bars());
    const { root } = await show(model);
    await order(root, "in order");
    await vi.waitFor(() => expect(rowsOf(root).map(([label]) => label)).toEqual(["embed", "L0", "L1", "L2"]));
    await order(root, "waterfall");
    await vi.waitFor(() => expect(root.querySelectorAll(".lw-step")).toHaveLength(4));
    const box = (i: number) => root.querySelectorAll(".lw-signed")[i]!.getBoundingClientRect();
    expect(box(1).right).toBeCloseTo(box(0).right, 0); // down from where the one before it ended
    expect(box(4).right).toBeCloseTo(box(3).right, 0); // the total ends where the last bar does
    expect(model.get("order")).toBe("waterfall");
  });

  it.each([
    [{ error: 0.5, tolerance: 1e-4, claim }, "check failed: rows sum to the logit, off by 5e-1, more than 1e-4"],
    [{ error: null, tolerance: 1e-4, claim }, "rows sum to the logit: not checked, as it is not finite"],
    [null, "logits"],
  ])("with the check %j say in the last line: %s", async (check, says) => {
    const { root } = await show(new FakeModel(await bars({ check })));
    expect(foot(root)).toBe(`sum${says}+1.81`);
  });

  it("that are no numbers look different, come first, and the sum says so", async () => {
    const quantities = [
      { name: "contribution", center: 0, values: (row: number) => [1, Number.NaN, 2, Number.POSITIVE_INFINITY][row]! },
    ];
    const { root } = await show(new FakeModel(await bars({ quantities })));
    expect(rowsOf(root).slice(0, 2)).toEqual([
      ["L0", "NaN"],
      ["L2", "+∞"],
    ]);
    expect(root.querySelectorAll(".lw-nan")).toHaveLength(1);
    expect(foot(root)).toBe("sum2 parts are no finite numberNaN");
  });

  it("say a part's name, its number and its share beside it, and to Python what is clicked", async () => {
    const model = new FakeModel(await bars());
    const { root } = await show(model);
    const row = root.querySelectorAll("tr[data-place]")[2]!;
    await userEvent.hover(row);
    await vi.waitFor(() => expect(root.querySelector(".lw-card")).not.toBeNull());
    const card = root.querySelector(".lw-card")!.textContent!;
    expect(card).toMatch(/^embedposition 0 · “␣zero”contribution\+0.28 logitsby size3 of 4of the sum16/);
    expect(card).not.toContain("candidate");
    expect(model.sent).toEqual([]);
    await userEvent.click(row);
    expect(model.sent).toEqual([{ selected: [0, 0] }]);
    await vi.waitFor(() => expect(row.getAttribute("aria-current")).toBe("true"));
    await userEvent.click(row);
    expect(model.get("selected")).toBeNull();
  });

  it("have a menu of positions, which the keys walk through, too", async () => {
    const model = new FakeModel(await bars({ columns: 3, check: null }), { selected: [1, 0] });
    const { root } = await show(model);
    expect(rowsOf(root)[0]).toEqual(["L1", "+3.00"]);
    await userEvent.selectOptions(menu(root, "at"), "2: ␣two");
    await vi.waitFor(() => expect(rowsOf(root)[0]).toEqual(["L1", "+9.00"]));
    expect(model.get("selected")).toEqual([1, 2]);
    root.querySelector<HTMLElement>(".lw-bars")!.focus();
    await userEvent.keyboard("{ArrowLeft}");
    await vi.waitFor(() => expect(rowsOf(root)[0]).toEqual(["L1", "+6.00"]));
  });

  it("can be walked, chosen and let go with the keys, which stay here", async () => {
    const model = new FakeModel(await bars());
    const { root } = await show(model);
    const heard: string[] = [];
    const listen = (event: KeyboardEvent) => heard.push(event.key);
    document.addEventListener("keydown", listen);
    root.querySelector<HTMLElement>(".lw-bars")!.focus();
    await userEvent.keyboard("{ArrowDown}{ArrowDown}{Enter}");
    expect(model.get("selected")).toEqual([1, 0]);
    expect(root.querySelector("[aria-live]")!.textContent).toBe("L0 −1.53");
    await userEvent.keyboard("{End}{ArrowUp}{Home}{Escape}{Escape}{Escape}");
    document.removeEventListener("keydown", listen);
    expect(model.get("selected")).toBeNull();
    expect(heard).toEqual(["Escape"]);
  });

  it("by the thousand show the largest, the rest in one row, or all of them a screenful at a time", async () => {
    const model = new FakeModel(await many(5000));
    const { root } = await show(model);
    expect(rowsOf(root)).toHaveLength(13);
    expect(rowsOf(root)[0]).toEqual(["L4998", "−4\u202f999"]);
    // -1 + 2 - 3 + … + 4987 without the 12 largest, which come in pairs that differ by one
    expect(rowsOf(root)[12]).toEqual(["4988 smaller", "−2\u202f494"]);
    const sum = foot(root);
    await userEvent.click(root.querySelector("[data-place='-1']")!);
    await vi.waitFor(() => expect(menu(root, "show").selectedOptions[0]!.textContent).toBe("all 5000"));
    const scroller = root.querySelector<HTMLElement>(".lw-bars")!;
    expect(rowsOf(root).length).toBeLessThan(50);
    expect(foot(root)).toBe(sum);
    scroller.focus();
    await userEvent.keyboard("{End}");
    await vi.waitFor(() => expect(rowsOf(root).at(-1)).toEqual(["embed", "0"]));
    expect(scroller.scrollHeight).toBeGreaterThan(5000 * 20);
    model.change("selected", [4999, 0]); // what Python selects is brought into view
    await vi.waitFor(() => expect(scroller.scrollTop).toBe(0));
  });

  it("that don't add up have no sum", async () => {
    const quantities = [{ name: "logit", values: (row: number) => row }];
    const { root } = await show(new FakeModel(await message({ rows: 20, columns: 1, view: "bars", quantities })));
    expect(root.querySelector("tfoot")).toBeNull();
    expect(rowsOf(root).at(-1)).toEqual(["8 smaller", ""]);
    expect(root.textContent).not.toContain("waterfall");
  });

  it("of hostile names are only text", async () => {
    const names = ["</td><img src=x onerror=alert(1)>", "\u202eevil", "norm rescale", "\ud83d"];
    const { root } = await show(new FakeModel(await bars({ rowLabels: names })));
    expect(root.querySelector("img")).toBeNull();
    const seen = ["norm rescale", "‹U+202E›evil", names[0], "‹U+D83D›"];
    expect(rowsOf(root).map(([label]) => label)).toEqual(seen);
  });

  it.each(["light", "dark"])("have nothing that hinders a reader (%s)", async (theme) => {
    document.documentElement.setAttribute("theme", theme);
    for (const model of [
      new FakeModel(await many(300), { selected: [299, 0] }),
      new FakeModel(await bars({ check: { error: 1, tolerance: 0, claim } })),
    ]) {
      const { root } = await show(model);
      expect(await hindrances(root)).toEqual([]);
    }
  });
});

describe("a heatmap of contributions", () => {
  const parts = {
    rows: 3,
    columns: 3,
    candidates: null,
    trajectories: null,
    columnLabels: ["H0", "H1", "other"],
    targets: [{ label: " one", tokens: [1] }],
    check: { error: 2e-6, tolerance: 1e-4, claim: "cells sum to the logit" },
  };
  /** The last layer has one head, and only the embedding stands in the last column. */
  const has = (row: number, column: number) => (row === 0 ? column === 2 : column < 2 - Number(row === 2));
  const quantities = [
    {
      name: "contribution",
      unit: "logits",
      center: 0,
      values: (row: number, column: number) => (has(row, column) ? row - 2.53125 : Number.NaN),
    },
  ];
  const laidOut = (wish = {}) => message({ ...parts, quantities, ...wish });

  it("names a head by its layer and its column, and says where there is none", async () => {
    const model = new FakeModel(await laidOut(), { selected: [1, 1] });
    const { root } = await show(model);
    expect(root.querySelector(".lw-card")!.textContent).toBe("L0 H1contribution−1.53 logits×");
    model.change("selected", [2, 1]);
    await vi.waitFor(() => expect(root.querySelector(".lw-card")!.textContent).toBe("L1 H1no such part×"));
    expect(root.querySelector(".lw-legend")!.textContent).not.toContain("not a number");
  });

  it("whose sum is no number shows every one that is none", async () => {
    const check = { ...parts.check, error: null };
    const { root } = await show(new FakeModel(await laidOut({ check }), { selected: [2, 1] }));
    expect(root.querySelector(".lw-card")!.textContent).toContain("contributionNaN");
    expect(root.querySelector(".lw-legend")!.textContent).toContain("not a number");
  });

  it("says nothing that is true only of a lens, and leaves out no row", async () => {
    const rows = 60;
    const model = new FakeModel(await laidOut({ rows, stride: 2 }), { pins: [[100]], stride: 2 });
    const { root } = await show(model);
    for (const none of [".lw-hint", ".lw-story", ".lw-chip"]) expect(root.querySelector(none)).toBeNull();
    expect(root.textContent).not.toMatch(/follow|layers|model would say|every 2nd/);
    const { height } = scroller(root).firstElementChild!.getBoundingClientRect();
    expect(height).toBeGreaterThan(rows * 12);
    model.change("selected", [3, 1]);
    scroller(root).focus();
    await userEvent.keyboard("cp");
    expect(model.sent).toEqual([]);
  });

  it("of tokens that are read says where they are, and not what comes after them", async () => {
    const wish = {
      columnLabels: null,
      columns: 4,
      quantities: [{ name: "contribution", center: 0, values: () => -1 }],
    };
    const { root } = await show(new FakeModel(await laidOut(wish), { selected: [1, 1] }));
    expect(root.querySelector(".lw-card")!.textContent).toBe("L0position 1 · “␣one”contribution−1×");
  });
});

describe("a drawing of bars", () => {
  const draw = async (wish = {}, settings = {}) => {
    const { root } = await show(new FakeModel(await bars(wish), settings));
    const { svg, width } = drawingOf(root.querySelector("figure")!);
    const drawn = new DOMParser().parseFromString(svg, "image/svg+xml");
    expect(drawn.querySelector("parsererror")).toBeNull();
    const numbers = (name: string) =>
      [...drawn.querySelectorAll("rect")].map((rect) => Number(rect.getAttribute(name)));
    return { drawn, width, numbers, words: [...drawn.querySelectorAll("text")].map(({ textContent }) => textContent!) };
  };

  it("has them as the reader does, their sum, and whether it is one", async () => {
    const { words } = await draw();
    const told = [
      "L1",
      "+3.00",
      "L0",
      "−1.53",
      "embed",
      "+0.28",
      "L2",
      "+0.06",
      "sum",
      "✓",
      "rows sum to the logit, off by 2e-6",
      "+1.81",
    ];
    expect(words.slice(-told.length).map((word) => word.trim())).toEqual(told);
    const order = await draw({}, { order: "waterfall" });
    expect(order.words.filter((word) => /^(L\d|embed)$/.test(word))).toEqual(["embed", "L0", "L1", "L2"]);
    const warned = await draw({ check: { error: 0.5, tolerance: 1e-4, claim } });
    expect(warned.words).toContain("check failed: rows sum to the logit, off by 5e-1, more than 1e-4");
  });

  it("has each and its spread within the picture, and what it was before an edit, dashed", async () => {
    const quantities = [
      { name: "contribution", center: 0, values: (row: number) => VALUES[row]! },
      { name: "spread", values: () => 4 },
      { name: "contribution before", center: 0, values: () => 1 },
    ];
    const { drawn, numbers, width } = await draw({ quantities });
    expect(drawn.querySelectorAll('[stroke-dasharray="3 3"]')).toHaveLength(4 * 4);
    const [x, widths] = [numbers("x"), numbers("width")];
    for (const [i, left] of x.entries()) {
      expect(left).toBeGreaterThanOrEqual(0);
      expect(left + widths[i]!).toBeLessThanOrEqual(width);
    }
  });
});
