// Prompts to try: one grid at a time, and a box where a kernel reads others.

import { expect, it } from "vitest";
import { userEvent } from "vitest/browser";
import { hindrances } from "./host.js";
import { comparing } from "./messages.js";
import { show } from "./part.js";

const HOSTILE = "<img src=x onerror=alert(1)>";
const spec = { kind: "prompts", question: "", prompts: ["one", HOSTILE], types: false, problem: "", shown: {} };
const message = async () => comparing([{ title: "one" }, { title: "the other" }]);
const title = (el: HTMLElement) => el.querySelector(".lw-title")?.textContent;
const pressed = (el: HTMLElement) =>
  [...el.querySelectorAll("[aria-pressed]")].map((one) => one.ariaPressed === "true");

it("shows the one that is chosen, alone", async () => {
  const { el, part } = await show(spec, await message());
  await expect.poll(() => title(el)).toContain("one");
  expect(pressed(el)).toEqual([true, false]);
  await userEvent.click(el.querySelectorAll("[aria-pressed]")[1]!);
  await expect.poll(() => title(el)).toContain("the other");
  expect(part.tried.value).toEqual([HOSTILE]);
  expect(el.querySelectorAll("[role=application]").length).toBe(1);
  expect(el.querySelector("img")).toBeNull();
  expect(el.querySelector("input")).toBeNull();
  expect(await hindrances(el)).toEqual([]);
});

it("asks for what is typed, and says what became of it", async () => {
  const { el, part } = await show({ ...spec, types: true }, await message());
  await userEvent.fill(el.querySelector("input")!, "another");
  await userEvent.keyboard("{Enter}");
  expect(part.tried.value).toEqual(["another"]);
  await expect.poll(() => el.querySelector("[role=status]")!.textContent).toBe("The kernel reads it…");
  const failed = { ...spec, types: true, problem: "It is too long." };
  const other = await show(failed, await message(), { tried: ["another"] });
  expect(other.el.querySelector("[role=status]")!.textContent).toBe("It is too long.");
  expect(await hindrances(other.el)).toEqual([]);
});

it("opens with what was chosen before, or the first where that isn't there", async () => {
  const { el } = await show(spec, await message(), { tried: [HOSTILE] });
  await expect.poll(() => title(el)).toContain("the other");
  const other = await show(spec, await message(), { tried: ["gone", 3] });
  await expect.poll(() => title(other.el)).toContain("one");
  expect(other.el.querySelector("[role=status]")!.textContent).toBe("");
});
