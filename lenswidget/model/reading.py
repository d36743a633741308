"""What was read of all columns, as one; and how far two sets of logits are apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log2

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.model.columns import BITS


@dataclass(frozen=True, eq=False)  # tensors have no one answer to ==
class Reading:
    """What every residual row says. `rows` include the last, which is the model's output; logarithms are in bits.

    Cells whose residual is not finite hold NaN, and -1 for every id.
    """

    top_ids: Int[Tensor, "rows positions k"]
    top_log_probability: Float[Tensor, "rows positions k"]
    top_logit: Float[Tensor, "rows positions"]
    entropy: Float[Tensor, "rows positions"]
    kl: Float[Tensor, "rows positions"]
    """KL(output ‖ row)."""
    surprisal: Float[Tensor, "rows positions"]
    """Of the token that really follows; NaN where none does."""
    following_rank: Int[Tensor, "rows positions"]
    """1 is the prediction; 0 where nothing follows."""
    target_log_probability: Float[Tensor, "targets rows positions"]
    target_logit: Float[Tensor, "targets rows positions"]
    target_rank: Int[Tensor, "targets rows positions"]
    offsets: Int[Tensor, "positions_and_one"]
    trajectory_ids: Int[Tensor, "entries"]
    trajectory_log_probability: Float[Tensor, "entries rows"]
    jensen_shannon: Float[Tensor, "rows positions"] | None = None
    total_variation: Float[Tensor, "rows positions"] | None = None


def how_far(
    one: Float[Tensor, "cells vocabulary"], other: Float[Tensor, "cells vocabulary"]
) -> tuple[Float[Tensor, "cells"], Float[Tensor, "cells"]]:
    """Jensen–Shannon divergence and KL(one ‖ other), in bits, between what two sets of logits say, which are written over."""
    p, q = (_softmax(logits) for logits in (one, other))
    middle = (p + q).log2_().sub_(1)
    scratch = torch.empty_like(p)

    def mean(weights: Tensor, above: Tensor, below: Tensor) -> Float[Tensor, "cells"]:
        return torch.sub(above, below, out=scratch).mul_(weights).sum(-1)

    jensen_shannon = (mean(p, one, middle) + mean(q, other, middle)) / 2
    return jensen_shannon.clamp(0.0, 1.0), mean(p, one, other).clamp(min=0.0)


def _softmax(logits: Float[Tensor, "cells vocabulary"]) -> Float[Tensor, "cells vocabulary"]:
    """Probabilities; the logits become their logarithms, in bits."""
    logits.sub_(logits.amax(-1, keepdim=True)).mul_(BITS)
    p = logits.clamp(min=-126.0).exp2_()
    mass = p.sum(-1, keepdim=True)
    logits.sub_(mass.log2())
    return p.div_(mass)


def on_cpu(columns: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What was read of some columns, brought from where it was read in one copy for each dtype."""
    found: dict[str, Tensor] = {}
    for dtype in {value.dtype for value in columns.values()}:
        alike = {name: value for name, value in columns.items() if value.dtype == dtype}
        flat = torch.cat([value.flatten() for value in alike.values()]).cpu()
        pieces = flat.split([value.numel() for value in alike.values()])
        found |= {name: piece.view(value.shape) for (name, value), piece in zip(alike.items(), pieces)}
    return found


def assembled(columns: Mapping[str, Tensor]) -> Reading:
    """What was read of all columns, without gaps, rows first."""
    offsets = torch.cat([torch.zeros(1, dtype=torch.int64), columns["sizes"].cumsum(0)])
    return Reading(
        offsets=offsets, **{name: _rows_first(name, value) for name, value in columns.items() if name != "sizes"}
    )


def _rows_first(name: str, value: Tensor) -> Tensor:
    """[positions, rows, …] → [rows, positions, …]; targets lead. Trajectories are already as they should be."""
    if name.startswith("trajectory"):
        return value
    return value.permute(2, 1, 0) if name.startswith("target") else value.transpose(0, 1)


def uniform_entropy(vocabulary: int) -> float:
    """The most that an entropy over the vocabulary can be, in bits."""
    return log2(vocabulary)
