"""AUROC: how often one of some scores higher than one of others, and how far resampling moves that."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def auroc(higher: Float[np.ndarray, "n"], lower: Float[np.ndarray, "p"]) -> float:
    """The share of pairs in which the first is larger, ties half: 1 where all are, .5 by chance. NaN for NaN or nothing."""
    if not len(higher) or not len(lower) or np.isnan(higher).any() or np.isnan(lower).any():
        return float("nan")
    ordered = np.sort(lower)
    below, upto = (np.searchsorted(ordered, higher, side=side) for side in ("left", "right"))
    return float((below + upto).mean() / (2 * len(ordered)))


def auroc_interval(
    higher: Float[np.ndarray, "n"],
    lower: Float[np.ndarray, "p"],
    resamples: int,
    random: np.random.Generator,
    share: float = 0.95,
) -> tuple[float, float]:
    """The ends between which lies a `share` of the AUROCs of bootstrap resamples of both sides; NaN where a side has only one."""
    if min(len(higher), len(lower)) < 2:
        return float("nan"), float("nan")  # drawn again, one is always the same
    found = [auroc(random.choice(higher, len(higher)), random.choice(lower, len(lower))) for _ in range(resamples)]
    low, high = np.quantile(found, [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)
