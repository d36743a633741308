// A card to show: what stands on the screen, without what it is worked with.

import { describe, expect, it } from "vitest";
import { cardOf } from "../src/export/card.js";
import { bitmapOf } from "../src/export/drawing.js";
import { FakeModel, show } from "./host.js";
import { ANSWERS, comparing, message, type Wish } from "./messages.js";

const HOSTILE = "</foreignObject></svg><script>alert(1)</script> & \u0001 \ud83d \ufffe <img src=x onerror=alert(1)>";
const hostile: Wish = { title: HOSTILE, texts: [HOSTILE, " one", "\u0000", "]]>"], columns: 60 };

async function card(model: FakeModel) {
  const { root } = await show(model);
  const drawing = cardOf(root.querySelector("figure")!);
  return { root, ...drawing, page: new DOMParser().parseFromString(drawing.svg, "image/svg+xml") };
}

describe("a card", () => {
  it("has the map, the chart and the sentence, and nothing that is clicked", async () => {
    const { page, root, width } = await card(new FakeModel(await message(), { selected: [2, 1] }));
    expect(page.querySelector("parsererror")).toBeNull();
    expect(page.querySelectorAll("img").length).toBe(root.querySelectorAll(".lw-heatmap canvas").length);
    expect(page.querySelector(".lw-chart svg")).not.toBeNull();
    expect(page.querySelector(".lw-title")!.textContent).toContain("a prompt of tests");
    for (const left of [".lw-controls", ".lw-dock", "select", "input", "canvas"])
      expect(page.querySelector(left)).toBeNull();
    expect(width).toBe(root.offsetWidth);
    expect(root.parentElement!.querySelectorAll(".lenswidget")).toHaveLength(1); // what it was measured by is gone
  });

  it("has the lines of an overview, and what their colors mean", async () => {
    const wishes: Wish[] = Array.from({ length: 5 }, () => ({}));
    const { page } = await card(new FakeModel(await comparing(wishes, { overview: { ...ANSWERS, rows: 5 } })));
    expect(page.querySelectorAll(".lw-answers li")).toHaveLength(5);
    expect(page.documentElement.textContent).toContain("another token leads");
  });

  it("is a picture whatever the texts in it are, and they stay texts", async () => {
    const drawing = await card(new FakeModel(await message(hostile)));
    expect(drawing.page.querySelector("parsererror")).toBeNull();
    expect(drawing.page.querySelector("script, img[onerror]")).toBeNull();
    const png = await bitmapOf(drawing);
    const image = await createImageBitmap(png);
    expect(image.width).toBeGreaterThan(drawing.width);
    expect(image.height).toBeGreaterThan(100);
  });
});
