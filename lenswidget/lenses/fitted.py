"""FittedLens: a lens that was fitted to one model, and knows which."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from lenswidget.grids.grid import RowQuantity
from lenswidget.lenses.lens import Lens
from lenswidget.model.probe import name_of
from lenswidget.model.readout import Readout
from lenswidget.model.run import Run

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
    """The unembedding's hash, as `unembedding_hash` takes it; "" where it was not computed."""
    settings: dict[str, Any] = field(default_factory=dict)
    lenswidget: str = field(default_factory=lambda: importlib.metadata.version("lenswidget"))

    @classmethod
    def of(cls, model: Any, readout: Readout, data: str, tokens: int, settings: dict[str, Any] | None = None) -> Card:
        """For a lens that is fitted to `model`; its revision is known where it came from a hub."""
        config = getattr(getattr(model, "original_model", None), "config", None)
        revision = str(getattr(config, "_commit_hash", None) or "")
        unembedding = unembedding_hash(readout.W_U)
        return cls(name_of(model), data, tokens, revision=revision, unembedding=unembedding, settings=settings or {})


class FittedLens(Lens):
    """`h + W h + b`, with a matrix and a bias for every row but the last.

    `weight` is `[L, d, d]` and `bias` `[L, d]`, float32, first of them for the embedding: translator `r` moves row `r`.
    `sample` are entries of the unembedding that it was fitted to, as `sample_of` takes them; none where the lens comes
    from a file that doesn't hold them.
    """

    def __init__(
        self, weight: Float[Tensor, "L d d"], bias: Float[Tensor, "L d"], card: Card, sample: Float[Tensor, "n"]
    ) -> None:
        self.weight, self.bias, self.card, self.sample = weight, bias, card, sample

    @property
    def notes(self) -> tuple[str, ...]:
        amount = f"{self.card.tokens:,} tokens of " if self.card.tokens else ""
        fitted = f"fitted on {amount}{self.card.data}"
        if len(self.sample) or self.card.unembedding:
            return (fitted,)
        return (fitted, f"its file says that it belongs to {self.card.model}; nothing in it can show that")

    @property
    def row_quantities(self) -> tuple[RowQuantity, ...]:
        if not self.card.kl:
            return ()
        # the last row is the model's own
        kl = np.array([*self.card.kl, 0.0], dtype=np.float32)[: len(self.bias) + 1]
        says = "this row was {} from the output on held-out text"
        return (RowQuantity("held-out KL", kl, unit="bits", strong="low", domain=(0.0, BLIND), says=says),)

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
        if not self._fits(run.readout):
            raise ValueError(
                f"This {self.name.lower()} was fitted to {self.card.model}, whose unembedding is not that of {run.model}. Fit "
                f"one to it with {type(self).__name__}.fit(model)."
            )

    def _fits(self, readout: Readout) -> bool:
        """Whether an unembedding is the one that the lens was fitted to, as far as the lens can tell."""
        if len(self.sample):
            ours = sample_of(readout)
            return ours.shape == self.sample.shape and torch.allclose(ours, self.sample, rtol=2**-7, atol=1e-6)
        # a hash can't tell rounding from another model: of a model in half precision nothing is asked, and one in float32
        # may have been in half precision when the lens was fitted
        W_U, known = readout.W_U, self.card.unembedding
        if not known or W_U.dtype != torch.float32:
            return True
        return any(known == unembedding_hash(W_U.to(dtype)) for dtype in (W_U.dtype, torch.float16, torch.bfloat16))

    def __repr__(self) -> str:
        layers, d = self.bias.shape
        kl = self.card.kl
        read = f"; {sum(kl) / len(kl):.2f} bits from the output on held-out text, mean over rows" if kl else ""
        return f"{self.name} of {self.card.model}: {layers} rows × {d}, {'; '.join(self.notes)}{read}"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the lens with its card to one safetensors file, which `lw.load_lens` reads.

        An older file stays whole if that fails. Raises OSError where `path` can't be written.
        """
        from lenswidget.lenses.files.lens_file import write_lens

        return write_lens(self, path)

    def to_tuned_lens(self, folder: str | os.PathLike[str]) -> Path:
        """Write the folder that the tuned-lens library reads: `config.json` and `params.pt`.

        Any fitted lens can be written, since all are `h + W h + b`. Raises OSError where `folder` can't be written, and
        ValueError where it holds other files.
        """
        from lenswidget.lenses.files.tuned_lens_folder import write_tuned_folder

        return write_tuned_folder(self, folder)


def sample_of(readout: Readout) -> Float[Tensor, "n"]:
    """Entries of the unembedding, evenly spaced, in float32 on the CPU. Rounding to half precision changes them little."""
    d, vocabulary = readout.W_U.shape
    places = torch.linspace(0, d * vocabulary - 1, SAMPLED, dtype=torch.float64).long().to(readout.W_U.device)
    return readout.W_U[places % d, places // d].float().cpu()


def unembedding_hash(W_U: Float[Tensor, "d vocabulary"]) -> str:
    """The SHA-256 by which the tuned-lens library knows an unembedding: of its `[vocabulary, d]` as numpy prints it.

    Of a large array numpy prints the corners alone, to two digits here, so no more of it is taken off its device.
    """
    corners, printed = W_U.detach().T, 1000
    if W_U.numel() > printed:
        for dim in (0, 1):
            size = corners.shape[dim]
            ends = range(size) if size <= 6 else (0, 1, 2, 3, size - 3, size - 2, size - 1)  # the 3 is printed as "..."
            corners = corners.index_select(dim, torch.tensor(ends, device=corners.device))
        printed = 0
    # as numpy prints by default, whatever is set here
    with np.printoptions(
        threshold=printed,
        edgeitems=3,
        linewidth=75,
        suppress=False,
        floatmode="maxprec",
        sign="-",
        formatter=None,
        legacy=False,
    ):
        text = np.array_str(corners.float().cpu().numpy(), precision=1)
    return hashlib.sha256(text.encode()).hexdigest()
