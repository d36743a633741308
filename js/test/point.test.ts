// Point: cells are pointed at by pointer and keys, and what is said of them is read off the grid that is shown.

import { expect, it } from "vitest";
import { userEvent } from "vitest/browser";
import { click, hindrances, scroller } from "./host.js";
import { comparing, message } from "./messages.js";
import { digested, painted, show } from "./part.js";

const RIGHT = "L2"; // row 3

/** " two" leads in every row but the upper two, in which " zero" does. */
const leads = {
  candidates: (row: number) =>
    (row < 3
      ? [
          [2, 0.6],
          [0, 0.2],
        ]
      : [
          [0, 0.7],
          [2, 0.1],
        ]) as [number, number][],
  followed: () => [0, 2],
  targets: [{ label: " zero", tokens: [0] }],
  quantities: [
    { name: "probability", domain: [0, 1], values: (row: number) => (row < 3 ? 0.6 : 0.7) },
    { name: "probability of zero", measure: "probability", target: 0, values: (row: number) => (row < 3 ? 0.2 : 0.7) },
    { name: "rank of zero", measure: "rank", scale: "log", target: 0, values: (row: number) => (row < 3 ? 2 : 1) },
  ],
};

async function asked(more: object = {}, right = "3 3 0") {
  return {
    kind: "point",
    right: { [await digested("Where?", right)]: "" },
    asked: [{ what: "lead", tokens: [100], column: 3, stays: true }],
    shown: {},
    ...more,
  };
}

const verdicts = (el: HTMLElement) =>
  [...el.querySelectorAll(".lw-verdicts li:not([data-stand=open])")].map((one) => one.textContent);
const marks = (el: HTMLElement) =>
  [...el.querySelectorAll<HTMLElement>(".lw-tried")].map((one) => one.dataset.right === "true");

it("a click answers, and is told what stands there", async () => {
  const { el, part, figure } = await show(await asked(), await message(leads));
  expect(figure.querySelector(".lw-story")!.checkVisibility()).toBe(false);
  await click(figure, 1, 3);
  await expect
    .poll(() => verdicts(el))
    .toEqual(["Not right: L0, not yet. ␣two leads with 60 %. ␣zero is second, with 20 %. "]);
  expect(marks(el)).toEqual([false]);
  await click(figure, 3, 3);
  await expect
    .poll(() => verdicts(el)[1])
    .toContain(`Right: ${RIGHT}, yes. ␣zero takes the lead with 70 % and holds it in the row above.`);
  expect(part.tried.value).toEqual([
    [1, 3, 0],
    [3, 3, 0],
  ]);
  await painted(el);
  await expect.poll(() => marks(el)).toEqual([false, true]);
  expect(figure.querySelector(".lw-story")!.checkVisibility()).toBe(true);
  // it is answered
  await click(figure, 2, 3);
  expect(part.tried.value.length).toBe(2);
});

it("keys alone answer", async () => {
  const { el, part, figure } = await show(await asked(), await message(leads));
  scroller(figure).focus();
  await userEvent.keyboard("{ArrowUp}{ArrowDown}{Enter}");
  await expect.poll(() => part.tried.value).toEqual([[3, 3, 0]]);
  expect(await hindrances(el)).toEqual([]);
});

it("a row above is told from one below, and another column from the one that is asked about", async () => {
  const { el, figure } = await show(await asked(), await message(leads));
  await click(figure, 4, 3);
  await expect.poll(() => verdicts(el)[0]).toContain("L3, it led before. ␣zero leads with");
  await click(figure, 3, 1);
  await expect.poll(() => verdicts(el)[1]).toContain("L2, no. The question is about the column ␣three.");
  // the same again is no other answer
  await click(figure, 4, 3);
  await click(figure, 4, 3);
  expect(verdicts(el).length).toBe(2);
});

it("an answer that is shown has its mark, and nothing more can be answered", async () => {
  const { el, part, figure } = await show(await asked(), await message(leads));
  part.givenUp.value = true;
  await painted(el);
  await expect.poll(() => marks(el)).toEqual([true]);
  await click(figure, 1, 3);
  expect(part.tried.value).toEqual([]);
});

it("a hint shows a state, which is no answer", async () => {
  const { part, figure } = await show(await asked(), await message(leads));
  part.givenUp.value = true;
  part.shown.value = { selected: [3, 3], color: "probability" };
  await expect.poll(() => figure.querySelectorAll(".lw-selected").length).toBe(1);
  expect(part.tried.value).toEqual([]);
});

it("answers come back with the page, and what somebody made of them is let go", async () => {
  const tried = [[3, 3, 0], "up", [1], [99, 99, 7], { a: 1 }, [1, 3, 0]];
  const { el } = await show(await asked(), await message(leads), { tried });
  await expect.poll(() => marks(el).length).toBeGreaterThan(0);
  expect(verdicts(el).join()).toContain("L0, not yet");
});

it("in a jump and in a number it says what it was before, and what it is", async () => {
  const jump = { asked: [{ what: "jump", tokens: [100], column: 3 }] };
  const { el, figure } = await show(await asked(jump), await message(leads));
  await click(figure, 2, 3);
  await expect.poll(() => verdicts(el)[0]).toContain("L1, no. ␣zero goes from 20 % in L0 to 20 % here.");
  await click(figure, 0, 3);
  await expect.poll(() => verdicts(el)[1]).toContain("There is no row below it to rise from.");
  const number = { asked: [{ what: "greatest", quantity: "probability", column: null }] };
  const other = await show(await asked(number), await message(leads));
  await click(other.figure, 2, 3);
  await expect.poll(() => verdicts(other.el)[0]).toContain("L1, no. Probability: 60 %.");
});

it("hostile texts stay text", async () => {
  const texts = ["<img src=x onerror=alert(1)>", "__proto__", "</script>", "constructor"];
  const { el, figure } = await show(await asked(), await message({ ...leads, texts }));
  await click(figure, 1, 3);
  await click(figure, 1, 1);
  await expect.poll(() => verdicts(el).length).toBe(2);
  expect(verdicts(el)[0]).toContain("<img␣src=x␣onerror=alert(1)> is second");
  expect(el.querySelector("img")).toBeNull();
});

it("at 400 pixels it can be answered, too", async () => {
  const { el, part, figure } = await show(await asked(), await message(leads), {}, 400);
  await click(figure, 3, 3);
  await expect.poll(() => part.tried.value).toEqual([[3, 3, 0]]);
  expect(el.scrollWidth).toBeLessThanOrEqual(400);
});

it("bars are pointed at, too", async () => {
  const bars = {
    view: "bars",
    columns: 1,
    candidates: null,
    rowLabels: ["embed", "L0.attn", "L0.mlp", "L1.attn", "L1.mlp"],
    quantities: [{ name: "contribution", unit: "logits", values: (row: number) => row - 1.5 }],
  };
  const spec = { right: { [await digested("Where?", "4 0 0")]: "" }, asked: [{ what: "cell", column: 0 }] };
  const { el, part, figure } = await show({ kind: "point", shown: {}, ...spec }, await message(bars));
  await userEvent.click(figure.querySelector<HTMLElement>('[data-place="2"]')!);
  await expect.poll(() => verdicts(el)).toEqual(["Not right: L0.mlp, no. Contribution: 0.50 logits. "]);
  figure.querySelector<HTMLElement>(".lw-bars")!.focus();
  await userEvent.keyboard("{Home}{Enter}");
  await expect.poll(() => verdicts(el)[1]).toBe("Right: L1.mlp, yes. Contribution: 2.50 logits. ");
  expect(part.tried.value).toEqual([
    [2, 0, 0],
    [4, 0, 0],
  ]);
});

it("of several grids a click answers for the one that it is in", async () => {
  const one = await comparing([leads, leads], { names: ["raw", "tuned"] });
  const asked = { what: "lead", tokens: [100], column: 3, stays: true };
  const spec = { right: { [await digested("Where?", "3 3 1")]: "It is." }, asked: [asked, asked] };
  const { el, part, figure } = await show({ kind: "point", shown: {}, ...spec }, one);
  const maps = () => [...figure.querySelectorAll<HTMLElement>("[role=application]")];
  // the upper right cell but one of each
  const at = (which: number) => {
    const { width, height } = maps()[which]!.firstElementChild!.getBoundingClientRect();
    return { position: { x: 0.875 * width, y: 0.3 * height } };
  };
  await userEvent.click(maps()[0]!, at(0));
  await expect.poll(() => part.tried.value).toEqual([[3, 3, 0]]);
  await userEvent.click(maps()[1]!, at(1));
  await expect.poll(() => part.tried.value.length).toBe(2);
  expect(part.tried.value[1]).toEqual([3, 3, 1]);
  await expect.poll(() => marks(el)).toEqual([false, true]);
});

it("a cell of a sweep is told by its effect", async () => {
  const sweep = { columns: [0, 1, 2, 3], tokens: [0, 1], said: [-1, -2, -3, -1] };
  const patched = {
    sweep,
    candidates: null,
    quantities: [{ name: "effect", unit: "logits", center: 0, values: (row: number, column: number) => row - column }],
  };
  const asked = { what: "greatest", quantity: "effect", column: null };
  const spec = { right: { [await digested("Where?", "4 0 0")]: "" }, asked: [asked] };
  const { el, figure } = await show({ kind: "point", shown: {}, ...spec }, await message(patched));
  await click(figure, 4, 1);
  await expect.poll(() => verdicts(el)).toEqual(["Not right: L3, no. Effect: +3 logits. "]);
  await click(figure, 4, 0);
  await expect.poll(() => verdicts(el)[1]).toBe("Right: L3, yes. Effect: +4 logits. ");
});
