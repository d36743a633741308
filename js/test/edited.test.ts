// States and pages that somebody edited, hosts that lack something, and very large grids: a picture or a sentence.

import { afterEach, describe, expect, it, vi } from "vitest";
import { userEvent } from "vitest/browser";
import { mountPage } from "../src/host/page.js";
import { shared, suited } from "../src/state/settings.js";
import { canvasOf, card, chips, FakeModel, show } from "./host.js";
import { comparing, deflate, golden, message } from "./messages.js";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const NAMES = Object.keys(shared()) as (keyof ReturnType<typeof shared>)[];
const ODD: unknown[] = [
  null, -1, 1e9, 0.5, 1e-9, true, "", "<img src=x onerror=alert(1)>", "__proto__", "length", [], {}, [[]], [-1, -1],
  [1e9, 1e9], ["__proto__", "length"], [[["x"]]], { constructor: null, state: "running", message: { type: "img" } },
]; // biome-ignore format: a table

describe("a setting that somebody edited", () => {
  it.each(ODD.map((value) => [value]))("into %j is shown where it can be, and else as it began", async (value) => {
    const began = { selected: [3, 2], rows_compared: [1, 4] };
    const all = Object.fromEntries(NAMES.map((name) => [name, value]));
    const grids = await comparing([{}, { title: "b" }]);
    const [{ root }, model] = [await show(new FakeModel(grids, all)), new FakeModel(grids, began)];
    const other = await show(model);
    for (const name of NAMES) {
      const before = model.get(name);
      model.change(name, value);
      await new Promise((resolve) => setTimeout(resolve)); // what depends on it is drawn
      expect([name, other.root.dataset.state]).toEqual([name, "ready"]);
      expect(canvasOf(other.root).offsetHeight).toBeLessThan(8100);
      model.change(name, before);
    }
    expect(root.dataset.state).toBe("ready");
    expect(document.querySelector(".lenswidget img")).toBeNull();
  });

  it("by a name that this version doesn’t know is left out", () => {
    const before = { colour: "entropy", stride: 2 } as Parameters<typeof shared>[0];
    const now = shared(before);
    expect([now.color.value, now.stride.value, "colour" in now]).toEqual(["", 2, false]);
  });

  it("that is as Python makes it stays", () => {
    expect(suited("pins", [[1, 2], [3]])).toEqual([[1, 2], [3]]);
    expect(suited("jump", [1, -1, 3])).toEqual([1, -1, 3]);
    expect(suited("selected", null)).toBeNull();
    expect([suited("stride", "3"), suited("pins", [1]), suited("selected", ["0", "0"])]).toEqual([0, [], null]);
  });
});

describe("a message that somebody edited", () => {
  const edited = async (edit: (grid: Record<string, unknown>) => void) => {
    const whole = new Blob([await golden()]).stream().pipeThrough(new DecompressionStream("deflate"));
    const bytes = new Uint8Array(await new Response(whole).arrayBuffer());
    const length = new DataView(bytes.buffer).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
    edit(header.grids[0]);
    const text = new TextEncoder().encode(JSON.stringify(header));
    return deflate(new Blob([new Uint32Array([text.length]), text, bytes.slice(4 + length)]));
  };

  it.each(["title", "rows", "tokens", "columns", "quantities", "rowQuantities", "jumps", "trajectories", "candidates"])(
    "into one with another thing for %s is a picture or a sentence",
    async (name) => {
      const { root } = await show(new FakeModel(await edited((grid) => (grid[name] = 7))));
      const said = root.querySelector("[role=alert]")?.textContent ?? "";
      expect(said).toMatch(
        name === "title" ? /^$/ : /damaged or cut short. Run the cell again|There is nothing to show/,
      );
    },
  );

  it("as the answer to a jump is a sentence where the answer would stand", async () => {
    const jump = [2, 100, 3];
    const explained = { jump, grid: new Uint8Array([1, 2, 3]) };
    const { root } = await show(new FakeModel(await message(), { explains: true, jump, explained }));
    await vi.waitFor(() => expect(root.querySelector(".lw-jump")!.textContent).toContain("damaged or cut short"));
  });

  it("in one figure of a page leaves the others alive", async () => {
    const good = btoa(String.fromCharCode(...(await golden())));
    const figures = [
      { lens: "no base64!" },
      { lens: good, lensSettings: '{"stride": NaN}' },
      { lens: good, lensSettings: "[7]" },
      { lens: good },
    ].map((data) => {
      const el = document.createElement("div");
      Object.assign(el.dataset, data, { lensBy: "this" });
      document.body.append(el);
      return el;
    });
    const script = document.createElement("script");
    script.dataset.lensCode = "this";
    mountPage(script);
    const states = () => figures.map((el) => el.querySelector<HTMLElement>(".lenswidget")?.dataset.state);
    await vi.waitFor(() => expect(states()).toEqual(["error", "ready", "ready", "ready"]));
    expect(figures[0]!.textContent).toContain("damaged or cut short");
    for (const el of figures) el.remove();
  });
});

describe("copy", () => {
  it("code is there to be copied by hand where there is no clipboard", async () => {
    vi.stubGlobal("navigator", { ...navigator, clipboard: undefined });
    const { root } = await show(new FakeModel(await message()));
    await userEvent.click(root.querySelector("summary")!);
    await userEvent.click(root.querySelector(".lw-popup button")!);
    await vi.waitFor(() => expect(root.querySelector(".lw-popup [role=status]")!.textContent).toContain("Not copied"));
    expect(root.querySelector("textarea")!.value).toBe("lw.LensWidget(grid)");
  });

  it.each([
    ["may not be written to", { write: () => Promise.reject(new Error("Write permission denied.")) }],
    ["is not there", undefined],
  ])("of a picture is a sentence, or not offered, where the clipboard %s", async (_, clipboard) => {
    vi.stubGlobal("navigator", { ...navigator, clipboard });
    const { root } = await show(new FakeModel(await message()));
    const menu = root.querySelector<HTMLSelectElement>(".lw-export select")!;
    const offered = [...menu.options].map(({ value }) => value);
    expect(offered).toContain("png");
    expect(offered.includes("copy")).toBe(clipboard !== undefined);
    if (!clipboard) return;
    await userEvent.selectOptions(menu, "copy");
    await vi.waitFor(() =>
      expect(root.querySelector(".lw-export [role=status]")!.textContent).toMatch(
        /Not copied, but can be saved: Write/,
      ),
    );
  });
});

describe("very much", () => {
  it("of parts, as many as a large model has neurons, is drawn", async () => {
    const rowLabels = Array.from({ length: 150_000 }, (_, row) => `L${row >> 12}N${row & 4095}`);
    const quantities = [{ name: "contribution", values: (row: number) => row % 97 }];
    const wish = {
      rows: rowLabels.length,
      columns: 1,
      rowLabels,
      view: "bars",
      quantities,
      candidates: null,
      trajectories: null,
    };
    const { root } = await show(new FakeModel(await message(wish)));
    expect(root.dataset.state).toBe("ready");
    expect(root.textContent).toContain("149988 smaller");
  });

  it("of columns makes no picture that nobody could read", async () => {
    const { root } = await show(new FakeModel(await message({ columns: 1000 })));
    await userEvent.selectOptions(root.querySelector(".lw-export select")!, "png");
    await vi.waitFor(() =>
      expect(root.querySelector(".lw-export [role=status]")!.textContent).toContain(
        "too large for pixels, but not for SVG",
      ),
    );
  });

  it("of pins and of marks on one letter leaves the rest as it is", async () => {
    const flood = `e${"\u0301".repeat(500)}`;
    const pins = Array.from({ length: 300 }, (_, i) => [100 + (i % 4)]);
    const { root } = await show(
      new FakeModel(await message({ texts: [flood, "b", "c", "d"] }), { pins, selected: [4, 0] }),
    );
    expect(card(root)!.textContent).toContain(`e${"\u0301".repeat(8)}…`);
    expect(chips(root)).toHaveLength(300);
  });
});
