"""Estimates beside exact values: which cells are worth an exact one, and how well the two agree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from lenswidget.grids.marks import visible
from lenswidget.interventions.asked import Asked, require_alike
from lenswidget.interventions.attribution_patching import laid_out, neurons_of, number_of
from lenswidget.interventions.layout import neurons
from lenswidget.interventions.swept import Swept
from lenswidget.model.gradients import Number

FEWEST = 3
"""Of two cells, any two numbers are in proportion."""


def number_asked(asked: Asked) -> Number:
    """What is measured, as something that can be differentiated."""
    return number_of(asked.base.readout, asked.targets, asked.metric, asked.position, asked.source_last)


def estimated(asked: Asked) -> Float[Tensor, "rows columns"]:
    """What a gradient says of the effect in each cell: exactly 0 before the runs differ, NaN where there is no cell."""
    asked.bring()
    found = laid_out(asked.base, asked.put, asked.layout, number_asked(asked))
    for spot in asked.layout.spots:
        if asked.put.source is not None and max(spot.positions) < asked.put.first:
            found[spot.row, spot.column] = 0.0
    return found


def largest(
    asked: Sequence[Asked], guessed: Sequence[Float[Tensor, "rows columns"]], top: int
) -> frozenset[tuple[int, int]]:
    """The rows and columns of the largest estimates, of all pairs together."""
    require_alike([one.layout for one in asked])
    size = torch.stack(list(guessed)).mean(0).abs().nan_to_num(nan=0.0)
    best = size.flatten().topk(min(top, size.numel()))
    columns = size.shape[1]
    return frozenset((i // columns, i % columns) for i, x in zip(best.indices.tolist(), best.values.tolist()) if x > 0)


def strongest_neurons(asked: Sequence[Asked], top: int) -> list[Asked]:
    """The same, with the neurons for rows whose estimates are largest, of all pairs together."""
    each = [neurons_of(one.base, one.put, torch.tensor(one.layout.positions), number_asked(one)) for one in asked]
    labels, values = [], []
    for block in each[0]:
        mean = torch.stack([one[block].cpu() for one in each]).mean(0)
        labels += [f"{block}N{i}" for i in range(len(mean))]
        values.append(mean)
    best = torch.cat(values).abs().nan_to_num(nan=0.0).topk(min(top, len(labels))).indices.sort().values
    chosen = [labels[i] for i in best.tolist()]
    return [
        replace(one, layout=neurons(one.base.require_activations().backend, chosen, torch.tensor(one.layout.positions)))
        for one in asked
    ]


def agreement(swept: Sequence[Swept]) -> Iterator[str]:
    """How well estimates and exact values agree where there are both, in words."""
    first = swept[0]
    guess = np.mean([one.estimate.cpu().numpy() for one in swept if one.estimate is not None], axis=0)
    exact = np.mean([one.patched.float().cpu().numpy() - one.base_value for one in swept], axis=0)
    gaps = [one.source_value - one.base_value for one in swept if one.source_value is not None]
    unit = float(np.mean(gaps)) if gaps else 1.0
    # a cell that can't change anything is no test of an estimate
    both = np.logical_and.reduce([one.known for one in swept]) & np.isfinite(guess) & (guess != 0)
    rows, columns = np.nonzero(both)
    count = len(rows)
    if not count:
        yield "estimated from one gradient at the base; no cell was run exactly"
        return
    x, y = guess[both] / unit, exact[both] / unit
    words = f"estimated from one gradient at the base; the {count} largest were also run exactly"
    if count >= FEWEST and x.std() > 0 and y.std() > 0:
        words += f": r = {np.corrcoef(x, y)[0, 1]:.2f} between the two"
    worst = int(np.abs(x - y).argmax())
    where = _cell(first, int(rows[worst]), int(columns[worst]))
    yield f"{words}; furthest off is {where}, estimated {x[worst]:.2f}, exactly {y[worst]:.2f}"


def _cell(swept: Swept, row: int, column: int) -> str:
    label = swept.layout.rows[row]
    if swept.unit == "head" and swept.layout.columns is not None:
        return f"{label}{swept.layout.columns[column]}"
    if swept.layout.columns is not None:
        return label
    return f"{label} at {visible(swept.base.texts[int(swept.base.tokens[swept.layout.positions[column]])])}"
