"""LinearLens: each row is mapped to the last by ridge regression, in one pass over some text."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from tqdm.auto import tqdm

from lenswidget.lenses.fitted import Card, FittedLens, sample_of
from lenswidget.lenses.fitting import Residuals, kl_by_row, specimen
from lenswidget.lenses.text import Text
from lenswidget.probe import name_of

RIDGE = 1e-4
BATCH = 2048
"""Tokens in a forward pass."""


class LinearLens(FittedLens):
    """The last row as ridge regression expects it from another row: `M h + c`.

    Source: Din et al., "Jump to Conclusions: Short-Cutting Transformers With Linear Transformations", 2023,
    arXiv 2303.09435.
    """

    name = "Linear lens"

    @classmethod
    def fit(
        cls,
        model: Any,
        texts: Any = None,
        *,
        tokens: int = 20_000,
        ridge: float = RIDGE,
        held_out: int = 1024,
        window: int | None = None,
        data: str = "",
        seed: int = 0,
    ) -> LinearLens:
        """Fit every row in one pass over `tokens` tokens of text, in memory that does not grow with them.

        `texts` are a list or an iterator of texts, a dataset with a column "text", or None for text that the model
        writes itself from `seed`. `ridge` is relative to the mean square of a row's coordinates. On `held_out` more
        tokens the KL to the output is measured; 0 measures none. `window` is how many tokens the model sees at once.
        `data` says in words what the text is, for the card.

        Raises ValueError for texts that are too short or all one token, and for a model that no lens can read.
        """
        if ridge < 0:
            raise ValueError(f"ridge is a share of a row's mean square and can't be negative; got {ridge}.")
        text = Text(model, texts, held_out=held_out, window=window, seed=seed)
        residuals = Residuals(model)
        moments: Moments | None = None
        one = None
        with tqdm(total=tokens, desc="Linear lens", unit=" tokens", unit_scale=True, leave=False) as bar:
            for windows in text.batches(max(1, BATCH // text.window)):
                one = one or specimen(model, windows)
                residual = residuals(windows)
                moments = moments or Moments(residual)
                moments.add(residual)
                bar.update(residual.shape[1])
                if moments.count >= tokens:
                    break
        assert moments is not None and one is not None  # a Text has a window at least
        d = residual.shape[-1]
        if moments.count < d:
            raise ValueError(
                f"A linear lens for a width of {d} takes at least {d} tokens, and the texts give {moments.count}. Pass more "
                "text, or none to let the model write its own."
            )
        weight, bias = moments.solve(ridge)
        settings = {"ridge": ridge, "window": text.window, "seed": seed, "skipped": residuals.skipped}
        lens = cls(weight, bias, Card(name_of(model), data or text.words, moments.count), sample_of(one.readout))
        kl, measured = (), 0
        if len(text.held_out):
            residual = residuals(text.held_out)
            kl, measured = kl_by_row(one, lens, residual), residual.shape[1]
        lens.card = Card(name_of(model), data or text.words, moments.count, kl, measured, settings=settings)
        return lens


class Moments:
    """Second moments of every row with itself and with the last, summed batch by batch.

    Products are taken in float32, about the mean of the first batch so that they stay small, and added up in float64.
    """

    def __init__(self, first: Float[Tensor, "rows positions d"]) -> None:
        rows, _, d = first.shape
        exact = {"dtype": torch.float64, "device": first.device if first.device.type != "mps" else "cpu"}
        self.count = 0
        self.shift = first.mean(1, keepdim=True)
        self.sum = torch.zeros(rows, d, **exact)
        self.own = torch.zeros(rows - 1, d, d, **exact)
        self.cross = torch.zeros(rows - 1, d, d, **exact)

    def add(self, residual: Float[Tensor, "rows positions d"]) -> None:
        x = residual - self.shift
        last = x[-1]
        self.count += x.shape[1]
        self.sum += x.sum(1).to(self.sum)
        for row, before in enumerate(x[:-1]):
            self.own[row] += (before.T @ before).to(self.own)
            self.cross[row] += (before.T @ last).to(self.cross)

    @property
    def mean(self) -> Float[Tensor, "rows d"]:
        return self.sum / self.count + self.shift.squeeze(1).to(self.sum)

    def covariance(self, row: int) -> Float[Tensor, "d d"]:
        mean = self.sum[row] / self.count
        return self.own[row] / self.count - torch.outer(mean, mean)

    def solve(self, ridge: float) -> tuple[Float[Tensor, "L d d"], Float[Tensor, "L d"]]:
        """Weights and biases of `h + W h + b` that come nearest to the last row in the mean square."""
        mean, centre = self.mean, self.sum / self.count
        d = mean.shape[1]
        eye = torch.eye(d).to(mean)
        weights, biases = [], []
        for row, cross in enumerate(self.cross):
            own = self.covariance(row)
            own += ridge * own.diagonal().mean() * eye
            to_last = torch.linalg.solve(own, cross / self.count - torch.outer(centre[row], centre[-1])).T
            weights.append((to_last - eye).float())
            biases.append((mean[-1] - to_last @ mean[row]).float())
        return torch.stack(weights), torch.stack(biases)
