// Light or dark: as the page behind a view is.

import { afterEach, describe, expect, it, vi } from "vitest";
import { cdp } from "vitest/browser";
import { canvasOf, FakeModel, hindrances, show } from "./host.js";
import { comparing, message } from "./messages.js";

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

describe("on paper", () => {
  const wide = { columns: 60, texts: Array.from({ length: 60 }, (_, token) => ` t${token}`) };
  const print = async (root: HTMLElement) => {
    dispatchEvent(new Event("beforeprint"));
    await system({ "prefers-color-scheme": "dark" }, "print");
    await vi.waitFor(() => expect(root.querySelector(".lw-printed svg")).not.toBeNull());
  };
  const printed = async () => {
    dispatchEvent(new Event("afterprint"));
    await system({});
  };

  it("the whole map shows, the answer included, in light colors, and afterwards the screen is as it was", async () => {
    document.documentElement.setAttribute("theme", "dark");
    const { root } = await show(new FakeModel(await message(wide)));
    const scrolled = () => root.querySelector(".lw-scroller")!.scrollLeft;
    const [before, at] = [canvasOf(root).toDataURL(), scrolled()];
    await print(root);
    expect(root.dataset.theme).toBe("light");
    const drawn = root.querySelector(".lw-printed")!;
    expect(drawn.getBoundingClientRect().width).toBeLessThanOrEqual(root.getBoundingClientRect().width);
    const svg = drawn.firstElementChild!.getBoundingClientRect();
    expect(svg.right).toBeLessThanOrEqual(root.getBoundingClientRect().right);
    const words = [...drawn.querySelectorAll("text")];
    for (const column of [0, 59]) {
      const label = words.find(({ textContent }) => textContent === `t${column}`)!;
      const { left, right, width } = label.getBoundingClientRect();
      expect(width).toBeGreaterThan(0);
      expect(left >= svg.left && right <= svg.right).toBe(true);
    }
    expect(getComputedStyle(root).backgroundColor).toBe("rgb(255, 255, 255)");
    await printed();
    await vi.waitFor(() => expect(root.querySelector(".lw-printed")).toBeNull());
    expect(root.dataset.theme).toBe("dark");
    await vi.waitFor(() => expect(canvasOf(root).toDataURL()).toBe(before));
    expect(scrolled()).toBe(at);
    document.documentElement.removeAttribute("theme");
  });

  it("each of several grids has its own, and hostile texts are only text", async () => {
    const texts = ["<img src=x onerror=alert(1)>", '"><script>1</script>', " two", " three"];
    const { root } = await show(new FakeModel(await comparing([{ texts }, { texts }])));
    await print(root);
    expect(root.querySelectorAll(".lw-printed > svg")).toHaveLength(2);
    expect(root.querySelector(".lw-printed :is(img, script)")).toBeNull();
    await printed();
  });
});

describe("in the reader's own colors", () => {
  const looks = (element: Element, pseudo?: string) => {
    const { backgroundColor, backgroundImage, outlineStyle, borderTopStyle, color } = getComputedStyle(element, pseudo);
    return { backgroundColor, backgroundImage, outlineStyle, borderTopStyle, color };
  };

  it.each(["light", "dark"])("rings, the chosen segment, the legend and bars can be seen (%s)", async (scheme) => {
    await system({ "forced-colors": "active", "prefers-color-scheme": scheme });
    const { root } = await show(new FakeModel(await comparing([{}, {}]), { selected: [2, 1] }));
    expect(root.dataset.theme).toBe(scheme);
    expect(looks(root.querySelector(".lw-selected")!).outlineStyle).toBe("solid");
    const [chosen, other] = root.querySelectorAll(".lw-segments span");
    expect(looks(chosen!).backgroundColor).not.toBe(looks(other!).backgroundColor);
    expect(looks(root.querySelector(".lw-gradient")!).backgroundImage).toContain("gradient");
    expect(looks(root.querySelector(".lw-candidates .lw-bar")!).borderTopStyle).toBe("solid");
    expect(await hindrances(root)).toEqual([]);
  });

  it("so can the parts of a sum", async () => {
    await system({ "forced-colors": "active" });
    const values = (row: number) => [1, -2, 3, 0.5, -1][row]!;
    const bars = {
      view: "bars",
      columns: 1,
      candidates: null,
      trajectories: null,
      quantities: [{ name: "logit", values }],
    };
    const { root } = await show(new FakeModel(await message(bars)));
    const shown = [".lw-plus", ".lw-minus", ".lw-zero"].map((kind) => looks(root.querySelector(kind)!).backgroundColor);
    expect(new Set([...shown, looks(root).backgroundColor]).size).toBe(4);
    expect(await hindrances(root)).toEqual([]);
  });
});
