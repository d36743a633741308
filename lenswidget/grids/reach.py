"""Where the scale of a quantity should end that has no natural end: short of the few cells that would flatten all others."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float32

LONG_TAILED = ("KL to the output", "surprisal")
"""Quantities of a lens with a few cells far beyond all others: an embedding can be hundreds of bits from the output where no
other row is forty."""


def reach(
    values: Float32[np.ndarray, "rows columns"], counted: Bool[np.ndarray, "columns"]
) -> tuple[float, float] | None:
    """The ends of a scale from zero, by the columns that are `counted`; None where the data decide.

    The cells that lie beyond it, if any, are drawn as beyond the scale.
    """
    finite = values[:, counted]
    finite = finite[np.isfinite(finite)]
    if not finite.size:
        return None
    most, usual = float(finite.max()), float(np.percentile(finite, 95))
    return (0.0, usual) if 0 < usual < most / 2 else None
