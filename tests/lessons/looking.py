"""What the words of a lesson speak of most, looked up in a Grid: the last column, where no other is named."""

from __future__ import annotations

from lenswidget.grids.grid import Grid


def share(grid: Grid, token: str, row: str, column: int = -1) -> float:
    """The probability of a token that the Grid follows."""
    return float(grid.values("probability", target=token)[grid.rows.index(row), column])


def rank(grid: Grid, token: str, row: str, column: int = -1) -> int:
    return int(grid.values("rank", target=token)[grid.rows.index(row), column])


def value(grid: Grid, quantity: str, row: str, column: int = -1) -> float:
    return float(grid.values(quantity)[grid.rows.index(row), column])


def leader(grid: Grid, row: str, column: int = -1, place: int = 0) -> str:
    """The token that leads, or the one that stands in that place behind it."""
    return grid.text(int(grid.candidates.ids[grid.rows.index(row), column, place]))


def lead(grid: Grid, row: str, column: int = -1, place: int = 0) -> float:
    """Its probability."""
    return float(2 ** grid.candidates.log_probability[grid.rows.index(row), column, place])
