"""Which way a logit lies: the direction of the output that an attribution measures along, and what is no part of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from lenswidget.grids.parts import Target
from lenswidget.model.readout import Readout


@dataclass(frozen=True, eq=False)  # tensors have no one answer to ==
class Direction:
    """A token, a set of tokens, or the difference of two, at some vectors that left the final norm.

    `logit = normed · U + bias + soft_cap + set_term`. A token's `U` is its column of the unembedding, with the model's logit
    scale. A set is read along the gradient of its log-sum-exp: the mean of its tokens' columns, weighted by their
    probabilities within the set; `set_term` is what the log-sum-exp adds to that mean logit,
    `soft_cap` what a soft-cap adds. Each is zero where there is no such thing.
    """

    U: Float[Tensor, "m d"]
    """One for all vectors, or one each."""
    bias: Float[Tensor, "p"]
    soft_cap: Float[Tensor, "p"]
    set_term: Float[Tensor, "p"]
    logit: Float[Tensor, "p"]

    def __sub__(self, other: Direction) -> Direction:
        return Direction(*(a - b for a, b in zip(vars(self).values(), vars(other).values())))


def direction(readout: Readout, ids: Sequence[int], normed: Float[Tensor, "p d"]) -> Direction:
    """The direction of a set of token ids at some vectors that left the final norm."""
    columns, bias = readout.columns(ids)
    z = readout.scale * (normed @ columns + bias)
    capped = z if readout.cap is None else readout.cap * torch.tanh(z / readout.cap)
    weight = capped.softmax(-1)
    logit = capped.logsumexp(-1)
    # one token is read the same way everywhere
    U = columns.T if len(ids) == 1 else weight @ columns.T
    return Direction(
        readout.scale * U,
        readout.scale * (weight * bias).sum(-1),
        (weight * (capped - z)).sum(-1),
        logit - (weight * capped).sum(-1),
        logit,
    )


def along(readout: Readout, targets: Sequence[Target], normed: Float[Tensor, "p d"]) -> Direction:
    """The direction of a target, or from a second one to it: a logit difference."""
    way, *others = (direction(readout, target.ids, normed) for target in targets)
    return way - others[0] if others else way
