// Tour: the view moves from stop to stop, by buttons and keys.

import { expect, it } from "vitest";
import { userEvent } from "vitest/browser";
import { click, hindrances } from "./host.js";
import { message } from "./messages.js";
import { show } from "./part.js";

const HOSTILE = "<img src=x onerror=alert(1)>";
const spec = {
  kind: "tour",
  question: "Look",
  shown: { selected: [0, 0] },
  stops: [
    { show: {}, say: "First *here*." },
    { show: { selected: [3, 2] }, say: HOSTILE },
    { show: { pins: [[101]] }, say: "And then." },
  ],
};
const chosen = (figure: HTMLElement) => figure.querySelector(".lw-held .lw-strong")?.textContent;
const says = (el: HTMLElement) => el.querySelector(".lw-stop p")!.textContent;
const button = (el: HTMLElement, name: string) =>
  [...el.querySelectorAll("button")].find((one) => one.textContent === name)!;

it("goes on and back, and what a stop doesn't name is as it was at first", async () => {
  const { el, part, figure } = await show(spec, await message());
  expect(says(el)).toBe("1 of 3 First here.");
  await expect.poll(() => chosen(figure)).toBe("embed");
  await userEvent.click(button(el, "Next"));
  expect(says(el)).toBe(`2 of 3 ${HOSTILE}`);
  expect(el.querySelector("img")).toBeNull();
  await expect.poll(() => chosen(figure)).toBe("L2");
  // a reader looks elsewhere, and goes on
  await click(figure, 4, 1);
  await userEvent.keyboard("{Tab}");
  button(el, "Next").focus();
  await userEvent.keyboard("{ArrowRight}");
  await expect.poll(() => chosen(figure)).toBe("embed");
  expect(part.tried.value).toEqual([2]);
  expect(figure.querySelectorAll(".lw-chip").length).toBeGreaterThan(0);
  // there is no further, and keys still lead back
  await userEvent.keyboard("{Enter}{ArrowRight}{ArrowLeft}{ArrowLeft}");
  expect(says(el)).toContain("1 of 3");
  expect(await hindrances(el)).toEqual([]);
});

it("opens where a reader left it, or at the first stop where somebody edited that", async () => {
  const { el } = await show(spec, await message(), { tried: [1] });
  expect(says(el)).toContain("2 of 3");
  for (const tried of [[9], ["length"], [null], [[1]]]) {
    const other = await show(spec, await message(), { tried });
    expect(says(other.el)).toContain("1 of 3");
  }
});
