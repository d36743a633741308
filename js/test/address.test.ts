// What a reader chose, in the address of a page.

import { afterEach, describe, expect, it, vi } from "vitest";
import { addressed, keepAddress } from "../src/host/address.js";
import { mount } from "../src/host/widget.js";
import { shared } from "../src/state/settings.js";
import { comparing, message } from "./messages.js";

const own = location.href;
const hash = (said: unknown) => `#${encodeURIComponent(JSON.stringify(said))}`;
const rested = () => new Promise((resolve) => setTimeout(resolve, 400));

afterEach(() => {
  document.body.replaceChildren();
  history.replaceState(null, "", own);
});

const HOSTILE = [
  "#", "#section-2", "#%", "#%E0%A4%A", "#null", "#[]", "#[null]", "#{}", "#[[[[]]]]", "#\"<img src=x onerror=alert(1)>\"",
  hash([{ selected: [1e9, -5] }]), hash([{ selected: "x" }]), hash([{ selected: [0] }]), hash([{ pins: [[1e30]] }]), hash([{ pins: {} }]),
  hash([{ view: "__proto__", color: "<script>", shown: -7, order: "constructor", trajectory: "toString", filter: "hasOwnProperty" }]),
  hash([{ __proto__: { selected: [1, 1] }, constructor: 1, live: true, prompt: "x", height: 1e9, stride: -1, progress: { state: "failed" } }]),
  hash([{ jump: [9, 9, 9, 9] }]), hash([{ jump: [0, 0, -1] }]), hash([{ jump: [0, 0, 1, 7] }]), hash([{ rows_compared: [5, 5, 5] }]),
  hash([{ rows_compared: [-1, 99] }]), `#${"[".repeat(1990)}`, `#${"a".repeat(100_000)}`, hash([{ pins: Array(900).fill([1]) }]),
]; // biome-ignore format: a corpus

describe("a hostile address", () => {
  it.each(HOSTILE)("%.40s opens the page with no error", async (address) => {
    const errors: unknown[] = [];
    const failed = (event: Event) => void errors.push(event);
    addEventListener("error", failed);
    addEventListener("unhandledrejection", failed);
    history.replaceState(null, "", address);
    for (const bytes of [await message({ rowQuantities: [] }), await comparing([{}, {}])]) {
      const el = document.createElement("div");
      document.body.append(el);
      const kept: ReturnType<typeof shared>[] = [];
      const remove = mount(el, bytes, {}, undefined, kept);
      keepAddress(kept);
      await vi.waitFor(() => expect(el.querySelector(".lenswidget")!.getAttribute("data-state")).toBe("ready"));
      expect(kept[0]!.live.value).toBe(false);
      expect([kept[0]!.height.value, kept[0]!.stride.value, kept[0]!.prompt.value]).toEqual([0, 0, ""]);
      remove();
    }
    expect(errors).toEqual([]);
    expect(({} as Record<string, unknown>).selected).toBeUndefined();
    removeEventListener("error", failed);
    removeEventListener("unhandledrejection", failed);
  });
});

describe("an address", () => {
  it("opens each figure of a page as it was seen", () => {
    const said = hash([{ selected: [3, 1] }, { pins: [[101], [5, 6]], view: "difference", color: "entropy" }]);
    expect(addressed(said, 0)).toEqual({ selected: [3, 1] });
    expect(addressed(said, 1)).toEqual({ pins: [[101], [5, 6]], view: "difference", color: "entropy" });
    expect(addressed(said, 2)).toEqual({});
  });

  it("keeps what was chosen, what differs from how the page began alone, and nothing where nothing does", async () => {
    const [one, other] = [shared({ selected: [2, 2] }), shared()];
    keepAddress([one, other]);
    await rested();
    expect(location.href).toBe(own);
    other.pins.value = [[7]];
    one.color.value = "entropy";
    await rested();
    expect([addressed(location.hash, 0), addressed(location.hash, 1)]).toEqual([{ color: "entropy" }, { pins: [[7]] }]);
    other.pins.value = [];
    one.color.value = "";
    await rested();
    expect(location.hash).toBe("");
  });

  it("is taken up where it changes, and what it doesn’t say is as it began", async () => {
    const settings = shared({ selected: [2, 2] });
    keepAddress([settings]);
    location.hash = hash([{ color: "rank" }]);
    await vi.waitFor(() => expect(settings.color.value).toBe("rank"));
    expect(settings.selected.value).toEqual([2, 2]);
  });

  it("is never longer than what it is sent through can hold", async () => {
    const settings = shared();
    keepAddress([settings]);
    settings.pins.value = Array.from({ length: 900 }, (_, i) => [i]);
    await rested();
    expect(location.href.length).toBeLessThan(2100);
  });

  it("leaves a place in the page alone until something is chosen", async () => {
    history.replaceState(null, "", "#section-2");
    keepAddress([shared()]);
    await rested();
    expect(location.hash).toBe("#section-2");
  });

  it("can be copied where the page has one, and isn’t offered elsewhere", async () => {
    const offered = async (kept?: ReturnType<typeof shared>[]) => {
      const el = document.createElement("div");
      document.body.append(el);
      mount(el, await message(), {}, undefined, kept);
      await vi.waitFor(() => expect(el.querySelector(".lw-popup")).not.toBeNull());
      return el.querySelector(".lw-popup")!.textContent!;
    };
    expect(await offered([])).toContain("copy link");
    expect(await offered()).not.toContain("copy link");
  });
});
