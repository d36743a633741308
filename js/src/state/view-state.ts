// All that one view shows: the state of each grid, of each difference, of the overview and of the mean, linked as the
// reader wishes. A link is a setting that they share, translated from the first grid's terms into another's.

import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { type Comparison, gapsBetween, type Slots, slotsOf, spread } from "../data/comparison.js";
import { type Cell, clamp, type Grid, isLens, type Quantity } from "../data/grid.js";
import { isByPosition } from "../data/sweep.js";
import type { Shown } from "../data/wire.js";
import { hull } from "../style/scale.js";
import { Experiments } from "./experiments.js";
import { type GridState, gridState } from "./grid-state.js";
import type { Link, Shared, Writable } from "./settings.js";

export const LAYOUTS = ["one", "side by side", "difference", "overview", "mean"] as const;
export type LayoutName = (typeof LAYOUTS)[number];

/** So many grids stand side by side unless something else is asked for, with all there is to say of each. */
export const MOST_SIDE_BY_SIDE = 4;

export class ViewState {
  /** One for each grid. */
  readonly each: GridState[];
  readonly names: string[];
  /** The same as Python has them, for files. */
  readonly exactNames: string[];
  readonly overview: GridState | null;
  readonly mean: GridState | null;
  readonly notes: string[];
  /** The check that speaks for all, if they all claim the same and keep it: the one that is furthest off. */
  readonly check: Grid["check"];
  /** The layouts that there is something for. */
  readonly layouts: LayoutName[];
  readonly layout: ReadonlySignal<LayoutName>;
  /** The grid in front, as settings count it and within what there is. */
  readonly shown: ReadonlySignal<number>;
  /** What is carried from one grid into another. */
  readonly experiments: Experiments;
  readonly #hover = signal<Cell | null>(null);
  readonly #scroll = signal<number | null>(null);
  readonly #comparison: Comparison | null;
  readonly #differences = new Map<number, GridState>();

  constructor(
    { grids, comparison }: Shown,
    readonly settings: Shared,
  ) {
    this.#comparison = comparison;
    this.names = comparison?.names ?? grids.map(({ kind }) => kind);
    this.exactNames = comparison?.exactNames ?? grids.map(({ exact }) => exact.kind);
    this.notes = comparison?.notes ?? [];
    const drawn = grids.map((grid, i) =>
      comparison ? spread(grid, slotsOf(comparison.columns, grids.length, i)) : grid,
    );
    this.experiments = new Experiments(drawn, settings);
    this.each = drawn.map((grid, i) => this.#stateOf(grid, i, grids));
    this.check = commonCheck(grids);
    const { overview = null, mean = null } = comparison ?? {};
    const summary = (grid: Grid | null) =>
      grid && gridState(knowing(grid, grids[0]!), this.#apart(grid), { which: null });
    this.overview = summary(overview?.view === "overview" ? overview : null);
    this.mean = summary(mean);
    const several = grids.length > 1;
    const there: Record<LayoutName, boolean> = {
      one: true,
      "side by side": several,
      difference: comparison?.differences.some((grid) => grid !== null) ?? false,
      overview: this.overview !== null,
      mean: this.mean !== null,
    };
    this.layouts = LAYOUTS.filter((name) => there[name]);
    const suits = !several
      ? "one"
      : grids.length <= MOST_SIDE_BY_SIDE
        ? "side by side"
        : this.overview
          ? "overview"
          : "one";
    this.layout = computed(() => this.layouts.find((name) => name === settings.view.value) ?? suits);
    this.shown = computed(() => clamp(settings.shown.value, 0, grids.length - 1));
  }

  /** The slots in which something is decided in any of the grids, so that the same rows of all can be drawn. */
  readonly #lookAt = computed(() => {
    const rows = this.#comparison!.rows;
    const looked = this.each.map(({ story }) => new Set(story.value.rows));
    const slots = Array.from({ length: rows.length / looked.length }, (_, slot) => slot);
    return slots.filter((slot) => looked.some((set, i) => set.has(rows[slot * looked.length + i]!)));
  });

  /** Whether a link holds. */
  holds(link: Link): boolean {
    return this.settings.links.value.includes(link);
  }

  toggle(link: Link): void {
    const { links } = this.settings;
    links.value = this.holds(link) ? links.value.filter((name) => name !== link) : [...links.value, link];
  }

  /** What a grid less the first one is, made when it is first looked at; null where they have nothing in common. */
  difference(which: number): GridState | null {
    const known = this.#differences.get(which);
    if (known) return known;
    const comparison = this.#comparison!;
    const less = comparison.differences[which - 1];
    if (!less) return null;
    const grid = { ...knowing(less, this.each[0]!.grid), gaps: gapsBetween(comparison, 0, which) };
    const sides = [0, which].map((i) => ({ name: this.names[i]!, state: this.each[i]! }));
    const settings = { ...this.settings, color: this.#colorIn(grid, this.settings.color, always) };
    const made = gridState(grid, settings, { hover: this.#hover, scroll: this.#scroll, sides, which: null });
    this.#differences.set(which, made);
    return made;
  }

  #stateOf(drawn: Grid, which: number, grids: Grid[]): GridState {
    const { settings } = this;
    const comparison = this.#comparison;
    const { experiments } = this;
    if (!comparison) return gridState(drawn, settings, { experiments });
    const rows = slotsOf(comparison.rows, grids.length, which);
    // the first grid is the one whose choices are kept, whatever is let go
    const held = (link: Link) => computed(() => which === 0 || this.holds(link));
    const cell = cellIn(rows);
    const tokens = tokensIn(grids[0]!, grids[which]!);
    const isBeside = isLens(drawn) && grids.some(isByRow);
    return gridState(
      drawn,
      {
        ...settings,
        selected: linked(settings.selected, held("selection"), cell.there, cell.back),
        pins: linked(settings.pins, held("pins"), tokens.there, tokens.back),
        color: this.#colorIn(drawn, settings.color, held("color"), grids[0]),
        stride: linked(settings.stride, held("stride"), itself, itself),
        rows_compared: linked(
          settings.rows_compared,
          always,
          (picked) => picked.map((slot) => rows.indexAt[slot] ?? -1).filter((row) => row >= 0),
          (picked) => picked.map((row) => rows.slotOf[row]!),
        ),
      },
      {
        which,
        experiments,
        patched: () => (isBeside && this.holds("selection") ? pair(cell.there(settings.selected.value)) : null),
        hover: linked(
          this.#hover,
          held("hover"),
          (at) => pair(at && cell.there([at.row, at.column])),
          (at) => pair(at && cell.back([at.row, at.column])),
        ),
        scroll: linked(this.#scroll, held("scroll"), itself, itself),
        domain: (quantity) => this.#domainOf(quantity),
        inSlot: ({ row, column }) => pair(cell.there([row, column])),
        lookAt: () => this.#lookAt.value.map((slot) => rows.indexAt[slot]!).filter((row) => row >= 0),
      },
    );
  }

  /** One scale for all, while their colors are linked. */
  #domainOf(quantity: Quantity) {
    if (!this.holds("color")) return quantity.ends;
    const alike = this.each.filter(
      ({ quantity: { value: other } }) => other.measure === quantity.measure && other.scale === quantity.scale,
    );
    return hull(alike.map((state) => state.quantity.value.ends));
  }

  /** The quantity of the same name, or of the same measure of the same target. */
  #colorIn(grid: Grid, shared: Writable<string>, held: ReadonlySignal<boolean>, first = this.each[0]!.grid) {
    const like = (from: Grid, to: Grid) => (name: string) => {
      if (to.quantities.some((quantity) => quantity.name === name)) return name;
      const named = from.quantities.find((quantity) => quantity.name === name);
      const same = to.quantities.find(({ measure, target }) => measure === named?.measure && target === named.target);
      return same?.name ?? name;
    };
    return linked(shared, held, like(first, grid), like(grid, first));
  }

  /** Settings for a grid that isn't made of the same cells: what is chosen in it is nobody else's. */
  #apart(grid: Grid): Shared {
    return {
      ...this.settings,
      selected: signal(null),
      jump: signal(null),
      rows_compared: signal([]),
      stride: signal(0),
      filter: signal(""),
      color: this.#colorIn(grid, this.settings.color, always),
    };
  }
}

/** A grid that knows the name of every token that another knows: whatever is pinned there has one here. */
function knowing(grid: Grid, { tokens: { ids, texts } }: Grid): Grid {
  const { tokens } = grid;
  const known = new Set(tokens.ids);
  const more = [...ids.keys()].filter((token) => !known.has(ids[token]!));
  const added = {
    ids: [...tokens.ids, ...more.map((token) => ids[token]!)],
    texts: [...tokens.texts, ...more.map((token) => texts[token]!)],
  };
  return { ...grid, tokens: { ...tokens, ...added } };
}

function commonCheck(grids: Grid[]): Grid["check"] {
  const off = ({ check }: Grid) => (check?.error == null ? Number.POSITIVE_INFINITY : check.error / check.tolerance);
  const worst = grids.reduce((one, other) => (off(other) > off(one) ? other : one));
  const same = grids.every(({ check }) => check?.claim === worst.check?.claim);
  return same && off(worst) <= 1 ? worst.check : null;
}

/** Whether a grid sweeps rows of the stream, whose cells are those of lenses. */
function isByRow(grid: Grid): boolean {
  return grid.sweep !== null && isByPosition(grid) && grid.rows.every((row) => !row.includes("."));
}

const always = signal(true);
const itself = <T>(value: T) => value;

/** A shared value in other terms while a link holds; once it is let go, a value of one's own that begins where it was. */
export function linked<T>(
  shared: Writable<T>,
  held: ReadonlySignal<boolean>,
  there: (value: T) => T,
  back: (value: T) => T,
): Writable<T> {
  const own = signal<{ value: T } | null>(null);
  let [last, seen] = [there(shared.peek()), shared.peek()];
  let departed: { value: T } | null = null;
  const now = computed(() => {
    if (held.value) {
      departed = own.peek();
      if (shared.value !== seen) [last, seen] = [there(shared.value), shared.value];
      return last;
    }
    // what was chosen before the link held again is forgotten
    return own.value && own.value !== departed ? own.value.value : last;
  });
  return {
    get value() {
      return now.value;
    },
    set value(value) {
      if (held.peek()) shared.value = back(value);
      else own.value = { value };
    },
    peek: () => now.peek(),
  };
}

/** Cells of one grid among the slots: its columns are spread to them already, its rows are its own. */
function cellIn({ indexAt, slotOf }: Slots) {
  const at = (rows: Int32Array) => (cell: [number, number] | null) => {
    const row = cell && rows[cell[0]];
    return typeof row === "number" && row >= 0 ? ([row, cell![1]] as [number, number]) : null;
  };
  return { there: at(indexAt), back: at(slotOf) };
}

function pair(cell: [number, number] | null): Cell | null {
  return cell && { row: cell[0], column: cell[1] };
}

/** Token ids of one grid for those of another: the same, unless their tables show that they are two vocabularies. */
function tokensIn(first: Grid, other: Grid) {
  const textIn = (grid: Grid) => new Map(grid.tokens.ids.map((id, i) => [id, grid.tokens.texts[i]!]));
  const [texts, others] = [textIn(first), textIn(other)];
  const same = [...texts].every(([id, text]) => (others.get(id) ?? text) === text);
  if (same) return { there: itself<number[][]>, back: itself<number[][]> };
  const by = (from: Map<number, string>, to: Map<number, string>) => {
    const ids = new Map([...to].map(([id, text]) => [text, id]));
    return (groups: number[][]) => groups.map((group) => group.map((id) => ids.get(from.get(id) ?? "") ?? id));
  };
  return { there: by(texts, others), back: by(others, texts) };
}
