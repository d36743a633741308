"""With what groups of prompts begin: behind other demonstrations every prompt reads otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lenswidget.evidence.batches import common
from lenswidget.grids.grid import Grid

TELLS = 4
"""Tokens in which beginnings differ, from which on a reader is told."""
OTHER_WORDS = "begin with other words than"
FOLLOWS = ": behind other demonstrations every prompt may be unusual"


def other_beginnings(prompts: Sequence[list[int]], groups: Sequence[str] | None) -> Iterator[str]:
    """A note for each group all of whose prompts begin with other tokens than all of the first group's."""
    if groups is None:
        return
    begins = {
        name: _shared([ids for ids, group in zip(prompts, groups) if group == name]) for name in dict.fromkeys(groups)
    }
    first, *others = begins
    for name in others:
        same = next(
            (i for i, (a, b) in enumerate(zip(begins[first], begins[name])) if a != b),
            min(len(begins[first]), len(begins[name])),
        )
        if min(len(begins[first]), len(begins[name])) - same >= TELLS:
            yield f"prompts of {name!r} {OTHER_WORDS} those of {first!r}"


def _shared(prompts: Sequence[list[int]]) -> list[int]:
    """What all of several prompts begin with; of one prompt alone, nothing is known."""
    if len(prompts) < 2:
        return []
    ends = min(prompts), max(prompts)  # what these two share, all do
    return ends[0][: common(*ends)]


def told_of(grid: Grid) -> list[str]:
    """What a Grid's notes say of its groups' beginnings, with what follows from it."""
    told = [note for note in grid.notes if note.startswith("prompts of") and OTHER_WORDS in note]
    return [note if note.endswith(FOLLOWS) else note + FOLLOWS for note in told]
