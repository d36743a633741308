"""Which prompts run together: those of one length, behind what they share.

Nothing is padded: a pad is a token that some models read and some count. Prompts that begin alike share the run of their
beginning where that saves more than the pass that it costs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

PASS = 64
"""Tokens whose run costs about as much as one more pass of its own."""
DEPTH = 100
"""Beginnings within beginnings that are looked at; deeper ones are run as one."""


@dataclass(frozen=True)
class Batch:
    """Prompts of one length, by their indices; the first `shared` tokens of all of them are the same, and run before."""

    shared: int
    members: tuple[int, ...]


def batches_of(prompts: Sequence[list[int]], tokens: int, *, sharing: bool) -> list[Batch]:
    """Every prompt in one batch each, of at most so many `tokens` behind what is shared. Neighbors share the same beginning."""
    order = sorted(range(len(prompts)), key=lambda i: prompts[i])
    families = list(_families([prompts[i] for i in order])) if sharing else [(0, len(order), 0)]
    alone = [i for begin, end, shared in families if not shared for i in order[begin:end]]
    found = list(_by_length(alone, prompts, 0, tokens))
    for begin, end, shared in families:
        if shared:
            found += _by_length(order[begin:end], prompts, shared, tokens)
    return found


def _by_length(members: Sequence[int], prompts: Sequence[Sequence[int]], shared: int, tokens: int) -> Iterator[Batch]:
    alike: dict[int, list[int]] = {}
    for i in sorted(members):
        alike.setdefault(len(prompts[i]), []).append(i)
    for length, these in sorted(alike.items()):
        size = max(1, tokens // (length - shared))
        yield from (Batch(shared, tuple(these[at : at + size])) for at in range(0, len(these), size))


def _families(ordered: Sequence[Sequence[int]]) -> Iterator[tuple[int, int, int]]:
    """Runs of neighbors, from `begin` to `end`, and how many tokens each shares; 0 where sharing saves nothing."""
    in_common = [common(one, other) for one, other in pairwise(ordered)]

    def best(begin: int, end: int, depth: int) -> tuple[int, list[tuple[int, int, int]]]:
        """Tokens saved, and the families that save them."""
        inside = in_common[begin : end - 1]
        shared = min(inside, default=0)
        together = len(inside) * shared - PASS
        if together <= 0 and max(inside, default=0) * len(inside) <= PASS:
            return 0, [(begin, end, 0)]
        if depth == DEPTH:
            return max(together, 0), [(begin, end, shared if together > 0 else 0)]
        cuts = [begin, *(begin + i + 1 for i, one in enumerate(inside) if one == shared), end]
        parts = [best(a, b, depth + 1) for a, b in pairwise(cuts)]
        apart = sum(saved for saved, _ in parts)
        if together >= apart:
            return together, [(begin, end, shared)]
        return apart, [family for _, some in parts for family in some]

    yield from best(0, len(ordered), 0)[1]


def common(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two prompts share, short of the last of either, which is read."""
    most = min(len(one), len(other)) - 1
    return next((i for i in range(most) if one[i] != other[i]), most)
