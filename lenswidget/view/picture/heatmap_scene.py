"""The picture of a Grid as a heatmap: the leading token or the number in each cell, colored by a quantity; a legend; and
what is followed, through the rows, at the last position."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from lenswidget.grids.grid import Grid
from lenswidget.grids.marks import cell_text, spaced, visible
from lenswidget.grids.overview import VARIOUS
from lenswidget.grids.parts import NO_TOKEN, Quantity, RowQuantity
from lenswidget.view.picture.colors import PINS, STEPS, TRUST
from lenswidget.view.picture.scene import (
    MARGIN,
    Box,
    Line,
    Number,
    Ring,
    Scene,
    Shape,
    Words,
    claimed,
    cut,
    head,
    largest,
    number,
    room_for,
)

ROW, COLUMN = 20, 62
LABELS, CHART, BAR, KEY = 30, 112, 150, 18
"""Heights of the column labels, of the chart and of a line of the legend; and the width of the legend's bar."""
WIDEST = 640
"""A chart, whose steps a wider one would flatten."""
MARK = 10


def heatmap_scene(grid: Grid, color: str = "", most: tuple[int, int] | None = None) -> Scene:
    """The picture of a Grid, colored by a quantity, the first for "".

    `most` rows and columns are drawn, the last of each always, or all of them. Of rows that add up, none is left out: what
    is too much is one row, the others.
    """
    name = color or next(iter(grid.quantities))
    part = _part(grid, name, most)
    rows, columns = part.shape
    scale = _Scale(part, name)
    marks = MARK * len(part.row_quantities)
    left = MARGIN + room_for([spaced(label) for label in (*part.rows, "embed")], 150) + 6 + marks
    charted = grid.shape[0] > 1 and _followed(grid)
    width = max(420, left + columns * COLUMN + MARGIN, left + 500 if charted else 0)
    whole = [part.rows[0].endswith(OTHERS) or rows == grid.shape[0], columns == grid.shape[1]]
    counts = [f"{rows} of {grid.shape[0]} rows", f"{columns} of {grid.shape[1]} columns"]
    shapes, top = head(grid, width, *(count for count, is_whole in zip(counts, whole) if not is_whole))
    if part.check is not None:
        says, ink = claimed(part.check)
        shapes.append(Words(MARGIN, top + 4, cut(says, width - 2 * MARGIN), ink, "start"))
        top += 14
    beneath = top + rows * ROW + LABELS
    chart = (
        list(_chart(grid, charted, left + 190, beneath, min(WIDEST, width - MARGIN - left - 190))) if charted else []
    )
    legend = list(_legend(scale, left, beneath)) + list(_trust_keys(part.row_quantities, left, beneath + 50))
    height = beneath + max(46 + KEY * len(part.row_quantities), CHART if chart else 0)
    shapes += [*_cells(part, scale, left, top), *legend, *chart]
    return Scene(width, height, [Box(0, 0, width, height, "page"), *shapes])


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


class _Scale:
    """From the values of a quantity to the names of colors: "c0" to "c16", "d0" to "d16" where it has a center."""

    def __init__(self, grid: Grid, name: str) -> None:
        self.grid = grid
        self.quantity = quantity = grid.quantities[name]
        self.values = values = quantity.values.astype(np.float64)
        self.excluded = np.isin(grid.positions, grid.excluded)
        counted = values[np.isfinite(values) & ~self.excluded]
        if quantity.scale == "log":
            counted = counted[counted > 0]  # what is not has no place on it, and is drawn at the low end
        low, high = quantity.domain or ((counted.min(), counted.max()) if counted.size else (0.0, 1.0))
        if quantity.scale == "log" and low <= 0:
            low = counted.min() if counted.size else high / 10 if high > 0 else 0.1
            high = max(high, low)
        if quantity.center is not None:
            reach = max(high - quantity.center, quantity.center - low)
            low, high = quantity.center - reach, quantity.center + reach
        self.low, self.high = float(low), float(high)
        self.tone = "c" if quantity.center is None else "d"

    def place(self, values: np.ndarray) -> np.ndarray:
        """0 to 1 from the low end to the high one."""
        low, high = self.low, self.high
        if self.quantity.scale == "log":
            with np.errstate(divide="ignore", invalid="ignore"):
                values = np.where(values > 0, np.log(values), -np.inf)
                low, high = float(np.log(low)), float(np.log(high))
        return np.asarray((values - low) / ((high - low) or 1.0))

    def tones(self) -> list[list[str]]:
        """The name of every cell's color: also "excluded" in a column left out of the scale, "odd" where nothing is finite."""
        finite = np.isfinite(self.values)
        share = np.clip(np.where(finite, self.place(np.where(finite, self.values, 1.0)), 0.0), 0.0, 1.0)
        share = 1 - share if self.quantity.strong == "low" else share
        steps = np.minimum((share * STEPS).astype(int), STEPS - 1)
        names = np.char.add(self.tone, steps.astype(str)).astype(object)
        names[:, self.excluded] = "excluded"
        names[~finite] = "odd"
        names[_absent(self.grid, self.quantity)] = "page"
        return [list(row) for row in names]


def _absent(grid: Grid, quantity: Quantity) -> np.ndarray:
    """The cells of a layer × part Grid that no part stands in: what has no number there, if the sum has one."""
    parts = grid.column_labels is not None and quantity.measure in ("contribution", "spread")
    summed = grid.check is None or not np.isnan(grid.check.error)
    return np.asarray(np.isnan(quantity.values) & (parts and summed))


def _legend(scale: _Scale, x: Number, y: Number) -> Iterator[Shape]:
    quantity = scale.quantity
    for i in range(STEPS):
        step = STEPS - 1 - i if quantity.strong == "low" else i
        yield Box(x + i * BAR / STEPS, y, BAR / STEPS + 0.3, 9, f"{scale.tone}{step}")
    percent = quantity.measure == "probability" and quantity.domain == (0.0, 1.0)
    for anchor, at, value in (("start", x, scale.low), ("end", x + BAR, scale.high)):
        yield Words(at, y + 22, f"{value:.0%}" if percent else number(value), "muted", anchor)  # type: ignore[arg-type]
    unit = f" ({quantity.unit})" if quantity.unit else ""
    yield Words(x, y + 37, cut(spaced(quantity.name + unit), 180), "muted", "start")


def _trust_keys(row_quantities: tuple[RowQuantity, ...], x: Number, y: Number) -> Iterator[Shape]:
    """What the ends of a row quantity stand for, the good one first."""
    for i, row_quantity in enumerate(row_quantities):
        bad, good = _ends(row_quantity)
        for j, trust in enumerate((1.0, 0.5, 0.0)):
            yield from _trust(trust, x + j * MARK, y + i * KEY - 9, MARK)
        said = f"{row_quantity.name}: {number(good)} to {number(bad)} {row_quantity.unit}".strip()
        yield Words(x + 3 * MARK + 6, y + i * KEY, cut(spaced(said), 144), "muted", "start")


def _ends(row_quantity: RowQuantity) -> tuple[float, float]:
    known = row_quantity.values[np.isfinite(row_quantity.values)]
    low, high = row_quantity.domain or ((float(known.min()), float(known.max())) if len(known) else (0.0, 0.0))
    return (low, high) if row_quantity.strong == "high" else (high, low)


def _trust(trust: float, x: Number, y: Number, height: Number) -> Iterator[Shape]:
    """One row of a row quantity: the fuller the better; crossed out where a row is not to be believed; nothing if unknown."""
    if np.isnan(trust):
        return
    trust = min(1.0, max(0.0, trust))
    step = math.ceil(trust * TRUST)
    yield Box(x, y, MARK - 3, height, f"trust{step}" if step else "excluded")
    if not step:
        yield Line(((x, y + height), (x + MARK - 3, y)), "muted")


Followed = list[tuple[str, np.ndarray]]


def _chart(grid: Grid, followed: Followed, x: Number, y: Number, width: Number) -> Iterator[Shape]:
    """Probability through the rows at the last position."""
    rows = grid.shape[0]
    room = 88
    left, right, top, bottom = x + 34, x + width - room, y, y + CHART - 42
    for share in (0.0, 0.5, 1.0):
        at = bottom - share * (bottom - top)
        yield Line(((left, at), (right, at)), "line")
        yield Words(left - 5, at + 4, f"{share:.0%}", "muted", "end")
    for row in sorted({0, round((rows - 1) / 3), round(2 * (rows - 1) / 3), rows - 1}):
        at = left + row * (right - left) / (rows - 1)
        yield Words(at, bottom + 16, cut(spaced(grid.rows[row]), (right - left) / 3), "muted")
    ends = []
    for slot, (label, values) in enumerate(followed[:PINS]):
        known = [(left + r * (right - left) / (rows - 1), float(v)) for r, v in enumerate(values) if np.isfinite(v)]
        points = tuple((at, bottom - min(1.0, v) * (bottom - top)) for at, v in known)
        if points:
            yield Line(points, f"pin{slot}", 2)
            ends.append((points[-1][1], slot, label))
    place = top - 10.0
    for at, slot, label in sorted(ends):
        place = max(at, place + 13)
        yield Words(right + 6, place + 4, cut(visible(label), room - 6), f"pin{slot}", "start")
    yield Words(left, bottom + 32, "probability at the last token, row by row", "muted", "start")


def _followed(grid: Grid) -> Followed:
    """What is followed, else the output's leader."""
    exact = [
        (grid.targets[q.target].label, q.values[:, -1])
        for q in grid.quantities.values()
        if q.target is not None and q.measure == "probability"
    ]
    if exact or grid.candidates is None or grid.trajectories is None:
        return exact
    leader = grid.candidates.ids[-1, -1, 0]
    entries = grid.trajectories.of(grid.shape[1] - 1)
    place = np.flatnonzero(grid.trajectories.ids[entries] == leader)
    return [(grid.text(leader), np.exp2(grid.trajectories.log_probability[entries][i])) for i in place[:1]]


def _cells(part: Grid, scale: _Scale, left: Number, top: Number) -> Iterator[Shape]:
    rows, columns = part.shape
    quantity, tones, rings = scale.quantity, scale.tones(), _rings(part)
    edge = left - 6 - MARK * len(part.row_quantities)
    for r in range(rows):
        y = top + (rows - 1 - r) * ROW
        yield Words(edge, y + 14, cut(spaced(part.rows[r]), edge - MARGIN), "muted", "end")
        for i, row_quantity in enumerate(part.row_quantities):
            bad, good = _ends(row_quantity)
            trust = (float(row_quantity.values[r]) - bad) / (good - bad) if good != bad else 1.0
            yield from _trust(trust, edge + 4 + i * MARK, y, ROW - 1)
        for c in range(columns):
            x, tone = left + c * COLUMN, tones[r][c]
            if tone == "page":
                continue
            yield Box(x, y, COLUMN - 1, ROW - 1, tone)
            if rings[r, c] >= 0:
                yield Ring(x + 1, y + 1, COLUMN - 3, ROW - 3, f"pin{rings[r, c]}")
            yield Words(x + COLUMN // 2, y + 14, cut(_word(part, quantity, r, c), COLUMN - 5), f"on {tone}")
    for c in range(columns):
        label = part.column_labels[c] if part.column_labels else cell_text(part.text(part.columns[c]))
        yield Words(left + c * COLUMN + COLUMN // 2, top + rows * ROW + 16, cut(spaced(label), COLUMN - 3), "muted")


def _rings(part: Grid) -> np.ndarray:
    """The target that leads in each cell, or -1."""
    rings = np.full(part.shape, -1)
    if part.candidates is not None:
        for slot, target in reversed(list(enumerate(part.targets[:PINS]))):
            rings[np.isin(part.candidates.ids[:, :, 0], target.ids)] = slot
    return rings


def _word(part: Grid, quantity: Quantity, row: int, column: int) -> str:
    value = float(quantity.values[row, column])
    if part.candidates is None or not np.isfinite(value):
        return number(value, sign=quantity.center == 0)
    token = part.candidates.ids[row, column, 0]
    return VARIOUS if token == NO_TOKEN else cell_text(part.text(token))
