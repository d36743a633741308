// Pictures to take away: what stands on the screen, as words and lines, without what it is worked with.

import { describe, expect, it, vi } from "vitest";
import { bitmapOf, drawingOf } from "../src/export/drawing.js";
import { FakeModel, show } from "./host.js";
import { ANSWERS, comparing, message, type Wish } from "./messages.js";

const HOSTILE = "</text></svg><script>alert(1)</script> & \u0001 \ud83d \ufffe <img src=x onerror=alert(1)>";
const hostile: Wish = { title: HOSTILE, texts: [HOSTILE, " one", "\u0000", "]]>"], columns: 60 };

async function drawn(model: FakeModel, isCard = false) {
  const { root } = await show(model);
  const drawing = drawingOf(root.querySelector("figure")!, isCard);
  const page = new DOMParser().parseFromString(drawing.svg, "image/svg+xml");
  expect(page.querySelector("parsererror")).toBeNull();
  expect(page.querySelector("foreignObject, script, img, a")).toBeNull();
  const words = [...page.querySelectorAll("text")].map((one) => one.textContent!.replaceAll("\u202f", " ").trim());
  return { root, page, words, ...drawing };
}

/** Where a drawn word stands in the drawing, whatever it is drawn in. */
function placesOf(svg: string) {
  const place = document.createElement("div");
  place.innerHTML = svg;
  document.body.append(place);
  const from = place.firstElementChild!.getBoundingClientRect();
  const places = [...place.querySelectorAll("text")].map((one) => {
    const { x, y, width, height } = one.getBoundingClientRect();
    return { word: one.textContent!, x: x - from.x, y: y - from.y, width, height };
  });
  place.remove();
  return places;
}

describe("a picture", () => {
  it("has the headline, the map, the chart and the legend, and nothing that is clicked", async () => {
    const { words, root, width } = await drawn(new FakeModel(await message(), { selected: [2, 1] }));
    for (const word of [
      "a prompt of tests",
      "after",
      "embed",
      "L0",
      "L1",
      "100 %",
      "the same token as in the row below",
    ])
      expect(words.join("|")).toContain(word);
    expect(words).not.toContain("export");
    expect(words.join("|")).not.toContain("Let go");
    expect(width).toBe(root.offsetWidth);
    expect(root.parentElement!.querySelectorAll(".lenswidget")).toHaveLength(1); // what it was measured by is gone
  });

  it("is a card to show without its legend", async () => {
    const [picture, card] = [
      await drawn(new FakeModel(await message())),
      await drawn(new FakeModel(await message()), true),
    ];
    expect(card.words.join("|")).not.toContain("the same token as in the row below");
    expect(card.height).toBeLessThan(picture.height);
  });

  it("has each word where it stands on the screen", async () => {
    const { root, svg } = await drawn(new FakeModel(await message()));
    const from = root.getBoundingClientRect();
    const places = placesOf(svg);
    for (const selector of [".lw-title", ".lw-facts p", ".lw-tick", ".lw-legend > span"]) {
      const seen = root.querySelector(selector)!;
      const at = seen.getBoundingClientRect();
      const text = seen.textContent!.trim();
      const away = places
        .filter(({ word }) => word.trim() && text.startsWith(word.trim()))
        .map((one) => [
          Math.abs(one.x - at.x + from.x),
          Math.abs(one.y + one.height / 2 - at.y + from.y - at.height / 2),
        ])
        .sort(([a], [b]) => a! - b!)[0]!;
      expect(away[0], selector).toBeLessThan(3);
      // without the controls, what stands beneath them stands higher
      expect(away[1], selector).toBeLessThan(selector.includes("tick") || selector.includes("legend") ? 60 : 6);
    }
  });

  it("shows the columns in view, and beneath them all of a map that scrolls", async () => {
    const few = await drawn(new FakeModel(await message()));
    const many = await drawn(new FakeModel(await message({ columns: 200 })));
    const maps = [...many.page.documentElement.children].filter((one) => one.localName === "svg");
    const beneath = maps.at(-1)!;
    expect(beneath.querySelectorAll("text").length).toBeGreaterThan(200);
    expect(many.width).toBeGreaterThan(200 * 76);
    expect(few.width).toBeLessThan(1300);
    expect((await drawn(new FakeModel(await message({ columns: 200 })), true)).width).toBe(few.width);
  });

  it("has two grids beside each other", async () => {
    const { svg } = await drawn(new FakeModel(await comparing([{ title: "one" }, { title: "other" }])));
    const [top, ...others] = placesOf(svg).filter(({ word }) => word === "embed");
    const beside = others.filter(({ y }) => Math.abs(y - top!.y) < 1);
    expect(beside.map(({ x }) => x - top!.x > 300)).toEqual([true]);
  });

  it("has the lines of an overview, and what their colors mean", async () => {
    const wishes: Wish[] = Array.from({ length: 5 }, () => ({}));
    const { words } = await drawn(new FakeModel(await comparing(wishes, { overview: { ...ANSWERS, rows: 5 } })));
    expect(words).toContain("another token leads");
    expect(words).toContain("decided at");
  });

  it.each([false, true])("is a picture whatever the texts in it are, and they stay texts", async (isCard) => {
    const drawing = await drawn(new FakeModel(await message(hostile)), isCard);
    const image = await createImageBitmap(await bitmapOf(drawing));
    expect(image.width).toBeGreaterThan(drawing.width);
    expect(image.height).toBeGreaterThan(100);
  });

  it("has colors that every reader of SVG knows", async () => {
    const { page } = await drawn(
      new FakeModel(await comparing(Array(5).fill({}), { overview: { ...ANSWERS, rows: 5 } })),
    );
    const inks = [...page.querySelectorAll("[fill], [stroke]")].flatMap((one) => [
      one.getAttribute("fill"),
      one.getAttribute("stroke"),
    ]);
    for (const ink of inks.filter(Boolean)) expect(ink).toMatch(/^(none|rgba?\([^a-z]*\)|#\w+)$/);
  });

  it("that is too large for pixels says so", async () => {
    const { svg } = await drawn(new FakeModel(await message()));
    await expect(bitmapOf({ svg, width: 40_000, height: 100 })).rejects.toThrow(/too large for pixels/);
    vi.restoreAllMocks();
  });
});
