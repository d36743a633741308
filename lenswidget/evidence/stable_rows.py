"""Where a task's answer is stable: the rows above which hardly a prompt of it changes its mind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from lenswidget.evidence.of_target import by_group
from lenswidget.evidence.prediction_depth import UNKNOWN, prediction_depth
from lenswidget.grids.grid import Grid
from lenswidget.grids.numbers import share as share_of


@dataclass(frozen=True, eq=False)  # arrays have no one answer to ==
class Stable:
    """Of one group: the `share` of prompts whose answer is settled at each row, and the `row` from which enough are."""

    group: str
    share: Float64[np.ndarray, "rows"]
    row: str


def stable_rows(grid: Grid, share: float = 0.9) -> list[Stable]:
    """From which row on a `share` of each group's prompts have settled on what the model says.

    What a fine-tune of a task is to change lies below that row: the blocks above it carry the answer on. It says where an answer
    is settled and not where training pays: try it. Prompts whose output isn't finite are left out. Raises ValueError for a share
    that is none, and for a Grid that doesn't end with the output.

    Source: Belrose et al. 2023, arXiv 2303.08112, on prediction depth; the use for fine-tuning is ours to test.

        stable_rows(lw.trajectories(model, prompts, lw.load_lens(), groups=tasks))
    """
    share = share_of("share", share, "a part of the prompts")
    depth = prediction_depth(grid)
    known = depth != UNKNOWN
    rows = np.arange(grid.shape[0])[:, None]
    found = []
    for name, members in by_group(grid):
        if not (members & known).any():
            raise ValueError(f"No prompt of the group {name!r} has an output that is finite; leave it out.")
        settled = (depth[None, members & known] <= rows).mean(1)
        found.append(Stable(name, settled, grid.rows[int(np.argmax(settled >= share))]))
    return found
