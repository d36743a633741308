"""FittedLens: a lens that was fitted to one model, and knows which."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from lenswidget.grids.belief import BLIND
from lenswidget.grids.parts import RowQuantity
from lenswidget.lenses.files.card import Card, unembedding_hash
from lenswidget.lenses.files.lens_file import write_lens_file
from lenswidget.lenses.files.tuned_lens_folder import write_tuned_lens_folder
from lenswidget.lenses.fitting.mixture import Mixture
from lenswidget.lenses.fitting.residuals import Residuals, kl_by_row
from lenswidget.lenses.fitting.sampled_kl import blind_guess
from lenswidget.lenses.fitting.text import Text
from lenswidget.lenses.lens import Lens
from lenswidget.model.run import Run
from lenswidget.model.weights import DIGITS, same_blocks, same_unembedding


class FittedLens(Lens):
    """`h + W h + b`, with a matrix and a bias for every row but the last.

    `weight` is `[L, d, d]` and `bias` `[L, d]`, float32, first of them for the embedding: translator `r` moves row `r`.
    `sample` are entries of the weights that it was fitted to, as a run has them in `run.weights.sample`: of the unembedding
    alone in an older file, none where the lens comes from a file that doesn't hold them.
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

    def row_quantities(self, run: Run) -> tuple[RowQuantity, ...]:
        if not self.card.kl:
            return ()
        quantity = RowQuantity(
            "held-out KL",
            _with_the_last(self.card.kl),
            unit="bits",
            strong="low",
            domain=(0.0, self.card.blind or BLIND),
            says="this row was {} from the output on held-out text",
            parts={style: _with_the_last(kl) for style, kl in self.card.kl_by_style.items()},
        )
        return (quantity,)

    @property
    def provenance(self) -> Mapping[str, str]:
        return {"lens digest": self.digest}

    @property
    def digest(self) -> str:
        """A hash of entries of its matrices and biases, spread evenly, as they are in single precision."""
        sampled = hashlib.sha256()
        for part in (self.weight, self.bias):
            places = torch.linspace(0, part.numel() - 1, 1024, dtype=torch.float64).long().to(part.device)
            sampled.update(part.detach().flatten()[places].float().cpu().numpy().tobytes())
        return sampled.hexdigest()[:DIGITS]

    def move(self, residual: Float[Tensor, "positions d"], row: int) -> Float[Tensor, "positions d"]:
        weight, bias = (part[row].to(residual.device) for part in (self.weight, self.bias))
        return residual + (residual @ weight.T + bias)

    def require(self, run: Run) -> None:
        """Raises ValueError for a run of another model: of another width, depth, processing of weights, unembedding or blocks."""
        rows, _, d = run.residual.shape
        layers, width = self.bias.shape
        if (layers, width) != (rows - 1, d):
            raise ValueError(
                f"This {self.name.lower()} was fitted to {self.card.model}, with {layers} blocks of width {width}; {run.model} "
                f"has {rows - 1} of width {d}. Fit one to it with {type(self).__name__}.fit(model)."
            )
        if run.processing != self.card.processing:
            raise ValueError(self._of_other_weights(run))
        if not self._fits(run):
            raise ValueError(
                f"This {self.name.lower()} was fitted to {self.card.model}, whose unembedding is not that of {run.model}. Fit "
                f"one to it with {type(self).__name__}.fit(model)."
            )
        if not same_blocks(self.sample, run.weights.sample):
            raise ValueError(
                f"This {self.name.lower()} was fitted to {self.card.model}, and the weights in the blocks of {run.model} are "
                f"others, as of a fine-tune or another checkpoint. Fit one to it with {type(self).__name__}.fit(model); to read "
                "it all the same, pass what moves the rows alone: lw.read(run, lens.move)."
            )

    def _of_other_weights(self, run: Run) -> str:
        lens, again = self.name.lower(), f"it with {type(self).__name__}.fit(model)"
        if self.card.processing:
            has = f"has others ({run.processing})" if run.processing else "has them as they were trained"
            return (
                f"This {lens} was fitted to {self.card.model} with processed weights ({self.card.processing}), and {run.model} "
                f"{has}. Load the model as it was then, or fit a lens to {again}."
            )
        return (
            f"{run.model} was loaded with processed weights ({run.processing}), and this {lens} was fitted to weights as they "
            "were trained. Load the model as it is, lw.load(name) or HookedTransformer.from_pretrained_no_processing(name), "
            f"or fit a lens to {again}."
        )

    def _fits(self, run: Run) -> bool:
        """Whether an unembedding is the one that the lens was fitted to, as far as the lens can tell."""
        if len(self.sample):
            return same_unembedding(self.sample, run.weights.sample)
        # a hash can't tell rounding from another model: of a model in half precision nothing is asked, and one in float32
        # may have been in half precision when the lens was fitted; what lies elsewhere has none
        W_U, known = run.readout.W_U, self.card.unembedding
        if not known or W_U.dtype != torch.float32 or W_U.is_meta:
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
        return write_lens_file(path, type(self).__name__, self.card, self.weight, self.bias, self.sample)

    def to_tuned_lens(self, folder: str | os.PathLike[str]) -> Path:
        """Write the folder that the tuned-lens library reads: `config.json` and `params.pt`.

        Any fitted lens can be written, since all are `h + W h + b`. Raises OSError where `folder` can't be written, and
        ValueError where it holds other files.
        """
        return write_tuned_lens_folder(folder, self.card, self.weight, self.bias)


def _with_the_last(kl: tuple[float, ...]) -> Float32[np.ndarray, "rows"]:
    """Of the last row, too, which is the model's own."""
    return np.array([*kl, 0.0], dtype=np.float32)


def measured(lens: FittedLens, one: Run, text: Text | Mixture, residuals: Residuals) -> Card:
    """The card of a lens that was just fitted, with what held-out text says of it."""
    if not len(text.held_out):
        return lens.card
    by_style = text.held_out_by_style
    kl: dict[str, tuple[float, ...]] = {}
    last: list[Tensor] = []
    for style, windows in by_style.items():
        (apart,) = residuals(windows)
        moved = torch.stack([*(lens.move(row, i) for i, row in enumerate(apart[:-1])), apart[-1]])
        kl[style] = kl_by_row(one, moved, residuals.workers)
        last.append(apart[-1])
    sizes = [windows.numel() - len(windows) for windows in by_style.values()]
    return replace(
        lens.card,
        kl=tuple(np.average(list(kl.values()), axis=0, weights=sizes).tolist()),
        kl_by_style=kl if len(kl) > 1 else {},
        blind=blind_guess(one.readout, torch.cat(last), residuals.workers),
        held_out=sum(sizes),
    )
