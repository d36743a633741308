// A line that somebody draws through some rows: a probability for each, null where there is none yet.

export type Guess = (number | null)[];

/** A guess with a stroke in it, from one place to another: all rows between have a value, too. `at` counts rows from the first. */
export function stroked(guess: Guess, from: Spot | null, to: Spot): Guess {
  const start = from ?? to;
  const [low, high] = start.at < to.at ? [start, to] : [to, start];
  return guess.map((value, at) => {
    if (at === to.at) return to.value;
    if (at < low.at || at > high.at || at === start.at) return value;
    return low.value + ((high.value - low.value) * (at - low.at)) / (high.at - low.at);
  });
}

export interface Spot {
  at: number;
  value: number;
}

/** How many rows have a value. */
export function drawn(guess: Guess): number {
  return guess.filter((value) => value !== null).length;
}

/** How far a guess is off on average, or null where nothing can be told. */
export function meanOff(guess: Guess, truth: ArrayLike<number>): number | null {
  const off = guess
    .map((value, i) => (value === null ? Number.NaN : Math.abs(value - truth[i]!)))
    .filter(Number.isFinite);
  return off.length ? off.reduce((sum, one) => sum + one, 0) / off.length : null;
}

/** A guess as it was kept, if it is one of so many rows. */
export function guessOf(kept: unknown, rows: number): Guess | null {
  const isOne = (value: unknown) => typeof value === "number" && value >= 0 && value <= 1;
  return Array.isArray(kept) && kept.length === rows && kept.every(isOne) ? kept : null;
}
