"""What the bars of a picture stand for: the parts of a sum, the largest first, whoever draws them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from lenswidget.grids.grid import Grid
from lenswidget.grids.marks import spaced
from lenswidget.grids.parts import BEFORE
from lenswidget.view.picture.scene import largest

FEW = 12
"""The bars of a picture that nobody asked for; one more stands for the others."""


@dataclass(frozen=True, eq=False)
class Bars:
    """Parts of the last column of a Grid, the largest first."""

    labels: list[str]
    values: Float[np.ndarray, "n"]
    spread: Float[np.ndarray, "n"]
    """How far each varies, where it is a mean; NaN where that isn't known."""
    others: bool
    """Whether the last stands for all that aren't shown."""
    parts: Float[np.ndarray, "rows"]
    """All of them, in the Grid's order."""
    add_up: bool
    before: Float[np.ndarray, "n"] | None = None
    """What each was without the edits that they are under."""

    @property
    def sum(self) -> float:
        return float(self.parts.sum())


def bars_of(grid: Grid, most: int | None = None) -> Bars:
    """The first quantity of a Grid's last column: all of it, or the `most` that are largest and the others as one."""
    quantity, *others = grid.quantities.values()
    add_up = quantity.measure == "contribution"
    parts = quantity.values[:, -1].astype(np.float64)
    old = grid.quantities[BEFORE].values[:, -1].astype(np.float64) if BEFORE in grid.quantities else None
    # the largest now or before: what an edit took out is what it is about
    size = parts if old is None else np.maximum(np.abs(parts), np.abs(old))
    shown, left = largest(size, len(parts) if most is None else most)
    known = [q.values[:, -1].astype(np.float64) for q in others if q.measure == "spread"]
    spread = known[0] if known else np.full(len(parts), np.nan)
    labels = [spaced(grid.rows[i]) for i in shown]
    values, whiskers = parts[shown], spread[shown]
    if len(left):
        # spreads don't add: how the others vary together isn't known
        labels.append(f"{len(left):,} smaller")
        values, whiskers = np.append(values, parts[left].sum() if add_up else np.nan), np.append(whiskers, np.nan)
    before = None if old is None else np.append(old[shown], [old[left].sum()] if len(left) else [])
    return Bars(labels, values, whiskers, bool(len(left)), parts, add_up, before)
