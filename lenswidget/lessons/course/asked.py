"""What the checks of several lessons ask of a Grid, and of an answer about it."""

from __future__ import annotations

from lenswidget.grids.grid import Grid


def row_named(answer: str, grid: Grid) -> int:
    """The index of a row, from its label. Raises ValueError, with a sentence, for what is none."""
    if answer not in grid.rows:
        raise ValueError(f"the rows are {grid.rows[0]!r}, {grid.rows[1]!r}, … {grid.rows[-1]!r}")
    return grid.rows.index(answer)


def leader(grid: Grid, row: str, column: int = -1) -> str:
    """The token that leads in a cell."""
    if grid.candidates is None:
        raise ValueError("this Grid has no candidates: it was not read through a lens")
    return grid.text(int(grid.candidates.ids[row_named(row, grid), column, 0]))


def with_space(token: str) -> str:
    """A token as it stands in the middle of a text, however it was typed."""
    return token if token.startswith(" ") else f" {token}"
