"""NewColumns: a Grid that grew out of the one before it, and which of its columns are new."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lenswidget.grids.grid import Grid


@dataclass(frozen=True, eq=False)
class NewColumns:
    """A Grid, of which columns `start` to `stop` are new: they take the place of columns `start` to `replaced` of the one
    `before`. Without one before, all are new."""

    grid: Grid
    before: Grid | None
    start: int
    stop: int
    replaced: int


def kept_column(before: Grid, after: Grid, column: int) -> int | None:
    """Where a column of one Grid is in another of a text that was changed in one place; None where its token is gone."""
    old, new = before.columns, after.columns
    count = min(len(old), len(new))
    same = old[:count] == new[:count]
    begins = count if same.all() else int(np.argmin(same))
    same = old[len(old) - count :] == new[len(new) - count :]
    ends = min(count if same.all() else int(np.argmin(same[::-1])), count - begins)
    if column < begins:
        return column
    moved = column + len(new) - len(old)
    return moved if column >= len(old) - ends else None
