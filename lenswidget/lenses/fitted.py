"""FittedLens: a lens that was fitted to one model, and knows which."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from lenswidget.cached_run import Run
from lenswidget.grid import Strip
from lenswidget.lenses.lens import Lens
from lenswidget.readout import Readout

SAMPLED = 1024
"""Entries of the unembedding that a lens remembers, to know its model again."""
BLIND = 6.0
"""About as many bits from the output of a language model as a guess that never looks at the prompt; `lw.fidelity` measures it."""


@dataclass(frozen=True)
class Card:
    """Where a fitted lens comes from: what a reader of a figure would ask."""

    model: str
    data: str
    """What text it was fitted on, in words."""
    tokens: int
    kl: tuple[float, ...] = ()
    """KL(output ‖ row) on held-out text, mean over positions, in bits: one for each row from the embedding up."""
    held_out: int = 0
    """Tokens that `kl` was measured on."""
    revision: str = ""
    unembedding: str = ""
    """SHA-256 of the unembedding as the tuned-lens library hashes it; "" where it was not computed."""
    settings: dict[str, Any] = field(default_factory=dict)
    lenswidget: str = field(default_factory=lambda: importlib.metadata.version("lenswidget"))


class FittedLens(Lens):
    """`h + W h + b`, with a matrix and a bias for every row but the last.

    `weight` is `[L, d, d]` and `bias` `[L, d]`, float32, first of them for the embedding: translator `r` moves row `r`.
    `sample` are entries of the unembedding that it was fitted to, as `sample_of` takes them.
    """

    def __init__(
        self, weight: Float[Tensor, "L d d"], bias: Float[Tensor, "L d"], card: Card, sample: Float[Tensor, "n"]
    ) -> None:
        self.weight, self.bias, self.card, self.sample = weight, bias, card, sample

    @property
    def notes(self) -> tuple[str, ...]:
        return (f"fitted on {self.card.tokens:,} tokens of {self.card.data}",)

    @property
    def strips(self) -> tuple[Strip, ...]:
        if not self.card.kl:
            return ()
        # the last row is the model's own
        kl = np.array([*self.card.kl, 0.0], dtype=np.float32)[: len(self.bias) + 1]
        says = "this row was {} from the output on held-out text"
        return (Strip("held-out KL", kl, unit="bits", strong="low", domain=(0.0, BLIND), says=says),)

    def move(self, residual: Float[Tensor, "positions d"], row: int) -> Float[Tensor, "positions d"]:
        weight, bias = (part[row].to(residual.device) for part in (self.weight, self.bias))
        return residual + (residual @ weight.T + bias)

    def require(self, run: Run) -> None:
        """Raises ValueError for a run of another model: of another width, depth, unembedding, or with processed weights."""
        rows, _, d = run.residual.shape
        layers, width = self.bias.shape
        if (layers, width) != (rows - 1, d):
            raise ValueError(
                f"This {self.name.lower()} was fitted to {self.card.model}, with {layers} blocks of width {width}; {run.model} "
                f"has {rows - 1} of width {d}. Fit one to it with {type(self).__name__}.fit(model)."
            )
        if run.processed:
            raise ValueError(
                f"{run.model} was loaded with processed weights, which write another residual stream than the one that this "
                f"{self.name.lower()} was fitted to. Load the model as it is, lw.load(name), without compatibility mode."
            )
        ours = sample_of(run.readout)
        if ours.shape != self.sample.shape or not torch.allclose(ours, self.sample, rtol=2**-7, atol=1e-6):
            raise ValueError(
                f"This {self.name.lower()} was fitted to {self.card.model}, whose unembedding is not that of {run.model}. Fit "
                f"one to it with {type(self).__name__}.fit(model)."
            )


def sample_of(readout: Readout) -> Float[Tensor, "n"]:
    """Entries of the unembedding, evenly spaced, in float32 on the CPU. Rounding to half precision changes them little."""
    d, vocabulary = readout.W_U.shape
    places = torch.linspace(0, d * vocabulary - 1, SAMPLED, dtype=torch.float64).long().to(readout.W_U.device)
    return readout.W_U[places % d, places // d].float().cpu()
