"""Where a task's answer is stable: the rows above which hardly a prompt of it changes its mind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from lenswidget.evidence.of_target import by_group
from lenswidget.evidence.prediction_depth import prediction_depth
from lenswidget.grids.grid import Grid


@dataclass(frozen=True, eq=False)  # arrays have no one answer to ==
class Stable:
    """Of one group: the `share` of prompts whose answer is settled at each row, and the `row` from which enough are."""

    group: str
    share: Float64[np.ndarray, "rows"]
    row: str


def stable_rows(grid: Grid, share: float = 0.9) -> list[Stable]:
    """From which row on a `share` of each group's prompts have settled on what the model says.

    What a fine-tune of a task is to change lies below that row: the blocks above it carry the answer on. It says where an answer
    is settled and not where training pays: try it. Raises ValueError for a share that is none.

    Source: Belrose et al. 2023, arXiv 2303.08112, on prediction depth; the use for fine-tuning is ours to test.

        stable_rows(lw.trajectories(model, prompts, lw.load_lens(), groups=tasks))
    """
    if not 0 < share <= 1:
        raise ValueError(f"share is a part of the prompts, above 0 and up to 1; got {share}.")
    depth = prediction_depth(grid)
    rows = np.arange(grid.shape[0])[:, None]
    found = []
    for name, members in by_group(grid):
        settled = (depth[None, members] <= rows).mean(1)
        found.append(Stable(name, settled, grid.rows[int(np.argmax(settled >= share))]))
    return found
