"""diagnose(): what became of a right answer, in a run or in a Grid that was read from one."""

from __future__ import annotations

from typing import Any

from lenswidget.grids.diagnosis import Diagnosis, diagnosis_of
from lenswidget.grids.grid import Grid


def diagnose(run_or_grid: Any, target: str | int, *, position: int = -1) -> Diagnosis:
    """Say what became of the right answer at a position: decided where, led where, overwritten where.

    `target` is the right answer, the text or the id of one token; `position` where it should be predicted, in a run, or the
    index of a column of a Grid, the last by default. A Run, or a TransformerLens cache, is read by the logit lens; pass a Grid
    to diagnose another lens.

    Raises ValueError for an answer of several tokens, and for one that a Grid doesn't follow: make it with
    `targets=[target]`.

        print(lw.diagnose(run, " Canberra"))
    """
    if isinstance(run_or_grid, Grid):
        return diagnosis_of(run_or_grid, target, position)
    from lenswidget.lenses.read import logit_lens  # a Grid is diagnosed also where there is no torch

    return diagnosis_of(logit_lens(run_or_grid, position=position, targets=[target]), target)
