"""Prediction depth: from which row on a prompt's answer is settled, and whether harder prompts settle later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int32

from lenswidget.evidence.output import require_output, said_something
from lenswidget.grids.grid import Grid
from lenswidget.grids.numbers import whole_number

UNKNOWN = -1
"""The depth of a prompt whose output isn't finite."""


@dataclass(frozen=True)
class Link:
    """A rank correlation (Spearman) over `prompts` prompts, with the ends of its 95 % bootstrap interval."""

    correlation: float
    low: float
    high: float
    prompts: int


def prediction_depth(grid: Grid) -> Int32[np.ndarray, "columns"]:
    """The row of each prompt from which the leading token is the output's, all the way up, counted from this Grid's first.

    It is -1 where the output isn't finite, and says no token.

    Raises ValueError for a part of a Grid that doesn't end with the output.

    Source: Baldock et al. 2021, arXiv 2106.09647, for classifiers of images.

        prediction_depth(lw.trajectories(model, prompts, lw.load_lens()))
    """
    decision = require_output(grid).decision
    assert decision is not None
    depth: Int32[np.ndarray, "columns"] = np.where(said_something(grid), decision, UNKNOWN).astype(np.int32)
    return depth


def link(grid: Grid, difficulty: Sequence[float | int] | np.ndarray, *, resamples: int = 1000, seed: int = 0) -> Link:
    """How prediction depth goes with a difficulty of each prompt, by rank: 1 where harder is always deeper.

    Prompts whose difficulty is NaN, or whose depth isn't known, are left out. Raises ValueError for fewer than three, and for a
    list of another length, TypeError for what is no numbers.

        link(grid, -grid.values("probability of the target")[-1])
    """
    whole_number("resamples", resamples, 1)
    depth = prediction_depth(grid).astype(np.float64)
    try:
        hard = np.asarray(difficulty, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(
            f"difficulty is a number for each of the {len(depth)} prompts; got {difficulty!r:.80}."
        ) from None
    if hard.shape != depth.shape:
        raise ValueError(f"difficulty has shape {hard.shape}; give one number for each of the {len(depth)} prompts.")
    there = np.isfinite(hard) & (depth != UNKNOWN)
    if there.sum() < 3:
        raise ValueError(f"{int(there.sum())} prompts have a difficulty, and a correlation needs at least three.")
    depth, hard = depth[there], hard[there]
    random = np.random.default_rng(seed)
    found = []
    for _ in range(resamples):
        some = random.integers(0, len(depth), len(depth))
        found.append(_spearman(depth[some], hard[some]))
    known = np.array(found)[np.isfinite(found)]
    low, high = np.quantile(known, [0.025, 0.975]) if len(known) else (np.nan, np.nan)
    return Link(_spearman(depth, hard), float(low), float(high), len(depth))


def _spearman(one: np.ndarray, other: np.ndarray) -> float:
    """The correlation of ranks; NaN where all of one are the same."""
    ranked = [_ranks(values) - (len(values) - 1) / 2 for values in (one, other)]
    size = np.sqrt((ranked[0] ** 2).sum() * (ranked[1] ** 2).sum())
    return float((ranked[0] * ranked[1]).sum() / size) if size else float("nan")


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 0; equal values share the mean of theirs."""
    ordered = np.sort(values)
    first, last = (np.searchsorted(ordered, values, side=side) for side in ("left", "right"))
    return np.asarray((first + last - 1) / 2)
