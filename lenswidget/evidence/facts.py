"""Where a fact enters: the row at which a prompt's answer gains most, and which part of its block wrote it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lenswidget.evidence.of_target import of_target
from lenswidget.evidence.output import require_prompts
from lenswidget.grids.grid import Grid
from lenswidget.grids.slicing import indices


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


def where_enters(grid: Grid, column: int, token: int | None = None) -> Entry:
    """Where the answer of a prompt enters, and by which part.

    The answer is what is followed as the prompt's target. Where that is a set of tokens, `token` is the id of the one whose jump
    is explained.

    Raises ValueError where that prompt has no target, for a token that isn't of it, where the model is gone, and for a lens whose
    jumps no bars sum to; IndexError for a prompt that isn't there.

    Source: Geva et al. 2021 and Meng et al. 2022, who find facts in the MLPs of middle blocks; here it is read, not assumed.

        entry = where_enters(lw.trajectories(model, prompts, target=answers), 0)
    """
    require_prompts(grid)
    column = int(indices(column, [str(i) for i in range(grid.shape[1])], "prompt")[0])
    bits = of_target(grid, "log-probability")[:, column]
    if not np.isfinite(bits).all():
        missing = np.isnan(bits).all()
        raise ValueError(
            f"Prompt {column} has no target; give it one, lw.trajectories(model, prompts, target=answers)."
            if missing
            else f"The target of prompt {column} is not finite in {grid.rows[int(np.argmin(np.isfinite(bits)))]}; take another."
        )
    if grid.explain is None:
        raise ValueError(
            "This Grid has no model to ask: it was saved, or its lens explains no jumps. Read the prompts again."
        )
    if len(bits) < 2:
        raise ValueError("One row alone shows no jump; take at least two that follow each other, as in grid[5:].")
    row = int(np.argmax(np.diff(bits))) + 1
    moved = grid.explain(column, _token(grid, column, token), row)
    values = moved.values("contribution")[:, -1]
    mlp = [i for i, name in enumerate(moved.rows) if name.endswith(".mlp")]
    return Entry(
        grid.rows[row],
        float(bits[row] - bits[row - 1]),
        moved.rows[int(np.argmax(values))],
        float(values[mlp].sum()) if mlp else float("nan"),
        moved,
    )


def _token(grid: Grid, column: int, token: Any) -> int:
    """The token of a prompt's target that is explained: the only one, or the one that is named."""
    asks = getattr(grid.explain, "target", None)
    target: tuple[int, ...] = asks(column) if asks is not None else grid.targets[0].ids
    if token is None and len(target) == 1:
        return target[0]
    if token not in target:
        which = " or ".join(map(str, target))
        raise ValueError(
            f"The target of prompt {column} is {which}; "
            + ("it has several tokens, so name one, token=." if token is None else f"token={token!r} isn't of it.")
        )
    return int(token)
