"""Groups of columns: how a quantity fares in each, row by row. Twin of js/src/data/groups.ts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64


@dataclass(frozen=True, eq=False)
class Group:
    """The `mean` and the standard deviation, `spread`, of what is known of `count` columns, by row; NaN where nothing is."""

    name: str
    count: int
    mean: Float64[np.ndarray, "rows"]
    spread: Float64[np.ndarray, "rows"]


def groups_of(groups: Sequence[str], values: Float[np.ndarray, "rows columns"]) -> list[Group]:
    """The groups of columns, in the order in which they are met."""
    found = []
    for name in dict.fromkeys(groups):
        there = np.array([group == name for group in groups])
        some = np.ma.masked_invalid(values[:, there].astype(np.float64))
        mean, spread = some.mean(1).filled(np.nan), some.std(1).filled(np.nan)
        found.append(Group(name, int(there.sum()), mean, spread))
    return found
