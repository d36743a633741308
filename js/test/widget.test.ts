import { afterEach, describe, expect, it, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import { mountPage } from "../src/host/page.js";
import createWidget, { type Model, mount } from "../src/host/widget.js";
import { shared } from "../src/state/settings.js";
import { canvasOf, card, chips, click, FakeModel, hindrances, hover, middle, pixels, scroller, show } from "./host.js";
import { golden, message } from "./messages.js";

afterEach(async () => {
  document.documentElement.removeAttribute("theme");
  document.body.removeAttribute("data-jp-theme-light");
  await page.viewport(1200, 900);
});

const claim = "last row is the model";

describe("a view", () => {
  it("says what it shows, and whether to believe it", async () => {
    const { root } = await show(new FakeModel(await message()));
    expect(root.dataset.state).toBe("ready");
    expect(root.querySelector("figure")!.textContent).toMatch(
      /a prompt of tests.*a-model · 5 rows × 4 tokens · Logit lens/,
    );
    expect(root.textContent).toContain("last row is the model, off by 2e-6");
  });

  it.each([
    [null, "not checked against the model"],
    [{ error: 0, tolerance: 1e-3, claim }, "last row is the model, exactly"],
    [{ error: 0.5, tolerance: 1e-3, claim }, "check failed: last row is the model, off by 5e-1, more than 1e-3"],
    [{ error: null, tolerance: 1e-3, claim }, "last row is the model: not checked, as it is not finite"],
  ])("of a grid with check %j says: %s", async (check, sentence) => {
    const { root } = await show(new FakeModel(await message({ check })));
    expect(root.textContent).toContain(sentence);
  });

  it("works in a shadow root, and puts nothing into the page", async () => {
    const host = document.createElement("div");
    document.body.append(host);
    const styles = document.head.childElementCount;
    const { root } = await show(new FakeModel(await message()), host.attachShadow({ mode: "open" }));
    expect(root.dataset.state).toBe("ready");
    expect(document.head.childElementCount).toBe(styles);
    host.remove();
  });

  it("waits for its element to stand in the page, where colors have values", async () => {
    const model = new FakeModel(await message());
    const el = document.createElement("div");
    const ending = new AbortController();
    createWidget().render({ model: model as unknown as Model, el, signal: ending.signal });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const root = el.querySelector<HTMLElement>(".lenswidget")!;
    expect(root.dataset.state).toBe("loading");
    document.body.append(el);
    await vi.waitFor(() => expect(root.dataset.state).toBe("ready"));
    const other = await show(new FakeModel(await message()));
    const corner = (view: HTMLElement) => [...canvasOf(view).getContext("2d")!.getImageData(80, 4, 1, 1).data];
    expect(corner(root)).toEqual(corner(other.root));
    ending.abort();
    el.remove();
  });

  it("in place of a message that can't be read has a sentence", async () => {
    const { root } = await show(new FakeModel(await message({}, 99)));
    expect(root.dataset.state).toBe("error");
    expect(root.querySelector("[role=alert]")!.textContent).toContain("another version of lenswidget");
  });

  it("says so where there is no canvas", async () => {
    vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(null);
    const { root } = await show(new FakeModel(await message()));
    vi.restoreAllMocks();
    expect(root.querySelector("[role=alert]")!.textContent).toMatch(/no canvas to draw on here.*grid\.to_svg/);
  });

  it("of an empty grid says so", async () => {
    const { root } = await show(
      new FakeModel(await message({ rows: 0, columns: 0, candidates: null, trajectories: null })),
    );
    expect(root.querySelector("[role=alert]")!.textContent).toContain("empty");
  });

  it("recovers from an error with the next message", async () => {
    const model = new FakeModel(new Uint8Array(3));
    const { root } = await show(model);
    expect(root.dataset.state).toBe("error");
    model.change("grids", await message());
    await vi.waitFor(() => expect(root.dataset.state).toBe("ready"));
    expect(root.querySelector("[role=alert]")).toBeNull();
  });

  it("shows new grids when they come, and the last of several that come at once", async () => {
    const model = new FakeModel(await message({ title: "first" }));
    const { root } = await show(model);
    const second = await message({ title: "second", columns: 20000 }); // takes longer than what comes after it
    const third = await message({ title: "third" });
    model.change("grids", second);
    model.change("grids", third);
    expect(root.querySelector(".lw-title")!.textContent).toBe("first");
    await vi.waitFor(() => expect(root.querySelector(".lw-title")!.textContent).toBe("third"));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(root.querySelector(".lw-title")!.textContent).toBe("third");
  });

  it("paints a grid of one cell, and one without candidates", async () => {
    const quantities = [{ name: "sum", values: (row: number) => row }];
    for (const wish of [
      { rows: 1, columns: 1 },
      { candidates: null, trajectories: null, quantities },
    ]) {
      const { root } = await show(new FakeModel(await message(wish)));
      expect(root.dataset.state).toBe("ready");
    }
  });

  it("ends with its signal: nothing listens, nothing stays", async () => {
    const model = new FakeModel(await message());
    const { el, end } = await show(model);
    expect(model.listening).toBe(Object.keys(shared()).length + 6);
    end();
    expect(model.listening).toBe(0);
    expect(el.childElementCount).toBe(0);
  });

  it("stands in a plain page with no kernel, until it is taken away", async () => {
    const el = document.createElement("div");
    document.body.append(el);
    const remove = mount(el, (await golden()).buffer, { selected: [1, 1] });
    await vi.waitFor(() => expect(el.querySelector("[data-state=ready]")).not.toBeNull());
    expect(card(el)).not.toBeNull();
    remove();
    expect(el.childElementCount).toBe(0);
    el.remove();
  });
});

it("a page that stands alone shows what its elements hold, and leaves those of other scripts to them", async () => {
  const data = btoa(String.fromCharCode(...(await golden())));
  const here = document.createElement("div");
  const figure = (by: string) => `<div data-lens="${data}" data-lens-by="${by}"><svg></svg></div>`;
  here.innerHTML = `${figure("this")}${figure("other")}<script type="text/plain" data-lens-code="this"></script>`;
  document.body.append(here);
  mountPage(here.querySelector("script")!);
  await vi.waitFor(() => expect(here.querySelector("[data-state=ready]")).not.toBeNull());
  expect(here.children[0]!.querySelectorAll(":scope > svg")).toHaveLength(0);
  expect(here.children[1]!.innerHTML).toBe("<svg></svg>");
  here.remove();
});

describe("pointing at a cell", () => {
  it("opens its card, tells nobody, and closes it on leaving", async () => {
    const model = new FakeModel(await message());
    const { root } = await show(model);
    await hover(root, 3, 1);
    await vi.waitFor(() => expect(card(root)).not.toBeNull());
    const text = card(root)!.textContent!;
    expect(text).toMatch(/^L2position/);
    expect(text).toContain("position 1 · after “␣one”");
    expect(text).toMatch(/␣zero70\s%␣one20\s%␣two5\.0\s%/);
    expect(model.sent).toEqual([]);
    await userEvent.hover(root.querySelector(".lw-header")!);
    await vi.waitFor(() => expect(card(root)).toBeNull());
  });

  it("says how far its row can be believed, and one that can't looks so", async () => {
    const rowQuantities = (lowest: number) => [{ name: "held-out KL", values: [lowest, 4, 3, 2, 0] }];
    const painted = async (lowest: number, color = "") => {
      const wish = { rowQuantities: rowQuantities(lowest) };
      return (await show(new FakeModel(await message(wish), { color }))).root;
    };
    const [doubted, believed, plain] = [await painted(150), await painted(3), await painted(150, "probability")];
    const fill = (root: HTMLElement, row: number) => {
      const { x, y } = middle(root, row, 1);
      const left = scroller(root).offsetLeft;
      return [
        ...canvasOf(root)
          .getContext("2d")!
          .getImageData(left + x - 20, y, 1, 1).data,
      ].join();
    };
    expect(fill(doubted, 0)).toBe("255,255,255,255");
    expect(fill(believed, 0)).not.toBe(fill(doubted, 0));
    expect(fill(plain, 0)).toBe(fill(doubted, 4));
    expect(fill(doubted, 1)).not.toBe(fill(doubted, 4));
    expect(doubted.querySelector(".lw-legend")!.textContent).toContain("held-out KL: 0 to 6 bits");
    expect(doubted.querySelector(".lw-legend")!.textContent).toContain("ink = probability × how far the row");
    expect(plain.querySelector(".lw-legend")!.textContent).not.toContain("ink =");

    await hover(doubted, 0, 1);
    await vi.waitFor(() => expect(card(doubted)?.textContent).toContain("this row was 150 bits from the output"));
    expect(card(doubted)!.querySelector(".lw-warning")).not.toBeNull();
    await hover(doubted, 3, 1);
    await vi.waitFor(() => expect(card(doubted)?.textContent).toContain("this row was 2 bits from the output"));
    expect(card(doubted)!.querySelector(".lw-warning")).toBeNull();
  });

  it("never has the card under the pointer, nor beyond the frame", async () => {
    const { root } = await show(new FakeModel(await message()));
    for (const [row, column] of [
      [0, 0],
      [4, 3],
      [2, 2],
    ] as const) {
      await hover(root, row, column);
      await vi.waitFor(() => expect(card(root)!.style.transform).not.toBe(""));
      const box = card(root)!.getBoundingClientRect();
      const frame = root.getBoundingClientRect();
      const at = middle(root, row, column);
      const { x, y } = scroller(root).getBoundingClientRect();
      const under = x + at.x > box.left && x + at.x < box.right && y + at.y > box.top && y + at.y < box.bottom;
      expect(under).toBe(false);
      expect(box.left >= frame.left && box.right <= frame.right).toBe(true);
    }
  });

  it("marks the token that really follows, also when it is no candidate", async () => {
    const following = [1, 3, -1, -1];
    const { root } = await show(new FakeModel(await message({ following })));
    const last = () => card(root)!.querySelector("li:last-child")!.textContent;
    await hover(root, 2, 0);
    await vi.waitFor(() => expect(card(root)!.textContent).toContain("␣onefollows"));
    await hover(root, 2, 1);
    await vi.waitFor(() => expect(last()).toMatch(/␣threefollows<\s5\.0\s%/));
    await hover(root, 2, 2);
    await vi.waitFor(() => expect(card(root)!.textContent).not.toContain("follows"));
  });
});

describe("selecting and pinning", () => {
  it("a click selects, and Python hears of it; another lets go", async () => {
    const model = new FakeModel(await message());
    const { root } = await show(model);
    await click(root, 4, 2);
    expect(model.sent).toEqual([{ selected: [4, 2] }]);
    await userEvent.hover(root.querySelector(".lw-header")!);
    expect(card(root)!.textContent).toMatch(/^L3position/);
    await click(root, 4, 2);
    expect(model.sent.at(-1)).toEqual({ selected: null });
  });

  it("Python selects, and the card opens; what is out of range selects nothing", async () => {
    const model = new FakeModel(await message());
    const { root } = await show(model);
    model.change("selected", [0, 0]);
    await vi.waitFor(() => expect(card(root)!.textContent).toMatch(/^embedposition/));
    model.change("selected", [99, 0]);
    await vi.waitFor(() => expect(card(root)).toBeNull());
    expect(model.sent).toEqual([]);
  });

  it("a click on a token pins it by its id; shift-click joins; the chip lets it go", async () => {
    const model = new FakeModel(await message(), { selected: [4, 0] });
    const { root } = await show(model);
    const [first, second] = card(root)!.querySelectorAll("button");
    await userEvent.click(first!);
    expect(model.get("pins")).toEqual([[100]]);
    second!.dispatchEvent(new MouseEvent("click", { bubbles: true, shiftKey: true }));
    expect(model.get("pins")).toEqual([[100, 101]]);
    await vi.waitFor(() => expect(chips(root)).toEqual(["␣zero + ␣one"]));
    await userEvent.click(root.querySelector(".lw-chip button")!);
    expect(model.get("pins")).toEqual([]);
    await vi.waitFor(() => expect(chips(root)).toEqual([]));
  });

  it("the menu of tokens pins one, and no longer offers it", async () => {
    const model = new FakeModel(await message());
    const { root } = await show(model);
    const menu = root.querySelector<HTMLSelectElement>("[aria-label='Follow another token']")!;
    const offered = () => [...menu.options].map(({ label }) => label);
    expect(offered()).toContain("␣one");
    await userEvent.selectOptions(menu, "␣one");
    expect(model.get("pins")).toEqual([[101]]);
    await vi.waitFor(() => expect(offered()).not.toContain("␣one"));
    expect(menu.value).toBe("");
  });

  it("a pin rings the cells it leads", async () => {
    const model = new FakeModel(await message());
    const { root } = await show(model);
    const before = pixels(root);
    model.change("pins", [[100]]);
    await vi.waitFor(() => expect(pixels(root)).not.toBe(before));
  });

  it("a pin keeps its color when another goes", async () => {
    const model = new FakeModel(await message(), { pins: [[100], [101]] });
    const { root } = await show(model);
    const color = (i: number) => root.querySelectorAll<HTMLElement>(".lw-chip .lw-dot")[i]!.style.background;
    const second = color(1);
    model.change("pins", [[101]]);
    await vi.waitFor(() => expect(chips(root)).toEqual(["␣one"]));
    expect(color(0)).toBe(second);
  });

  it("a pin with nothing known at a position says so, and draws no zero", async () => {
    const model = new FakeModel(await message({ followed: (column) => (column ? [0] : [0, 3]) }), { pins: [[103]] });
    const { root } = await show(model);
    const lines = () => [...root.querySelectorAll(".lw-label")].map((label) => label.textContent);
    expect(root.querySelector(".lw-chart")!.textContent).toContain("␣three was never among the candidates here");
    expect(lines()).toEqual(["␣zero 7.3\u202f%"]);
    model.change("selected", [2, 0]);
    await vi.waitFor(() => expect(lines().join()).toContain("␣three"));
  });

  it("a token that the grid doesn't have stays pinned under its id", async () => {
    const { root } = await show(new FakeModel(await message(), { pins: [[7]] }));
    expect(chips(root)).toEqual(["token 7"]);
  });

  it("two views of one model agree", async () => {
    const model = new FakeModel(await message());
    const [one, other] = [await show(model), await show(model)];
    await click(one.root, 3, 3);
    await vi.waitFor(() => expect(card(other.root)!.textContent).toMatch(/^L2position/));
    one.end();
    model.change("pins", [[102]]);
    await vi.waitFor(() => expect(chips(other.root)).toEqual(["␣two"]));
  });
});

describe("the controls", () => {
  const two = () =>
    message({
      quantities: [
        { name: "probability", domain: [0, 1], values: () => 0.5 },
        { name: "entropy", unit: "bits", values: (row: number, column: number) => row + column },
      ],
    });

  it("color by a quantity, and Python hears of it; a name unknown is the first", async () => {
    const model = new FakeModel(await two(), { color: "no such thing" });
    const { root } = await show(model);
    const menu = root.querySelector("select")!;
    expect(menu.value).toBe("probability");
    const before = pixels(root);
    await userEvent.selectOptions(menu, "entropy");
    expect(model.get("color")).toBe("entropy");
    await vi.waitFor(() => expect(pixels(root)).not.toBe(before));
    expect(root.querySelector(".lw-legend")!.textContent).toContain("bits");
  });

  it("change the chart's scale", async () => {
    const model = new FakeModel(await message());
    const { root } = await show(model);
    await userEvent.selectOptions(root.querySelector("[aria-label='Chart scale']")!, "rank");
    expect(model.get("trajectory")).toBe("rank");
    await vi.waitFor(() => expect(root.querySelector(".lw-plot svg")!.textContent).toContain("10"));
  });

  it("thin the rows, and offer no such thing where there are few", async () => {
    const few = await show(new FakeModel(await message()));
    expect(few.root.textContent).not.toContain("to fit");
    const model = new FakeModel(await message({ rows: 80 }));
    const { root } = await show(model);
    const menu = root.querySelectorAll("select")[2]!;
    expect(menu.selectedOptions[0]!.textContent).toBe("every 3rd, to fit");
    await userEvent.selectOptions(menu, "8");
    expect(model.get("stride")).toBe(8);
    await vi.waitFor(() => expect(scroller(root).offsetHeight).toBeLessThan(320));
  });

  it.each([0, 1, 2, 7, 99])("say how many rows are drawn, for every %d", async (stride) => {
    const { root } = await show(new FakeModel(await message({ rows: 24 }), { stride }));
    expect(root.querySelectorAll("select")[2]!.selectedOptions[0]!.textContent).toMatch(
      stride < 2 ? "all" : `every ${stride}`,
    );
  });

  it("keep the height that was asked for, in pixels", async () => {
    const { root } = await show(new FakeModel(await message({ rows: 30 }), { height: 300 }));
    expect(root.querySelector("canvas")!.offsetHeight).toBeLessThanOrEqual(300 + 26);
  });
});

describe("the keyboard", () => {
  it("moves, selects, pins and lets go, and what it moves to is spoken", async () => {
    const model = new FakeModel(await message());
    const { root } = await show(model);
    scroller(root).focus();
    await userEvent.keyboard("{ArrowUp}");
    const spoken = () => root.querySelector("[aria-live]")!.textContent;
    await vi.waitFor(() => expect(spoken()).toMatch(/^L3, position 3/));
    await userEvent.keyboard("{ArrowDown}{ArrowLeft}");
    await vi.waitFor(() => expect(spoken()).toMatch(/^L2, position 2 after ␣two, ␣zero leads with 70\s%/));
    await userEvent.keyboard("{Home}{PageDown}{Enter}");
    expect(model.get("selected")).toEqual([0, 0]);
    await userEvent.keyboard("p");
    expect(model.get("pins")).toEqual([[100]]);
    await userEvent.keyboard("{Escape}");
    expect(model.get("selected")).toBeNull();
    await userEvent.keyboard("{End}{PageUp}{Enter}");
    expect(model.get("selected")).toEqual([4, 3]);
  });

  it("keeps keys from the notebook, and leaves it an Escape that lets go of nothing here", async () => {
    const { root } = await show(new FakeModel(await message()));
    const heard: string[] = [];
    const listen = (event: KeyboardEvent) => heard.push(event.key);
    document.addEventListener("keydown", listen);
    scroller(root).focus();
    await userEvent.keyboard("{ArrowUp}{Enter}pa{Escape}{Escape}{Escape}");
    document.removeEventListener("keydown", listen);
    expect(heard).toEqual(["Escape"]);
  });

  it("brings the cell it moves to into view", async () => {
    const { root } = await show(new FakeModel(await message({ columns: 200 })));
    scroller(root).focus();
    await userEvent.keyboard("{End}");
    await vi.waitFor(() => expect(scroller(root).scrollLeft).toBeGreaterThan(5000));
    await userEvent.keyboard("{Home}");
    await vi.waitFor(() => expect(scroller(root).scrollLeft).toBe(0));
  });
});

describe("hostile tokens", () => {
  const texts = ["</script><img src=x onerror=alert(1)>", "\"'`&amp;", "\u202eevil", "\ud83d", "<!--", "__proto__"];
  const candidates = () => texts.map((_, token) => [token, 0.1] as [number, number]);

  it("are only text, wherever they stand", async () => {
    const model = new FakeModel(
      await message({ texts, candidates, title: texts.join(" "), followed: () => [0, 1, 2] }),
      { pins: [[100], [102], [105]], selected: [3, 2] },
    );
    const { root } = await show(model);
    expect(root.querySelector("img, script")).toBeNull();
    const listed = [...card(root)!.querySelectorAll("button bdi")].map((text) => text.textContent);
    expect(listed.slice(0, 3)).toEqual(["</script><img␣src=x␣onerror=alert(1)>", "\"'`&amp;", "‹U+202E›evil"]);
    expect(listed[4]).toBe("<!--");
    expect(chips(root)[2]).toBe("__proto__");
  });

  it("stay within the view, however long they and all names are", async () => {
    const long = "W".repeat(10_000);
    const quantities = ["probability", long].map((name) => ({ name, unit: long, values: () => 0.5 }));
    const wish = {
      texts: [long, `b${long}`, `c${long}`],
      rowLabels: ["a", "b", "c", "d", "e"].map((one) => one + long),
    };
    const rowQuantities = [{ name: long, unit: long, says: `${long}{}`, values: [1, 2, 3, 4, 150] }];
    const check = { error: 1, tolerance: 0, claim: long };
    const said = { title: long, kind: long, model: long, notes: [long], check };
    const jumps = { parts: [long, `b${long}`], entries: [[2, 0, () => [1, 2]]] as [number, number, () => number[]][] };
    const model = new FakeModel(await message({ ...wish, ...said, rowQuantities, quantities, jumps }), {
      ...{ selected: [4, 2], pins: [[100]], rows_compared: [1, 4], color: long, jump: [2, 100, 3] },
    });
    const { root } = await show(model);
    await vi.waitFor(() => expect(root.querySelector(".lw-jump table")).not.toBeNull());
    const frame = root.getBoundingClientRect();
    const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const beyond: string[] = [];
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
      const range = document.createRange();
      range.selectNode(text);
      let { right } = range.getBoundingClientRect();
      for (let up = text.parentElement!; up !== root; up = up.parentElement!) {
        const clips = up.matches("select") || getComputedStyle(up).overflowX !== "visible" || up.matches(".lw-spoken");
        if (clips) right = Math.min(right, up.getBoundingClientRect().right);
      }
      if (right > frame.right + 1) beyond.push(text.parentElement!.parentElement!.outerHTML.slice(0, 90));
    }
    expect(beyond).toEqual([]);
    expect(root.scrollWidth).toBeLessThanOrEqual(root.offsetWidth);
  });

  it("turn no line round: each stands in its own direction", async () => {
    const { root } = await show(
      new FakeModel(
        await message({
          texts: ["العربية", "b"],
          candidates: () => [
            [0, 0.9],
            [1, 0.1],
          ],
        }),
        { selected: [0, 0] },
      ),
    );
    const button = card(root)!.querySelector("button")!;
    expect(button.querySelector("bdi")!.textContent).toBe("العربية");
    expect(getComputedStyle(button).direction).toBe("ltr");
  });
});

describe("the theme", () => {
  it.each([
    ["JupyterLab", () => document.body.setAttribute("data-jp-theme-light", "false")],
    ["Colab", () => document.documentElement.setAttribute("theme", "dark")],
  ])("follows %s, and repaints the cells", async (_, darken) => {
    const { root } = await show(new FakeModel(await message()));
    expect(root.dataset.theme).toBe("light");
    const before = pixels(root);
    darken();
    await vi.waitFor(() => expect(root.dataset.theme).toBe("dark"));
    await vi.waitFor(() => expect(pixels(root)).not.toBe(before));
  });

  it.each(["light", "dark"])("%s has nothing that hinders a reader", async (theme) => {
    document.documentElement.setAttribute("theme", theme);
    const odd = { name: "odd", values: (row: number) => [0, Number.NaN, Number.POSITIVE_INFINITY, 1, 2][row]! };
    const { root } = await show(
      new FakeModel(await message({ quantities: [{ name: "probability", values: () => 0.5 }, odd] }), {
        selected: [2, 1],
        pins: [[100], [101]],
        color: "odd",
      }),
    );
    expect(await hindrances(root)).toEqual([]);
  });
});

describe("many columns", () => {
  it("keep the canvas the size of what shows, and always filled", async () => {
    const { root } = await show(new FakeModel(await message({ rows: 40, columns: 1500 })));
    const canvas = canvasOf(root);
    expect(canvas.offsetWidth).toBeLessThanOrEqual(root.offsetWidth);
    for (const place of [0, 5000, 60000]) {
      scroller(root).scrollLeft = place;
      await vi.waitFor(() => {
        const { data } = canvas.getContext("2d")!.getImageData(80, 40, canvas.width - 100, 1);
        const blank = data.filter((_, i) => i % 4 === 3 && data[i] === 0).length;
        expect(blank).toBeLessThan(data.length / 4 / 20); // the hair between columns
      });
    }
  });

  it("are the same again when they are scrolled back to", async () => {
    const { root } = await show(new FakeModel(await message({ rows: 40, columns: 1500 }), { selected: [39, 0] }));
    const before = pixels(root);
    const at = scroller(root);
    for (at.scrollLeft = 0; at.scrollLeft < 20_000; at.scrollLeft += 600) {
      await new Promise(requestAnimationFrame);
    }
    expect(pixels(root)).not.toBe(before);
    at.scrollLeft = 0;
    await vi.waitFor(() => expect(pixels(root)).toBe(before));
  });

  it("show the selected one from the start", async () => {
    const { root } = await show(new FakeModel(await message({ columns: 300 }), { selected: [2, 250] }));
    await vi.waitFor(() => expect(scroller(root).scrollLeft).toBeGreaterThan(5000));
    expect(card(root)!.hidden).toBe(false);
  });
});
