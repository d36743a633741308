// Bytes → Grids. Twin of lenswidget/view/wire.py, whose first lines describe the layout; no other file here knows it.

import type { Comparison } from "./comparison.js";
import {
  type Answer,
  type Check,
  type Described,
  type Grid,
  NO_TOKEN,
  type Quantity,
  type RowQuantity,
  type Sweep,
} from "./grid.js";
import { spaced } from "./marks.js";
import { type Splice, spliced } from "./spliced.js";

const VERSION = 6;
/** What a byte can say of a probability; wire.py's PROBABILITIES. */
const PROBABILITIES = Float32Array.from([
  0,
  ...Array.from({ length: 16 }, (_, i) => 1e-4 * 100 ** (i / 16)),
  ...Array.from({ length: 90 }, (_, i) => (10 + i) / 1000),
  ...Array.from({ length: 89 }, (_, i) => (10 + i) / 100),
  ...Array.from({ length: 10 }, (_, i) => (990 + i) / 1000),
  0.9995,
  1,
]);

/** The place of 1 % among them. */
const ONE_PERCENT = 17;

/** What a host may hand over: Jupyter gives a DataView, Colab a Uint8Array, a page an ArrayBuffer. */
export type Message = ArrayBuffer | ArrayBufferView<ArrayBuffer>;

type Dtype = "i4" | "u2" | "u1" | "f4" | "f2";

interface Reference {
  dtype: Dtype;
  shape: number[];
  offset: number;
}

/** One grid of the header, key for key as wire.py writes it. */
export interface GridHeader extends Described {
  tokens: { ids: Reference; texts: string[]; special: number[] };
  columns: Reference;
  view: Grid["view"];
  positions: Reference;
  excluded: number[];
  following: Reference | null;
  decision: Reference | null;
  targets: { label: string; tokens: number[] }[];
  quantities: (Omit<Quantity, "values" | "isHalf"> & { values: Reference | { exponent: number } })[];
  rowQuantities: (Omit<RowQuantity, "values" | "parts"> & {
    values: Reference;
    parts: { name: string; values: Reference }[];
  })[];
  jumps: { columns: Reference; tokens: Reference; parts: string[]; values: Reference; check: Check } | null;
  sides: { names: string[]; tokens: Reference; logProbability: Reference; equal: number[]; why: string } | null;
  candidates: { ranks: Reference } | { tokens: Reference; logProbability: Reference } | null;
  trajectories: { offsets: Reference; tokens: Reference; steps: Reference[] } | null;
  /** Of a sweep alone. */
  sweep?: Omit<Sweep, "columns" | "tokens" | "said"> & { columns: Reference; tokens: Reference; said: Reference };
  /** Of bars alone. */
  canEdit?: boolean;
  /** Of an overview alone. */
  answers?: Answer[];
}

/** How the grids of a message answer to each other, key for key as wire.py writes it. */
export interface ComparisonHeader {
  names: string[];
  rows: Reference;
  columns: Reference;
  differences: (GridHeader | null)[];
  overview: GridHeader | null;
  mean: GridHeader | null;
  notes: string[];
}

export interface Header {
  version: number;
  grids: GridHeader[];
  comparison: ComparisonHeader | null;
  /** Of a piece: which columns of what came before its own replace. */
  splice?: Splice;
}

/** What a message holds. */
export interface Shown {
  grids: Grid[];
  comparison: Comparison | null;
}

/** What begins a message of several pieces; the stream that another one is begins otherwise. */
const PIECES = 0;

/** The pieces of a message: one that is whole, and then those that replace some of its columns. */
export function piecesOf(message: Message): Message[] {
  const bytes = bytesOf(message);
  if (bytes[0] !== PIECES) return [message];
  const found: Uint8Array<ArrayBuffer>[] = [];
  const lengths = new DataView(bytes.buffer, bytes.byteOffset);
  for (let at = 1; at + 4 <= bytes.length; at += 4 + found.at(-1)!.length) {
    found.push(bytes.subarray(at + 4, at + 4 + lengths.getUint32(at, true)));
  }
  return found.length ? found : [message];
}

function bytesOf(message: Message): Uint8Array<ArrayBuffer> {
  return ArrayBuffer.isView(message)
    ? new Uint8Array(message.buffer, message.byteOffset, message.byteLength)
    : new Uint8Array(message);
}

/** The same as one message. */
export function joinedPieces(messages: Message[]): Message {
  if (messages.length === 1) return messages[0]!;
  const pieces = messages.map(bytesOf);
  const bytes = new Uint8Array(pieces.reduce((size, piece) => size + 4 + piece.length, 1));
  let at = 1;
  for (const piece of pieces) {
    new DataView(bytes.buffer).setUint32(at, piece.length, true);
    bytes.set(piece, at + 4);
    at += 4 + piece.length;
  }
  return bytes;
}

/** Opens a message. Rejects with a sentence that a reader can act on. */
export function decode(message: Message): Promise<Shown> {
  return decodePieces(piecesOf(message));
}

/** Opens the pieces of a message, each put in its place; `known` is what the first of them hold. */
export async function decodePieces(pieces: Message[], known?: Shown): Promise<Shown> {
  const found = await Promise.all(pieces.map(opened));
  let shown = known ?? found.shift()!;
  for (const { grids, splice } of found) {
    if (!splice) throw damaged();
    shown = { grids: [spliced(shown.grids[0]!, grids[0]!, splice)], comparison: null };
  }
  return shown;
}

async function opened(message: Message): Promise<Shown & { splice?: Splice | undefined }> {
  const bytes = await inflate(message);
  if (bytes.byteLength < 4) throw damaged();
  const length = new DataView(bytes).getUint32(0, true);
  if (4 + length > bytes.byteLength) throw damaged();

  let header: Header;
  try {
    header = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length)));
  } catch {
    throw damaged();
  }
  if (header.version !== VERSION) {
    throw new Error(
      `This picture was made by another version of lenswidget (data version ${header.version}; this one reads ` +
        `${VERSION}). Run the cell again, or upgrade with pip install -U lenswidget.`,
    );
  }
  try {
    return { ...shownBy(header, arraysOf(bytes, 4 + length)), splice: header.splice };
  } catch (reason) {
    // a header that somebody changed lacks what its version has; where memory runs out, that is what is said
    throw reason instanceof TypeError ? damaged() : reason;
  }
}

function shownBy({ grids, comparison }: Header, arrays: Arrays): Shown {
  return {
    grids: grids.map((grid) => build(grid, arrays)),
    comparison: comparison && {
      names: readable(comparison.names),
      exactNames: comparison.names,
      notes: readable(comparison.notes),
      rows: arrays.integers(comparison.rows),
      columns: arrays.integers(comparison.columns),
      differences: comparison.differences.map((grid) => grid && build(grid, arrays)),
      overview: comparison.overview && build(comparison.overview, arrays),
      mean: comparison.mean && build(comparison.mean, arrays),
    },
  };
}

async function inflate(message: Message): Promise<ArrayBuffer> {
  if (typeof DecompressionStream === "undefined") {
    throw new Error("This browser is too old to open the picture: it has no DecompressionStream.");
  }
  // by hand, because piping a Blob into a Response takes twice as long
  const { readable, writable } = new DecompressionStream("deflate");
  const writer = writable.getWriter();
  const written = Promise.all([writer.write(message), writer.close()]);
  written.catch(() => {}); // the reader meets the same error
  const reader = readable.getReader();
  const chunks: Uint8Array[] = [];
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) chunks.push(next.value);
  } catch {
    throw damaged();
  }
  const bytes = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0));
  let end = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, end);
    end += chunk.length;
  }
  return bytes.buffer;
}

function damaged(): Error {
  return new Error("This picture's data is damaged or cut short. Run the cell again.");
}

/** Every text in it as readers see it. */
function readable<T>(header: T): T {
  return JSON.parse(JSON.stringify(header), (_, value) => (typeof value === "string" ? spaced(value) : value));
}

function build(header: GridHeader, arrays: Arrays): Grid {
  // quantities are known by their names, and tokens have marks of their own
  const { tokens, quantities, sweep, ...rest } = header;
  const seen = readable(rest);
  const { jumps } = seen;
  const columns = header.columns.shape[0]!;
  const trajectories = header.trajectories && {
    offsets: arrays.integers(header.trajectories.offsets),
    tokens: arrays.packed(header.trajectories.tokens, Int32Array),
    places: placesOf(header.trajectories.tokens.shape[0]!, header.rows.length, header.trajectories.steps),
    probabilities: PROBABILITIES,
  };
  return {
    ...seen,
    exact: header,
    tokens: {
      ...tokens,
      ids: [...arrays.packed(tokens.ids, Int32Array)],
      special: new Set(tokens.special),
    },
    columns: arrays.integers(header.columns),
    positions: arrays.integers(header.positions),
    excluded: new Set(header.excluded),
    gaps: new Set(),
    following: header.following && arrays.integers(header.following),
    decision: header.decision && arrays.integers(header.decision),
    quantities: quantities.map((quantity) => ({
      ...quantity,
      unit: spaced(quantity.unit),
      isHalf: "exponent" in quantity.values || quantity.values.dtype === "f2",
      values: valuesOf(quantity.values),
    })),
    rowQuantities: seen.rowQuantities.map((one) => ({
      ...one,
      values: arrays.view(one.values, Float32Array),
      parts: one.parts.map(({ name, values }) => ({ name, values: arrays.view(values, Float32Array) })),
    })),
    sides: sidesOf(),
    jumps: jumps && {
      ...jumps,
      columns: arrays.integers(jumps.columns),
      tokens: arrays.integers(jumps.tokens),
      values: arrays.singles(jumps.values),
    },
    candidates: candidates(),
    trajectories,
    sweep: sweep
      ? {
          ...sweep, // its metric is a quantity by its name
          ...readable({ source: sweep.source, put: sweep.put, measured: sweep.measured, story: sweep.story }),
          columns: arrays.integers(sweep.columns),
          tokens: arrays.integers(sweep.tokens),
          said: arrays.floats(sweep.said),
        }
      : null,
  };

  function valuesOf(values: Reference | { exponent: number }): Float32Array {
    if (!("exponent" in values)) {
      return header.view === "bars" ? arrays.exact(values) : arrays.floats(values);
    }
    return valuesOf(quantities[values.exponent]!.values).map((exponent) => 2 ** exponent);
  }

  /** Each step goes up from the place in the row before, modulo 256; which array it is in, that place says. */
  function placesOf(count: number, rows: number, references: Reference[]): Uint8Array {
    const [none, low, high] = references.map((reference) => arrays.view(reference, Uint8Array));
    const places = new Uint8Array(count * rows);
    let [n, l, h] = [0, 0, 0]; // and no table of them: there may be millions of steps
    for (let i = 0; i < places.length; i++) {
      const before = i < count ? 0 : places[i - count]!;
      places[i] = before + (before === 0 ? none![n++]! : before < ONE_PERCENT ? low![l++]! : high![h++]!);
    }
    return places;
  }

  function sidesOf(): Grid["sides"] {
    if (!seen.sides) return null;
    const { names, equal, why, ...written } = seen.sides;
    const tokens = arrays.indices(written.tokens);
    const bits = arrays.floats(written.logProbability);
    const at = (cell: number, side: number) => 2 * cell + side;
    return {
      ...{ names, equal, why },
      token: (cell, side) => tokens[at(cell, side)]!,
      probability: (cell, side) => 2 ** bits[at(cell, side)]!,
    };
  }

  function candidates(): Grid["candidates"] {
    const known = header.candidates;
    if (!known) return null;
    if ("tokens" in known) {
      const count = known.tokens.shape[2]!;
      const tokens = arrays.indices(known.tokens);
      const logProbability = arrays.floats(known.logProbability);
      return {
        count,
        token: (cell, place) => tokens[cell * count + place]!,
        probability: (cell, place) => 2 ** logProbability[cell * count + place]!,
      };
    }
    const count = known.ranks.shape[2]!;
    const { offsets, tokens, places } = trajectories!;
    const entries = arrays.indices(known.ranks);
    // a column is sorted when it is first looked at: to sort all of a long prompt takes longer than to paint what is in view
    const isSorted = new Uint8Array(columns);
    const sortColumn = (column: number) => {
      isSorted[column] = 1;
      const order = new Int32Array(offsets[column + 1]! - offsets[column]!);
      for (let i = 0; i < order.length; i++) order[i] = offsets[column]! + i;
      for (let row = 0; row < header.rows.length; row++) {
        sort(order, places, row * tokens.length);
        const start = (row * columns + column) * count;
        for (let i = start; i < start + count; i++) entries[i] = order[entries[i]!] ?? NO_TOKEN;
      }
    };
    const entryAt = (cell: number, place: number) => {
      if (!isSorted[cell % columns]) sortColumn(cell % columns);
      return entries[cell * count + place]!;
    };
    return {
      count,
      token: (cell, place) => tokens[entryAt(cell, place)] ?? NO_TOKEN,
      probability: (cell, place) => {
        const row = Math.floor(cell / columns);
        return PROBABILITIES[places[row * tokens.length + entryAt(cell, place)]!]!;
      },
    };
  }
}

/** Sorts entries by their places in a row, the highest first, equal ones as they are numbered. Rows have nearly the same order. */
function sort(order: Int32Array, places: Uint8Array, row: number): void {
  for (let i = 1; i < order.length; i++) {
    const entry = order[i]!;
    const place = places[row + entry]!;
    let to = i;
    for (; to > 0; to--) {
      const other = order[to - 1]!;
      const above = places[row + other]!;
      if (above > place || (above === place && other < entry)) break;
      order[to] = other;
    }
    if (to < i) order[to] = entry;
  }
}

type TypedArray<T> = { new (buffer: ArrayBuffer): T; BYTES_PER_ELEMENT: number };

type Arrays = ReturnType<typeof arraysOf>;

/** The arrays of a message, by reference. */
function arraysOf(buffer: ArrayBuffer, start: number) {
  /** A copy, which is aligned wherever the array lay, and lets go of the message. */
  function view<T>({ shape, offset }: Reference, type: TypedArray<T>): T {
    const from = start + offset;
    const end = from + type.BYTES_PER_ELEMENT * size(shape);
    if (end > buffer.byteLength) throw damaged();
    return new type(buffer.slice(from, end));
  }

  const integers = (reference: Reference) => view(reference, Int32Array);

  /** Indices into something, NO_TOKEN for none. */
  function indices(reference: Reference): Int32Array {
    if (reference.dtype === "i4") return integers(reference);
    const short = view<Uint8Array | Uint16Array>(reference, reference.dtype === "u1" ? Uint8Array : Uint16Array);
    const none = 256 ** short.BYTES_PER_ELEMENT - 1;
    const indices = new Int32Array(short.length); // a loop, not `from`: there may be millions
    for (let i = 0; i < indices.length; i++) indices[i] = short[i] === none ? NO_TOKEN : short[i]!;
    return indices;
  }

  /** The bits of a packed array: differences between rows, the lowest bytes first. */
  function packed<T extends Int32Array | Uint16Array>(reference: Reference, type: TypedArray<T>): T {
    const length = size(reference.shape);
    const planes = type.BYTES_PER_ELEMENT;
    const bytes = view({ ...reference, shape: [length * planes] }, Uint8Array);
    const bits = new type(new ArrayBuffer(length * planes));
    const row = length / (reference.shape[0] || 1);
    for (let i = 0; i < length; i++) {
      let difference = 0;
      for (let plane = 0; plane < planes; plane++) difference |= bytes[plane * length + i]! << (8 * plane);
      bits[i] = difference + (i < row ? 0 : bits[i - row]!);
    }
    return bits;
  }

  const singles = (reference: Reference) => new Float32Array(packed(reference, Int32Array).buffer);

  function floats(reference: Reference): Float32Array {
    if (reference.dtype === "f4") return singles(reference);
    const isCount = reference.dtype === "i4";
    const codes = packed<Int32Array | Uint16Array>(reference, isCount ? Int32Array : Uint16Array);
    const floats = new Float32Array(codes.length);
    const table = halves();
    // counted from one, so zero says that there was nothing to count
    for (let i = 0; i < floats.length; i++) floats[i] = isCount ? codes[i]! || Number.NaN : table[codes[i]!]!;
    return floats;
  }

  /** What is added up, which isn't packed unless it is counted. */
  const exact = (reference: Reference) =>
    reference.dtype === "f4" ? view(reference, Float32Array) : floats(reference);

  return { view, integers, indices, packed, singles, floats, exact };
}

function size(shape: number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

let table: Float32Array | undefined;

/** The value of each of the 65,536 half-precision numbers: looking one up beats working it out, a million times. */
function halves(): Float32Array {
  if (table) return table;
  table = new Float32Array(0x10000).map((_, bits) => {
    const size = bits & 0x7fff;
    let value = size * 2 ** -24; // ten bits, and above them the exponent, which begins at 1
    if (size >= 1024) value = 2 ** ((size >> 10) - 25) * (1024 + (size & 1023));
    if (size >= 0x7c00) value = size > 0x7c00 ? Number.NaN : Number.POSITIVE_INFINITY;
    return bits > size ? -value : value;
  });
  return table;
}
