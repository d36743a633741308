"""Ridge regression of the last row on every other, in one pass over some text, in memory that doesn't grow with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.lenses.fitting.parallel import Workers
from lenswidget.lenses.fitting.residuals import Residuals
from lenswidget.model.surroundings import double, has_float64

RIDGE = 1e-4
"""Of the mean square of a row's coordinates."""


class Moments:
    """Second moments of every row with itself and with the last, summed batch by batch.

    Products are taken in float32, about the mean of the first batch so that they stay small, and added up in float64.
    """

    def __init__(self, first: Float[Tensor, "rows positions d"], workers: Workers = Workers()) -> None:  # noqa: B008
        rows, _, d = first.shape
        device = first.device if has_float64(first.device) else torch.device("cpu")
        self.shift = workers.from_first(first.mean(1, keepdim=True))
        self.count = torch.zeros((), dtype=torch.float64, device=device)
        self.sum = torch.zeros(rows, d, dtype=torch.float64, device=device)
        self.own = torch.zeros(rows - 1, d, d, dtype=torch.float64, device=device)
        self.cross = torch.zeros(rows - 1, d, d, dtype=torch.float64, device=device)
        self.last = torch.zeros(d, dtype=torch.float64, device=device)

    def add(self, residual: Float[Tensor, "rows positions d"]) -> None:
        x = residual - self.shift
        last = x[-1]
        self.count += x.shape[1]
        self.sum += double(x.sum(1))
        self.last += double(last.square().sum(0))
        for row, before in enumerate(x[:-1]):
            self.own[row] += double(before.T @ before)
            self.cross[row] += double(before.T @ last)

    def gather(self, workers: Workers) -> None:
        """Take the sums of all processes together."""
        workers.add([self.count, self.sum, self.own, self.cross, self.last])

    @property
    def mean(self) -> Float[Tensor, "rows d"]:
        return self.sum / self.count + double(self.shift.squeeze(1))

    @property
    def spread(self) -> float:
        """Root mean square, over coordinates, of the last row's standard deviations."""
        return float((self.last / self.count - (self.sum[-1] / self.count).square()).mean().sqrt())

    def covariance(self, row: int) -> Float[Tensor, "d d"]:
        mean = self.sum[row] / self.count
        return self.own[row] / self.count - torch.outer(mean, mean)

    def solve(self, ridge: float) -> tuple[Float[Tensor, "L d d"], Float[Tensor, "L d"]]:
        """Weights and biases of `h + W h + b` that come nearest to the last row in the mean square, on the CPU."""
        mean, center = self.mean, self.sum / self.count
        eye = torch.eye(mean.shape[1], dtype=mean.dtype, device=mean.device)
        weights, biases = [], []
        for row, cross in enumerate(self.cross):
            to_last = ridge_map(self.covariance(row), cross / self.count - torch.outer(center[row], center[-1]), ridge)
            weights.append((to_last - eye).float().cpu())
            biases.append((mean[-1] - to_last @ mean[row]).float().cpu())
        return torch.stack(weights), torch.stack(biases)


def ridge_map(covariance: Float[Tensor, "d d"], cross: Float[Tensor, "d e"], ridge: float) -> Float[Tensor, "e d"]:
    """The matrix that comes nearest in the mean square, from the covariance of what goes in and that with what comes out."""
    eye = torch.eye(len(covariance), dtype=covariance.dtype, device=covariance.device)
    solved: Tensor = torch.linalg.solve(covariance + ridge * covariance.diagonal().mean() * eye, cross)
    return solved.T


def regress(
    windows: Iterator[Int[Tensor, "windows window"]],
    residuals: Residuals,
    tokens: int,
    tell: Callable[[float], bool],
) -> Moments:
    """One pass over so many tokens, or as many as there are. `tell` hears how far it is, and says whether to stop there."""
    moments: Moments | None = None
    read = 0
    stopping = False
    while read < tokens and not stopping:
        some = next(windows, None)
        if some is None:
            break
        (residual,) = residuals(some)
        moments = moments or Moments(residual, residuals.workers)
        moments.add(residual)
        read += some.numel() - len(some)
        stopping = residuals.workers.any(tell(read / tokens))
    if moments is None:
        raise KeyboardInterrupt  # stopped before anything was read
    moments.gather(residuals.workers)
    count, d = int(moments.count), moments.sum.shape[1]
    if count < d:
        raise ValueError(
            f"A linear lens for a width of {d} takes at least {d} tokens, and was given {count}. Pass more text, or none to "
            "let the model write its own."
        )
    return moments
