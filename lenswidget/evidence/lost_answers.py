"""Hallucinations: of questions with known answers, how often was the right one ahead, and where was it lost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lenswidget.evidence.of_target import by_group, known, leads, of_target
from lenswidget.evidence.output import require_output
from lenswidget.grids.grid import Grid


@dataclass(frozen=True)
class Answered:
    """One prompt: whether the output is `right`, the last row in which the right answer led before it was `lost`, None where it
    leads or never led, and its `best` rank in any row."""

    prompt: int
    right: bool
    lost: str | None
    best: int


@dataclass(frozen=True)
class Answers:
    """Of one group: how many of its `prompts` with a known answer are right, were right in an earlier row and lost it, and never
    led; `rows` counts in which row the lost ones led last."""

    group: str
    prompts: int
    right: int
    lost: int
    never: int
    rows: dict[str, int]


def answered(grid: Grid) -> list[Answered]:
    """What became of the right answer in each prompt that has one.

    answered(lw.trajectories(model, questions, lw.load_lens(), target=answers))
    """
    led, rank = leads(require_output(grid)), of_target(grid, "rank")
    found = []
    for prompt in np.flatnonzero(known(grid)).tolist():
        rows = np.flatnonzero(led[:, prompt])
        right = bool(led[-1, prompt])
        lost = grid.rows[rows[-1]] if len(rows) and not right else None
        found.append(Answered(prompt, right, lost, int(rank[:, prompt].min())))
    return found


def lost_answers(grid: Grid) -> list[Answers]:
    """How often the right answer was ahead, and where it was lost, by group.

    That it led in an early row doesn't say that the model knew it: many tokens lead somewhere. Compare with answers that are
    wrong, and with how far each row of the lens can be believed. Raises ValueError for a Grid that follows no targets, or that
    doesn't end with the output.

        lost_answers(lw.trajectories(model, questions, lw.load_lens(), target=answers, groups=topics))
    """
    each = {one.prompt: one for one in answered(grid)}
    found = []
    for name, members in by_group(grid):
        some = [each[prompt] for prompt in np.flatnonzero(members).tolist() if prompt in each]
        lost = [one.lost for one in some if one.lost is not None]
        right = sum(one.right for one in some)
        rows = {row: lost.count(row) for row in grid.rows if row in lost}
        found.append(Answers(name, len(some), right, len(lost), len(some) - right - len(lost), rows))
    return found
