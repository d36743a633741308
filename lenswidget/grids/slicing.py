"""Part of a Grid: which rows and columns a key picks, and what is left of each of its parts."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from lenswidget.grids.parts import NO_TOKEN, Candidates, ColumnQuantity, Jumps, RowQuantity, Sides, Trajectories

Answer = TypeVar("Answer")


def indices(key: Any, labels: Sequence[str], axis: str) -> np.ndarray:
    """The indices that a number, label, slice, mask or list picks from `labels`."""
    labels = list(labels)

    def find(item: Any) -> int:
        if isinstance(item, str):
            if item not in labels:
                raise KeyError(f"{item!r} is no {axis} of this Grid; it has {labels[0]} to {labels[-1]}.")
            return labels.index(item)
        if isinstance(item, (bool, np.bool_)):
            raise TypeError(f"A {axis} is a number or a label; got {item}. A mask has a bool for each: {len(labels)}.")
        try:
            index = operator.index(item)
        except TypeError:
            raise TypeError(f"A {axis} is a number or a label; got {item!r}.") from None
        if not -len(labels) <= index < len(labels):
            raise IndexError(
                f"{axis} {index} is out of range: this Grid has {len(labels)} ({axis} 0 to {len(labels) - 1})."
            )
        return index % len(labels)

    if isinstance(key, slice):
        start = find(key.start) if isinstance(key.start, str) else key.start
        # a label is a place, not a count: a slice of labels includes its end, as in pandas
        stop = find(key.stop) + 1 if isinstance(key.stop, str) else key.stop
        return np.arange(len(labels))[start : stop : key.step]
    if isinstance(key, str) or np.ndim(key) == 0:
        return np.array([find(key)], dtype=np.int64)
    items = list(key)
    if items and all(isinstance(item, (bool, np.bool_)) for item in items):
        if len(items) != len(labels):
            raise IndexError(f"A mask of {axis}s has a bool for each, {len(labels)} in this Grid; got {len(items)}.")
        return np.flatnonzero(items)
    return np.array([find(item) for item in items], dtype=np.int64)


def slice_trajectories(whole: Trajectories, rows: np.ndarray, columns: np.ndarray) -> Trajectories:
    """The trajectories of the columns, through the rows."""
    spans = [whole.of(int(c)) for c in columns]
    keep = np.concatenate([np.arange(s.start, s.stop) for s in spans]) if spans else np.zeros(0, dtype=np.int64)
    offsets = np.cumsum([0] + [s.stop - s.start for s in spans]).astype(np.int32)
    pick = np.ix_(keep, rows)
    return Trajectories(offsets, whole.ids[keep], whole.log_probability[pick], whole.rank[pick])


def slice_row_quantity(quantity: RowQuantity, rows: np.ndarray) -> RowQuantity:
    parts = {name: values[rows] for name, values in quantity.parts.items()}
    return replace(quantity, values=quantity.values[rows], parts=parts)


def slice_column_quantity(quantity: ColumnQuantity, columns: np.ndarray) -> ColumnQuantity:
    """What is said of groups isn't known of a part of them."""
    is_whole = sorted(columns.tolist()) == list(range(len(quantity.values)))
    return replace(quantity, values=quantity.values[columns], of_groups=quantity.of_groups if is_whole else {})


def slice_sides(whole: Sides, rows: np.ndarray, columns: np.ndarray) -> Sides:
    """What leads on both sides of the cells that are left."""
    cells, leaders = np.ix_(rows, columns), whole.leaders
    equal = tuple(i for i, c in enumerate(columns.tolist()) if c in whole.equal)
    return replace(whole, leaders=Candidates(leaders.ids[cells], leaders.log_probability[cells]), equal=equal)


def slice_jumps(whole: Jumps, rows: np.ndarray, columns: np.ndarray) -> Jumps:
    """The jumps in the columns, as far as the row below is still there."""
    where = {int(c): i for i, c in enumerate(columns)}
    keep = np.array([i for i, c in enumerate(whole.columns.tolist()) if c in where], dtype=np.int64)
    values = whole.values[np.ix_(keep, rows)].copy()
    # a jump is told from one row to the next: where the row below was left out, it isn't known
    values[:, [i for i, row in enumerate(rows) if i == 0 or rows[i - 1] != row - 1]] = np.nan
    moved = np.array([where[int(c)] for c in whole.columns[keep]], dtype=np.int32)
    return replace(whole, columns=moved, tokens=whole.tokens[keep], values=values)


def slice_explain(
    whole: Callable[[int, int, int], Answer], rows: np.ndarray, columns: np.ndarray
) -> Callable[[int, int, int], Answer]:
    """The same question, asked in the part's own rows and columns."""

    def explain(column: int, token: int, row: int) -> Answer:
        if token != NO_TOKEN and (row < 1 or rows[row - 1] != rows[row] - 1):
            raise ValueError(f"Row {row} of this part of a Grid doesn't follow on the one below; ask the whole Grid.")
        return whole(int(columns[column]), token, int(rows[row]))

    for name in ("opened", "target"):  # a prompt is whole, whichever of its rows are looked at
        asked = getattr(whole, name, None)
        if asked is not None:
            setattr(explain, name, lambda column, asked=asked: asked(int(columns[column])))
    return explain
