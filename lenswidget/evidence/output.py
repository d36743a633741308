"""What follows from many prompts needs their output: a part of a Grid without it has another row at its end."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool

from lenswidget.grids.grid import Grid


def require_prompts(grid: Any) -> Grid:
    """The Grid, if it has prompts and rows. Raises TypeError for what is no Grid, ValueError for one of nothing."""
    if not isinstance(grid, Grid):
        raise TypeError(
            f"This takes a Grid of many prompts, as lw.trajectories(model, prompts) makes; got {type(grid).__name__}."
        )
    if not grid.shape[1]:
        raise ValueError("This part of a Grid has no prompts; take some, as in grid[:, :10].")
    if not grid.shape[0]:
        raise ValueError("This part of a Grid has no rows; take some, as in grid[5:].")
    return grid


def require_output(given: Any) -> Grid:
    """The Grid, if it has prompts and ends with the model's output. Raises TypeError for what is no Grid, else ValueError."""
    grid = require_prompts(given)
    if grid.decision is None or grid.candidates is None:
        raise ValueError(
            f"This Grid ends with {grid.rows[-1]} and not with the model's output, so nothing is known of what the model says; "
            "take all rows up to the last, as in grid[5:]."
        )
    return grid


def said_something(grid: Grid) -> Bool[np.ndarray, "columns"]:
    """Of which prompts the model's output is finite, so that it says a token."""
    assert grid.candidates is not None
    return np.asarray(grid.candidates.ids[-1, :, 0] >= 0)
