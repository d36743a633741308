// A view in whatever holds it: its width, the page's own style, its theme.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import { canvasOf, card, FakeModel, scroller, show } from "./host.js";
import { message } from "./messages.js";

/** The width that a view has where nothing gives it one, and the least. */
const [INTRINSIC, LEAST] = [780, 260];

afterEach(async () => {
  document.body.innerHTML = "";
  document.documentElement.removeAttribute("dir");
  await page.viewport(1200, 900);
});

/** Markup with a place in it for the view, which is where `@` stands. */
async function within(markup: string) {
  document.body.insertAdjacentHTML("beforeend", markup.replace("@", "<div id=here></div>"));
  const here = document.querySelector<HTMLElement>("#here")!;
  here.removeAttribute("id");
  const { root, el } = await show(new FakeModel(await message()), here);
  return { root, el, here };
}

const box = (style: string, inside = "@") => `<div style="${style}">${inside}</div>`;
const BUTTON = "<button style='width: 148px'>b</button>";
const TEXT = "<p style='margin: 0'>a word or two</p>";
const CONTAINERS: Record<string, [markup: string, least: number, most: number]> = {
  "a block": [box("width: 900px"), 900, 900],
  "a narrow block": [box("width: 300px"), 300, 300],
  "a row with a button": [box("display: flex; width: 1000px", `${BUTTON}@`), INTRINSIC, INTRINSIC],
  "a row of two": [box("display: flex; width: 1000px", `@<div style='width: 780px'></div>`), 500, 500],
  "a row in a narrow page": [box("display: flex; width: 340px", "@"), 340, 340],
  "a row that wraps": [box("display: flex; flex-wrap: wrap; width: 1000px", `${BUTTON}@`), INTRINSIC, INTRINSIC],
  "an inline row": [box("display: inline-flex"), INTRINSIC, INTRINSIC],
  "a column": [box("display: flex; flex-direction: column; width: 700px"), 700, 700],
  "a column that aligns at the start": [
    box("display: flex; flex-direction: column; align-items: flex-start; width: 1000px"),
    INTRINSIC,
    INTRINSIC,
  ],
  "a float": [box("float: left"), INTRINSIC, INTRINSIC],
  "an inline block": [box("display: inline-block"), INTRINSIC, INTRINSIC],
  "an inline block in a narrow page": [box("width: 320px", box("display: inline-block; max-width: 100%")), 320, 320],
  "a box that fits its content": [box("width: fit-content"), INTRINSIC, INTRINSIC],
  "a box as wide as its longest word": [box("width: min-content"), LEAST, LEAST],
  "a box as wide as its longest line": [box("width: max-content"), INTRINSIC, INTRINSIC],
  "an absolute box": [box("position: absolute; left: 0"), INTRINSIC, INTRINSIC],
  "an automatic column of a grid": [
    box("display: grid; grid-template-columns: auto 1fr; width: 1100px", `@${TEXT}`),
    INTRINSIC,
    INTRINSIC,
  ],
  "a narrowest column of a grid": [
    box("display: grid; grid-template-columns: min-content 1fr; width: 1100px", `@${TEXT}`),
    LEAST,
    LEAST,
  ],
  "a share of a grid": [box("display: grid; grid-template-columns: 1fr 1fr; width: 1000px", `@${TEXT}`), 500, 500],
  "a grid that centers": [box("display: grid; place-items: center; width: 1000px"), INTRINSIC, INTRINSIC],
  "a cell of a table": [`<table cellpadding=0><tr><td>@</td><td>${TEXT}</td></tr></table>`, INTRINSIC, INTRINSIC],
  "a cell of a table in a narrow page": [
    box("width: 400px", `<table cellpadding=0><tr><td>@</td></tr></table>`),
    390,
    400,
  ],
  "columns of text": [box("columns: 2; column-gap: 0; width: 1000px"), 500, 500],
  "columns of a Quarto page": [
    box(
      "display: flex; flex-wrap: wrap; width: 1000px",
      `<div style='flex: 0 0 auto; width: 60%'>@</div><div style='flex: 0 0 auto; width: 40%'>${TEXT}</div>`,
    ),
    600,
    600,
  ],
  "a card of MyST": [
    box(
      "display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); width: 900px",
      `<div style='display: flex; flex-direction: column'>@</div>${TEXT}`,
    ),
    450,
    450,
  ],
  "a figure of a page": [
    box("width: 800px", "<figure style='display: table; margin: 0'>@</figure>"),
    INTRINSIC,
    INTRINSIC,
  ],
};

describe("as wide as what holds it, or as it needs to be, in", () => {
  it.each(Object.entries(CONTAINERS))("%s", async (_, [markup, least, most]) => {
    const { root } = await within(markup);
    const { width } = root.getBoundingClientRect();
    expect(Math.round(width)).toBeGreaterThanOrEqual(least);
    expect(Math.round(width)).toBeLessThanOrEqual(most + 2); // three thin letters, too
    expect(root.dataset.state).toBe("ready");
    const canvas = canvasOf(root);
    const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
    expect(data.some((value) => value > 0)).toBe(true);
    expect(canvas.offsetWidth).toBeGreaterThan(200);
    expect(root.scrollWidth).toBeLessThanOrEqual(Math.ceil(width));
  });
});

const INHERITED = {
  "text-transform": "uppercase",
  "letter-spacing": "5px",
  "word-spacing": "20px",
  "white-space": "pre",
  "text-indent": "40px",
  "line-height": "50px",
  "text-align": "right",
  font: "italic small-caps bold 30px serif",
  "font-variant-ligatures": "none",
  "font-feature-settings": "'smcp'",
  "font-stretch": "expanded",
  "text-shadow": "1px 1px red",
  "word-break": "break-all",
  "overflow-wrap": "anywhere",
  hyphens: "auto",
  "tab-size": "40",
  direction: "rtl",
  "list-style": "square inside",
  "border-collapse": "collapse",
  "border-spacing": "20px",
  "caption-side": "bottom",
  "-webkit-text-stroke": "2px red",
  "-webkit-text-fill-color": "red",
  quotes: "none",
};

describe("what a page says of its own text", () => {
  // the hint is known: other files of tests, in frames of their own, share the storage that remembers it
  beforeEach(() => void vi.spyOn(Storage.prototype, "getItem").mockReturnValue("known"));
  afterEach(() => void vi.restoreAllMocks());

  it.each(["the page", "a shadow root"])("changes nothing in a view in %s", async (place) => {
    const measured = async (style: string) => {
      const outside = document.createElement("div");
      outside.style.cssText = `${style}; width: 900px`;
      document.body.append(outside);
      const holder = document.createElement("div");
      holder.style.width = "900px";
      outside.append(holder);
      const inside: ParentNode & Node = place === "the page" ? holder : holder.attachShadow({ mode: "open" });
      if (place !== "the page") {
        const sheet = document.createElement("style");
        sheet.textContent = [...document.styleSheets]
          .flatMap((one) => [...one.cssRules])
          .map((rule) => rule.cssText)
          .join("\n");
        inside.append(sheet);
      }
      const { root } = await show(new FakeModel(await message(), { selected: [1, 1] }), inside);
      const all = [root, ...root.querySelectorAll<HTMLElement>("*")];
      const { x, y } = root.getBoundingClientRect();
      const names = [...Object.keys(INHERITED), "color", "font-style", "font-weight", "font-size", "font-family"];
      const looks = all.map((element) => {
        const style = getComputedStyle(element);
        const { left, top, width, height } = element.getBoundingClientRect();
        const at = [left - x, top - y, width, height].map(Math.round);
        return [element.className, ...names.map((name) => style.getPropertyValue(name)), ...at].join("|");
      });
      outside.remove();
      return looks;
    };
    const plain = await measured("");
    const style = Object.entries(INHERITED).map(([name, value]) => `${name}: ${value}`);
    expect(await measured(style.join("; "))).toEqual(plain);
  });

  it("that its paragraphs are narrow leaves those of a view as wide as it is", async () => {
    const style = document.createElement("style");
    style.textContent = "p { max-width: 20ch }";
    document.head.append(style);
    const { root } = await within(box("width: 800px"));
    expect(root.querySelector<HTMLElement>(".lw-story p")!.offsetWidth).toBeGreaterThan(700);
    style.remove();
  });

  it("that it is hidden hides a view, too, as slides hide what comes later", async () => {
    const { root } = await within(box("visibility: hidden"));
    expect(getComputedStyle(root).visibility).toBe("hidden");
  });
});

describe("in a page that is written from right to left", () => {
  it("a view opens at the last token, paints it, and is laid out as everywhere", async () => {
    document.documentElement.dir = "rtl";
    const el = document.createElement("div");
    el.style.width = "700px";
    document.body.append(el);
    const columns = 40;
    const { root } = await show(new FakeModel(await message({ columns })), el);
    const { scrollLeft, scrollWidth, clientWidth } = scroller(root);
    expect(scrollLeft).toBeGreaterThan(0);
    expect(scrollLeft).toBeCloseTo(scrollWidth - clientWidth, -1);
    const labels = root.querySelector(".lw-legend")!.textContent!;
    expect(labels).toContain("%");
    const scale = [...root.querySelectorAll<HTMLElement>(".lw-ticks span")].map(
      (tick) => tick.getBoundingClientRect().x,
    );
    expect(scale).toEqual([...scale].sort((a, b) => a - b));
    const { x, y, width, height } = scroller(root).getBoundingClientRect();
    await userEvent.hover(scroller(root), { position: { x: width - 10, y: height / 2 } });
    await vi.waitFor(() => expect(card(root)?.textContent).toContain(`position ${columns - 1} `));
    expect(x + y).toBeGreaterThan(0);
  });
});
