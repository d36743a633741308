"""Early exit: what it would save to stop at the first row that is sure, and what it would cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lenswidget.evidence.of_target import known, leads
from lenswidget.grids.grid import Grid


@dataclass(frozen=True)
class Exit:
    """At one `threshold`: the share of blocks `saved`, how often the `same` token is said as by the whole model, and how often
    it is `right`, NaN where no prompt has a target. Every row that is looked at is read out, and what that costs is not in it."""

    threshold: float
    saved: float
    same: float
    right: float


def early_exit(grid: Grid, thresholds: Sequence[float] = (0.5, 0.7, 0.9, 0.95, 0.99, 1.0)) -> list[Exit]:
    """Stop each prompt at the first row whose leading token has at least a probability; the last row if none has.

    The embedding is no exit: no block has run. Raises ValueError for a part of a Grid that doesn't end with the output, and for
    thresholds that are no probabilities.

    Source: Schuster et al. 2022, arXiv 2207.07061, whose thresholds are calibrated; these are looked at.

        early_exit(lw.trajectories(model, prompts, lw.load_lens(), target=answers))
    """
    if grid.candidates is None or grid.decision is None:
        raise ValueError("This part of a Grid has no output row to exit before; take all rows up to the last.")
    bad = [one for one in thresholds if not 0 <= one <= 1]
    if bad:
        raise ValueError(f"A threshold is a probability, 0 to 1; got {bad[0]}.")
    top, sure = grid.candidates.ids[..., 0], np.exp2(grid.candidates.log_probability[..., 0])
    has_targets = bool(grid.targets) or "rank of the target" in grid.quantities
    right, there = (
        (leads(grid), known(grid)) if has_targets else (np.zeros(grid.shape, bool), np.zeros(grid.shape[1], bool))
    )
    blocks, every = grid.shape[0] - 1, np.arange(grid.shape[1])
    found = []
    for threshold in thresholds:
        enough = sure[1:] >= threshold
        at = np.where(enough.any(0), np.argmax(enough, axis=0) + 1, blocks)
        found.append(
            Exit(
                threshold,
                float(1 - at.mean() / blocks),
                float((top[at, every] == top[-1]).mean()),
                float(right[at, every][there].mean()) if there.any() else float("nan"),
            )
        )
    return found
