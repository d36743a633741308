"""From the values of a heatmap to the names of its colors, and the key to them."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from lenswidget.grids.belief import beliefs, is_fidelity
from lenswidget.grids.grid import Grid
from lenswidget.grids.marks import spaced
from lenswidget.grids.parts import Quantity, RowQuantity
from lenswidget.grids.words import say
from lenswidget.view.picture.colors import STEPS, TRUST
from lenswidget.view.picture.numbers import number
from lenswidget.view.picture.patched import SHARES, quiet
from lenswidget.view.picture.scene import Box, Line, Number, Shape, Words, cut

BAR, KEY, MARK = 150, 18, 10
"""The width of the legend's bar, the height of a line of it, and the width of a row quantity."""


def is_weighed(grid: Grid) -> bool:
    """Whether the ink of a Grid that nobody asked a color of is probability × belief: one that a lens read, of which
    something is known."""
    first = next(iter(grid.quantities))
    is_read = first == "probability" and grid.view == "heatmap" and grid.candidates is not None
    return is_read and not bool(np.isnan(beliefs(grid)).all())


def ink_says(grid: Grid) -> str:
    """What the ink says, where it is weighed."""
    return say("ink", what=say("byRow" if any(map(is_fidelity, grid.row_quantities)) else "byCell"))


class Scale:
    """From the values of a quantity to the names of colors: "c0" to "c16", "d0" to "d16" where it has a center, "s0" to "s16"
    from base to source."""

    def __init__(self, grid: Grid, name: str, weighs: bool = False) -> None:
        """`weighs` says that ink is probability × belief."""
        self.grid = grid
        self.weighs = weighs
        self.quantity = quantity = grid.quantities[name]
        self.values = quantity.values.astype(np.float64)
        self.excluded = np.isin(grid.positions, grid.excluded)
        self.low, self.high = ends_of_scale(grid, quantity)
        self.tone = "s" if quantity.measure in SHARES else "c" if quantity.center is None else "d"

    def place(self, values: np.ndarray) -> np.ndarray:
        """0 to 1 from the low end to the high one."""
        low, high = self.low, self.high
        if self.quantity.scale == "log":
            with np.errstate(divide="ignore", invalid="ignore"):
                values = np.where(values > 0, np.log(values), -np.inf)
                low, high = float(np.log(low)), float(np.log(high))
        return np.asarray((values - low) / ((high - low) or 1.0))

    def weighed(self) -> np.ndarray:
        """The values that the ink stands for: with `weighs`, probability × belief."""
        if not self.weighs:
            return self.values
        weighed: np.ndarray = self.place(self.values) * np.nan_to_num(beliefs(self.grid), nan=1.0)
        ink: np.ndarray = self.low + weighed * (self.high - self.low)
        return ink

    def tones(self) -> list[list[str]]:
        """The name of every cell's color: also "excluded" in a column left out of the scale, "odd" where nothing is finite."""
        finite = np.isfinite(self.values)
        share = np.clip(np.where(finite, self.place(np.where(finite, self.values, 1.0)), 0.0), 0.0, 1.0)
        share = 1 - share if self.quantity.strong == "low" else share
        if self.weighs:
            share = share * np.nan_to_num(beliefs(self.grid), nan=1.0)
        steps = np.minimum((share * STEPS).astype(int), STEPS - 1)
        names = np.char.add(self.tone, steps.astype(str)).astype(object)
        names[:, self.excluded] = "excluded"
        names[~finite] = "odd"
        names[_absent(self.grid, self.quantity)] = "page"
        names[:, quiet(self.grid)] = "quiet"
        return [list(row) for row in names]


def ends_of_scale(grid: Grid, quantity: Quantity) -> tuple[float, float]:
    """The ends of a quantity's scale: those it names, or its extremes; as far on both sides where it has a center."""
    excluded = np.isin(grid.positions, grid.excluded)
    values = quantity.values.astype(np.float64)
    counted = values[np.isfinite(values) & ~excluded]
    is_log = quantity.scale == "log"
    if is_log:
        counted = counted[counted > 0]  # what is not has no place on it, and is drawn at the low end
    ends = (float(counted.min()), float(counted.max())) if counted.size else None
    low, high = quantity.domain or ends or ((0.1, 1.0) if is_log else (0.0, 1.0))
    if is_log and low <= 0:
        low = ends[0] if ends else high / 10 if high > 0 else 0.1
        high = high if high > low else 10 * low
    if quantity.center is not None:
        reach = max(high - quantity.center, quantity.center - low)
        low, high = quantity.center - reach, quantity.center + reach
    if low < high:
        return float(low), float(high)
    # one value only: a scale about it, so that it still has a place
    return (float(low) / 2, float(low) * 2) if is_log else (float(low) - 0.5, float(low) + 0.5)


def _absent(grid: Grid, quantity: Quantity) -> np.ndarray:
    """The cells of a layer × part Grid that no part stands in: what has no number there, if the sum has one."""
    parts = grid.column_labels is not None and quantity.measure in ("contribution", "spread")
    summed = grid.check is None or not np.isnan(grid.check.error)
    return np.asarray(np.isnan(quantity.values) & ((parts and summed) or grid.sweep is not None))


def legend(scale: Scale, x: Number, y: Number) -> Iterator[Shape]:
    quantity = scale.quantity
    for i in range(STEPS):
        step = STEPS - 1 - i if quantity.strong == "low" else i
        yield Box(x + i * BAR / STEPS, y, BAR / STEPS + 0.3, 9, f"{scale.tone}{step}")
    percent = is_percent(quantity)
    for anchor, at, value in (("start", x, scale.low), ("end", x + BAR, scale.high)):
        yield Words(at, y + 22, f"{100 * value:.0f}" if percent else number(value), "muted", anchor)  # type: ignore[arg-type]
    yield Words(x, y + 37, cut(spaced(quantity.name + unit_of(quantity)), 180), "muted", "start")


def is_percent(quantity: Quantity) -> bool:
    """Whether it is a probability, which readers expect in percent."""
    return quantity.measure == "probability" and quantity.domain == (0.0, 1.0)


def unit_of(quantity: Quantity) -> str:
    """The unit behind a name: " (bits)", or nothing."""
    unit = "%" if is_percent(quantity) else quantity.unit
    return f" ({unit})" if unit else ""


def trust_keys(row_quantities: tuple[RowQuantity, ...], x: Number, y: Number, width: Number) -> Iterator[Shape]:
    """What the ends of a row quantity stand for, the good one first."""
    for i, row_quantity in enumerate(row_quantities):
        bad, good = ends_of(row_quantity)
        for j, trust in enumerate((1.0, 0.5, 0.0)):
            yield from trust_mark(trust, x + j * MARK, y + i * KEY - 9, MARK)
        said = f"{row_quantity.name}: {number(good)} to {number(bad)} {row_quantity.unit}".strip()
        if row_quantity.parts:
            parts = ", ".join(f"{name} {number(mean)}" for name, mean in row_quantity.means.items())
            said = say("onAverage", quantity=said, parts=parts)
        yield Words(x + 3 * MARK + 6, y + i * KEY, cut(spaced(said), width - 3 * MARK - 6), "muted", "start")


def ends_of(row_quantity: RowQuantity) -> tuple[float, float]:
    known = row_quantity.values[np.isfinite(row_quantity.values)]
    low, high = row_quantity.domain or ((float(known.min()), float(known.max())) if len(known) else (0.0, 0.0))
    return (low, high) if row_quantity.strong == "high" else (high, low)


def trust_mark(trust: float, x: Number, y: Number, height: Number) -> Iterator[Shape]:
    """One row of a row quantity: the fuller the better; crossed out where a row is not to be believed; nothing if unknown."""
    if np.isnan(trust):
        return
    trust = min(1.0, max(0.0, trust))
    step = math.ceil(trust * TRUST)
    yield Box(x, y, MARK - 3, height, f"trust{step}" if step else "excluded")
    if not step:
        yield Line(((x, y + height), (x + MARK - 3, y)), "muted")
