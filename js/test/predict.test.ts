// Predict: nothing of the view tells what is covered, and a line is drawn by pointer, touch and keys alike.

import { describe, expect, it } from "vitest";
import { userEvent } from "vitest/browser";
import { decode } from "../src/data/wire.js";
import { csvOf, jsonOf } from "../src/export/tables.js";
import { covered } from "../src/lessons/covered.js";
import { stroked } from "../src/lessons/guess.js";
import { card, click, hindrances, hover, scroller } from "./host.js";
import { message } from "./messages.js";
import { painted, show } from "./part.js";

const SECRET = " secret";
const TRUTH = [0.05, 0.1, 0.2, 0.6, 0.9];

/** " secret" is in the two upper rows of the last column, and nowhere else. */
const wish = {
  texts: [" zero", " one", " two", " three", SECRET],
  candidates: (row: number, column: number) =>
    (row >= 3 && column === 3
      ? [
          [4, TRUTH[row]],
          [0, 0.05],
        ]
      : [
          [0, 0.5],
          [1, 0.2],
        ]) as [number, number][],
  followed: (column: number) => (column === 3 ? [0, 4] : [0]),
  targets: [{ label: " zero", tokens: [0] }],
  quantities: [
    {
      name: "probability",
      domain: [0, 1],
      values: (row: number, column: number) => (row >= 3 && column === 3 ? TRUTH[row]! : 0.5),
    },
    { name: "probability of zero", measure: "probability", target: 0, values: (row: number) => TRUTH[row]! },
  ],
  decision: null,
};
const spec = { kind: "predict", question: "Draw it.", tokens: [100], column: 3, first: 3, last: 4, say: "", shown: {} };
const slider = (el: HTMLElement) => el.querySelector<HTMLElement>(".lw-guess")!;
const button = (el: HTMLElement, name: string) =>
  [...el.querySelectorAll("button")].find((one) => one.textContent === name) as HTMLButtonElement;

describe("what is covered", () => {
  it("is in no word of the view: not in map, card, headline, story or what is read aloud", async () => {
    const { el, figure } = await show(spec, await message(wish));
    expect(el.textContent).not.toContain("secret");
    await hover(figure, 4, 3);
    await expect.poll(() => card(figure)?.textContent).toContain("covered until you have guessed");
    expect(card(figure)!.textContent).not.toMatch(/secret|90|60/);
    scroller(figure).focus();
    await userEvent.keyboard("{End}{PageUp}");
    await expect.poll(() => figure.querySelector(".lw-spoken")!.textContent).toContain("L3");
    expect(figure.querySelector(".lw-spoken")!.textContent).toContain("covered until you have guessed");
    expect(figure.outerHTML).not.toContain("secret");
    expect(figure.querySelector(".lw-plot svg")!.getAttribute("aria-label")).not.toMatch(/9\d/);
    expect(figure.querySelector(".lw-controls")!.checkVisibility()).toBe(false);
  });

  it("is in none of the files that could be taken away", async () => {
    const shown = await decode(await message(wish));
    const [grid] = covered(shown, { column: 3, first: 3, last: 4 }).grids;
    for (const text of [csvOf([grid!], ["a"]), JSON.stringify(JSON.parse(jsonOf([grid!])).candidates)])
      expect(text).not.toContain("secret");
    // and it takes nothing else away, nor anything from the grid itself
    const [before] = shown.grids;
    const rest = (of: typeof grid) => [...of!.quantities[0]!.values].filter((_, cell) => cell % 4 !== 3 || cell < 12);
    expect(rest(grid)).toEqual(rest(before));
    expect(before!.quantities[0]!.values.every(Number.isFinite)).toBe(true);
    expect(before!.candidates!.token(19, 0)).toBe(4);
  });

  it("is there once it is uncovered, with the guess beside it and how far that was off", async () => {
    const { el, part, figure } = await show(spec, await message(wish));
    expect(button(el, "Uncover").disabled).toBe(true);
    slider(el).focus();
    await userEvent.keyboard("{ArrowRight}{ArrowRight}{ArrowUp}{ArrowRight}");
    expect(slider(el).getAttribute("aria-valuetext")).toBe("L3: 6.0\u202f%");
    await userEvent.click(button(el, "Uncover"));
    expect(part.tried.value).toEqual([[0.04, 0.06]]);
    // (|0.04 - 0.6| + |0.06 - 0.9|) / 2 = 0.7
    await expect
      .poll(() => el.querySelector(".lw-uncovered")?.textContent)
      .toBe("Uncovered: you were 70 points off on average");
    await painted(el);
    expect(el.querySelector(".lw-cover")).toBeNull();
    expect(figure.querySelector(".lw-story")!.checkVisibility()).toBe(true);
    await hover(figure, 4, 3);
    await expect.poll(() => card(figure)?.textContent).toContain("secret");
    expect(el.querySelector(".lw-over .lw-band")!.getAttribute("d")).toMatch(/^M[\d.,MLZ]+$/);
    expect(await hindrances(el)).toEqual([]);
  });
});

it("a stroke of the pointer draws all rows that it passes", async () => {
  const { el } = await show(spec, await message(wish));
  const box = slider(el).getBoundingClientRect();
  const at = (x: number, y: number, type: string) =>
    slider(el).dispatchEvent(
      new PointerEvent(type, {
        clientX: box.left + 7 + x * (box.width - 14),
        clientY: box.top + y * box.height,
        buttons: 1,
        pointerId: 1,
        bubbles: true,
      }),
    );
  slider(el).setPointerCapture = () => {};
  at(0.25, 0.9, "pointerdown");
  at(0.75, 0.1, "pointermove");
  await userEvent.click(button(el, "Uncover"));
  await expect.poll(() => el.querySelector(".lw-uncovered")?.textContent).toContain("25 points off");
});

it("the chart stays at its column while a line is drawn, wherever a reader clicks", async () => {
  const { el, figure } = await show(spec, await message(wish));
  const rest = () => new Promise((done) => setTimeout(done, 200)); // until the chart follows
  await click(figure, 1, 0);
  await rest();
  expect(slider(el)).not.toBeNull();
  await hover(figure, 1, 1);
  await userEvent.keyboard("{Escape}{Escape}");
  await rest();
  expect(slider(el)).not.toBeNull();
  const whole = await show({ ...spec, first: 0 }, await message(wish));
  expect(slider(whole.el)).not.toBeNull();
});

it("a fast stroke has a value in every row between, and leaves the others as they were", () => {
  const empty = [null, null, null, null, null];
  const once = stroked(empty, null, { at: 0, value: 0 });
  expect(once).toEqual([0, null, null, null, null]);
  expect(stroked(once, { at: 0, value: 0 }, { at: 4, value: 1 })).toEqual([0, 0.25, 0.5, 0.75, 1]);
  expect(stroked([0.1, 0.2, 0.3, 0.4, 0.5], { at: 3, value: 0.8 }, { at: 1, value: 0 })).toEqual([
    0.1, 0, 0.4, 0.4, 0.5,
  ]);
});

it("a guess stays, and what somebody made of it is let go", async () => {
  const { el } = await show(spec, await message(wish), { tried: [[0.6, 0.9]] });
  await expect.poll(() => el.querySelector(".lw-uncovered")?.textContent).toContain("you were 0 points off");
  for (const tried of [[[0.5]], [["a", 1]], [[2, 0]], [null], [{ length: 2 }]]) {
    const other = await show(spec, await message(wish), { tried });
    expect(other.el.querySelector(".lw-cover")).not.toBeNull();
  }
});

it("hindrances are none while it is covered, and it fits a telephone", async () => {
  const { el, figure } = await show(spec, await message(wish), {}, 400);
  expect(await hindrances(el)).toEqual([]);
  expect(el.scrollWidth).toBeLessThanOrEqual(400);
  slider(el).focus();
  await userEvent.keyboard("{End}{ArrowUp}{Home}");
  // two rows, a point each
  expect(figure.querySelector(".lw-over .lw-dots")!.getAttribute("d")!.match(/M/g)!.length).toBe(2);
});

it("Enter uncovers, once the line is whole", async () => {
  const { el } = await show(spec, await message(wish));
  slider(el).focus();
  await userEvent.keyboard("{End}{Enter}");
  expect(el.querySelector(".lw-cover")).not.toBeNull();
  await userEvent.keyboard("{ArrowUp}{Home}{Enter}");
  await expect.poll(() => el.querySelector(".lw-uncovered")).not.toBeNull();
});
