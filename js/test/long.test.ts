// A prompt too long for its map, as a reader meets it.

import { describe, expect, it, vi } from "vitest";
import { userEvent } from "vitest/browser";
import { foundIn, scoreOf, surprisesOf } from "../src/data/prompt.js";
import { decode } from "../src/data/wire.js";
import { FakeModel, hindrances, scroller, show } from "./host.js";
import { message, type Wish } from "./messages.js";

const TEXTS = [" the", " Rab", "bit", " ran", "\n", "Über", " 兔子", "</script>"];
const COLUMNS = 200;

async function long(wish: Wish = {}, settings = {}) {
  const model = new FakeModel(
    await message({
      columns: COLUMNS,
      texts: TEXTS,
      following: Array.from({ length: COLUMNS }, (_, column) => (column < COLUMNS - 1 ? (column + 1) % 8 : -1)).map(
        (one) => one,
      ),
      candidates: (_, column) => [[column % 4 ? (column + 1) % 8 : 0, 0.5]],
      quantities: [
        { name: "probability", domain: [0, 1], values: () => 0.5 },
        {
          name: "surprisal",
          values: (row, column) => (row < 4 ? 99 : column === COLUMNS - 1 ? Number.NaN : column % 20),
        },
      ],
      ...wish,
    }),
    settings,
  );
  return { model, ...(await show(model)) };
}

const tokens = (root: HTMLElement) => [...root.querySelectorAll<HTMLElement>(".lw-text span")];
const slider = (root: HTMLElement) => root.querySelector<HTMLElement>(".lw-brush [role=slider]")!;
const first = (root: HTMLElement) => Number(slider(root).getAttribute("aria-valuenow"));

describe("what is read off a prompt", () => {
  const gridOf = async (wish: Wish = {}) =>
    (await decode(await message({ columns: 8, texts: TEXTS, ...wish }))).grids[0]!;

  it.each([
    ["rabbit", [1]],
    ["RABBIT RAN", [1]],
    ["an", [3]],
    ["b", [1, 2, 5]],
    ["兔", [6]],
    ["über", [5]],
    ["", []],
    ["cat", []],
  ])("%j begins in the tokens %j", async (wanted, columns) => {
    expect(foundIn(await gridOf(), wanted)).toEqual(columns);
  });

  it("a token surprises by what the output expected before it", async () => {
    const quantities = [
      { name: "probability", values: () => 0.5 },
      { name: "surprisal", values: (row: number, column: number) => (row === 4 ? column : 99) },
    ];
    const surprises = [...surprisesOf(await gridOf({ quantities }))];
    expect(surprises.map((bits) => (Number.isNaN(bits) ? null : bits))).toEqual([null, 0, 1, 2, 3, 4, 5, 6]);
    expect([...surprisesOf(await gridOf())].every(Number.isNaN)).toBe(true);
  });

  it("a score counts what the output led with", async () => {
    const grid = await gridOf({ following: [1, 2, 3, 4, 5, 6, 7, 0xffffffff | 0], candidates: () => [[3, 0.5]] });
    expect(scoreOf(grid, surprisesOf(grid))).toMatchObject({ asked: 7, right: 1 });
  });
});

describe("a long prompt", () => {
  it("is all there as text and in small, and a short one isn’t", async () => {
    const { root } = await long();
    expect(tokens(root)).toHaveLength(COLUMNS);
    expect(tokens(root)[7]!.textContent).toBe("</script>");
    expect(root.querySelector(".lw-brush canvas")!.getBoundingClientRect().width).toBeGreaterThan(600);
    expect((await long({ columns: 6, following: [1, 2, 3, 4, 5, -1] })).root.querySelector(".lw-long")).toBeNull();
  });

  it("shows in the text what shows in the map, and both follow the brush", async () => {
    const { root } = await long();
    const begins = first(root);
    expect(tokens(root)[begins + 1]!.className).toContain("lw-in");
    slider(root).focus();
    await userEvent.keyboard("{Home}");
    await vi.waitFor(() => expect(scroller(root).scrollLeft).toBe(0));
    expect(first(root)).toBe(0);
    expect(tokens(root)[0]!.className).toContain("lw-in");
    expect(tokens(root)[begins + 1]!.className).not.toContain("lw-in");
    await userEvent.keyboard("{ArrowRight}{ArrowRight}");
    await vi.waitFor(() => expect(first(root)).toBe(2));
    await userEvent.keyboard("{PageDown}");
    await vi.waitFor(() => expect(first(root)).toBeGreaterThan(10));
    await userEvent.keyboard("{End}");
    await vi.waitFor(() => expect(first(root)).toBe(begins));
  });

  it("is dragged, by the window or to where it is pressed", async () => {
    const { root } = await long();
    const strip = root.querySelector<HTMLElement>(".lw-brush")!;
    const { left, top, width } = strip.getBoundingClientRect();
    const at = (share: number, type: string) =>
      strip.dispatchEvent(
        new PointerEvent(type, { clientX: left + share * width, clientY: top + 20, pointerId: 1, bubbles: true }),
      );
    strip.setPointerCapture = () => {};
    strip.hasPointerCapture = () => true;
    at(0.25, "pointerdown");
    const half =
      Number(
        slider(root)
          .getAttribute("aria-valuetext")!
          .match(/to (\d+)/)![1],
      ) - first(root);
    await vi.waitFor(() => expect(Math.abs(first(root) + half / 2 - 50)).toBeLessThan(3));
    const begins = first(root);
    at(0.5, "pointermove");
    await vi.waitFor(() => expect(Math.abs(first(root) - begins - 50)).toBeLessThan(3));
    at(-5, "pointermove");
    await vi.waitFor(() => expect(first(root)).toBe(0));
  });

  it("is followed where the map is scrolled", async () => {
    const { root } = await long();
    scroller(root).scrollLeft = 400;
    const width = scroller(root).firstElementChild!.clientWidth / COLUMNS;
    await vi.waitFor(() => expect(first(root)).toBe(Math.round(400 / width)));
  });

  it("holds the column of a token that is clicked, or chosen by keys", async () => {
    const { model, root } = await long();
    root.querySelector<HTMLElement>(".lw-text")!.scrollTop = 0;
    await userEvent.click(tokens(root)[5]!);
    expect(model.get("selected")).toEqual([4, 5]);
    expect(tokens(root)[5]!.getAttribute("aria-selected")).toBe("true");
    root.querySelector<HTMLElement>(".lw-text")!.focus();
    await userEvent.keyboard("{ArrowRight}");
    expect(model.get("selected")).toEqual([4, 6]);
    expect(tokens(root)[5]!.getAttribute("aria-selected")).toBe("false");
    expect(
      root.querySelector(`#${CSS.escape(root.querySelector(".lw-text")!.getAttribute("aria-activedescendant")!)}`),
    ).toBe(tokens(root)[6]);
  });

  it("is searched: each place has a tick, and Enter goes from one to the next", async () => {
    const { model, root } = await long();
    const box = root.querySelector<HTMLInputElement>("input[type=search]")!;
    await userEvent.fill(box, "rabbit");
    await vi.waitFor(() => expect(root.querySelectorAll(".lw-brush i")).toHaveLength(25));
    expect(root.querySelector(".lw-long [role=status]")!.textContent).toBe("0 of 25");
    await userEvent.keyboard("{Enter}");
    expect(model.get("selected")).toEqual([4, 1]);
    await userEvent.keyboard("{Enter}");
    expect(model.get("selected")).toEqual([4, 9]);
    await userEvent.keyboard("{Shift>}{Enter}{Enter}{/Shift}");
    expect(model.get("selected")).toEqual([4, 193]);
    await userEvent.fill(box, "no such token");
    expect(root.querySelector(".lw-long [role=status]")!.textContent).toBe("not found");
  });

  it("tints what surprised, and says how much of it was expected", async () => {
    const { root } = await long();
    expect(tokens(root)[20]!.style.getPropertyValue("--s")).toBe("100%"); // 19 bits before it
    expect(tokens(root)[1]!.style.getPropertyValue("--s")).toBe("");
    expect(root.querySelector(".lw-long")!.textContent).toMatch(
      /149 of 199 next tokens right \(75\s%\), 9\.5 bits of surprise on average/,
    );
  });

  it.each(["light", "dark"])("hinders nobody (%s)", async (theme) => {
    document.documentElement.setAttribute("theme", theme);
    const { root } = await long({}, { selected: [4, 30] });
    await userEvent.fill(root.querySelector("input[type=search]")!, "the");
    expect(await hindrances(root)).toEqual([]);
    document.documentElement.removeAttribute("theme");
  });
});
