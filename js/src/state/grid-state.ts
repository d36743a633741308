// What one reader sees of one grid: the settings that Python shares, the cell that is pointed at, and all that
// follows from the two. All of it is signals: what depends on one is worked out again when it changes, and only then.

import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { beliefsOf } from "../data/belief.js";
import { isEdited } from "../data/cone.js";
import { type Followed, followedOf } from "../data/followed.js";
import { type Cell, type Grid, isAttribution, isLens, type Quantity } from "../data/grid.js";
import { type Domain, type Scale, scaleOf } from "../style/scale.js";
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

export interface GridState {
  readonly grid: Grid;
  readonly settings: Shared;
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
  readonly belief: ReadonlySignal<Float32Array | null>;
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
  /** The Python that can be asked about it; null where there is none, or none that would know it. */
  readonly live: Live | null;
  /** Selects a cell, or lets it go if it is the one selected. */
  toggleSelected(cell: Cell): void;
  /** Pins a token, or lets it go if it stands alone in a pin. `join` adds it to the last pin, or takes it out. */
  togglePin(token: number, join: boolean): void;
  unpin(pin: number): void;
  /** Picks a row to tell from another: the last two that were picked are told apart; one picked again is let go. */
  pickRow(row: number): void;
}

export function gridState(
  grid: Grid,
  settings: Shared,
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
): GridState {
  const { color, pins } = settings;
  const isAmongLenses = isLens(grid);
  const cones = computed(() => {
    const cell = patched?.() ?? null;
    return cell ? [cell] : (experiments?.editedCells(grid) ?? []);
  });
  const carriedCell = computed(() => {
    const carried = experiments?.carried.value;
    return carried?.which === which ? carried.cell : null;
  });
  const selected = computed(() => inside(grid, settings.selected.value));
  const open = computed(() => selected.value ?? hover.value);
  const chosen = computed(() => grid.quantities.find(({ name }) => name === color.value));
  const quantity = computed(() => chosen.value ?? grid.quantities[0]!);
  const isInWords = computed(() => grid.sides !== null && sides.length > 0 && !chosen.value);
  const scale = computed(() => scaleOf(quantity.value, domain ? domain(quantity.value) : quantity.value.ends));
  const belief = computed(() => beliefsOf(grid));
  const believed = computed(() => (color.value === "" && !isEdited(grid) ? belief.value : null));
  const followed = computed(() => (isAmongLenses ? followedOf(grid, pins.value) : []));
  let kept = new Map<string, number>();
  const pinColors = computed(() => {
    kept = pinColorsFor(followed.value.map(keyOf), kept);
    return followed.value.map((one) => kept.get(keyOf(one))!);
  });
  const pinColorOf = computed(() => {
    const pinColorOf = new Int8Array(grid.tokens.ids.length).fill(-1);
    for (const [i, { tokens }] of followed.value.entries()) {
      // the first to follow a token has its ring
      for (const token of tokens) if (pinColorOf[token] === -1) pinColorOf[token] = pinColors.value[i]!;
    }
    return pinColorOf;
  });
  const bars = shownBars(grid.columns.length - 1);
  const order = computed(() => {
    const order = settings.order.value;
    return order === "waterfall" && !isAttribution(grid) ? "in order" : order;
  });
  const column = computed(() => selected.value?.column ?? bars.column.value);
  const story = computed(() => storyOf(grid, column.value, followed.value));
  const rowsToLookAt = computed(() => lookAt?.() ?? story.value.rows);
  const rowsShown = computed(() => {
    if (grid.sweep) return null;
    if (!isAmongLenses) return [...grid.rows.keys()]; // none of what adds up is left out
    return settings.filter.value === LOOK_HERE && grid.candidates ? rowsToLookAt.value : null;
  });
  return {
    ...{ grid, settings, hover, scroll, sides, inSlot, which, experiments, cones, carriedCell, selected, open, bars },
    ...{ order, column, quantity, belief, isInWords, scale, believed, followed, pinColors, pinColorOf, story },
    ...{ rowsToLookAt, rowsShown },
    overwrites: computed(() => overwrites(grid, pinColorOf.value)),
    get live() {
      return experiments?.live ?? null;
    },
    toggleSelected(cell) {
      settings.selected.value = isSame(selected.value, cell) ? null : [cell.row, cell.column];
    },
    togglePin(token, join) {
      if (!isAmongLenses) return;
      const id = grid.tokens.ids[token]!;
      const groups = pins.value;
      const last = groups.at(-1);
      if (join && last) {
        const group = last.includes(id) ? last.filter((other) => other !== id) : [...last, id];
        pins.value = group.length ? [...groups.slice(0, -1), group] : groups.slice(0, -1);
      } else if (groups.some((group) => isOnly(group, id))) {
        pins.value = groups.filter((group) => !isOnly(group, id));
      } else if (!grid.targets.some(({ tokens }) => isOnly(tokens, token))) {
        pins.value = [...groups, [id]];
      }
    },
    unpin(pin) {
      pins.value = pins.value.filter((_, i) => i !== pin);
    },
    pickRow(row) {
      if (!isAmongLenses) return;
      const { rows_compared: picked } = settings;
      const others = picked.value.filter((other) => other !== row);
      picked.value = others.length < picked.value.length ? others : [...others.slice(-1), row];
    },
  };
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
