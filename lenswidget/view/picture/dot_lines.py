"""A column quantity as lines of dots, one for each group. Twin of js/src/dots/lines.ts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from lenswidget.grids.grid import Grid
from lenswidget.grids.parts import ColumnQuantity
from lenswidget.view.picture.colors import PINS

STEP = 0.618034
"""The golden ratio spreads any number of dots evenly."""


@dataclass(frozen=True, eq=False)
class DotLine:
    """What is known of a group: `values`, and how far `across` its line each lies, from -1 to 1; and what is said of it."""

    name: str
    says: str
    ink: str
    values: Float64[np.ndarray, "n"]
    across: Float64[np.ndarray, "n"]


def dot_lines(grid: Grid, quantity: ColumnQuantity) -> list[DotLine]:
    """What is elsewhere, then the groups in the order in which they are met."""
    groups = np.array(grid.groups or ("",) * grid.shape[1], dtype=object)
    named = [(name, values, "muted") for name, values in quantity.elsewhere.items()]
    for i, name in enumerate(dict.fromkeys(groups.tolist())):
        named.append((name, quantity.values[groups == name], f"pin{i % PINS}"))
    found = []
    for name, values, ink in named:
        known = np.isfinite(values)
        across = 2 * ((np.arange(len(values)) * STEP) % 1) - 1
        says = quantity.of_groups.get(name, "")
        found.append(DotLine(name, says, ink, values[known].astype(np.float64), across[known]))
    return found


def title_of(quantity: ColumnQuantity) -> str:
    """Its name, with its unit."""
    return f"{quantity.name}, {quantity.unit}" if quantity.unit else quantity.name
