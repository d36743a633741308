"""The picture of a Grid as a heatmap: the leading token or the number in each cell, colored by a quantity; on the same rows
what is followed at the last position; and a legend."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lenswidget.grids.grid import Grid
from lenswidget.grids.marks import spaced, visible
from lenswidget.grids.parts import NO_TOKEN
from lenswidget.view.picture.dots_scene import dots, dots_height, dotted
from lenswidget.view.picture.group_chart import group_chart
from lenswidget.view.picture.heatmap_below import EACH, below
from lenswidget.view.picture.heatmap_cells import COLUMN, LABELS, ROW, cells, says_of
from lenswidget.view.picture.heatmap_chart import NAMES, SPACE, WIDTH, chart, followed_of
from lenswidget.view.picture.heatmap_scale import KEY, MARK, Scale, ink_says, is_weighed, legend, trust_keys
from lenswidget.view.picture.numbers import percent
from lenswidget.view.picture.patched import PAIR, is_pair
from lenswidget.view.picture.scene import (
    MARGIN,
    Box,
    Scene,
    Words,
    claimed,
    cut,
    head,
    largest,
    room_for,
    wrapped,
)


def heatmap_scene(grid: Grid, color: str = "", most: tuple[int, int] | None = None) -> Scene:
    """The picture of a Grid, colored by a quantity; for "" by the first, weighed by how far it can be believed.

    `most` rows and columns are drawn, the last of each always, or all of them. Of rows that add up, none is left out: what
    is too much is one row, the others.
    """
    name = color or next(iter(grid.quantities))
    part = _part(grid, name, most)
    rows, columns = part.shape
    scale = Scale(part, name, weighs=not color and is_weighed(part))
    marks = MARK * len(part.row_quantities)
    left = MARGIN + room_for([spaced(label) for label in (*part.rows, "embed")], 150) + 6 + marks
    right = left + columns * COLUMN
    is_charted = rows > 1 and part.sweep is None
    has_groups = is_charted and part.groups is not None
    followed = followed_of(part) if is_charted and not has_groups else []
    width = max(420, right + (SPACE + WIDTH + NAMES if followed or has_groups else 0) + MARGIN)
    whole = [part.rows[0].endswith(OTHERS) or rows == grid.shape[0], columns == grid.shape[1]]
    counts = [f"{rows} of {grid.shape[0]} rows", f"{columns} of {grid.shape[1]} columns"]
    titled = replace(grid, title=grid.title + _answer(grid))
    shapes, top = head(titled, width, *(count for count, is_whole in zip(counts, whole) if not is_whole))
    if part.check is not None:
        says, ink = claimed(part.check)
        shapes.append(Words(MARGIN, top + 4, cut(says, width - 2 * MARGIN), ink, "start"))
        top += 14
    for quantity in dotted(grid):
        shapes += dots(grid, quantity, MARGIN, top + 6, width - 2 * MARGIN)
        top += dots_height(grid, quantity)
    top += LABELS + (PAIR if is_pair(part) else 0)
    foot = top + rows * ROW
    beneath = foot + EACH * len(part.column_quantities) + (28 if followed or has_groups else 12)
    shapes += cells(part, scale, left, top)
    shapes += below(part, left, foot)
    if has_groups:
        # of all columns, also where not all are drawn
        of_all = part if most is None else _part(grid, name, (most[0], grid.shape[1]))
        shapes += group_chart(of_all, Scale(of_all, name), right + SPACE, top, ROW)
    if followed:
        shapes += chart(followed, right + SPACE, top, ROW)
    shapes += legend(scale, left, beneath)
    said = [ink_says(part)] if scale.weighs else []
    lines = [line for one in [*said, " · ".join(says_of(part))] for line in wrapped(one, width - left - MARGIN) if line]
    beneath += 54
    shapes += [Words(left, beneath + 15 * i, line, "muted", "start") for i, line in enumerate(lines)]
    beneath += 15 * len(lines)
    shapes += trust_keys(part.row_quantities, left, beneath, width - left - MARGIN)
    height = beneath + KEY * len(part.row_quantities)
    return Scene(width, height, [Box(0, 0, width, height, "page"), *shapes])


def _answer(grid: Grid) -> str:
    """What the model says in the end, where the last column is the end of a prompt that a lens read; or a sweep's base."""
    if grid.sweep is not None and len(grid.sweep.tokens):
        first = int(grid.sweep.said[0].argmax())
        return _said(grid, int(grid.sweep.tokens[first]), float(grid.sweep.said[0, first]))
    is_read = "probability" in grid.quantities and grid.column_labels is None and grid.decision is not None
    if not is_read or grid.candidates is None or grid.following is None or grid.following[-1] != NO_TOKEN:
        return ""
    token, bits = grid.candidates.ids[-1, -1, 0], grid.candidates.log_probability[-1, -1, 0]
    return _said(grid, int(token), float(bits)) if token != NO_TOKEN else ""


def _said(grid: Grid, token: int, bits: float) -> str:
    said = percent(2**bits).replace("\u202f", " ")  # a title's own odd spaces are made visible
    return f" → {visible(grid.text(token))} {said}"


OTHERS = " others"


def _part(grid: Grid, name: str, most: tuple[int, int] | None) -> Grid:
    if most is None:
        return grid
    rows, columns = grid.shape
    grid = grid[:, max(0, columns - most[1]) :]
    if rows <= most[0]:
        return grid
    quantity = grid.quantities[name]
    if quantity.measure != "contribution":
        stride = -(-rows // most[0])
        return grid[sorted(range(rows - 1, -1, -stride))]
    shown, left = largest(np.abs(quantity.values).max(axis=1), most[0] - 1)
    kept = grid[sorted(shown.tolist())]
    values = np.vstack([quantity.values[left].sum(axis=0, keepdims=True), kept.quantities[name].values])
    labels = (f"{len(left):,}{OTHERS}", *kept.rows)
    return replace(kept, rows=labels, quantities={name: replace(quantity, values=values)}, check=grid.check)
