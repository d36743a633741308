"""Overthinking: in which rows the answer is right, and how many right answers later rows lose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from lenswidget.evidence.of_target import OWN, by_group, known, leads
from lenswidget.evidence.output import require_output
from lenswidget.grids.grid import Grid
from lenswidget.grids.numbers import whole_number


@dataclass(frozen=True, eq=False)  # arrays have no one answer to ==
class Accuracy:
    """Of one group: how often each row is right, with the ends of its 95 % bootstrap interval, over `prompts` prompts.

    `best` is the row that is right most often, the last such, and `lost` by how much the output falls behind it.
    """

    group: str
    prompts: int
    share: Float64[np.ndarray, "rows"]
    low: Float64[np.ndarray, "rows"]
    high: Float64[np.ndarray, "rows"]
    best: str
    lost: float


def accuracy_by_row(grid: Grid, *, resamples: int = 1000, seed: int = 0) -> list[Accuracy]:
    """How often each row is right, by group: with right and with wrong demonstrations, for one.

    A row is right where its leading token is the prompt's target; where a Grid compares targets, `against=`, where the target is
    ahead of the other. Prompts without a target are left out. Raises ValueError for a Grid that follows none, or that doesn't end
    with the output.

    Source: Halawi, Denain and Steinhardt 2023, arXiv 2307.09476, whose early exit from wrong demonstrations this finds.

        grid = lw.trajectories(model, prompts, target=answers, against=wrong, groups=demonstrations)
        accuracy_by_row(grid)
    """
    whole_number("resamples", resamples, 1)
    difference = require_output(grid).quantities.get(f"logit difference {OWN}") or next(
        (q for q in grid.quantities.values() if q.measure == "logit difference"), None
    )
    right = leads(grid) if difference is None else difference.values > 0
    there = known(grid) if difference is None else np.isfinite(difference.values).all(0)
    random = np.random.default_rng(seed)
    found = []
    for name, members in by_group(grid):
        some = right[:, members & there].astype(np.float64)
        count = some.shape[1]
        if not count:
            raise ValueError(
                f"No prompt of the group {name!r} has a target that is known in every row; leave it out, or give it answers."
            )
        share = some.mean(1)
        resampled = np.stack([some[:, random.integers(0, count, count)].mean(1) for _ in range(resamples)])
        low, high = np.quantile(resampled, [0.025, 0.975], axis=0)
        best = len(share) - 1 - int(np.argmax(share[::-1]))
        found.append(Accuracy(name, count, share, low, high, grid.rows[best], float(share[best] - share[-1])))
    return found
