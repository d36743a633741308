"""The picture of a Grid whose rows add up: bars, the largest first, and their sum; as js/src/bars/bars.tsx has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from lenswidget.grids.grid import Grid
from lenswidget.grids.marks import spaced, visible
from lenswidget.view.picture.bars import FEW, bars_of
from lenswidget.view.picture.numbers import decimals_for, fixed
from lenswidget.view.picture.scene import (
    MARGIN,
    Box,
    Line,
    Number,
    Scene,
    Shape,
    Words,
    claimed,
    cut,
    head,
    room_for,
    wrapped,
)

WIDTH, ROW, NUMBERS = 560, 20, 66


def bars_scene(grid: Grid, few: bool = False) -> Scene:
    """The first quantity of a Grid's last column as bars, its spread as whiskers, and what the rows sum to."""
    bars = bars_of(grid, FEW if few else None)
    labels, values, whiskers, parts, sums = bars.labels, bars.values, bars.spread, bars.parts, bars.add_up
    decimals = decimals_for(parts)

    shapes, top = head(grid, WIDTH, f"at {_column(grid)}" if grid.shape[1] > 1 else "")
    room = room_for([*labels, "sum"], WIDTH / 3)
    start, end = MARGIN + room + 8, WIDTH - MARGIN - NUMBERS
    before = np.zeros(0) if bars.before is None else bars.before
    ends = np.nan_to_num(
        np.concatenate([[0], values, values - whiskers, values + whiskers, before]), posinf=0, neginf=0
    )
    low, high = (ends.min(), ends.max()) if ends.any() else (-1, 1)

    def x(value: Number) -> float:
        return float(start + (value - low) / (high - low) * (end - start))

    for i, (label, value, whisker) in enumerate(zip(labels, values, whiskers)):
        y = top + i * ROW
        is_rest = bars.others and i == len(labels) - 1
        shapes.append(Words(start - 8, y + 14, cut(label, room), "ink", "end"))
        if sums or not is_rest:
            # all the way where it is no finite number
            left_end, right_end = sorted((x(0), x(value))) if np.isfinite(value) else (start, end)
            fill = ("minus" if value < 0 else "plus") + ("-rest" if is_rest else "") if np.isfinite(value) else "odd"
            shapes.append(Box(left_end, y + 3, max(1, right_end - left_end), ROW - 6, fill))
            if i < len(before) and np.isfinite(before[i]):
                old, new = sorted((x(0), x(before[i])))
                corners = ((old, y + 2), (new, y + 2), (new, y + ROW - 3), (old, y + ROW - 3), (old, y + 2))
                shapes.append(Line(corners, "muted", 1, 3))
            shapes += _whisker(value, whisker, x, y)
            shapes.append(Words(WIDTH - MARGIN, y + 14, fixed(value, decimals, signed=True), "muted", "end"))
    bottom = top + len(labels) * ROW
    shapes.append(Line(((x(0), top), (x(0), bottom)), "muted"))
    if sums:
        says, ink = _claim(grid, parts)
        lines = wrapped(says, end - start)
        shapes += [
            Line(((MARGIN, bottom + 4), (WIDTH - MARGIN, bottom + 4)), "line"),
            Words(start - 8, bottom + 20, "sum", "ink", "end"),
            *(Words((start + end) / 2, bottom + 20 + 14 * i, line, ink) for i, line in enumerate(lines)),
            Words(WIDTH - MARGIN, bottom + 20, fixed(float(parts.sum()), decimals, signed=True), "ink", "end"),
        ]
        bottom += 6 + 14 * len(lines)
    height = bottom + MARGIN
    return Scene(WIDTH, height, [Box(0, 0, WIDTH, height, "page"), *shapes])


def _whisker(value: float, spread: float, x: Callable[[Number], float], y: Number) -> Iterator[Shape]:
    if not np.isfinite(value + spread):
        return
    left, right = x(value - spread), x(value + spread)
    middle = y + ROW / 2
    yield Line(((left, middle), (right, middle)), "ink")
    for end in (left, right):
        yield Line(((end, middle - 3), (end, middle + 3)), "ink")


def _claim(grid: Grid, parts: np.ndarray) -> tuple[str, str]:
    odd = int((~np.isfinite(parts)).sum())
    if odd:
        return "one part is no finite number" if odd == 1 else f"{odd:,} parts are no finite number", "warning"
    return (
        claimed(grid.check) if grid.check is not None else (spaced(next(iter(grid.quantities.values())).unit), "muted")
    )


def _column(grid: Grid) -> str:
    if grid.column_labels is not None:
        return visible(grid.column_labels[-1])
    return f"position {grid.positions[-1]}, “{visible(grid.text(grid.columns[-1]))}”"
