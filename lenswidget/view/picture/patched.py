"""What the picture of a sweep has that others haven't: what is put into which column, and what was not run."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lenswidget.grids.grid import Grid
from lenswidget.grids.marks import cell_text
from lenswidget.grids.parts import NO_TOKEN, Quantity
from lenswidget.view.picture.scene import Box, Number, Shape, Words, cut

SHARES = ("recovered", "estimate")
"""What is a share of the way from base to source."""
PAIR = 16
"""The height of the second line of column labels."""
TELLING = 0.05
"""The least share of a scale that is written in a cell, as js/src/text/sweep.ts has it."""


def quiet(grid: Grid) -> np.ndarray:
    """The columns in which nothing can change the answer: before base and source differ, or after it is read."""
    if grid.sweep is None or grid.column_labels is not None:
        return np.zeros(grid.shape[1], dtype=bool)
    return np.asarray((grid.positions < grid.sweep.first) | (grid.positions > grid.sweep.position))


def is_pair(grid: Grid) -> bool:
    """Whether each column has two labels: the token of the source, and that of the base."""
    return grid.sweep is not None and bool(grid.sweep.source) and grid.column_labels is None


def telling(grid: Grid, quantity: Quantity, span: float) -> np.ndarray:
    """The cells in which something is written: of a sweep, those whose number says something."""
    if grid.sweep is None or quantity.measure == "probability":
        return np.ones(grid.shape, dtype=bool)
    least = TELLING * span / (1 if quantity.center is None else 2)
    return np.asarray(~(np.abs(quantity.values) < least))


def quiet_blocks(grid: Grid, left: Number, top: Number, width: int, height: Number) -> Iterator[Shape]:
    """A block for the columns that are quiet one beside another."""
    is_quiet = quiet(grid)
    begins = [c for c in np.flatnonzero(is_quiet) if c == 0 or not is_quiet[c - 1]]
    for begin in map(int, begins):
        end = begin
        while end < len(is_quiet) and is_quiet[end]:
            end += 1
        x, wide = left + begin * width, (end - begin) * width - 1
        yield Box(x, top, wide, height - 1, "excluded")
        for i, line in enumerate(("effect", "exactly 0")):
            yield Words(x + wide / 2, top + height / 2 + 14 * i, cut(line, wide - 2), "on excluded")


def source_labels(grid: Grid, left: Number, y: Number, width: int) -> Iterator[Shape]:
    """Above the labels of the columns, what is put there, where it is another token."""
    if not is_pair(grid):
        return
    assert grid.sweep is not None
    for line, said in enumerate(("into", "from")):
        yield Words(left - 6, y - PAIR * line, said, "muted", "end")
    for c, (base, source) in enumerate(zip(grid.columns.tolist(), grid.sweep.columns.tolist())):
        same = source in (base, NO_TOKEN)
        said, ink = ("=", "faint") if same else (cell_text(grid.text(source)), "source")
        yield Words(left + c * width + width // 2, y - PAIR, cut(said, width - 3), ink)
