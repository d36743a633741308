"""JacobianLens: each row is mapped to the last by the mean Jacobian. TransformerLens fits it and knows its files."""

from __future__ import annotations

import os
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from lenswidget.lenses.files.card import Card, unembedding_hash
from lenswidget.lenses.files.torch_file import reading
from lenswidget.lenses.fitted import FittedLens
from lenswidget.lenses.fitting.mean_jacobian import mean_jacobians
from lenswidget.lenses.fitting.text import in_words, strings
from lenswidget.model.backend import Backend
from lenswidget.model.backends import backend_of
from lenswidget.model.backends.transformer_lens import HookedBackend, jacobian_lens_class
from lenswidget.model.probe import readout_of
from lenswidget.model.readout import Readout
from lenswidget.model.weights import weights_of

SETTINGS = ("max_seq_len", "skip_first_positions")
"""What a card keeps of how TransformerLens fitted."""


class JacobianLens(FittedLens):
    """What a row does to the last one, on average and to first order: `J h`.

    `J` is the mean of `∂h_L / ∂h_l` over positions and texts, summed over the positions that follow. A file's matrix `i`
    acts on the output of block `i`, our row `i + 1`. The embedding has no matrix, and is read as it is.

    Source: Gurnee et al., "Verbalizable Representations Form a Global Workspace in Language Models", 2026.
    """

    name = "Jacobian lens"

    @property
    def notes(self) -> tuple[str, ...]:
        missing = [row for row, weight in enumerate(self.weight) if not weight.any()]
        names = ", ".join("embed" if row == 0 else f"L{row - 1}" for row in missing)
        return (*super().notes, *([f"no matrix for {names}: read as the logit lens does"] if missing else []))

    @classmethod
    def fit(cls, model: object, texts: Any, *, data: str = "", tokenizer: Any = None, **options: Any) -> JacobianLens:
        """Fit to texts. `options` are those of TransformerLens's own `JacobianLens.fit`, which fits its own models:
        `max_seq_len=128`, `dim_batch=8`, `skip_first_positions=16`, `show_progress=True`, which any model takes, and so on.

        `texts` are a list or an iterator of texts, or a dataset with a column "text". Those too short to hold a position are
        left out, with a warning; of the others the first `max_seq_len` tokens are read. Each takes `d / dim_batch` backward
        passes, and about a hundred are enough. `data` says in words what they are, for the card;
        `tokenizer` is `lw.run`'s.

        Raises ValueError for a model that no lens can read or whose weights were processed, and where no text is long enough.
        """
        backend = backend_of(model, tokenizer=tokenizer)
        readout = readout_of(backend)  # refuses, with the reason, what no lens can read
        if not isinstance(backend, HookedBackend):
            return cls._fit(backend, readout, texts, data or in_words(backend.facts.name, texts), options)
        fitted = jacobian_lens_class().fit(
            backend.model, list(strings(texts)), corpus=data or in_words(backend.facts.name, texts), **options
        )
        return cls.from_transformer_lens(fitted, backend)

    @classmethod
    def _fit(cls, backend: Backend, readout: Readout, texts: Any, data: str, options: dict[str, Any]) -> JacobianLens:
        found, count = mean_jacobians(backend, strings(texts), **options)
        weight = torch.zeros(len(found) + 1, *found.shape[1:])
        weight[1:] = found - torch.eye(found.shape[1])
        if not weight.isfinite().all():
            raise ValueError(
                f"The Jacobians of {backend.facts.name} hold values that are not finite; load it in float32 or bfloat16."
            )
        usual = {"max_seq_len": 128, "skip_first_positions": 16}
        card = Card(
            model=backend.facts.name,
            data=f"{count:,} prompt{'' if count == 1 else 's'} of {data}",
            tokens=0,
            revision=backend.facts.revision,
            unembedding=unembedding_hash(readout.W_U),
            settings={"prompts": count, **{name: options.get(name, value) for name, value in usual.items()}},
        )
        return cls(weight, torch.zeros(len(weight), found.shape[1]), card, weights_of(backend).sample)

    @classmethod
    def from_pretrained(cls, name: str | os.PathLike[str], **options: Any) -> JacobianLens:
        """A published lens, found and fetched by TransformerLens: by a model's name, as in `"gpt2-small"`, or by a
        repository on the Hub and `filename=`. A path to a `.pt` file works too."""
        with reading(name):
            return cls.from_transformer_lens(jacobian_lens_class().from_pretrained(os.fspath(name), **options))

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> JacobianLens:
        """The lens in a published `.pt` file, read with `weights_only`.

        Raises ValueError for a file that holds anything but a lens, code above all.
        """
        with reading(path):
            return cls.from_transformer_lens(jacobian_lens_class().load(os.fspath(path)))

    @classmethod
    def from_transformer_lens(cls, lens: Any, model: Any = None) -> JacobianLens:
        """From TransformerLens's `JacobianLens`. With the model that it was fitted to, it will know that model again."""
        told = lens.metadata
        last = int(told.get("target_layer", max(lens.jacobians) + 1))
        outside = [layer for layer in lens.jacobians if not 0 <= layer < last]
        if outside:
            raise ValueError(
                f"A lens for {last + 1} blocks has a matrix for block {outside[0]}, which is not below the last."
            )
        weight = torch.zeros(last + 1, lens.d_model, lens.d_model)
        for layer, matrix in lens.jacobians.items():
            weight[layer + 1] = matrix - torch.eye(lens.d_model)
        if not weight.isfinite().all():
            raise ValueError("This Jacobian lens holds values that are not finite; fit it again.")
        backend = None if model is None else backend_of(model)
        readout = None if backend is None else readout_of(backend)
        name = backend.facts.name if backend else told.get("model_name", "a model that the file doesn't name")
        corpus = told.get("corpus", "a text that the file does not name")
        card = Card(
            model=str(name),
            data=f"{lens.n_prompts:,} prompt{'' if lens.n_prompts == 1 else 's'} of {corpus}",
            tokens=0,
            revision=str(told.get("model_revision") or ""),
            unembedding=unembedding_hash(readout.W_U) if readout else "",
            settings={"prompts": lens.n_prompts, **{name: told[name] for name in SETTINGS if name in told}},
        )
        return cls(
            weight, torch.zeros(last + 1, lens.d_model), card, weights_of(backend).sample if backend else torch.zeros(0)
        )

    def to_transformer_lens(self) -> Any:
        """As TransformerLens's own `JacobianLens`: for its steering, swapping and `.pt` files."""
        matrices: dict[int, Float[Tensor, "d d"]] = {
            row - 1: weight + torch.eye(len(weight)) for row, weight in enumerate(self.weight) if row and weight.any()
        }
        metadata = {"corpus": self.card.data, "target_layer": len(self.weight) - 1}
        prompts = int(self.card.settings.get("prompts", 0))
        return jacobian_lens_class()(matrices, n_prompts=prompts, d_model=self.weight.shape[-1], metadata=metadata)
