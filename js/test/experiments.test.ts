// Carrying a state from one prompt into another: what can be reached from a cell, what is asked of Python, and what isn't.

import { describe, expect, it, vi } from "vitest";
import { userEvent } from "vitest/browser";
import { cellOf, type Edit, reaches } from "../src/data/cone.js";
import { decode } from "../src/data/wire.js";
import { FakeModel, hindrances, show } from "./host.js";
import { comparing, message, type Wish } from "./messages.js";

const HOSTILE = "<img src=x onerror=alert(1)>";
const TEXTS: Wish = { texts: [" zero", HOSTILE, " two", " three"] };
const EDIT: Edit = { grid: 1, site: "L1", position: 1, to: [0, 2], on: true };
const MOVED = { name: "change of the state", domain: [0, 1], values: (row: number) => row / 5 };
const EDITED: Wish = { ...TEXTS, quantities: [MOVED], provenance: [["call", "lw.logit_lens(lw.run(model, 'x'))"]] };

const heatmaps = (root: HTMLElement) => [...root.querySelectorAll<HTMLElement>("[role=application]")];
const at = (heatmap: HTMLElement, row: number, column: number) => {
  const { width, height } = heatmap.firstElementChild!.getBoundingClientRect();
  return { x: ((column + 0.5) * width) / 4, y: ((5 - row - 0.5) * height) / 5 };
};
const asked = (model: FakeModel) => model.sent.flatMap((sent) => ("edits" in sent ? [sent.edits] : []));

describe("what an edit can reach", () => {
  it("is its own cell, and all rows above from its column on", () => {
    const edited = { row: 2, column: 1 };
    const reached = (row: number) => [0, 1, 2, 3].filter((column) => reaches(edited, { row, column }));
    expect([0, 1, 2, 3, 4].map(reached)).toEqual([[], [], [1], [1, 2, 3], [1, 2, 3]]);
  });

  it("begins in the row that a part writes", async () => {
    const grid = (await decode(await message())).grids[0]!;
    expect(cellOf(grid, EDIT)).toEqual({ row: 2, column: 1 });
    expect(cellOf(grid, { ...EDIT, site: "L2H7" })).toEqual({ row: 3, column: 1 });
    expect(cellOf(grid, { ...EDIT, site: "embed" })).toEqual({ row: 0, column: 1 });
    expect(cellOf(grid, { ...EDIT, site: "L99" })).toBeNull();
    expect(cellOf(grid, { ...EDIT, position: 7 })).toBeNull();
  });
});

describe("a state", () => {
  it("is carried by keys: E takes it up, Enter in another prompt puts it down", async () => {
    const model = new FakeModel(await comparing([TEXTS, TEXTS]), { explains: true });
    const { root } = await show(model);
    const [from, into] = heatmaps(root);
    from!.focus();
    await userEvent.keyboard("{ArrowUp}{ArrowDown}{ArrowLeft}e");
    expect(root.querySelector(".lw-carrying")!.textContent).toMatch(/^␣two at L2 is carried/);
    expect(root.querySelectorAll(".lw-carried")).toHaveLength(1);
    expect(await hindrances(root)).toEqual([]);
    into!.focus();
    await userEvent.keyboard("{ArrowUp}{ArrowDown}{ArrowDown}{ArrowLeft}{ArrowLeft}{Enter}");
    expect(asked(model)).toEqual([[EDIT]]);
    expect(root.querySelector(".lw-carrying")).toBeNull();
  });

  it("is held with a finger, and put down with a tap", async () => {
    const model = new FakeModel(await comparing([TEXTS, TEXTS]), { explains: true });
    const { root } = await show(model);
    const [from, into] = heatmaps(root);
    const touch = (type: string, heatmap: HTMLElement, row: number, column: number) => {
      const [{ x, y }, box] = [at(heatmap, row, column), heatmap.getBoundingClientRect()];
      const where = { clientX: box.x + x, clientY: box.y + y, bubbles: true, buttons: 1, pointerType: "touch" };
      heatmap.dispatchEvent(new PointerEvent(type, where));
    };
    touch("pointerdown", from!, 2, 2);
    await vi.waitFor(() => expect(root.querySelector(".lw-carrying")).not.toBeNull());
    touch("pointerup", from!, 2, 2);
    touch("click", from!, 2, 2);
    for (const type of ["pointerdown", "pointerup", "click"]) touch(type, into!, 2, 1);
    expect(asked(model)).toEqual([[EDIT]]);
    expect(model.get("selected")).toBeNull();
  });

  it("that nobody ran when the kernel died is as if it had never been dropped", async () => {
    const model = new FakeModel(await comparing([TEXTS, TEXTS]), { explains: true });
    const { root } = await show(model);
    heatmaps(root)[0]!.focus();
    await userEvent.keyboard("{ArrowUp}{ArrowDown}e");
    heatmaps(root)[1]!.focus();
    await userEvent.keyboard("{ArrowUp}{ArrowDown}{ArrowLeft}{Enter}");
    expect(root.querySelectorAll(".lw-edit")).toHaveLength(1);
    model.happen("comm_live_update");
    await vi.waitFor(() => expect(root.querySelectorAll(".lw-edit")).toHaveLength(0));
    expect(heatmaps(root)).toHaveLength(2);
  });

  it("is let go by Escape", async () => {
    const model = new FakeModel(await comparing([TEXTS, TEXTS]), { explains: true });
    const { root } = await show(model);
    heatmaps(root)[0]!.focus();
    await userEvent.keyboard("{ArrowUp}e{Escape}");
    expect(root.querySelector(".lw-carrying")).toBeNull();
    expect(asked(model)).toEqual([]);
  });

  it("is dragged", async () => {
    const model = new FakeModel(await comparing([TEXTS, TEXTS]), { explains: true });
    const { root } = await show(model);
    const [from, into] = heatmaps(root);
    const point = (type: string, heatmap: HTMLElement, row: number, column: number, buttons = 1) => {
      const [{ x, y }, box] = [at(heatmap, row, column), heatmap.getBoundingClientRect()];
      const where = { clientX: box.x + x, clientY: box.y + y, bubbles: true, buttons, pointerType: "mouse" };
      heatmap.dispatchEvent(new PointerEvent(type, where));
    };
    point("pointerdown", from!, 2, 2);
    point("pointermove", from!, 1, 3);
    await vi.waitFor(() => expect(root.querySelector(".lw-carrying")).not.toBeNull());
    point("pointermove", into!, 2, 1);
    point("pointerup", into!, 2, 1, 0);
    await vi.waitFor(() => expect(asked(model)).toEqual([[EDIT]]));
    expect(model.get("selected")).toBeNull();
  });

  it.each([
    [{ explains: false }, /came without their model/],
    [{ explains: true, lost: true }, /needs the notebook and its kernel/],
  ])("is not asked of a Python that can't: %j", async ({ lost, ...settings }: Record<string, boolean>, says) => {
    const model = new FakeModel(await comparing([TEXTS, TEXTS]), settings);
    const { root } = await show(model);
    if (lost) model.happen("comm_live_update");
    heatmaps(root)[0]!.focus();
    await userEvent.keyboard("{ArrowUp}{ArrowDown}e");
    heatmaps(root)[1]!.focus();
    await userEvent.keyboard("{ArrowUp}{ArrowDown}{ArrowLeft}{Enter}");
    expect(root.querySelector(".lw-edits")!.textContent).toMatch(says);
    expect(asked(model)).toEqual([]);
  });

  it("has nowhere to go after the output", async () => {
    const model = new FakeModel(await comparing([TEXTS, TEXTS]), { explains: true });
    const { root } = await show(model);
    heatmaps(root)[0]!.focus();
    await userEvent.keyboard("{ArrowUp}{ArrowLeft}e");
    heatmaps(root)[1]!.focus();
    await userEvent.keyboard("{ArrowUp}{Enter}");
    expect(root.querySelector(".lw-edits")!.textContent).toContain("nothing runs after it");
  });
});

describe("edits", () => {
  it("are chips that can be switched and taken off, and the cone in the edited grid", async () => {
    const model = new FakeModel(await comparing([TEXTS, TEXTS, EDITED]), { explains: true, edits: [EDIT] });
    const { root } = await show(model);
    const chip = root.querySelector(".lw-edit")!;
    expect(chip.textContent).toContain("<img␣src=x␣onerror=alert(1)> at L1 ← ␣two");
    expect(root.querySelectorAll("img")).toHaveLength(0);
    expect(root.querySelectorAll(".lw-cone")).toHaveLength(1);
    expect(await hindrances(root)).toEqual([]);
    const toggle = chip.querySelector<HTMLElement>("[role=switch]")!;
    await userEvent.click(toggle);
    expect(asked(model)).toEqual([[{ ...EDIT, on: false }]]);
    expect(root.querySelector(".lw-edit [role=switch]")!.getAttribute("aria-checked")).toBe("false");
    await userEvent.click(root.querySelector<HTMLElement>(".lw-edit button:last-child")!);
    expect(asked(model).at(-1)).toEqual([]);
  });

  it("say what went wrong", async () => {
    const progress = { state: "failed", message: "Failed: no site." };
    const model = new FakeModel(await comparing([TEXTS, TEXTS]), { explains: true, edits: [EDIT], progress });
    const { root } = await show(model);
    expect(root.querySelector(".lw-edits")!.textContent).toContain("Failed: no site.");
  });

  it.each([null, [1], [{ ...EDIT, to: "x" }], [{}], "edits"])("that somebody edited are none: %j", async (edits) => {
    const { root } = await show(new FakeModel(await comparing([TEXTS, TEXTS]), { edits }));
    expect(root.dataset.state).toBe("ready");
    expect(root.querySelector(".lw-edit")).toBeNull();
  });
});
