import { describe, expect, it, vi } from "vitest";
import expected from "../../tests/golden/grid.json";
import { candidatesAt, type Grid, trajectory } from "../src/data/grid.js";
import { decode, type GridHeader, joinedPieces, piecesOf } from "../src/data/wire.js";
import { deflate, golden, goldenPieces, message } from "./messages.js";

const HEADER_KEYS: Record<Exclude<keyof GridHeader, "sweep" | "canEdit" | "answers" | "below">, true> = {
  title: true,
  kind: true,
  model: true,
  notes: true,
  check: true,
  provenance: true,
  rows: true,
  tokens: true,
  columns: true,
  columnLabels: true,
  view: true,
  rowQuantities: true,
  jumps: true,
  sides: true,
  positions: true,
  excluded: true,
  following: true,
  decision: true,
  targets: true,
  quantities: true,
  candidates: true,
  trajectories: true,
};

describe("what Python wrote is what the browser reads", () => {
  it("has exactly the keys that the type has", () => {
    expect(Object.keys(expected.header.grids[0]!).sort()).toEqual(Object.keys(HEADER_KEYS).sort());
  });

  it("keeps every quantity within half precision, and what is not finite as it was", async () => {
    const {
      grids: [grid],
    } = await decode(await golden());
    for (const [name, rows] of Object.entries(expected.expected.quantities)) {
      const { values } = grid!.quantities.find((quantity) => quantity.name === name)!;
      for (const [cell, written] of rows.flat().entries()) {
        const value = typeof written === "string" ? Number(written.replace("inf", "Infinity")) : written;
        if (Number.isFinite(value)) expect(values[cell]).toBeCloseTo(value, Math.abs(value) > 100 ? -1 : 2);
        else expect(values[cell]).toBe(value);
      }
    }
  });

  it("keeps what stands beside the rows, and who moved a token from one to the next", async () => {
    const {
      grids: [grid],
    } = await decode(await golden());
    const near = (read: number, written: number | string) => {
      if (typeof written === "string") expect(read).toBeNaN();
      else expect(read).toBeCloseTo(written, 2);
    };
    for (const [i, values] of expected.expected.rowQuantities.entries()) {
      for (const [row, value] of values.entries()) near(grid!.rowQuantities[i]!.values[row]!, value);
    }
    const written = (expected.expected.jumps as (number | string)[][][]).flat(2);
    expect(grid!.jumps!.values).toHaveLength(written.length);
    for (const [i, value] of written.entries()) near(grid!.jumps!.values[i]!, value);
  });

  it("finds the candidates of every cell, in their order", async () => {
    const {
      grids: [grid],
    } = await decode(await golden());
    for (const [row, columns] of expected.expected.candidateIds.entries()) {
      for (const [column, ids] of columns.entries()) {
        const found = candidatesAt(grid!, { row, column });
        expect(found.map(({ token }) => grid!.tokens.ids[token])).toEqual(ids);
        for (const [i, { probability }] of found.entries()) {
          expect(probability).toBeCloseTo(expected.expected.candidateProbability[row]![column]![i]!, 2);
        }
      }
    }
  });

  it("follows every trajectory within what a byte can hold", async () => {
    const {
      grids: [grid],
    } = await decode(await golden());
    const { offsets, tokens } = grid!.trajectories!;
    for (let column = 0; column < grid!.columns.length; column++) {
      for (let entry = offsets[column]!; entry < offsets[column + 1]!; entry++) {
        expect(grid!.tokens.ids[tokens[entry]!]).toBe(expected.expected.trajectoryIds[entry]);
        const found = trajectory(grid!, column, tokens[entry]!)!;
        for (const [row, probability] of expected.expected.trajectoryProbability[entry]!.entries()) {
          expect(Math.abs(found[row]! - probability)).toBeLessThan(0.008);
        }
      }
    }
  });
});

describe("a message", () => {
  it("may start at any offset of its buffer", async () => {
    const bytes = await golden();
    for (const shift of [1, 2, 3, 5]) {
      const buffer = new ArrayBuffer(bytes.length + shift + 7);
      new Uint8Array(buffer).set(bytes, shift);
      const {
        grids: [grid],
      } = await decode(new DataView(buffer, shift, bytes.length));
      expect(grid!.title).toBe(expected.header.grids[0]!.title);
    }
  });

  it.each([4, 99])("of version %i is refused, with what to do", async (version) => {
    const sentence = new RegExp(`data version ${version}; this one reads 6.*pip install -U lenswidget`);
    await expect(decode(await message({}, version))).rejects.toThrow(sentence);
  });

  it("that is cut short is refused, wherever it is cut", async () => {
    const bytes = await golden();
    for (const length of [0, 1, 10, bytes.length >> 1, bytes.length - 1]) {
      await expect(decode(bytes.slice(0, length))).rejects.toThrow(/damaged or cut short/);
    }
  });

  it("whose arrays are fewer than its header says is refused", async () => {
    const whole = new Blob([await golden()]).stream().pipeThrough(new DecompressionStream("deflate"));
    const short = (await new Response(whole).arrayBuffer()).slice(0, -16);
    await expect(decode(await deflate(new Blob([short])))).rejects.toThrow(/damaged or cut short/);
  });

  it("meets an old browser with a sentence", async () => {
    vi.stubGlobal("DecompressionStream", undefined);
    await expect(decode(await golden())).rejects.toThrow(/browser is too old/);
    vi.unstubAllGlobals();
  });

  it("tells a rank that wasn't counted from every rank", async () => {
    const ranks = { name: "rank", scale: "log", values: (row: number) => row };
    const {
      grids: [grid],
    } = await decode(await message({ quantities: [ranks] }));
    expect([...grid!.quantities[0]!.values.filter((_, cell) => cell % 4 === 0)]).toEqual([Number.NaN, 1, 2, 3, 4]);
  });

  it("has a gap in a trajectory where the cell holds no number", async () => {
    const quantities = [{ name: "probability", values: (row: number) => (row === 2 ? Number.NaN : 0.5) }];
    const {
      grids: [grid],
    } = await decode(await message({ quantities }));
    expect(Array.from(trajectory(grid!, 1, 0)!, Number.isNaN)).toEqual([false, false, true, false, false]);
  });
});

describe("a prompt that came in pieces", () => {
  const ids = ({ tokens }: Grid, found: Iterable<number>) => [...found].map((token) => tokens.ids[token] ?? -1);

  it("is the grid that came at once", async () => {
    const whole = (await decode(await golden())).grids[0]!;
    const grid = (await decode(await goldenPieces())).grids[0]!;
    expect(ids(grid, grid.columns)).toEqual(ids(whole, whole.columns));
    expect(grid.columns.map((token) => grid.tokens.texts[token]!.length)).toEqual(
      whole.columns.map((token) => whole.tokens.texts[token]!.length),
    );
    expect([...grid.positions]).toEqual([...whole.positions]);
    expect(grid.excluded).toEqual(whole.excluded);
    expect(ids(grid, grid.following!)).toEqual(ids(whole, whole.following!));
    expect(grid.decision).toEqual(whole.decision);
    expect(grid.notes).toEqual(whole.notes);
    expect(grid.targets.map(({ tokens }) => ids(grid, tokens))).toEqual(
      whole.targets.map(({ tokens }) => ids(whole, tokens)),
    );
    for (const [i, { name, values, domain }] of whole.quantities.entries()) {
      const ours = grid.quantities[i]!;
      expect(ours.name).toBe(name);
      expect(ours.domain).toEqual(domain);
      for (const [cell, value] of values.entries()) {
        if (Number.isFinite(value)) expect(ours.values[cell]! / (value || 1)).toBeCloseTo(value ? 1 : 0, 2);
        else expect(ours.values[cell]).toBe(value);
      }
    }
    for (let column = 0; column < whole.columns.length; column++) {
      for (let row = 0; row < whole.rows.length; row++) {
        const [ours, theirs] = [grid, whole].map((one) =>
          candidatesAt(one, { row, column }).map(({ token, probability }) => [one.tokens.ids[token]!, probability]),
        );
        expect(ours).toEqual(theirs);
      }
      for (const token of whole.tokens.ids.keys()) {
        const here = grid.tokens.ids.indexOf(whole.tokens.ids[token]!);
        expect(here < 0 ? null : trajectory(grid, column, here)).toEqual(trajectory(whole, column, token));
      }
    }
    expect([...grid.jumps!.columns]).toEqual([...whole.jumps!.columns]);
    expect(ids(grid, grid.jumps!.tokens)).toEqual(ids(whole, whole.jumps!.tokens));
    expect(grid.jumps!.values).toEqual(whole.jumps!.values);
  });

  it("is taken apart and put together", async () => {
    const message = await goldenPieces();
    expect(piecesOf(message)).toHaveLength(3);
    expect(joinedPieces(piecesOf(message))).toEqual(message);
    expect(piecesOf(message.buffer)).toHaveLength(3);
    const whole = await golden();
    expect(joinedPieces(piecesOf(whole))).toEqual(whole);
  });

  it("says so where it was cut short", async () => {
    const message = await goldenPieces();
    await expect(decode(message.slice(0, -20))).rejects.toThrow("damaged or cut short");
  });
});
