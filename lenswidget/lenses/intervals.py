"""Intervals: where a figure would lie, 95 times in 100, on other text of the same kind or along other directions.

By the bootstrap (Efron 1979): what was measured is drawn again, with replacement, and the figure is taken of each draw. Of
text, whole stretches are drawn, since neighbours in a text are alike. A KL of mean predictions can't be drawn so without keeping
a prediction for each stretch; it has the jackknife's interval, from a few groups of windows each of which is left out once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

DRAWS = 1000
ENDS = (2.5, 97.5)
"""Percent."""
STRETCH, MOST = 32, 512
"""Positions of a stretch, and stretches that are kept: where there are more, two neighbours become one."""
STUDENT = {2: 4.30, 3: 3.18, 4: 2.78, 5: 2.57}
"""The 97.5th percentile of Student's distribution, by its degrees of freedom."""


class Stretches:
    """Sums of several figures over stretches of text, and of how many positions they are."""

    def __init__(self) -> None:
        self.sums: list[np.ndarray] = []
        self.counts: list[np.ndarray] = []

    def add(self, values: Float[np.ndarray, "figures rows positions"]) -> None:
        """Add what was read at the positions of a window. What is NaN counts for nothing."""
        known = ~np.isnan(values)
        for start in range(0, values.shape[-1], STRETCH):
            part = slice(start, start + STRETCH)
            self.sums.append(np.asarray(np.nansum(values[..., part], axis=-1, dtype=np.float64)))
            self.counts.append(known[..., part].sum(-1).astype(np.float64))
        while len(self.sums) > MOST:
            self.sums, self.counts = _in_pairs(self.sums), _in_pairs(self.counts)


def _in_pairs(parts: list[np.ndarray]) -> list[np.ndarray]:
    return [sum(parts[i + 1 : i + 2], parts[i]) for i in range(0, len(parts), 2)]


def means(texts: Sequence[Stretches]) -> Float[np.ndarray, "figures rows"]:
    """The mean over all positions; NaN where there is none."""
    sums = [part for one in texts for part in one.sums]
    counts = [part for one in texts for part in one.counts]
    with np.errstate(invalid="ignore"):
        mean: np.ndarray = np.sum(sums, axis=0) / np.sum(counts, axis=0)
    return mean


def drawn_means(texts: Sequence[Stretches], seed: int = 0) -> Float[np.ndarray, "draws figures rows"]:
    """The means of as many draws, of each text as many stretches as it has. NaN for a text of one."""
    generator = np.random.default_rng(seed)
    sums = counts = np.zeros(())
    for one in texts:
        n = len(one.sums)
        times = generator.multinomial(n, np.full(n, 1 / n), size=DRAWS) if n > 1 else np.full((DRAWS, 1), np.nan)
        sums = sums + np.einsum("dn,nfr->dfr", times, np.stack(one.sums))
        counts = counts + np.einsum("dn,nfr->dfr", times, np.stack(one.counts))
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn: np.ndarray = sums / counts
    return drawn


def ends(draws: Float[np.ndarray, "n *any"]) -> Float[np.ndarray, "2 *any"]:
    """The low and the high end of the interval; NaN where a draw is."""
    both: np.ndarray = np.percentile(draws, ENDS, axis=0)
    return both


def jackknife(
    figure: Float[np.ndarray, "*any"], without: Sequence[Float[np.ndarray, "*any"]]
) -> Float[np.ndarray, "2 *any"]:
    """The interval of figures that can't be negative, from what they are without each of several groups; NaN for fewer than 3."""
    groups = len(without)
    if groups < 3:
        return np.full((2, *figure.shape), np.nan)
    error = np.sqrt((groups - 1) * np.var(np.stack(without), axis=0))
    reach = STUDENT[groups - 1] * error
    return np.stack([np.maximum(figure - reach, 0), figure + reach])


def drawn_directions(directions: int, seed: int = 0) -> np.ndarray:
    """Indices of directions, `[draws, directions]`, drawn with replacement."""
    return np.random.default_rng(seed).integers(directions, size=(DRAWS, directions))


def ranks(values: Float[np.ndarray, "*any n"]) -> Float[np.ndarray, "*any n"]:
    """From 1 for the least; equal values share theirs."""
    one, other = values[..., :, None], values[..., None, :]
    places: np.ndarray = 0.5 + (other < one).sum(-1) + 0.5 * (other == one).sum(-1)
    return places


def spearman(one: Float[np.ndarray, "*any n"], other: Float[np.ndarray, "*beside n"]) -> Float[np.ndarray, "*both"]:
    """The correlation of ranks, of arrays that are broadcast; NaN where either has only one value, or one that is NaN."""
    first, second = (r - r.mean(-1, keepdims=True) for r in map(ranks, (one, other)))
    size = np.sqrt((first**2).sum(-1) * (second**2).sum(-1))
    unknown = (size == 0) | np.isnan(one).any(-1) | np.isnan(other).any(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation: np.ndarray = np.where(unknown, np.nan, (first * second).sum(-1) / size)
    return correlation
