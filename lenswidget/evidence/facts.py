"""Where a fact enters: the row at which a prompt's answer gains most, and which part of its block wrote it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lenswidget.evidence.of_target import of_target
from lenswidget.grids.grid import Grid


@dataclass(frozen=True, eq=False)  # Grids are equal by value
class Entry:
    """Where the answer of one prompt enters.

    `row` is where its log-probability rises most, by `bits`; `moved` are the parts of that block as bars that sum to the jump of
    its logit, of which `part` is the largest and `mlp` what the block's MLP added, NaN where it has none.
    """

    row: str
    bits: float
    part: str
    mlp: float
    moved: Grid


def where_enters(grid: Grid, column: int, token: int) -> Entry:
    """Where the answer of a prompt enters, and by which part: `token` is its id, followed as the prompt's target.

    Raises ValueError where that prompt has no target, where the model is gone, and for a lens whose jumps no bars sum to.

    Source: Geva et al. 2021 and Meng et al. 2022, who find facts in the MLPs of middle blocks; here it is read, not assumed.

        entry = where_enters(grid, 0, model.to_single_token(" Paris"))
    """
    bits = of_target(grid, "log-probability")[:, column]
    if not np.isfinite(bits).all():
        raise ValueError(
            f"Prompt {column} has no target; give it one, lw.trajectories(model, prompts, target=answers)."
        )
    if grid.explain is None:
        raise ValueError(
            "This Grid has no model to ask: it was saved, or its lens explains no jumps. Read the prompts again."
        )
    row = int(np.argmax(np.diff(bits))) + 1
    moved = grid.explain(column, int(token), row)
    values = moved.values("contribution")[:, -1]
    mlp = [i for i, name in enumerate(moved.rows) if name.endswith(".mlp")]
    return Entry(
        grid.rows[row],
        float(bits[row] - bits[row - 1]),
        moved.rows[int(np.argmax(values))],
        float(values[mlp].sum()) if mlp else float("nan"),
        moved,
    )
