"""Card: where a fitted lens comes from."""

from __future__ import annotations

import hashlib
import importlib.metadata
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from lenswidget.model.backend import Backend


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
    kl_by_style: dict[str, tuple[float, ...]] = field(default_factory=dict)
    """The same for each style of text, where there were several."""
    blind: float = 0.0
    """KL of a guess that never looks at the prompt, on the same text, in bits; 0 where it wasn't measured."""
    revision: str = ""
    unembedding: str = ""
    """The unembedding's hash, as `unembedding_hash` takes it; "" where it was not computed."""
    settings: dict[str, Any] = field(default_factory=dict)
    processing: str = ""
    """What was done to the weights of the model after training, in words; "" for a lens of the model as it was trained."""
    lenswidget: str = field(default_factory=lambda: importlib.metadata.version("lenswidget"))

    @classmethod
    def of(cls, backend: Backend, data: str, tokens: int, settings: dict[str, Any] | None = None) -> Card:
        """For a lens that is fitted to a model; its revision is known where it came from a hub."""
        facts = backend.facts
        return cls(
            facts.name,
            data,
            tokens,
            revision=facts.revision,
            unembedding=unembedding_hash(backend.unembedding()[0]),
            settings=settings or {},
            processing=facts.processing,
        )


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
