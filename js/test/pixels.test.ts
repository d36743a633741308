// Where a pointer hits, and how sharp a view is, when a pixel of its layout is none of the window's, or of the screen's.

import { afterEach, describe, expect, it, vi } from "vitest";
import { cdp, page } from "vitest/browser";
import { canvasOf, card, FakeModel, scroller, show } from "./host.js";
import { message } from "./messages.js";

afterEach(async () => {
  document.body.innerHTML = "";
  await page.viewport(1200, 900);
});

const SCALED: Record<string, string> = {
  "as it is": "",
  "on a slide that is made larger": "transform: scale(1.5); transform-origin: 0 0",
  "on a slide that is made smaller, in the middle": "transform: scale(0.6)",
  "moved and scaled": "transform: translate(40px, 20px) scale(1.25); transform-origin: 0 0",
  "under zoom": "zoom: 1.4",
  "under zoom, smaller": "zoom: 0.7",
  "under zoom and a transform": "zoom: 0.8; transform: scale(1.3); transform-origin: 0 0",
  "with the property scale": "scale: 0.75; transform-origin: 0 0",
};

async function scaled(style: string, wish = {}, settings = {}) {
  const outside = document.createElement("div");
  outside.style.cssText = `width: 800px; ${style}`;
  document.body.append(outside);
  return show(new FakeModel(await message(wish), settings), outside);
}

/** What is under a pointer in the middle of a cell, as the window counts. */
function at(root: HTMLElement, row: number, column: number, rows = 5, columns = 4) {
  const box = scroller(root).firstElementChild!.getBoundingClientRect();
  return {
    clientX: box.x + ((column + 0.5) * box.width) / columns,
    clientY: box.y + ((rows - row - 0.5) * box.height) / rows,
  };
}

const point = (root: HTMLElement, kind: string, where: MouseEventInit) =>
  scroller(root).dispatchEvent(new PointerEvent(kind, { bubbles: true, ...where }));

describe.each(Object.entries(SCALED))("%s", (_, style) => {
  it("a pointer hits the cell that is beneath it, and a click holds it", async () => {
    const { root } = await scaled(style);
    for (const [row, column] of [
      [0, 0],
      [2, 1],
      [4, 3],
    ] as const) {
      point(root, "pointermove", at(root, row, column));
      await vi.waitFor(() =>
        expect(card(root)?.textContent).toMatch(new RegExp(`^${row ? `L${row - 1}` : "embed"}.*position ${column} `)),
      );
      // the ring is where the pointer is, and the card beside it, within the view
      const ring = root.querySelector(".lw-ring")!.getBoundingClientRect();
      const { clientX, clientY } = at(root, row, column);
      expect(Math.abs(ring.x + ring.width / 2 - clientX)).toBeLessThan(2);
      expect(Math.abs(ring.y + ring.height / 2 - clientY)).toBeLessThan(2);
      await vi.waitFor(() => expect(card(root)!.style.transform).not.toBe(""));
      const [box, frame] = [card(root)!.getBoundingClientRect(), root.getBoundingClientRect()];
      expect(box.left >= frame.left - 1 && box.right <= frame.right + 1).toBe(true);
      expect(box.left > clientX || box.right < clientX || box.top > clientY || box.bottom < clientY).toBe(true);
    }
    point(root, "click", at(root, 3, 2));
    await vi.waitFor(() => expect(root.querySelector(".lw-selected")).not.toBeNull());
    expect(card(root)!.textContent).toMatch(/^L2.*position 2 /);
  });

  it("the cells fill the width of the layout", async () => {
    const { root } = await scaled(style, { columns: 40 });
    expect(root.offsetWidth).toBe(800);
    const { viewWidth } = { viewWidth: scroller(root).offsetLeft + scroller(root).offsetWidth };
    expect(viewWidth).toBe(canvasOf(root).parentElement!.offsetWidth);
    expect(canvasOf(root).offsetWidth).toBe(viewWidth);
  });

  it("a click on a row's label picks that row", async () => {
    const { root } = await scaled(style);
    const heatmap = root.querySelector<HTMLElement>(".lw-cells")!;
    const { clientY } = at(root, 3, 0);
    const { x } = heatmap.getBoundingClientRect();
    heatmap.dispatchEvent(new MouseEvent("click", { bubbles: true, clientX: x + 8, clientY }));
    await vi.waitFor(() => expect(root.querySelector(".lw-picked")!.textContent).toBe("L2"));
  });
});

describe("another pixel ratio, which resizes nothing,", () => {
  it("paints anew and sharply", async () => {
    const { root } = await scaled("");
    const canvas = canvasOf(root);
    const [width, shown] = [canvas.width, canvas.offsetWidth];
    // biome-ignore lint/suspicious/noExplicitAny: a session of the browser's own protocol
    const browser = cdp() as any;
    const { innerWidth, innerHeight } = top!;
    for (const deviceScaleFactor of [2, 1.1, 3, devicePixelRatio]) {
      await browser.send("Emulation.setDeviceMetricsOverride", {
        ...{ width: innerWidth, height: innerHeight, deviceScaleFactor, mobile: false },
      });
      await vi.waitFor(() => expect(devicePixelRatio).toBeCloseTo(deviceScaleFactor));
      document.body.dispatchEvent(new PointerEvent("pointermove", { bubbles: true })); // this protocol tells no frame
      await vi.waitFor(() => expect(canvas.width / canvas.offsetWidth).toBeCloseTo(deviceScaleFactor, 1));
      expect(Math.abs(canvas.offsetWidth - shown)).toBeLessThan(20);
    }
    expect(canvas.width).toBe(width);
  });

  it("is known as soon as the browser says so", async () => {
    const asked: [media: string, changed: () => void][] = [];
    vi.spyOn(window, "matchMedia").mockImplementation(
      (media) => ({ addEventListener: (_: string, changed: () => void) => asked.push([media, changed]) }) as never,
    );
    const fresh = "../src/pieces/pixels.js?fresh";
    const { density } = await import(/* @vite-ignore */ fresh);
    vi.spyOn(window, "devicePixelRatio", "get").mockReturnValue(2.5);
    asked[0]![1]();
    expect(density.value).toBe(2.5);
    expect(asked[1]![0]).toBe("(resolution: 2.5dppx)");
    vi.restoreAllMocks();
  });
});
