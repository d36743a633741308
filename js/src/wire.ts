// Bytes → Grids. Twin of lenswidget/wire.py, whose first lines describe the layout; no other file here knows it.

import type { Comparison } from "./comparison.js";
import { type Check, type Grid, NO_TOKEN, type Quantity, type Strip } from "./grid.js";

const VERSION = 1;

/** What a host may hand over: Jupyter gives a DataView, Colab a Uint8Array, a page an ArrayBuffer. */
export type Message = ArrayBuffer | ArrayBufferView<ArrayBuffer>;

type Dtype = "i4" | "u2" | "u1" | "f4" | "f2";

interface Reference {
  dtype: Dtype;
  shape: number[];
  offset: number;
}

/** One grid of the header, key for key as wire.py writes it. */
export interface GridHeader {
  title: string;
  kind: string;
  model: string;
  notes: string[];
  check: Check | null;
  rows: string[];
  tokens: { ids: number[]; texts: string[]; special: number[] };
  columns: Reference;
  columnLabels: string[] | null;
  view: "heatmap" | "bars";
  positions: Reference;
  aside: number[];
  following: Reference | null;
  decision: Reference | null;
  targets: { label: string; tokens: number[] }[];
  quantities: (Omit<Quantity, "values"> & { values: Reference })[];
  strips: (Omit<Strip, "values"> & { values: Reference })[];
  jumps: { columns: Reference; tokens: Reference; parts: string[]; values: Reference; check: Check } | null;
  candidates: { tokens: Reference; logProbability: Reference } | null;
  trajectories: { offsets: Reference; tokens: Reference; probability: Reference } | null;
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
}

/** What a message holds. */
export interface Shown {
  grids: Grid[];
  comparison: Comparison | null;
}

/** Opens a message. Rejects with a sentence that a reader can act on. */
export async function decode(message: Message): Promise<Shown> {
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
  // a copy, so that the arrays, each on a multiple of eight bytes, are aligned whatever the header's length
  const arrays = new Arrays(bytes.slice(4 + length));
  const { grids, comparison } = header;
  return {
    grids: grids.map((grid) => build(grid, arrays)),
    comparison: comparison && {
      ...comparison,
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

function build(header: GridHeader, arrays: Arrays): Grid {
  const { candidates, jumps, trajectories } = header;
  return {
    ...header,
    tokens: { ...header.tokens, special: new Set(header.tokens.special) },
    columns: arrays.integers(header.columns),
    positions: arrays.integers(header.positions),
    aside: new Set(header.aside),
    gaps: new Set(),
    following: header.following && arrays.integers(header.following),
    decision: header.decision && arrays.integers(header.decision),
    quantities: header.quantities.map((quantity) => ({ ...quantity, values: arrays.floats(quantity.values) })),
    strips: header.strips.map((strip) => ({ ...strip, values: arrays.floats(strip.values) })),
    jumps: jumps && {
      ...jumps,
      columns: arrays.integers(jumps.columns),
      tokens: arrays.tokens(jumps.tokens),
      values: arrays.floats(jumps.values),
    },
    candidates: candidates && {
      count: candidates.tokens.shape[2]!,
      tokens: arrays.tokens(candidates.tokens),
      logProbability: arrays.reader(candidates.logProbability),
    },
    trajectories: trajectories && {
      offsets: arrays.integers(trajectories.offsets),
      tokens: arrays.tokens(trajectories.tokens),
      codes: arrays.view(trajectories.probability, Uint8Array),
    },
  };
}

/** The arrays of a message, by reference. */
class Arrays {
  constructor(private readonly buffer: ArrayBuffer) {}

  view<T>({ shape, offset }: Reference, type: TypedArray<T>): T {
    const length = shape.reduce((product, size) => product * size, 1);
    if (offset + length * type.BYTES_PER_ELEMENT > this.buffer.byteLength) throw damaged();
    return new type(this.buffer, offset, length);
  }

  integers(reference: Reference): Int32Array {
    return this.view(reference, Int32Array);
  }

  tokens(reference: Reference): Int32Array {
    if (reference.dtype === "i4") return this.integers(reference);
    const places = this.view(reference, Uint16Array);
    const tokens = new Int32Array(places.length); // a loop, not `from`: there may be millions
    for (let i = 0; i < tokens.length; i++) tokens[i] = places[i] === 0xffff ? NO_TOKEN : places[i]!;
    return tokens;
  }

  floats(reference: Reference): Float32Array {
    if (reference.dtype === "f4") return this.view(reference, Float32Array);
    const whole = reference.dtype === "i4";
    const codes = whole ? this.integers(reference) : this.view(reference, Uint16Array);
    const floats = new Float32Array(codes.length);
    if (whole) {
      // counted from one, so zero says that there was nothing to count
      for (let i = 0; i < floats.length; i++) floats[i] = codes[i] || Number.NaN;
    } else {
      const table = halves();
      for (let i = 0; i < floats.length; i++) floats[i] = table[codes[i]!]!;
    }
    return floats;
  }

  /** Reads one number at a time: for what is asked for a cell at a time, of millions. */
  reader(reference: Reference): (index: number) => number {
    const codes = this.view(reference, Uint16Array);
    return (index) => halves()[codes[index]!]!;
  }
}

type TypedArray<T> = { new (buffer: ArrayBuffer, offset: number, length: number): T; BYTES_PER_ELEMENT: number };

let table: Float32Array | undefined;

/** The value of each of the 65,536 half-precision numbers: looking one up beats working it out, a million times. */
function halves(): Float32Array {
  if (table) return table;
  table = new Float32Array(0x10000);
  for (let bits = 0; bits < table.length; bits++) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = (bits & 1023) / 1024;
    if (exponent === 0) table[bits] = sign * 2 ** -14 * fraction;
    else if (exponent < 31) table[bits] = sign * 2 ** (exponent - 15) * (1 + fraction);
    else table[bits] = fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  }
  return table;
}
