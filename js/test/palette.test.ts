import { afterEach, expect, it } from "vitest";
import "../src/style/style.css";
import golden from "../../tests/golden/colors.json";
import { paintOdd } from "../src/heatmap/odd.js";
import { contrast, type Palette, paletteOf, STEPS } from "../src/style/palette.js";
import { ODD } from "../src/style/scale.js";

type RGB = [number, number, number];

const root = document.createElement("div");
root.className = "lenswidget";
afterEach(() => root.remove());

function palette(theme: string): Palette {
  document.body.append(root);
  root.dataset.theme = theme;
  return paletteOf(root);
}

function channels(css: string): RGB {
  return css.match(/\d+/g)!.map((channel) => Number(channel) / 255) as RGB;
}

function hexChannels(hex: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
}

const themes = ["light", "dark"];

it.each(["light", "dark"] as const)("a picture that Python draws has the same colors (%s)", (theme) => {
  const scales = palette(theme);
  for (const kind of ["sequential", "diverging", "patched"] as const) {
    for (const [i, [fill, ink]] of golden[theme][kind].entries()) {
      const near = (css: string, hex: string) => {
        const apart = channels(css).map((channel, at) => Math.abs(channel * 255 - hexChannels(hex)[at]!));
        expect(Math.max(...apart), `${kind} ${i}: ${css} and ${hex}`).toBeLessThanOrEqual(1); // a rounding
      };
      near(scales[kind].fill[15 * i]!, fill!);
      near(scales[kind].ink[15 * i]!, ink!);
    }
  }
});

it.each(themes)("text can be read on every color of both scales (%s)", (theme) => {
  const { sequential, diverging, patched } = palette(theme);
  for (const { fill, ink } of [sequential, diverging, patched]) {
    for (let step = 0; step < STEPS; step++) {
      const ratio = contrast(channels(ink[step]!), channels(fill[step]!));
      expect(ratio, `step ${step}: ${ink[step]} on ${fill[step]}`).toBeGreaterThanOrEqual(4.5);
    }
  }
});

it.each(themes)("text can be read on cells that have no place on the scale (%s)", (theme) => {
  const colors = palette(theme);
  const context = document.createElement("canvas").getContext("2d")!;
  const box = { x: 0, y: 0, width: 60, height: 20 };
  for (const shade of Object.values(ODD)) {
    const ink = paintOdd(context, shade, box, { ramp: "sequential", flipped: false }, colors);
    const { data } = context.getImageData(25, 10, 10, 1);
    for (let at = 0; at < data.length; at += 4) {
      const under = [data[at]! / 255, data[at + 1]! / 255, data[at + 2]! / 255] as RGB;
      expect(contrast(channels(ink), under)).toBeGreaterThanOrEqual(4.5);
    }
  }
});

it.each(themes)("low values sink into the page, and what is higher is never fainter (%s)", (theme) => {
  const { sequential, background } = palette(theme);
  expect(sequential.fill[0]).toBe(background);
  const page = channels(background);
  const distance = sequential.fill.map((fill) => contrast(channels(fill), page));
  for (let step = 8; step < STEPS; step += 8) expect(distance[step]).toBeGreaterThan(distance[step - 8]!);
});

it.each(themes)("a diverging scale has the page in its middle and two hues at its ends (%s)", (theme) => {
  const { diverging, background } = palette(theme);
  const page = channels(background);
  expect(contrast(channels(diverging.fill[128]!), page)).toBeLessThan(1.05);
  const [low, high] = [channels(diverging.fill[40]!), channels(diverging.fill[215]!)];
  expect(low[0]).toBeGreaterThan(low[2]); // orange
  expect(high[2]).toBeGreaterThan(high[0]); // blue
});

it("reads whatever way a host writes its colors", () => {
  for (const color of ["white", "rgb(255 255 255)", "hsl(0 0% 100%)", "#fff", "color-mix(in srgb, white, white)"]) {
    root.style.setProperty("--jp-layout-color0", color);
    expect(palette("light").background).toBe("rgb(255 255 255)");
  }
  root.style.removeProperty("--jp-layout-color0");
});
