"""The mean of an attribution over several prompts, and the spread of each row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from lenswidget.attribution.attribution import Attribution
from lenswidget.attribution.rows_of_a_logit import attribution
from lenswidget.grids.parts import NO_TOKEN
from lenswidget.model.positions import Positions
from lenswidget.model.run import Run
from lenswidget.model.targets import seen


def mean_attribution(runs: list[Run], target: Any, against: Any, unit: str, position: Positions) -> Attribution:
    """The mean over prompts, with the spread of each row."""
    if not runs:
        raise ValueError("There are no runs to take the mean of; pass at least one, as in lw.runs(model, prompts).")
    if not isinstance(position, int):
        raise ValueError(f"Over several prompts, position is one number, counted in each of them; got {position!r}.")
    if unit == "source":
        raise ValueError("Prompts don't share their tokens, so unit='source' has no mean; attribute one run at a time.")
    each = [_each(one, len(runs)) for one in (target, against)]
    single = [attribution(run, t, a, unit, position) for run, t, a in zip(runs, *each)]
    first = single[0]
    shapes = [[(r.layer, r.name, len(r.values)) for r in one.rows] for one in single]
    if any(shape != shapes[0] for shape in shapes):
        raise ValueError(
            "These runs are of different models, whose rows can't be averaged; attribute one model at a time."
        )
    stacked = [torch.stack([one.rows[i].values for one in single]) for i in range(len(first.rows))]
    worst = max((one.check for one in single), key=lambda check: check.error / check.tolerance)
    return replace(
        first,
        run=replace(first.run, prompt=f"{len(runs)} prompts"),
        targets=tuple(dict.fromkeys(target for one in single for target in one.targets)),
        rows=[replace(r, values=values.mean(0)) for r, values in zip(first.rows, stacked)],
        spread=torch.cat([values.std(0, correction=0) for values in stacked]),
        columns=np.array([NO_TOKEN], dtype=np.int32),
        positions=np.array([0], dtype=np.int32),
        column_labels=(f"mean of {len(runs)}",),
        check=worst,
        notes=(
            f"{_of_all(single)}, the mean over {len(runs)} prompts; spread: standard deviation over them",
            *first.notes[1:],
        ),
    )


def _of_all(single: list[Attribution]) -> str:
    """What several prompts are asked for, if they all are asked for the same."""
    same = all(one.targets == single[0].targets for one in single)
    return seen(single[0].targets) if same else "target − against" if len(single[0].targets) > 1 else "target"


def _each(target: Any, count: int) -> list[Any]:
    """One target a prompt: a list of them as it is, anything else for all."""
    if not isinstance(target, list):
        return [target] * count
    if len(target) != count:
        raise ValueError(
            f"{len(target)} targets were given for {count} prompts; give one for all, or a list of {count}."
        )
    return target
