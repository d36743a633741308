"""Early exit: what it would save to stop at the first row that is sure, and what it would cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lenswidget.evidence.of_target import known, leads
from lenswidget.evidence.output import require_output, said_something
from lenswidget.grids.grid import Grid
from lenswidget.grids.numbers import share
from lenswidget.grids.row_names import blocks_below


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

    The embedding is no exit: no block has run. Of a part of a Grid, only its rows are exits. Prompts whose output isn't finite
    are left out. Raises ValueError for a part of a Grid that doesn't end with the output, and for thresholds that are no
    probabilities.

    Source: Schuster et al. 2022, arXiv 2207.07061, whose thresholds are calibrated; these are looked at.

        early_exit(lw.trajectories(model, prompts, lw.load_lens(), target=answers))
    """
    if isinstance(thresholds, (str, bool)) or not isinstance(thresholds, Iterable):
        raise TypeError(f"thresholds is a list of probabilities, as in [0.9]; got {thresholds!r}.")
    asked = [share("A threshold", one, "a probability", zero=True) for one in thresholds]
    require_output(grid)
    assert grid.candidates is not None
    said = said_something(grid)
    if not said.any():
        raise ValueError("The output of none of these prompts is finite, so no exit says the same.")
    grid = grid[:, said]
    assert grid.candidates is not None
    top, sure = grid.candidates.ids[..., 0], np.exp2(grid.candidates.log_probability[..., 0])
    has_targets = bool(grid.targets) or "rank of the target" in grid.quantities
    right, there = (
        (leads(grid), known(grid)) if has_targets else (np.zeros(grid.shape, bool), np.zeros(grid.shape[1], bool))
    )
    blocks, every = np.array([blocks_below(row) for row in grid.rows]), np.arange(grid.shape[1])
    last = len(blocks) - 1
    found = []
    for threshold in asked:
        enough = (sure >= threshold) & (blocks > 0)[:, None]
        enough[last] = True
        at = np.argmax(enough, axis=0)
        found.append(
            Exit(
                threshold,
                float(1 - blocks[at].mean() / blocks[last]),
                float((top[at, every] == top[-1]).mean()),
                float(right[at, every][there].mean()) if there.any() else float("nan"),
            )
        )
    return found
