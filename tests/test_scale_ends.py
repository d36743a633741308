"""The ends of a scale of colors, which Python finds for pictures and for the browser."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lenswidget.grids.parts import Quantity
from lenswidget.view.picture.heatmap_scale import ends_of_scale
from tests.grids import make_grid

NAN, INF = float("nan"), float("inf")


def ends(values: list[float], excluded: tuple[int, ...] = (), **like: object) -> tuple[float, float]:
    grid = make_grid(rows=2, columns=len(values))
    row = np.array(values, dtype=np.float32)
    quantity = Quantity("size", np.stack([row, row]), **like)  # type: ignore[arg-type]
    return ends_of_scale(replace(grid, quantities={"size": quantity}, excluded=excluded), quantity)


@pytest.mark.parametrize(
    "values, like, expected",
    [
        ([900, 2, 3, 4], {"excluded": (0,)}, (2, 4)),
        ([0.25, NAN, INF, -INF], {"domain": (0.0, 1.0)}, (0, 1)),
        ([1, NAN, INF, 5], {}, (1, 5)),
        ([-1, 2, 3, 0], {"center": 0.0}, (-3, 3)),
        ([7, 7, 7, 7], {}, (6.5, 7.5)),
        ([NAN, NAN, NAN, NAN], {}, (0, 1)),
        ([0, 1, 10, 100], {"scale": "log"}, (1, 100)),
        ([0, 1, 10, -5], {"scale": "log", "domain": (0.0, 100.0)}, (1, 100)),
        ([8, 8, 8, 8], {"scale": "log"}, (4, 16)),
        ([0, 0, -1, NAN], {"scale": "log"}, (0.1, 1)),
    ],
)
def test_a_scale_begins_and_ends_where_its_values_do(
    values: list[float], like: dict[str, object], expected: tuple[float, float]
) -> None:
    assert ends(values, **like) == pytest.approx(expected)  # type: ignore[arg-type]
