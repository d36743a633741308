// Messages to test with, written from the description of the layout and not from the decoder.

import comparisonUrl from "../../tests/golden/comparison.lens?url";
import goldenUrl from "../../tests/golden/grid.lens?url";
import piecesUrl from "../../tests/golden/pieces.lens?url";

/** The message that Python wrote; tests/golden/grid.json says what is in it. */
export async function golden(): Promise<Uint8Array<ArrayBuffer>> {
  return fetched(goldenUrl);
}

/** The same of several grids, and tests/golden/comparison.json. */
export async function goldenComparison(): Promise<Uint8Array<ArrayBuffer>> {
  return fetched(comparisonUrl);
}

/** The first again, as it came in pieces. */
export async function goldenPieces(): Promise<Uint8Array<ArrayBuffer>> {
  return fetched(piecesUrl);
}

async function fetched(url: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await fetch(url)).arrayBuffer());
}

export interface Wish {
  rows?: number;
  columns?: number;
  texts?: string[];
  /** Their token ids. */
  ids?: number[];
  rowLabels?: string[];
  /** Candidates of a cell: tokens with their probabilities, best first. */
  candidates?: ((row: number, column: number) => [token: number, probability: number][]) | null;
  /** The token that really follows each column. */
  following?: number[];
  /** Trajectories of a column. */
  followed?: (column: number) => number[];
  quantities?: { name: string; values: (row: number, column: number) => number; [key: string]: unknown }[];
  /** What moved tokens: for each entry its column, its token, and the parts of the jump to a row. */
  jumps?: {
    parts: string[];
    entries: [column: number, token: number, parts: (row: number) => number[]][];
    check?: object;
  };
  /** What cells are patches of; `said` of the base, then of the source. */
  sweep?: { columns: number[]; tokens: number[]; said: number[]; [key: string]: unknown };
  rowQuantities?: { name: string; values: number[]; [key: string]: unknown }[];
  /** Of a difference: the tokens that lead on both sides of a cell. */
  leaders?: (row: number, column: number) => number[];
  equal?: number[];
  why?: string;
  [key: string]: unknown;
}

/** An overview, but for how many rows it has. */
export const ANSWERS: Wish = {
  view: "overview",
  columnLabels: ["embed", "L0", "L1", "L2"],
  trajectories: null,
  quantities: [
    { name: "probability", values: () => 0.5 },
    { name: "belief", values: (_, column) => (column + 1) / 4 },
    { name: "probability of the right answer", values: () => 0.25 },
  ],
};

const CELL = [
  [0, 0.7],
  [1, 0.2],
  [2, 0.05],
] as [number, number][];

/** A message of one grid; what isn't wished for is small and plain. */
export async function message(wish: Wish = {}, version = 6): Promise<Uint8Array<ArrayBuffer>> {
  const arrays = new Arrays();
  return written({ version, grids: [header(wish, arrays)], comparison: null }, arrays);
}

export interface Comparing {
  names?: string[];
  /** For each slot the index into every grid, -1 for none; by default all grids are alike. */
  rows?: number[][];
  columns?: number[][];
  differences?: (Wish | null)[];
  overview?: Wish;
  mean?: Wish;
  notes?: string[];
}

/** A message of several grids that answer to each other. */
export async function comparing(wishes: Wish[], about: Comparing = {}): Promise<Uint8Array<ArrayBuffer>> {
  const arrays = new Arrays();
  const slots = (count: number) => Array.from({ length: count }, (_, slot) => wishes.map(() => slot));
  const axis = (given: number[][]) => arrays.put("i4", [given.length, wishes.length], given.flat());
  const less = {
    quantities: [{ name: "probability", center: 0, values: () => 0.25 }],
    candidates: null,
    trajectories: null,
  };
  const grids = wishes.map((wish) => header(wish, arrays));
  const comparison = {
    names: about.names ?? wishes.map((_, i) => `grid ${i}`),
    rows: axis(about.rows ?? slots(5)),
    columns: axis(about.columns ?? slots(4)),
    differences: (about.differences ?? wishes.slice(1).map(() => less)).map((wish) => wish && header(wish, arrays)),
    overview: about.overview ? header(about.overview, arrays) : null,
    mean: about.mean ? header(about.mean, arrays) : null,
    notes: about.notes ?? [],
  };
  return written({ version: 6, grids, comparison }, arrays);
}

function written(text: unknown, arrays: Arrays): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new TextEncoder().encode(JSON.stringify(text));
  const length = new Uint8Array(new Uint32Array([bytes.length]).buffer);
  return deflate(new Blob([length, bytes, ...arrays.parts]));
}

function header(wish: Wish, arrays: Arrays) {
  const {
    rows = 5,
    columns = 4,
    texts = [" zero", " one", " two", " three"],
    ids = texts.map((_, token) => 100 + token),
    quantities,
    followed,
    following,
    candidates,
    jumps,
    rowLabels,
    rowQuantities = [],
    leaders,
    equal = [],
    why = "",
    sweep,
    ...rest
  } = wish;
  const cells = <T>(value: (row: number, column: number) => T) =>
    Array.from({ length: rows * columns }, (_, cell) => value(Math.floor(cell / columns), cell % columns));
  const leading = candidates ?? (() => (candidates === null ? [] : CELL));
  const counts = leading(0, 0).length;
  const tracks = Array.from({ length: columns }, (_, column) => followed?.(column) ?? [0, 1]);
  const offsets = [0];
  for (const tokens of tracks) offsets.push(offsets.at(-1)! + tokens.length);
  return {
    title: "a prompt of tests",
    kind: "Logit lens",
    model: "a-model",
    notes: ["raw, unadjusted"],
    provenance: [["lenswidget", "test"]],
    rows: rowLabels ?? Array.from({ length: rows }, (_, row) => (row ? `L${row - 1}` : "embed")),
    tokens: {
      ids: arrays.pack("i4", [ids.length], ids),
      texts,
      special: [],
    },
    columns: arrays.put(
      "i4",
      [columns],
      Array.from({ length: columns }, (_, column) => column % texts.length),
    ),
    positions: arrays.put(
      "i4",
      [columns],
      Array.from({ length: columns }, (_, column) => column),
    ),
    columnLabels: null,
    view: "heatmap",
    rowQuantities: rowQuantities.map((quantity) => ({
      unit: "bits",
      strong: "low",
      domain: [0, 6],
      says: "this row was {} from the output",
      ...quantity,
      values: arrays.put("f4", [rows], quantity.values),
      parts: [],
    })),
    jumps: jumps
      ? {
          columns: arrays.put(
            "i4",
            [jumps.entries.length],
            jumps.entries.map(([column]) => column),
          ),
          tokens: arrays.put(
            "i4",
            [jumps.entries.length],
            jumps.entries.map(([, token]) => token),
          ),
          parts: jumps.parts,
          check: saying(jumps.check ?? { error: 1e-6, tolerance: 1e-4, claim: "rows sum to the jump" }),
          values: arrays.pack(
            "f4",
            [jumps.entries.length, rows, jumps.parts.length],
            jumps.entries.flatMap(([, , parts]) => Array.from({ length: rows }, (_, row) => parts(row)).flat()),
          ),
        }
      : null,
    sides: leaders
      ? {
          names: ["France", "Spain"],
          tokens: arrays.put("u2", [rows, columns, 2], cells(leaders).flat()),
          logProbability: arrays.pack("f2", [rows, columns, 2], cells(() => [-1, -2]).flat()),
          equal,
          why,
        }
      : null,
    ...(sweep && {
      sweep: {
        ...{ source: "the source’s prompt", put: "from 'the source’s prompt'", metric: "logit", base: -1, target: 3 },
        ...{ measured: "logit", story: ["It lies at ", { token: "a token" }, "."] },
        ...{ position: 3, first: 1 },
        ...sweep,
        columns: arrays.put("i4", [columns], sweep.columns),
        tokens: arrays.put("i4", [sweep.tokens.length], sweep.tokens),
        said: arrays.pack("f4", [2, sweep.tokens.length], sweep.said),
      },
    }),
    excluded: [],
    following: following ? arrays.put("i4", [columns], following) : null,
    decision: null,
    targets: [],
    quantities: (
      quantities ?? [{ name: "probability", domain: [0, 1], values: (r, c) => leading(r, c)[0]?.[1] ?? 0 }]
    ).map(({ values, ...quantity }) => ({
      ends: endsOf(cells(values), quantity, (rest.excluded as number[] | undefined) ?? [], columns),
      measure: quantity.name.split(" of ")[0],
      unit: "",
      scale: "linear",
      strong: "high",
      domain: null,
      center: null,
      target: null,
      ...quantity,
      values:
        rest.view === "bars" && quantity.scale !== "log"
          ? arrays.put("f4", [rows, columns], cells(values))
          : arrays.pack(quantity.scale === "log" ? "i4" : "f2", [rows, columns], cells(values)),
    })),
    candidates:
      candidates === null
        ? null
        : {
            tokens: arrays.put(
              "u2",
              [rows, columns, counts],
              cells((r, c) => leading(r, c).map(([token]) => token)).flat(),
            ),
            logProbability: arrays.pack(
              "f2",
              [rows, columns, counts],
              cells((r, c) => leading(r, c).map(([, probability]) => Math.log2(probability))).flat(),
            ),
          },
    trajectories: {
      offsets: arrays.put("i4", [columns + 1], offsets),
      tokens: arrays.pack("i4", [offsets.at(-1)!], tracks.flat()),
      // 20 places up in each row: from 0, from one below 1 %, and on from there
      steps: [1, 1, rows - 2].map((times) => {
        const count = offsets.at(-1)! * Math.max(0, times);
        return arrays.put("u1", [count], Array(count).fill(20));
      }),
    },
    ...rest,
    check: saying(rest.check === undefined ? CHECK : rest.check),
    ...(rest.view === "overview" && { answers: Array.from({ length: rows }, (_, row) => answer(row)) }),
  };

  /** As Python has it: what leads in the last layer, since when, and what became of the right answer. */
  function answer(row: number) {
    const leaders = Array.from({ length: columns }, (_, column) => leading(row, column)[0]?.[0] ?? 0xffff);
    const token = leaders.at(-1)!;
    const right = (rest.targets as { tokens: number[] }[] | undefined)?.[row]?.tokens ?? [];
    const isRight = right.length ? right.includes(token) : null;
    const led = leaders.findLastIndex((leader) => right.includes(leader));
    const before = leaders.findLastIndex((leader) => leader !== token && leader !== 0xffff);
    const likely = quantities?.find(({ name }) => name === "probability of the right answer");
    return {
      ...{ token: token === 0xffff ? -1 : token, probability: leading(row, columns - 1)[0]?.[1] ?? 0, right: isRight },
      decided: Math.min(before + 1, columns - 1),
      rightProbability: isRight === null || !likely ? null : likely.values(row, columns - 1),
      ledUntil: led < 0 || isRight ? null : led,
    };
  }
}

const least = (values: number[]) => values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);

/** The ends of a scale, as Python has them. */
function endsOf(values: number[], like: Record<string, unknown>, excluded: number[], columns: number) {
  const isLog = like.scale === "log";
  const known = values.filter(
    (one, i) => Number.isFinite(one) && !excluded.includes(i % columns) && (!isLog || one > 0),
  );
  const [first, last] = (like.domain as [number, number] | null | undefined) ?? [
    least(known),
    -least(known.map((one) => -one)),
  ];
  let [low, high] = known.length || like.domain ? [first, last] : [0, 1];
  if (isLog && low <= 0) low = known.length ? least(known) : 0.1;
  if (typeof like.center === "number") {
    const reach = Math.max(high - like.center, like.center - low);
    [low, high] = [like.center - reach, like.center + reach];
  }
  return low < high ? [low, high] : isLog ? [low / 2, low * 2] : [low - 0.5, low + 0.5];
}

interface Claim {
  error: number | null;
  tolerance: number;
  claim: string;
}
const CHECK: Claim = { error: 2e-6, tolerance: 1e-3, claim: "last row is the model" };

/** A check in the words that Python has for it. */
function saying(check: unknown) {
  const { error, tolerance, claim } = (check ?? CHECK) as Claim;
  const off =
    error === null ? ": not checked, as it is not finite" : error ? `, off by ${error.toExponential(0)}` : ", exactly";
  const isFailed = error !== null && error > tolerance;
  const says = isFailed ? `check failed: ${claim}${off}, more than ${tolerance.toExponential(0)}` : claim + off;
  return check && { ...(check as Claim), says };
}

export async function deflate(blob: Blob): Promise<Uint8Array<ArrayBuffer>> {
  const stream = blob.stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

type Dtype = "i4" | "u2" | "u1" | "f4" | "f2";

function bitsOf(dtype: Dtype, values: number[]) {
  return {
    i4: () => new Int32Array(values),
    u2: () => new Uint16Array(values),
    u1: () => new Uint8Array(values),
    f4: () => new Float32Array(values),
    f2: () => new Uint16Array(values.map(half)),
  }[dtype]();
}

class Arrays {
  readonly parts: Uint8Array<ArrayBuffer>[] = [];
  private size = 0;

  put(dtype: Dtype, shape: number[], values: number[]) {
    return this.append(dtype, shape, bitsOf(dtype, values));
  }

  /** As differences between rows, the lowest bytes of all first. */
  pack(dtype: Dtype, shape: number[], values: number[]) {
    const { buffer, byteLength } = bitsOf(dtype, values);
    const bits = byteLength / (values.length || 1) === 2 ? new Uint16Array(buffer) : new Uint32Array(buffer);
    const row = values.length / (shape[0] || 1);
    const differences = bits.map((value, i) => value - (bits[i - row] ?? 0));
    const whole = new Uint8Array(differences.buffer);
    const size = bits.BYTES_PER_ELEMENT;
    return this.append(
      dtype,
      shape,
      whole.map((_, i) => whole[(i % bits.length) * size + Math.floor(i / bits.length)]!),
    );
  }

  private append(dtype: Dtype, shape: number[], data: ArrayBufferView<ArrayBuffer>) {
    const reference = { dtype, shape, offset: this.size };
    this.parts.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    this.size += data.byteLength;
    return reference;
  }
}

/** The half-precision bits nearest to a number, found by cutting a single-precision number short. */
function half(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size > 65504) return sign | 0x7c00;
  if (size < 2 ** -14) return sign | Math.round(size * 2 ** 24);
  const exponent = Math.floor(Math.log2(size));
  return sign | (((exponent + 15) << 10) + Math.round((size / 2 ** exponent - 1) * 1024));
}
