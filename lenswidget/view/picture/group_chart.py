"""Groups of columns on the rows of the heatmap beside them: the mean of each and how far it spreads. Twin of
js/src/chart/group-lines.ts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from lenswidget.grids.grid import Grid
from lenswidget.grids.groups import groups_of
from lenswidget.grids.marks import spaced
from lenswidget.grids.parts import Quantity
from lenswidget.view.picture.colors import PINS
from lenswidget.view.picture.heatmap_chart import LINE, NAMES, WIDTH
from lenswidget.view.picture.heatmap_scale import Scale, is_percent, unit_of
from lenswidget.view.picture.numbers import tick, ticks
from lenswidget.view.picture.scene import Area, Line, Number, Shape, Words, breadth, cut

DASHES = 0, 4, 1.5
"""Of lines, beside their colors, which some can't tell apart."""
Place = Callable[[float], float]


def group_chart(grid: Grid, scale: Scale, x: Number, top: Number, row_height: Number) -> Iterator[Shape]:
    """The mean of each group as a line, its standard deviation as a band, its name where it is furthest from the others."""
    quantity, rows = scale.quantity, grid.shape[0]
    groups = groups_of(grid.groups or (), quantity.values)
    bottom = top + rows * row_height
    low, high = _ends(scale)
    place = _placing(quantity, low, high)
    title = f"mean {spaced(quantity.name)}{unit_of(quantity)} ± SD by group"
    yield Words(x, top - 7, cut(title, WIDTH + NAMES), "ink", "start")
    yield from _axis(quantity, low, high, place, x, top, bottom)

    def at(value: float, row: int) -> tuple[Number, Number]:
        return x + WIDTH * place(value), bottom - (row + 0.5) * row_height

    for i, group in enumerate(groups):
        for run in _runs(group.mean):
            sides = [[at(group.mean[r] + by * group.spread[r], r) for r in run] for by in (-1, 1)]
            yield Area((*sides[0], *reversed(sides[1])), f"pin{i % PINS}")
    for i, group in enumerate(groups):
        for run in _runs(group.mean):
            points = [at(group.mean[r], r) for r in run]
            # what stands alone is a point
            ends = points if len(points) > 1 else [(points[0][0] - 1, points[0][1]), (points[0][0] + 1, points[0][1])]
            yield Line(tuple(ends), f"pin{i % PINS}", 2, DASHES[i % PINS % len(DASHES)])
    means = [group.mean for group in groups]
    heights = [bottom - (_row_apart(i, means, place) + 0.5) * row_height for i in range(len(groups))]
    named = top - LINE
    for y, i in sorted(zip(heights, range(len(groups)))):
        named = max(y + 4, named + LINE)
        if named > bottom:
            break
        count = f" ({groups[i].count})"
        name = cut(spaced(groups[i].name), NAMES - breadth(count)) + count
        yield Words(x + WIDTH + 10, named, name, f"pin{i % PINS}", "start")


def _ends(scale: Scale) -> tuple[float, float]:
    """Those of the colors, as far as there are values: an entropy may end far above."""
    values = scale.values
    most = float(values[values < scale.high].max(initial=scale.low))
    return scale.low, most if most > scale.low else scale.high


def _placing(quantity: Quantity, low: float, high: float) -> Place:
    is_log = quantity.scale == "log"
    start, end = (math.log(low), math.log(high)) if is_log else (low, high)

    def place(value: float) -> float:
        if is_log:
            value = math.log(value) if value > 0 else start
        return min(1.0, max(0.0, (value - start) / (end - start)))

    return place


def _axis(
    quantity: Quantity, low: float, high: float, place: Place, x: Number, top: Number, bottom: Number
) -> Iterator[Shape]:
    """A rule for each number, as many of them as have room."""
    free = -math.inf
    if quantity.scale == "log":
        numbers = [10.0**power for power in range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)]
    else:
        numbers = ticks(low, high, 4)
    for value in numbers:
        at, said = x + WIDTH * place(value), tick(100 * value if is_percent(quantity) else value)
        if at - breadth(said) / 2 < free:
            continue
        free = at + breadth(said) / 2 + 2
        yield Line(((at, top), (at, bottom)), "line")
        yield Words(at, bottom + 14, said, "muted")


def _runs(values: np.ndarray) -> list[range]:
    """The rows that follow on each other in which something is known."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], np.isfinite(values), [False]])))
    return [range(start, end) for start, end in edges.reshape(-1, 2).tolist()]


def _row_apart(group: int, means: Sequence[np.ndarray], place: Place) -> int:
    """The row in which a group is furthest to the right of all others; of several, the uppermost."""
    best, most = len(means[group]) - 1, -math.inf
    for row in range(len(means[group]) - 1, -1, -1):
        value = float(means[group][row])
        if not math.isfinite(value):
            continue
        others = [float(mean[row]) for i, mean in enumerate(means) if i != group]
        apart = min([place(value), *(place(value) - place(other) for other in others if math.isfinite(other))])
        if apart > most:
            best, most = row, apart
    return best
