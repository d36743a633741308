"""A column quantity as dots above a heatmap, as js/src/dots/ has them: a line a group, and the line from which on it is much."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from lenswidget.grids.grid import Grid
from lenswidget.grids.marks import spaced
from lenswidget.grids.parts import ColumnQuantity
from lenswidget.view.picture.dot_lines import dot_lines, title_of
from lenswidget.view.picture.numbers import decimals_for, fixed, tick, ticks
from lenswidget.view.picture.scene import Dots, Line, Number, Shape, Words, breadth, cut

WIDEST = 760
HEAD, EACH, AXIS = 20, 46, 48
"""The height of what stands above all lines, of a line with its name, and of the axis and what is between it and the map."""
HALF, RISE, SPREAD = 15, 17, 10
"""From the middle of a line to its foot, to the foot of its name above, and how far dots lie from it at most."""
EDGE = 8
"""From the ends of the axis to the outermost dots."""
RADIUS = 3.5


def dotted(grid: Grid) -> list[ColumnQuantity]:
    """The column quantities that are drawn as dots."""
    return [one for one in grid.column_quantities if one.line is not None and math.isfinite(one.line)]


def dots_height(grid: Grid, quantity: ColumnQuantity) -> int:
    """How high its dots are with all that belongs to them."""
    return HEAD + EACH * len(dot_lines(grid, quantity)) + AXIS


def dots(grid: Grid, quantity: ColumnQuantity, left: Number, top: Number, room: Number) -> Iterator[Shape]:
    """Its dots, from `top` downwards, as wide as there is room for and no wider than is useful."""
    width, line = min(WIDEST, room), float(quantity.line or 0.0)
    lines = dot_lines(grid, quantity)
    all_values = [line, *(value for one in lines for value in one.values.tolist())]
    low, high = min(all_values), max(all_values)
    low, high = (low, high) if low < high else (low - 0.5, high + 0.5)

    def x(value: float) -> float:
        return float(left + EDGE + (value - low) / (high - low) * (width - 2 * EDGE))

    bottom = top + HEAD + EACH * len(lines)
    at, is_late = x(line), x(line) > left + width / 2
    yield Line(((at, top + 2), (at, bottom)), "muted", 1, 4)
    reach = cut(spaced(quantity.reach or f"line at {tick(line)}"), width / 2 - 10)
    yield Words(at + (-6 if is_late else 6), top + 12, reach, "muted", "end" if is_late else "start")
    for i, one in enumerate(lines):
        middle = top + HEAD + (i + 1) * EACH - HALF
        says = cut(spaced(one.says), width / 2)
        yield Words(left, middle - RISE, cut(spaced(one.name), width - breadth(says) - 12), one.ink, "start")
        yield Words(left + width, middle - RISE, says, "muted", "end")
        yield Line(((left, middle), (left + width, middle)), "line")
        places = zip(one.values.tolist(), one.across.tolist())
        yield Dots(tuple((x(value), middle + SPREAD * across) for value, across in places), RADIUS, one.ink)
    numbers = ticks(low, high, max(2, round(width / 90)))
    free, decimals = -math.inf, decimals_for(np.array(numbers))
    for value in numbers:
        said = fixed(value, decimals)
        if x(value) - breadth(said) / 2 >= max(free, 0):
            free = x(value) + breadth(said) / 2 + 2
            yield Words(x(value), bottom + 16, said, "muted")
    yield Words(left + width / 2, bottom + 34, cut(spaced(title_of(quantity)), width), "muted")
