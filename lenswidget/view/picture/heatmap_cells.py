"""The cells of a heatmap: their ink and their words, outlines round what is followed, and where the output is decided."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Int

from lenswidget.grids.grid import Grid
from lenswidget.grids.marks import cell_text, spaced
from lenswidget.grids.overview import VARIOUS
from lenswidget.grids.parts import MOVED, NO_TOKEN, Quantity
from lenswidget.grids.words import say
from lenswidget.view.picture.colors import PINS
from lenswidget.view.picture.heatmap_scale import MARK, Scale, ends_of, trust_mark
from lenswidget.view.picture.numbers import decimals_for, fixed
from lenswidget.view.picture.patched import SHARES, quiet_blocks, source_labels, telling
from lenswidget.view.picture.scene import MARGIN, Box, Line, Number, Ring, Shape, Words, cut

ROW, COLUMN, LABELS = 20, 62, 22
"""The height of a row, the width of a column, and the height of the labels above."""
DASH, DOT = 3.0, 1.5


def cells(grid: Grid, scale: Scale, left: Number, top: Number) -> Iterator[Shape]:
    """The cells, from `top` downwards, their labels above and beside them."""
    rows, columns = grid.shape
    edge = left - 6 - MARK * len(grid.row_quantities)
    for c in range(columns):
        label = grid.column_labels[c] if grid.column_labels else cell_text(grid.text(grid.columns[c]))
        yield Words(left + c * COLUMN + COLUMN // 2, top - 7, cut(spaced(label), COLUMN - 3), "ink")
    yield from source_labels(grid, left, top - 7, COLUMN)
    for r in range(rows):
        y = top + (rows - 1 - r) * ROW
        yield Words(edge, y + 14, cut(spaced(grid.rows[r]), edge - MARGIN), "muted", "end")
        for i, row_quantity in enumerate(grid.row_quantities):
            bad, good = ends_of(row_quantity)
            trust = (float(row_quantity.values[r]) - bad) / (good - bad) if good != bad else 1.0
            yield from trust_mark(trust, edge + 4 + i * MARK, y, ROW - 1)
    yield from inked(grid, scale, left, top)


def inked(grid: Grid, scale: Scale, left: Number, top: Number) -> Iterator[Shape]:
    """The cells alone, with all that stands on them."""
    rows, columns = grid.shape
    quantity, tones, decimals = scale.quantity, scale.tones(), decimals_for(scale.quantity.values)
    written = telling(grid, quantity, scale.high - scale.low)
    yield from quiet_blocks(grid, left, top, COLUMN, rows * ROW)
    for r in range(rows):
        y = top + (rows - 1 - r) * ROW
        for c in range(columns):
            x, tone = left + c * COLUMN, tones[r][c]
            if tone in ("page", "quiet"):
                continue
            yield Box(x, y, COLUMN - 1, ROW - 1, tone)
            if _is_repeated(grid, r, c):
                yield Box(x + COLUMN // 2 - 1, y + ROW // 2 - 1, 2, 2, f"on {tone}")
            elif written[r, c]:
                yield Words(
                    x + COLUMN // 2, y + 14, cut(_word(grid, quantity, decimals, r, c), COLUMN - 5), f"on {tone}"
                )
    yield from _outlines(grid, left, top)
    yield from _steps(grid, left, top)
    yield from _cones(grid, left, top)


def says_of(grid: Grid) -> list[str]:
    """What is met in the cells, in words."""
    if grid.sweep is not None:
        return ["1 as in the source, below 0 away from it"] if grid.sweep.source else []
    rings = rings_of(grid)
    return [
        says
        for says, is_met in (
            (f"dotted: {say('decided')}", grid.decision is not None),
            (f"dot: {say('repeated')}", _are_tokens(grid)),
            (f"outline: {say('followed')}", bool((rings >= 0).any())),
            (f"broken: {say('broken')}", bool(((rings >= 0) & (rings != rings[-1])).any())),
        )
        if is_met
    ]


def _are_tokens(grid: Grid) -> bool:
    return grid.candidates is not None and grid.sweep is None and grid.shape[0] > 1


def _is_repeated(grid: Grid, row: int, column: int) -> bool:
    """Whether a cell's token is that of the row below; the uppermost row, which is the output's, is always written out."""
    if grid.candidates is None or grid.sweep is not None or row in (0, grid.shape[0] - 1):
        return False
    leading = grid.candidates.ids[:, column, 0]
    return bool(leading[row] == leading[row - 1] != NO_TOKEN)


def _outlines(grid: Grid, left: Number, top: Number) -> Iterator[Shape]:
    """One round each run of rows in which one target leads, broken where it doesn't lead in the end."""
    rings = rings_of(grid)
    rows, columns = grid.shape
    for c in range(columns):
        ends = [*(np.flatnonzero(np.diff(rings[:, c])) + 1).tolist(), rows]
        for start, end in zip([0, *ends], ends):
            slot = int(rings[start, c])
            if slot < 0:
                continue
            x, y = left + c * COLUMN + 1, top + (rows - end) * ROW + 1
            width, height = COLUMN - 3, (end - start) * ROW - 3
            if slot == rings[-1, c]:
                yield Ring(x, y, width, height, f"pin{slot}")
            else:
                corners = ((x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y))
                yield Line(corners, f"pin{slot}", 2, DASH)


def _steps(grid: Grid, left: Number, top: Number) -> Iterator[Shape]:
    """A dotted line beneath the row from which the output's token leads, but where an outline begins there, too."""
    if grid.decision is None:
        return
    rings = rings_of(grid)
    for c, row in enumerate(grid.decision.tolist()):
        begins = row > 0 and rings[row, c] >= 0 > rings[row - 1, c]
        if row < 1 or begins or int(grid.positions[c]) in grid.excluded:
            continue
        x, y = left + c * COLUMN, top + (grid.shape[0] - row) * ROW - 0.5
        yield Line(((x, y), (x + COLUMN - 1, y)), "page", 3)
        yield Line(((x, y), (x + COLUMN - 1, y)), "ink", 1.5, DOT)


def _cones(grid: Grid, left: Number, top: Number) -> Iterator[Shape]:
    """The cells that were edited, and dashed all that each can reach: the rows above from its column on."""
    rows, columns = grid.shape
    for r, c in edited_cells(grid):
        x, y = left + c * COLUMN, top + (rows - 1 - r) * ROW
        if r < rows - 1:
            end = left + columns * COLUMN - 1
            yield Line(((x, y), (x, top), (end, top), (end, y), (x, y)), "ink", 1.5, DASH)
        yield Ring(x, y, COLUMN - 1, ROW - 1, "ink")


def edited_cells(grid: Grid) -> list[tuple[int, int]]:
    """The cells in which an edit begins to be felt: moved, with nothing moved beneath them or to the left of that."""
    if MOVED not in grid.quantities:
        return []
    moved = np.nan_to_num(grid.quantities[MOVED].values) != 0
    cells = [(int(r), int(c)) for r, c in np.argwhere(moved)]
    return [(r, c) for r, c in cells if not moved[:r, : c + 1].any()]


def rings_of(grid: Grid) -> Int[np.ndarray, "rows columns"]:
    """The target that leads in each cell, or -1."""
    rings = np.full(grid.shape, -1)
    if grid.candidates is not None and grid.sweep is None:
        for slot, target in reversed(list(enumerate(grid.targets[:PINS]))):
            rings[np.isin(grid.candidates.ids[:, :, 0], target.ids)] = slot
    return rings


def _word(grid: Grid, quantity: Quantity, decimals: int, row: int, column: int) -> str:
    value = float(quantity.values[row, column])
    numbered = grid.sweep is not None and quantity.measure != "probability"
    if grid.candidates is None or numbered or not np.isfinite(value):
        said = fixed(value, decimals, signed=quantity.center == 0 and quantity.measure not in SHARES)
        return said if any(digit in said for digit in "123456789∞N") else ""
    token = grid.candidates.ids[row, column, 0]
    return VARIOUS if token == NO_TOKEN else cell_text(grid.text(token))
