"""What a patched run is measured by, and how much of the way from the base to the source it went.

Zhang & Nanda 2024, arXiv 2309.16042: a logit difference is what most experiments should use; probability hides what pushes
down, since it can't fall below 0.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from lenswidget.grids.parts import Target
from lenswidget.model.reading import Reading
from lenswidget.model.targets import named

METRICS = {
    "logit difference": "logits",
    "logit": "logits",
    "log-probability": "bits",
    "probability": "",
    "KL": "bits",
}
"""Each metric with its unit."""
NO_GAP = {"": 1e-4, "bits": 1e-2, "logits": 1e-2}
"""What is too small a difference between base and source to be a share of, by unit."""


def metric_of(metric: str | None, targets: tuple[Target, ...]) -> str:
    """The metric that is asked for, by default the logit difference where there is something to compare with.

    Raises ValueError for one that doesn't exist or needs `against=`.
    """
    if metric is None:
        return "logit difference" if len(targets) > 1 else "log-probability"
    if metric not in METRICS:
        raise ValueError(f"metric is one of {', '.join(map(repr, METRICS))}; got {metric!r}.")
    if metric == "logit difference" and len(targets) < 2:
        raise ValueError("A logit difference compares two tokens; name the second, as in against=' Rome'.")
    return metric


def measured(reading: Reading, metric: str) -> Float[Tensor, "rows columns"]:
    """The metric in each cell. The last row is the source's, from which a KL is counted; it is less where it is more alike."""
    if metric == "KL":
        return -reading.kl
    if metric == "logit difference":
        return reading.target_logit[0] - reading.target_logit[1]
    if metric == "logit":
        return reading.target_logit[0]
    bits = reading.target_log_probability[0]
    return bits.exp2() if metric == "probability" else bits


def called(metric: str, targets: tuple[Target, ...]) -> str:
    """What a metric is called of some targets: `logit difference of ' Paris' − ' Rome'`."""
    if metric == "KL":
        return "KL from the source"
    return f"{metric} of {named(targets if metric == 'logit difference' else targets[:1])}"


def recovered(
    patched: Float[Tensor, "n rows columns"], base: Float[Tensor, "n"], source: Float[Tensor, "n"]
) -> Float[Tensor, "rows columns"]:
    """`(M_patched − M_base) / (M_source − M_base)`: 0 is the base, 1 the source, and nothing is clipped.

    Over pairs it is the ratio of the means: one pair without a gap would make a mean of ratios infinite.
    """
    return (patched - base[:, None, None]).mean(0) / (source - base).mean()


def require_gap(base: Float[Tensor, "n"], source: Float[Tensor, "n"], metric: str, name: str) -> None:
    """Raises ValueError, with the figures, where base and source differ by about nothing."""
    gap = float((source - base).mean())
    if not abs(gap) > NO_GAP[METRICS[metric]]:
        unit = f" {METRICS[metric]}" if METRICS[metric] else ""
        raise ValueError(
            f"Base and source have the same {name}: {float(base.mean()):.4g} and {float(source.mean()):.4g}{unit}, so that "
            "nothing can be recovered. Choose a target that one of them says and the other doesn't, or another metric=."
        )


def spread(patched: Float[Tensor, "n rows columns"], base: Tensor, source: Tensor) -> Float[Tensor, "rows columns"]:
    """The standard deviation over pairs of what is recovered, each as a share of the mean gap."""
    effect = (patched - base[:, None, None]) / (source - base).mean()
    return effect.std(0, correction=0) if len(effect) > 1 else torch.zeros_like(effect[0])
