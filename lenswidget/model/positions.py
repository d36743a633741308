"""The positions of a prompt that a reader names, as people name them: one, a slice, a list, or all."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Int
from torch import Tensor

Positions = int | slice | Sequence[int] | None
"""One position, a slice or a list of them; None for all."""


def positions_of(count: int, position: Positions) -> Int[Tensor, "p"]:
    """The positions that a reader names of a prompt of `count` tokens, counted from 0.

    Raises ValueError for one that isn't there, or for none, TypeError for what is no whole number.
    """
    every = range(count)
    if position is None:
        chosen = list(every)
    elif isinstance(position, slice):
        chosen = list(every[position])
    else:
        wanted = [position] if hasattr(position, "__index__") else list(position)
        for one in wanted:
            if isinstance(one, bool) or not hasattr(one, "__index__"):
                raise TypeError(f"A position is a whole number; got {one!r}.")
            if not -len(every) <= int(one) < len(every):
                raise ValueError(
                    f"Position {int(one)} is not in this prompt, which has positions 0 to {len(every) - 1}; -1 is the last."
                )
        chosen = [int(one) % len(every) for one in wanted]
    if not chosen:
        raise ValueError(f"{position!r} picks no position of this prompt, which has 0 to {len(every) - 1}.")
    return torch.tensor(chosen)
