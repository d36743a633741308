"""Weights in vocabulary space: which tokens a neuron, a head or any direction of the stream promotes and suppresses.

Nothing is run. A direction `w` is read as it would be after the last block: `(g ⊙ P w) W_U`, with the final norm's gain
and without its scale, which depends on the prompt, and less its mean over the vocabulary, which changes no probability.
Sources: Geva et al. 2021, arXiv 2012.14913; Dar et al. 2022, arXiv 2209.02535; for the singular directions of a head,
Millidge and Black 2022.
"""

from __future__ import annotations

import importlib.metadata
import re

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from lenswidget.grids.grid import Grid
from lenswidget.grids.parts import NO_TOKEN, Candidates, Quantity
from lenswidget.model.backend import Backend
from lenswidget.model.backends import backend_of
from lenswidget.model.components import Part
from lenswidget.model.final_norm import FinalNorm
from lenswidget.model.find_components import components_of
from lenswidget.model.probe import readout_of
from lenswidget.model.surroundings import own_arithmetic
from lenswidget.model.tokens import texts_of

SINGULAR = 4
"""How many singular directions of a head are shown; each has two ends."""


@own_arithmetic()
@torch.no_grad()
def promotes(model: object, what: str | Tensor, *, k: int = 10) -> Grid:
    """What a part of the model promotes and suppresses, whatever the prompt.

    `what` is a neuron (`"L5N1024"`: its output vector), a head (`"L5H3"`: the leading singular directions of what it
    moves, `W_V W_O`), or a direction of the residual stream, `[d]` or several, `[n, d]`. The Grid has a row a direction
    and `k` columns a side: the tokens that it raises most, best first, then those that it lowers most. The quantity is
    the logit that a step of length σ along the direction adds, less the mean over the vocabulary; for a head, a step
    as long as its singular value. The sign of a singular direction is free: its two ends are promoted by opposite inputs.

    Raises ValueError for a neuron or head that this model doesn't have, and for directions of another width.
    """
    backend = backend_of(model)
    name, readout = backend.facts.name, readout_of(backend)
    if not 1 <= k <= readout.vocabulary // 2:
        raise ValueError(f"k is the number of tokens a side, 1 to {readout.vocabulary // 2}; got {k}.")
    labels, vectors, notes = _directions(backend, what)
    if vectors.shape[-1] != readout.W_U.shape[0]:
        raise ValueError(f"A direction of {name}'s stream has {readout.W_U.shape[0]} numbers; got {vectors.shape[-1]}.")
    ids, added = readout.extremes(_passed(readout.norm, vectors.to(readout.W_U.device, torch.float32)), k)
    texts = texts_of(backend)
    known = texts.of(ids.flatten().tolist())
    sides = (*(f"+{i}" for i in range(1, k + 1)), *(f"−{i}" for i in range(1, k + 1)))
    return Grid(
        title=what if isinstance(what, str) else "a direction" if len(labels) == 1 else f"{len(labels)} directions",
        kind="Weights in vocabulary space",
        rows=labels,
        columns=np.full(2 * k, NO_TOKEN, dtype=np.int32),
        column_labels=sides,
        positions=np.arange(2 * k, dtype=np.int32),
        quantities={"logit added": Quantity("logit added", added.cpu().numpy(), center=0.0)},
        candidates=Candidates(
            ids.cpu().numpy().astype(np.int32)[..., None], np.full((*ids.shape, 1), np.nan, dtype=np.float32)
        ),
        texts=known,
        special=tuple(i for i in known if i in texts.special),
        model=name,
        notes=(*notes, "the final norm’s gain is in, its scale is not; less the mean over the vocabulary"),
        provenance={"lenswidget": importlib.metadata.version("lenswidget")},
    )


def _directions(backend: Backend, what: str | Tensor) -> tuple[tuple[str, ...], Float[Tensor, "n d"], tuple[str, ...]]:
    if not isinstance(what, str):
        vectors = torch.as_tensor(what).detach()
        if vectors.ndim not in (1, 2) or not vectors.is_floating_point():
            raise ValueError(f"A direction is [d] or several, [n, d], of numbers; got {tuple(vectors.shape)}.")
        vectors = vectors.reshape(-1, vectors.shape[-1])
        return tuple(f"direction {i}" for i in range(len(vectors))), vectors, ()
    named = re.fullmatch(r"L(\d+)([HN])(\d+)", what)
    if named is None:
        raise ValueError(f"{what!r} names no neuron and no head; write 'L5N1024' or 'L5H3', or pass a direction.")
    layer, letter, index = int(named[1]), named[2], int(named[3])
    blocks, name = components_of(backend).blocks, backend.facts.name
    if layer >= len(blocks):
        raise ValueError(f"{name} has blocks L0 to L{len(blocks) - 1}; got {what!r}.")
    for part in blocks[layer].parts:
        fits = part.heads if letter == "H" else part.projection is not None and part.name.endswith("mlp")
        if fits and part.projection is not None:
            count = part.heads or len(part.projection.W(backend))
            if index >= count:
                raise ValueError(f"L{layer}.{part.name} has {letter}0 to {letter}{count - 1}; got {what!r}.")
            return (_head if part.heads else _neuron)(backend, part, what, index)
    kind = "heads" if letter == "H" else "neurons"
    raise ValueError(f"L{layer} of {name} has no {kind} that can be told apart.")


def _neuron(
    backend: Backend, part: Part, label: str, index: int
) -> tuple[tuple[str, ...], Float[Tensor, "1 d"], tuple[str, ...]]:
    assert part.projection is not None
    return (label,), _normed(backend, part, part.projection.W(backend)[index : index + 1].float()), _norm_note(part)


def _head(
    backend: Backend, part: Part, label: str, index: int
) -> tuple[tuple[str, ...], Float[Tensor, "n d"], tuple[str, ...]]:
    assert part.projection is not None
    W_O = part.projection.W(backend).float()
    W_O = W_O.reshape(part.heads, -1, W_O.shape[1])[index]
    W_V = None if part.sources is None else part.sources.W(backend, index, len(W_O))
    if W_V is None:
        raise ValueError(
            f"What {label} reads can't be told as one matrix W_V in {backend.facts.name}; pass a direction of W_O."
        )
    # W_V W_O has rank d_head: its singular directions, from those of a matrix that small
    r = torch.linalg.qr(W_V.to(W_O)).R
    _, s, vh = torch.linalg.svd(r @ W_O, full_matrices=False)
    count = min(SINGULAR, len(s))
    labels = tuple(f"{label} direction {i + 1}" for i in range(count))
    strength = ", ".join(f"{float(value):.3g}" for value in s[:count])
    share = float(s[:count].square().sum() / s.square().sum())
    about = (
        f"singular values {strength}: {share:.0%} of what the head can move; a direction’s sign is free",
        "the gain of the norm that the head reads through is left out",
    )
    return labels, _normed(backend, part, s[:count, None] * vh[:count]), (*about, *_norm_note(part))


def _normed(backend: Backend, part: Part, vectors: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """Vectors that a part writes, as they reach the stream."""
    return part.scale * (vectors if part.norm is None else _passed(part.norm.read(backend, vectors.device), vectors))


def _passed(norm: FinalNorm, vectors: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """What a norm passes on, `g ⊙ P w`, without its scale, which depends on the prompt."""
    vectors = vectors - vectors.mean(-1, keepdim=True) if norm.centered else vectors
    return vectors if norm.gain is None else vectors * norm.gain


def _norm_note(part: Part) -> tuple[str, ...]:
    return () if part.norm is None else ("so is the gain of the block’s own norm",)
