"""What is known of each column, as bars beneath the cells. Twin of js/src/heatmap/below-painter.ts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lenswidget.grids.grid import Grid
from lenswidget.grids.marks import spaced
from lenswidget.view.picture.dot_lines import title_of
from lenswidget.view.picture.heatmap_cells import COLUMN
from lenswidget.view.picture.numbers import tick
from lenswidget.view.picture.scene import Box, Number, Shape, Words, cut

NAME, BARS, EACH = 22, 26, 54
"""The height of a quantity's name, of its bars, and of all of it with what is between it and the next."""


def below(grid: Grid, left: Number, top: Number) -> Iterator[Shape]:
    """A line of bars for each column quantity, each with its own scale, in full ink from its line on."""
    columns = grid.shape[1]
    for i, quantity in enumerate(grid.column_quantities):
        values, line = quantity.values, quantity.line
        known = values[np.isfinite(values)].tolist()
        low, high = min([0.0, line or 0.0, *known]), max([0.0, line or 0.0, *known])
        start = top + i * EACH
        foot = start + NAME + BARS
        scale = BARS / ((high - low) or 1.0)
        zero = foot + low * scale
        name = title_of(quantity)
        said = name if line is None else f"{name} · line at {tick(line)}"
        yield Words(left, start + 16, cut(spaced(said), columns * COLUMN), "muted", "start")
        for end in {low, high}:
            yield Words(left - 6, foot - (end - low) * scale + 4, tick(end), "muted", "end")
        for column, value in enumerate(values.tolist()):
            if np.isfinite(value):
                # one of 0 is seen to be there
                size = max(1.0, abs(value) * scale)
                is_much = line is not None and value >= np.float32(line)
                box = (left + column * COLUMN, zero if value < 0 else zero - size, COLUMN - 1, size)
                yield Box(*box, "ink" if is_much else "faint")
        if line is not None:
            yield Box(left, foot - (line - low) * scale, columns * COLUMN, 1, "muted")
