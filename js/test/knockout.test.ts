// Bars that can be taken out: the switch, what it asks of Python, and what is shown of the answer.

import { describe, expect, it, vi } from "vitest";
import { userEvent } from "vitest/browser";
import { bySize, REST, sumOf } from "../src/bars/sum.js";
import { FakeModel, hindrances, show } from "./host.js";
import { message } from "./messages.js";

const ROWS = ["embed", "L0.attn", "L0.mlp", "L1H2", "L1.attn bias", "L1", "L1.mlp edit", "L1N30"];
const BEFORE = [0.5, 1, -2, 0.75, 0.1, 0.2, 0, 0.3];
const AFTER = [0.5, 1.5, -2, 0, 0.1, 0.2, 0, 0.3];
const SAID = "Attribution predicts −0.75; it costs 0.25: L0.attn +0.50 and all others 0.00 make up for it";
const EDIT = { grid: 0, site: "L1H2", position: 0, to: [], on: true };

const of = (name: string, values: number[]) => ({
  name,
  unit: "logits",
  center: 0,
  values: (row: number) => values[row]!,
});
const bars = (wish: Record<string, unknown> = {}) =>
  message({
    rows: ROWS.length,
    rowLabels: ROWS,
    columns: 1,
    view: "bars",
    candidates: null,
    trajectories: null,
    canEdit: true,
    quantities: [of("contribution", BEFORE)],
    ...wish,
  });
const edited = (predicted = true) =>
  bars({
    notes: ["another note", SAID],
    quantities: [
      of("contribution", AFTER),
      of("contribution before", BEFORE),
      ...(predicted ? [of("predicted change", [0, 0, 0, -0.75, 0, 0, 0, 0])] : []),
    ],
  });
const switches = (root: HTMLElement) => [...root.querySelectorAll<HTMLElement>(".lw-bars [role=switch]")];
const named = (root: HTMLElement, name: string) => switches(root).find((one) => one.ariaLabel === `take ${name} out`)!;
const asked = (model: FakeModel) => model.sent.flatMap((sent) => ("edits" in sent ? [sent.edits] : []));

describe("a switch on a bar", () => {
  it("is there for what can be taken out, and asks for it by pointer and by key", async () => {
    const model = new FakeModel(await bars(), { explains: true });
    const { root } = await show(model);
    expect(
      switches(root)
        .map((one) => one.ariaLabel)
        .sort(),
    ).toEqual(["L0.attn", "L0.mlp", "L1H2", "L1N30"].map((name) => `take ${name} out`));
    expect(await hindrances(root)).toEqual([]);
    await userEvent.click(named(root, "L1H2"));
    expect(asked(model)).toEqual([[EDIT]]);
    expect(model.get("selected")).toBeNull();
    expect(named(root, "L1H2").ariaChecked).toBe("true");
    named(root, "L0.mlp").focus();
    await userEvent.keyboard("{Enter}");
    expect(asked(model).at(-1)).toEqual([EDIT, { ...EDIT, site: "L0.mlp" }]);
    expect(root.querySelectorAll(".lw-edit")).toHaveLength(2);
    await userEvent.click(named(root, "L1H2"));
    expect(asked(model).at(-1)).toEqual([
      { ...EDIT, site: "L0.mlp" },
      { ...EDIT, on: false },
    ]);
    expect(named(root, "L1H2").ariaChecked).toBe("false");
  });

  it("says that it needs the notebook where there is none that could answer", async () => {
    const model = new FakeModel(await bars(), { explains: true });
    const { root } = await show(model);
    model.happen("comm_live_update");
    await userEvent.click(named(root, "L1H2"));
    await vi.waitFor(() => expect(root.querySelector(".lw-edits")!.textContent).toContain("needs the notebook"));
    expect(asked(model)).toEqual([]);
  });

  it("is not there where nothing can be asked for again", async () => {
    const { root } = await show(new FakeModel(await bars({ canEdit: undefined }), { explains: true }));
    expect(switches(root)).toEqual([]);
  });
});

describe("what happened", () => {
  const px = (element: Element) => element.getBoundingClientRect();

  it("is said in a sentence, and marked beside what was predicted", async () => {
    const { root } = await show(new FakeModel(await edited(), { explains: true, edits: [EDIT] }));
    expect(root.querySelector(".lw-bars-view > .lw-sentence")!.textContent).toBe(SAID);
    const track = root.querySelector(".lw-bars-view > .lw-track")!;
    const [was, now] = [px(track.querySelector(".lw-was")!), px(track.querySelector(".lw-signed")!)];
    expect(now.width / was.width).toBeCloseTo(0.25 / 0.75, 1);
    expect(now.right).toBeCloseTo(was.right, 0);
    expect(named(root, "L1H2").ariaChecked).toBe("true");
  });

  it("comes while the switch keeps the focus", async () => {
    const model = new FakeModel(await bars(), { explains: true });
    const { root } = await show(model);
    named(root, "L1H2").focus();
    await userEvent.keyboard(" ");
    model.change("grids", (await edited()) as never);
    await vi.waitFor(() => expect(root.querySelector(".lw-was")).not.toBeNull());
    expect(document.activeElement).toBe(named(root, "L1H2"));
    await userEvent.keyboard(" ");
    expect(asked(model).at(-1)).toEqual([{ ...EDIT, on: false }]);
  });

  it("is drawn on each bar, with what the bar was before", async () => {
    const { root } = await show(new FakeModel(await edited(), { explains: true, edits: [EDIT] }));
    const row = [...root.querySelectorAll("tr[data-place]")].find((one) => one.textContent!.startsWith("L0.attn"))!;
    expect(px(row.querySelector(".lw-signed")!).width / px(row.querySelector(".lw-was")!).width).toBeCloseTo(1.5, 1);
  });

  it("has no mark where nothing was predicted", async () => {
    const { root } = await show(new FakeModel(await edited(false), { explains: true, edits: [EDIT] }));
    expect(root.querySelector(".lw-bars-view > .lw-track")).toBeNull();
    expect(root.querySelector(".lw-bars-view > .lw-sentence")).not.toBeNull();
  });

  it("keeps what was large before in sight, and sums up the rest of both", () => {
    const { bars, domain } = sumOf(AFTER, bySize(AFTER, BEFORE), "by size", 3, undefined, BEFORE);
    expect(bars.map(({ place }) => place)).toEqual([2, 1, 3, REST]);
    expect(bars.map(({ was }) => was)).toEqual([-2, 1, 0.75, expect.closeTo(1.1)]);
    expect(domain).toEqual([-2, 1.5]);
  });
});
