// What one reader sees of one grid: the settings that Python shares, the cell that is pointed at, and all that
// follows from the two. All of it is signals: what depends on one is worked out again when it changes, and only then.

import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { beliefsOf } from "../data/belief.js";
import { isEdited } from "../data/cone.js";
import { type Followed, followedOf } from "../data/followed.js";
import { type Cell, type Grid, isAttribution, isLens, type Quantity } from "../data/grid.js";
import { type Domain, domainOf, type Scale, scaleOf } from "../style/scale.js";
import { overwrites, type Story, storyOf } from "../text/story.js";
import type { Experiments } from "./experiments.js";
import type { Live } from "./live.js";
import { LOOK_HERE, type Order, type Settings, type Shared, type Writable } from "./settings.js";

/** How many bars are shown at first. */
export const FEW_BARS = 12;

/** How much of one sum a reader chose to see. */
export interface ShownBars {
  count: Signal<number>;
  column: Signal<number>;
}

export function shownBars(column: number): ShownBars {
  return { count: signal(FEW_BARS), column: signal(column) };
}

/** What the states of several grids may have in common. */
export interface Company {
  hover?: Writable<Cell | null>;
  scroll?: Writable<number | null>;
  /** The ends of the scale for a quantity, where they aren't its own. */
  domain?: (quantity: Quantity) => Domain;
  /** The two that this one is the difference of. */
  sides?: { name: string; state: GridState }[];
  /** The cell in a slot, where the rows of several grids meet. */
  inSlot?: (slot: Cell) => Cell | null;
  /** The rows to look at, in all of them. */
  lookAt?: () => number[];
  /** What can be done with its cells; null if it was worked out from others. */
  experiments?: Experiments | null;
  /** The cell of a sweep that is selected beside it, in its own terms. */
  patched?: () => Cell | null;
  /** Which of the grids that Python shows it is; null if it was worked out from them, so that no model can be asked. */
  which?: number | null;
}

export class GridState {
  /** The cell under the pointer or the arrow keys. It never leaves the browser. */
  readonly hover: Writable<Cell | null>;
  /** How many columns are scrolled out of sight on the left; null until it is known. */
  readonly scroll: Writable<number | null>;
  readonly sides: { name: string; state: GridState }[];
  readonly inSlot: (slot: Cell) => Cell | null;
  readonly which: number | null;
  readonly experiments: Experiments | null;
  /** The cells whose edit is told, and all that they can reach. */
  readonly cones: ReadonlySignal<Cell[]>;
  /** The cell whose state is carried. */
  readonly carriedCell: ReadonlySignal<Cell | null>;
  readonly selected: ReadonlySignal<Cell | null>;
  /** The cell whose card is open: a selection holds it, else it follows the hover. */
  readonly open: ReadonlySignal<Cell | null>;
  /** How much is shown of it where it is drawn as bars. */
  readonly bars: ShownBars;
  /** Their order; without a sum there is nothing to fall to. */
  readonly order: ReadonlySignal<Order>;
  /** The position that is looked at where none is pointed at: the selected one, else the last. */
  readonly column: ReadonlySignal<number>;
  readonly quantity: ReadonlySignal<Quantity>;
  /** How far each cell can be believed, or null where that isn't known. */
  readonly belief = computed(() => beliefsOf(this.grid));
  /** Whether it is told in words, as a difference is unless a number was asked for. */
  readonly isInWords: ReadonlySignal<boolean>;
  readonly scale: ReadonlySignal<Scale>;
  /** How far each cell can be believed, where its ink is weighed by that; null where it is plain. */
  readonly believed: ReadonlySignal<Float32Array | null>;
  readonly followed: ReadonlySignal<Followed[]>;
  /** The pin color of each that is followed: one that stays keeps its color when another goes. */
  readonly pinColors: ReadonlySignal<number[]>;
  /** For each token of the grid the pin color that it is followed in, or -1. */
  readonly pinColorOf: ReadonlySignal<Int8Array>;
  /** What became of what is followed at the position that is looked at. */
  readonly story: ReadonlySignal<Story>;
  /** Whether anything that is followed led somewhere, and lost its lead. */
  readonly overwrites: ReadonlySignal<boolean>;
  /** The rows in which something is decided. */
  readonly rowsToLookAt: ReadonlySignal<number[]>;
  /** The rows to draw if not all, nor every so many. */
  readonly rowsShown: ReadonlySignal<number[] | null>;

  constructor(
    readonly grid: Grid,
    readonly settings: Shared,
    {
      hover = signal(null),
      scroll = signal(null),
      domain,
      sides = [],
      lookAt,
      inSlot = (slot) => slot,
      which = 0,
      experiments = null,
      patched,
    }: Company = {},
  ) {
    const { selected, color, pins } = settings;
    this.hover = hover;
    this.scroll = scroll;
    this.sides = sides;
    this.inSlot = inSlot;
    this.which = which;
    this.experiments = experiments;
    this.cones = computed(() => {
      const cell = patched?.() ?? null;
      return cell ? [cell] : (experiments?.editedCells(grid) ?? []);
    });
    this.carriedCell = computed(() => {
      const carried = experiments?.carried.value;
      return carried?.which === which ? carried.cell : null;
    });
    this.selected = computed(() => inside(grid, selected.value));
    this.open = computed(() => this.selected.value ?? this.hover.value);
    this.quantity = computed(() => grid.quantities.find(({ name }) => name === color.value) ?? grid.quantities[0]!);
    this.isInWords = computed(
      () => grid.sides !== null && sides.length > 0 && !grid.quantities.some(({ name }) => name === color.value),
    );
    this.scale = computed(() => {
      const quantity = this.quantity.value;
      return scaleOf(quantity, domain ? domain(quantity) : domainOf(grid, quantity));
    });
    this.believed = computed(() => (color.value === "" && !isEdited(grid) ? this.belief.value : null));
    this.followed = computed(() => (isLens(grid) ? followedOf(grid, pins.value) : []));
    let kept = new Map<string, number>();
    this.pinColors = computed(() => {
      kept = pinColorsFor(this.followed.value.map(keyOf), kept);
      return this.followed.value.map((followed) => kept.get(keyOf(followed))!);
    });
    this.pinColorOf = computed(() => {
      const pinColorOf = new Int8Array(grid.tokens.ids.length).fill(-1);
      for (const [i, { tokens }] of this.followed.value.entries()) {
        // the first to follow a token has its ring
        for (const token of tokens) if (pinColorOf[token] === -1) pinColorOf[token] = this.pinColors.value[i]!;
      }
      return pinColorOf;
    });
    this.bars = shownBars(grid.columns.length - 1);
    this.order = computed(() => {
      const order = settings.order.value;
      return order === "waterfall" && !isAttribution(grid) ? "in order" : order;
    });
    this.column = computed(() => this.selected.value?.column ?? this.bars.column.value);
    this.story = computed(() => storyOf(grid, this.column.value, this.followed.value));
    this.overwrites = computed(() => overwrites(grid, this.pinColorOf.value));
    this.rowsToLookAt = computed(() => lookAt?.() ?? this.story.value.rows);
    this.rowsShown = computed(() => {
      if (grid.sweep) return null;
      if (!isLens(grid)) return [...grid.rows.keys()]; // none of what adds up is left out
      return settings.filter.value === LOOK_HERE && grid.candidates ? this.rowsToLookAt.value : null;
    });
  }

  /** The Python that can be asked about it; null where there is none, or none that would know it. */
  get live(): Live | null {
    return this.experiments?.live ?? null;
  }

  /** Selects a cell, or lets it go if it is the one selected. */
  toggleSelected({ row, column }: Cell): void {
    const now = this.selected.value;
    this.settings.selected.value = now?.row === row && now.column === column ? null : [row, column];
  }

  /** Pins a token, or lets it go if it stands alone in a pin. `join` adds it to the last pin, or takes it out. */
  togglePin(token: number, join: boolean): void {
    if (!isLens(this.grid)) return;
    const id = this.grid.tokens.ids[token]!;
    const pins = this.settings.pins.value;
    const last = pins.at(-1);
    if (join && last) {
      const group = last.includes(id) ? last.filter((other) => other !== id) : [...last, id];
      this.settings.pins.value = group.length ? [...pins.slice(0, -1), group] : pins.slice(0, -1);
    } else if (pins.some((group) => isOnly(group, id))) {
      this.settings.pins.value = pins.filter((group) => !isOnly(group, id));
    } else if (!this.grid.targets.some(({ tokens }) => isOnly(tokens, token))) {
      this.settings.pins.value = [...pins, [id]];
    }
  }

  /** Picks a row to tell from another: the last two that were picked are told apart; one picked again is let go. */
  pickRow(row: number): void {
    if (!isLens(this.grid)) return;
    const { rows_compared: picked } = this.settings;
    const others = picked.value.filter((other) => other !== row);
    picked.value = others.length < picked.value.length ? others : [...others.slice(-1), row];
  }

  unpin(pin: number): void {
    this.settings.pins.value = this.settings.pins.value.filter((_, i) => i !== pin);
  }
}

function inside({ rows, columns }: Grid, selected: Settings["selected"]): Cell | null {
  const [row, column] = selected ?? [-1, -1];
  return rows[row] !== undefined && columns[column] !== undefined ? { row, column } : null;
}

export function isSame(a: Cell | null, b: Cell | null): boolean {
  return a?.row === b?.row && a?.column === b?.column;
}

function isOnly(group: number[], member: number): boolean {
  return group.length === 1 && group[0] === member;
}

function keyOf({ target, tokens, label }: Followed): string {
  return `${target ?? "pin"} ${tokens} ${label}`;
}

function pinColorsFor(keys: string[], kept: Map<string, number>): Map<string, number> {
  const pinColors = new Map(keys.filter((key) => kept.has(key)).map((key) => [key, kept.get(key)!]));
  const taken = new Set(pinColors.values());
  for (const key of keys) {
    if (pinColors.has(key)) continue;
    let pinColor = 0;
    while (taken.has(pinColor)) pinColor++;
    taken.add(pinColor);
    pinColors.set(key, pinColor);
  }
  return pinColors;
}
