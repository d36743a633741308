// Light or dark: as the page behind a view is.

import { afterEach, describe, expect, it, vi } from "vitest";
import { cdp } from "vitest/browser";
import { canvasOf, FakeModel, show } from "./host.js";
import { message } from "./messages.js";

// biome-ignore lint/suspicious/noExplicitAny: a session of the browser's own protocol
const browser = () => cdp() as any;
const system = (features: Record<string, string>, media = "") =>
  browser().send("Emulation.setEmulatedMedia", {
    media,
    features: Object.entries(features).map(([name, value]) => ({ name, value })),
  });

afterEach(async () => {
  document.body.innerHTML = "";
  document.querySelector("#page")?.remove();
  for (const element of [document.documentElement, document.body]) {
    for (const name of ["style", "class", "data-bs-theme"]) element.removeAttribute(name);
  }
  await system({});
});

/** A page's stylesheet. */
function styled(css: string): HTMLStyleElement {
  const style = document.createElement("style");
  style.id = "page";
  style.textContent = css;
  document.head.append(style);
  return style;
}

const PAGES: [name: string, css: string, theme: string][] = [
  ["a dark page of Bootstrap", "body { background: #212529 }", "dark"],
  ["a dark page of Quarto", "body { background-color: #222; }", "dark"],
  ["a page whose <html> is dark", "html { background: rgb(20 20 30) }", "dark"],
  ["a white page", "body { background: white }", "light"],
  ["a cream page", "html { background: oklch(0.95 0.05 90) }", "light"],
  ["a page that is dark as another color is written", "body { background: oklch(0.2 0.05 90) }", "dark"],
  ["a dark part of a white page", "body { background: white } #outside { background: #111 }", "dark"],
  ["a white card on a dark page", "body { background: black } #outside { background: #fafafa }", "light"],
  ["a pane that is all but clear", "body { background: #111 } #outside { background: rgb(255 255 255 / 8%) }", "dark"],
];

describe.each(["light", "dark"])("where the system is %s", (scheme) => {
  it.each(PAGES)("%s", async (_, css, theme) => {
    await system({ "prefers-color-scheme": scheme });
    styled(css);
    for (const inShadow of [false, true]) {
      const outside = document.createElement("div");
      outside.id = "outside";
      document.body.append(outside);
      const { root } = await show(
        new FakeModel(await message()),
        inShadow ? outside.attachShadow({ mode: "open" }) : outside,
      );
      expect(root.dataset.theme).toBe(theme);
      outside.remove();
    }
  });

  it("a frame that can be seen through has the system's, as nothing else is known", async () => {
    await system({ "prefers-color-scheme": scheme });
    styled("html, body { background: none }");
    const { root } = await show(new FakeModel(await message()));
    expect(root.dataset.theme).toBe(scheme);
  });
});

it("what the host says comes before what its background looks like", async () => {
  styled("body { background: white }");
  document.body.dataset.vscodeThemeKind = "vscode-dark";
  const { root } = await show(new FakeModel(await message()));
  delete document.body.dataset.vscodeThemeKind;
  expect(root.dataset.theme).toBe("dark");
});

it("a page that changes its stylesheet, or fades to another color, takes the view along", async () => {
  const style = styled("body { background: white }");
  const { root } = await show(new FakeModel(await message()));
  expect(root.dataset.theme).toBe("light");
  const corner = () => [...canvasOf(root).getContext("2d")!.getImageData(1, 1, 400, 100).data].join();
  const before = corner();
  style.textContent = "body { background: #111 }";
  await vi.waitFor(() => expect(root.dataset.theme).toBe("dark"));
  await vi.waitFor(() => expect(corner()).not.toBe(before));
  style.textContent = "body { background: #111; transition: background 100ms } body.day { background: white }";
  document.body.classList.add("day");
  await vi.waitFor(() => expect(root.dataset.theme).toBe("light"));
});
