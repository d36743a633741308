// A grid of which some columns are replaced: as a prompt is typed or written, only those that changed arrive.

import { type Candidates, type Grid, NO_TOKEN } from "./grid.js";

/** Columns `start` to `end` of what was shown before are replaced. */
export type Splice = [start: number, end: number];

/** Where a column of a grid came from, with the places of its tokens there and here. */
interface Origin {
  candidates: Candidates;
  columns: number;
  column: number;
  here: Int32Array | null;
}

const origins = new WeakMap<Grid, Origin[]>();

/** `whole` with the columns of `part` in place of some of its own. What is said of the whole is what the part says. */
export function spliced(whole: Grid, part: Grid, [start, end]: Splice): Grid {
  const rows = part.rows.length;
  const [before, added] = [whole.columns.length, part.columns.length];
  const count = before - (end - start) + added;
  const tokens = together(whole.tokens, part.tokens);
  const here = (token: number) => (token === NO_TOKEN ? NO_TOKEN : tokens.here[token]!);

  /** Whatever has so many values a column in each row. */
  function values<T extends Float32Array | Int32Array>(ours: T, theirs: T, lines = rows): T {
    const made = new (ours.constructor as new (length: number) => T)(lines * count);
    for (let row = 0; row < lines; row++) {
      const from = row * before;
      made.set(ours.subarray(from, from + start), row * count);
      made.set(theirs.subarray(row * added, (row + 1) * added), row * count + start);
      made.set(ours.subarray(from + end, from + before), row * count + start + added);
    }
    return made;
  }
  const line = (ours: Int32Array | null, theirs: Int32Array | null) => ours && theirs && values(ours, theirs, 1);
  const isKept = (column: number) => column < start || column >= end;
  const moved = (column: number) => (column < start ? column : column - end + start + added);

  const made: Grid = {
    ...part,
    tokens: { ids: tokens.ids, texts: tokens.texts, special: tokens.special },
    columns: values(whole.columns, part.columns.map(here), 1),
    positions: values(whole.positions, part.positions, 1),
    excluded: new Set([...[...whole.excluded].filter(isKept).map(moved), ...[...part.excluded].map((c) => c + start)]),
    following: line(whole.following, part.following?.map(here) ?? null),
    decision: line(whole.decision, part.decision),
    targets: part.targets.map((target) => ({ ...target, tokens: target.tokens.map(here) })),
    quantities: part.quantities.map((quantity, i) => ({
      ...quantity,
      values: values(whole.quantities[i]!.values, quantity.values),
    })),
    jumps: jumps(),
    candidates: null,
    trajectories: trajectories(),
  };
  const from = [...originsOf(whole)];
  from.splice(start, end - start, ...originsOf(part, tokens.here));
  origins.set(made, from);
  made.candidates = part.candidates && candidatesFrom(from, part.candidates.count);
  return made;

  /** They are carried for the last columns: the part's, where it has these. */
  function jumps(): Grid["jumps"] {
    const { jumps } = start + added < count ? whole : part;
    if (!jumps) return null;
    if (jumps === whole.jumps) return { ...jumps, columns: jumps.columns.map(moved) };
    return { ...jumps, columns: jumps.columns.map((c) => c + start), tokens: jumps.tokens.map(here) };
  }

  function trajectories(): Grid["trajectories"] {
    const [ours, theirs] = [whole.trajectories, part.trajectories];
    if (!ours || !theirs) return null;
    const [first, last] = [ours.offsets[start]!, ours.offsets[end]!];
    const [entries, more] = [ours.tokens.length, theirs.tokens.length];
    const offsets = new Int32Array(count + 1);
    offsets.set(ours.offsets.subarray(0, start));
    offsets.set(
      theirs.offsets.map((offset) => offset + first),
      start,
    );
    offsets.set(
      ours.offsets.subarray(end).map((offset) => offset - last + first + more),
      start + added,
    );
    const total = entries - (last - first) + more;
    const names = new Int32Array(total);
    names.set(ours.tokens.subarray(0, first));
    names.set(theirs.tokens.map(here), first);
    names.set(ours.tokens.subarray(last), first + more);
    const places = new Uint8Array(total * rows);
    for (let row = 0; row < rows; row++) {
      const [from, to] = [row * entries, row * total];
      places.set(ours.places.subarray(from, from + first), to);
      places.set(theirs.places.subarray(row * more, (row + 1) * more), to + first);
      places.set(ours.places.subarray(from + last, from + entries), to + first + more);
    }
    return { offsets, tokens: names, places, probabilities: ours.probabilities };
  }
}

/** One table of tokens, in which the first keep their places, and where the others' are in it. */
function together(ours: Grid["tokens"], theirs: Grid["tokens"]): Grid["tokens"] & { here: Int32Array } {
  const ids = [...ours.ids];
  const texts = [...ours.texts];
  const special = new Set(ours.special);
  const known = new Map(ids.map((id, place) => [id, place]));
  const here = Int32Array.from(theirs.ids, (id, place) => {
    const found = known.get(id);
    if (found !== undefined) return found;
    if (theirs.special.has(place)) special.add(ids.length);
    texts.push(theirs.texts[place]!);
    return ids.push(id) - 1;
  });
  return { ids, texts, special, here };
}

function originsOf(grid: Grid, here: Int32Array | null = null): Origin[] {
  const known = origins.get(grid);
  if (known) return known;
  const { candidates, columns } = grid;
  if (!candidates) return [];
  return Array.from(columns, (_, column) => ({ candidates, columns: columns.length, column, here }));
}

function candidatesFrom(from: Origin[], count: number): Candidates {
  const at = (cell: number) => {
    const origin = from[cell % from.length]!;
    return { ...origin, cell: Math.floor(cell / from.length) * origin.columns + origin.column };
  };
  return {
    count,
    token(cell, place) {
      const { candidates, here, cell: there } = at(cell);
      const token = candidates.token(there, place);
      return token === NO_TOKEN || !here ? token : here[token]!;
    },
    probability(cell, place) {
      const { candidates, cell: there } = at(cell);
      return candidates.probability(there, place);
    },
  };
}
