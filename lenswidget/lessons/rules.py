"""Rules: which cells of a Grid answer a question, found in the Grid that is shown, whichever that is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, SupportsIndex

import numpy as np
from jaxtyping import Bool, Float, Int

from lenswidget.grids.grid import Grid
from lenswidget.grids.slicing import indices

Cell = tuple[int, int]
"""Indices of a row and a column."""
Token = str | int | Iterable[str | int]
"""A token by its text or id, or several that count as one."""


@dataclass(frozen=True)
class Rule:
    """Finds the right cells of a Grid: `rule(grid)` is a list of `(row, column)`, indices both.

    `first_lead`, `biggest_jump`, `greatest` and `least` make rules; any function of a Grid that returns a cell or several is
    one, too.
    """

    name: str
    find: Callable[[Grid], list[Cell]]
    tells: Callable[[Grid], Mapping[str, Any]]
    """What a browser is to say of a cell that was tried: plain data."""

    def __call__(self, grid: Grid) -> list[Cell]:
        return self.find(grid)

    def __repr__(self) -> str:
        return self.name


def first_lead(token: Token, *, position: SupportsIndex = -1, stays: bool = True) -> Rule:
    """The first row, from below, in which a token leads at a position; where it `stays`, all rows above are its own, too.

    `token` is a text, an id, or several that count as one; `position` is the index of a column, the last by default. The rule
    raises ValueError for a Grid in which there is no such row, or that has no tokens in its cells.

        lessons.first_lead(" Paris")(grid)      # [(24, 9)]: L23, since row 0 is the embedding
    """

    def find(grid: Grid) -> list[Cell]:
        column = position_of(grid, position)
        leads = _leads(grid, ids_of(grid, token), column)
        if stays:
            # from behind: how many rows it leads without a break
            broken = np.flatnonzero(~leads)
            row = int(broken[-1]) + 1 if broken.size else 0
        else:
            row = int(leads.argmax()) if leads.any() else len(leads)
        if row == len(leads):
            led = [grid.rows[i] for i in np.flatnonzero(leads)]
            lost = f"; it led in {', '.join(led)} and lost the lead" if led else ""
            raise ValueError(
                f"{rule} finds no cell in this Grid: {token!r} doesn't lead in "
                f"{'its last row' if stays else 'any row'} at position {grid.positions[column]}{lost}. Ask about another token"
                + (", or with stays=False." if led else ".")
            )
        return [(row, column)]

    def tells(grid: Grid) -> Mapping[str, Any]:
        return {"what": "lead", "tokens": ids_of(grid, token), "column": position_of(grid, position), "stays": stays}

    rule = Rule(f"first_lead({token!r}, position={position}, stays={stays})", find, tells)
    return rule


def biggest_jump(token: Token, *, position: SupportsIndex = -1) -> Rule:
    """The row in which a token's probability at a position is furthest above that of the row below; rows that tie are all right.

    `token` is a text, an id, or several whose probabilities add; `position` is the index of a column. The rule raises ValueError
    for a Grid of one row, and where the token was neither followed nor among the candidates there.

        lessons.biggest_jump(" Au")(grid)
    """

    def find(grid: Grid) -> list[Cell]:
        column = position_of(grid, position)
        if len(grid.rows) < 2:
            raise ValueError(
                f"{rule} finds no cell in this Grid: it has one row, and a jump is from one row to the next."
            )
        steps = np.diff(probabilities(grid, token, column))
        if not (steps > 0).any():
            raise ValueError(
                f"{rule} finds no cell in this Grid: the probability of {token!r} rises in none of its rows."
            )
        return [(int(step) + 1, column) for step in np.flatnonzero(steps == np.nanmax(steps))]

    def tells(grid: Grid) -> Mapping[str, Any]:
        return {"what": "jump", "tokens": ids_of(grid, token), "column": position_of(grid, position)}

    rule = Rule(f"biggest_jump({token!r}, position={position})", find, tells)
    return rule


def greatest(measure: str, *, position: SupportsIndex | None = -1, target: Any = None) -> Rule:
    """The cell with the greatest value of a quantity, at a position or, for None, in all the Grid but excluded positions.

    `measure` and `target` are those of `Grid.values`; cells that tie are all right. The rule raises ValueError for a Grid that
    hasn't the quantity, or no number of it there.

        lessons.greatest("entropy", position=-1)
    """
    return _end("greatest", measure, position, target)


def least(measure: str, *, position: SupportsIndex | None = -1, target: Any = None) -> Rule:
    """The cell with the least value of a quantity: see `greatest`."""
    return _end("least", measure, position, target)


def _end(end: str, measure: str, position: SupportsIndex | None, target: Any) -> Rule:
    def find(grid: Grid) -> list[Cell]:
        values = grid.values(measure, target=target).astype(np.float64)
        asked = np.zeros(values.shape, bool)
        if position is None:
            asked[:, [p not in grid.excluded for p in grid.positions.tolist()]] = True
        else:
            asked[:, position_of(grid, position)] = True
        known = values[asked & ~np.isnan(values)]
        if not known.size:
            raise ValueError(f"{rule} finds no cell in this Grid: it has no number of {measure!r} there.")
        found = asked & (values == (known.max() if end == "greatest" else known.min()))
        return [(int(row), int(column)) for row, column in np.argwhere(found)]

    def tells(grid: Grid) -> Mapping[str, Any]:
        values = grid.values(measure, target=target)
        name = next(name for name, quantity in grid.quantities.items() if quantity.values is values)
        column = None if position is None else position_of(grid, position)
        return {"what": end, "quantity": name, "column": column}

    of = "" if target is None else f", target={target!r}"
    rule = Rule(f"{end}({measure!r}, position={position}{of})", find, tells)
    return rule


def cells_of(right: Any, grid: Grid) -> list[Cell]:
    """The right cells of a Grid, sorted, by what an author wrote: a cell, several, the label of a bar, or a rule.

    Raises ValueError, KeyError, IndexError or TypeError with a sentence: for no such cell, none at all, or what is none.
    """
    found = right(grid) if callable(right) else right
    said = f"The rule {right!r} gave" if callable(right) else "right is"
    if isinstance(found, str):
        if grid.view != "bars":
            raise ValueError(
                f"{said} {found!r}: the label of one bar, and this Grid is drawn as cells. Name a cell by row and position, "
                f"({grid.rows[-1]!r}, -1)."
            )
        found = (found, -1)
    several = [found] if _is_cell(found) else found
    if not isinstance(several, Iterable) or isinstance(several, (bytes, Mapping)):
        raise TypeError(f"{said} {found!r}; give a cell, ({grid.rows[-1]!r}, -1), a set of cells or a rule.")
    cells = sorted({cell_of(one, grid) for one in several})
    if not cells:
        raise ValueError(f"{said} no cell at all; the question needs at least one that is right.")
    return cells


def cell_of(cell: Any, grid: Grid) -> Cell:
    """The indices of one cell: its row by label or index, its column by index; negative ones count from the end."""
    if not _is_cell(cell):
        raise TypeError(f"{cell!r} is no cell; a cell is a row and a position, ({grid.rows[-1]!r}, -1).")
    row, column = cell
    places = [str(position) for position in grid.positions]
    return int(indices(row, grid.rows, "row")[0]), int(indices(column, places, "position")[0])


def probabilities(grid: Grid, token: Token, column: int) -> Float[np.ndarray, " rows"]:
    """A token's probability through the rows of a column, from what the Grid follows or has among its candidates.

    Raises ValueError where it isn't known there.
    """
    try:
        return grid.values("probability", target=token)[:, column].astype(np.float64)
    except ValueError:
        known = grid.trajectories
    total = np.zeros(len(grid.rows))
    for one in ids_of(grid, token):
        span = known.of(column) if known is not None else slice(0)
        at = np.flatnonzero(known.ids[span] == one) if known is not None else np.zeros(0, int)
        if known is None or not at.size:
            raise ValueError(
                f"This Grid doesn't know the probability of {grid.text(one)!r} at position {grid.positions[column]}: it is "
                f"neither followed nor among the candidates there. Follow it when the Grid is made, "
                f"lw.logit_lens(run, targets=[{grid.text(one)!r}])."
            )
        total += np.exp2(known.log_probability[span][at[0]].astype(np.float64))
    return total


def _is_cell(found: Any) -> bool:
    if not isinstance(found, (tuple, list)) or len(found) != 2:
        return False
    row, column = found
    is_index = all(hasattr(one, "__index__") and not isinstance(one, (bool, np.bool_)) for one in (row, column))
    return is_index or (isinstance(row, str) and hasattr(column, "__index__"))


def position_of(grid: Grid, position: SupportsIndex) -> int:
    return int(indices(position, [str(p) for p in grid.positions], "position")[0])


def _leads(grid: Grid, ids: list[int], column: int) -> Bool[np.ndarray, " rows"]:
    if grid.candidates is None:
        raise ValueError(
            "This Grid has no tokens in its cells, so none leads; lw.logit_lens(run) makes one that has. Of numbers, ask for the "
            "greatest, lessons.greatest(…)."
        )
    leaders: Int[np.ndarray, " rows"] = grid.candidates.ids[:, column, 0]
    return np.isin(leaders, ids)


def ids_of(grid: Grid, token: Token) -> list[int]:
    """The ids of a token, or of several that count as one."""
    several = [token] if isinstance(token, str) or not isinstance(token, Iterable) else list(token)
    found = []
    for one in several:
        alike = [i for i, text in grid.texts.items() if one in (text, i)]
        if not alike:
            raise ValueError(
                f"No token of this Grid reads {one!r}; it is neither followed nor a candidate anywhere. Mind the space in front, "
                f"and follow it when the Grid is made, lw.logit_lens(run, targets=[{one!r}])."
            )
        if len(alike) > 1:
            raise ValueError(f"{one!r} is the text of {len(alike)} tokens, {alike}; name one by its id.")
        found += alike
    return found
