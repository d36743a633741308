// What Python and the browser share of a view, and what each of it may be.

import { signal } from "@preact/signals";
import type { Edit } from "../data/cone.js";

/** What Python and the browser share; `widget.py` has a trait for each. */
export interface Settings {
  /** Which of LAYOUTS, "" for the one that suits. */
  view: string;
  /** The grid in front where one is shown at a time. */
  shown: number;
  /** Those of LINKS that hold. */
  links: string[];
  /** Two rows to tell apart, or none. */
  rows_compared: number[];
  /** "look here" leaves out the rows in which nothing is decided. */
  filter: string;
  /** Whether there is a model to run prompts through. */
  live: boolean;
  /** Whether that model can go on with a prompt. */
  writes: boolean;
  prompt: string;
  /** Prompts to choose from, and those that were tried. */
  prompts: string[];
  tried: string[];
  /** What was said in a chat, before the question in the box. */
  turns: { role: string; content: string }[];
  progress: Progress;
  selected: [number, number] | null;
  /** Groups of token ids whose probabilities add. */
  pins: number[][];
  /** The name of the quantity that colors the cells, "" for the first. */
  color: string;
  trajectory: Measure;
  /** Every how many rows, 0 for as few as stay readable. */
  stride: number;
  /** In CSS pixels, 0 for one that suits. */
  height: number;
  /** The step of a trajectory that is open. */
  jump: Jump | null;
  /** Of bars. */
  order: Order;
  /** What a reader put into one of the grids, whose run Python makes again under it. */
  edits: Edit[];
}

/** A token's jump in logit from one row to the next: the column, the token's id, the upper row, and which grid of several. */
export type Jump = [column: number, id: number, row: number, grid?: number];

export const ORDERS = ["by size", "in order", "waterfall"] as const;
export type Order = (typeof ORDERS)[number];

export type Measure = "probability" | "log" | "rank";

/** The filter that keeps the rows in which something is decided. */
export const LOOK_HERE = "look here";

export interface Progress {
  state: "idle" | "running" | "failed";
  /** From 0 to 1, where it is known. */
  done?: number | null;
  /** What is being done, or what went wrong. */
  message?: string;
}

export const LINKS = ["hover", "selection", "pins", "color", "scroll", "stride"] as const;
export type Link = (typeof LINKS)[number];

/** A signal, or what reads and writes one in other terms. */
export interface Writable<T> {
  value: T;
  peek(): T;
}

export type Shared = { [Name in keyof Settings]: Writable<Settings[Name]> };

const DEFAULTS: Settings = {
  selected: null,
  pins: [],
  color: "",
  trajectory: "probability",
  stride: 0,
  height: 0,
  jump: null,
  order: "by size",
  edits: [],
  view: "",
  shown: 0,
  links: [...LINKS],
  rows_compared: [],
  filter: "",
  live: false,
  writes: false,
  prompt: "",
  prompts: [],
  tried: [],
  turns: [],
  progress: { state: "idle" },
};

/** What settings are made of, where that can't be told from their defaults. */
const EXAMPLES: Partial<Settings> = {
  selected: [0, 0],
  pins: [[0]],
  jump: [0, 0, 0],
  rows_compared: [0],
  prompts: [""],
  tried: [""],
  turns: [{ role: "", content: "" }],
  edits: [{ grid: 0, site: "", position: 0, to: [0], on: true }],
};

export function shared(initial: Partial<Settings> = {}): Shared {
  const names = Object.keys(DEFAULTS) as (keyof Settings)[];
  return Object.fromEntries(names.map((name) => [name, signal(suited(name, initial[name]))])) as unknown as Shared;
}

/** A setting as it was saved, or its default where somebody edited that into something else. */
export function suited<Name extends keyof Settings>(name: Name, value: unknown): Settings[Name] {
  return (isLike(value, EXAMPLES[name] ?? DEFAULTS[name]) ? value : DEFAULTS[name]) as Settings[Name];
}

/** Whether something is made as an example is: whole numbers, texts, and lists of them. */
function isLike(value: unknown, example: unknown): boolean {
  if (Array.isArray(example)) return Array.isArray(value) && value.every((one) => isLike(one, example[0]));
  if (typeof example === "object" && example !== null) {
    const [given, like] = [value, example] as [Record<string, unknown> | null, Record<string, unknown>];
    return (
      typeof given === "object" && given !== null && Object.keys(like).every((key) => isLike(given[key], like[key]))
    );
  }
  return typeof example === "number" ? Number.isInteger(value) : typeof value === typeof example && value !== null;
}
