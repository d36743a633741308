"""What a Grid of many prompts measures of each prompt's target, whether it is one for all or each one's own."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float32

from lenswidget.grids.grid import Grid

OWN = "of the target"
"""What is measured of a target that each prompt has of its own: "rank of the target"."""


def of_target(grid: Grid, measure: str) -> Float32[np.ndarray, "rows columns"]:
    """A measure of the targets, NaN where a prompt has none. Raises ValueError for a Grid that follows none."""
    own = grid.quantities.get(f"{measure} {OWN}")
    if own is not None:
        return own.values
    if not grid.targets:
        raise ValueError(
            f"This Grid has no {measure} of a target; give each prompt its answer, lw.trajectories(model, prompts, "
            "target=answers)."
        )
    return grid.values(measure, target=grid.targets[0].ids)


def leads(grid: Grid) -> Bool[np.ndarray, "rows columns"]:
    """Where the target is the leading token."""
    return np.asarray(of_target(grid, "rank") == 1)


def known(grid: Grid) -> Bool[np.ndarray, "columns"]:
    """Which prompts have a target that could be ranked in every row."""
    return np.asarray(np.isfinite(of_target(grid, "rank")).all(0))


def by_group(grid: Grid) -> Iterator[tuple[str, Bool[np.ndarray, "columns"]]]:
    """Each group and its columns; one of all columns where there are no groups."""
    if grid.groups is None:
        yield "all", np.ones(grid.shape[1], dtype=bool)
        return
    for name in dict.fromkeys(grid.groups):
        yield name, np.array([group == name for group in grid.groups], dtype=bool)
