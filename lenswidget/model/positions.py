"""The positions of a prompt that a reader names, as people name them: one, a slice, a list, or all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

Positions = int | slice | Sequence[int] | None
"""One position, a slice or a list of them; None for all."""


def positions_of(count: int, position: Any) -> Int[Tensor, "p"]:
    """The positions that a reader names of a prompt of `count` tokens, counted from 0.

    `position` is one of `Positions`, or an array of them. Raises ValueError for one that isn't there, or for none, TypeError for
    what is no whole number.
    """
    every = range(count)
    if position is None:
        chosen = list(every)
    elif isinstance(position, slice):
        chosen = list(every[position])
    else:
        wanted = _listed(position)
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
    return torch.tensor(chosen, device="cpu")


def position_code(position: Any) -> str:
    """Positions as Python writes them."""
    if position is None:
        return "None"
    if isinstance(position, slice):
        ends = (position.start, position.stop, position.step)
        return repr(slice(*(None if end is None else int(end) for end in ends)))
    wanted = [int(one) for one in _listed(position)]
    return repr(wanted[0] if len(wanted) == 1 else wanted)


def _listed(position: Any) -> list[Any]:
    """One position, or several, as a list: an array has an index, too, if only of one number."""
    given = position.tolist() if hasattr(position, "tolist") else position
    return list(given) if hasattr(given, "__iter__") else [given]
