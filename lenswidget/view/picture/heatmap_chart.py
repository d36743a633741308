"""What is followed at the last position, on the rows of the heatmap beside it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lenswidget.grids.grid import Grid
from lenswidget.grids.marks import visible
from lenswidget.view.picture.colors import PINS
from lenswidget.view.picture.numbers import percent
from lenswidget.view.picture.scene import Line, Number, Shape, Words, cut

WIDTH, NAMES, SPACE = 150, 118, 26
"""Of the plot, of the names beside it, and of what stands between it and the cells."""
LINE = 13

Followed = list[tuple[str, np.ndarray]]


def chart(followed: Followed, x: Number, top: Number, row_height: Number) -> Iterator[Shape]:
    """Probability from left to right, one row a layer; each line named at its end, or at its highest if it fell since."""
    rows = len(followed[0][1])
    bottom = top + rows * row_height
    for share in (0.0, 0.5, 1.0):
        at = x + share * WIDTH
        yield Line(((at, top), (at, bottom)), "line")
        yield Words(at, bottom + 14, percent(share) if share else "0", "muted")
    names = []
    for slot, (label, values) in enumerate(followed[:PINS]):
        known = [(r, min(1.0, float(v))) for r, v in enumerate(values) if np.isfinite(v)]
        places = [(x + v * WIDTH, bottom - (r + 0.5) * row_height) for r, v in known]
        if not places:
            continue
        yield Line(tuple(places), f"pin{slot}", 2)
        high = max(range(len(known)), key=lambda i: known[i][1])
        at = len(known) - 1 if known[-1][1] >= 0.5 * known[high][1] else high
        names.append((places[at][1], slot, label, known[at][1]))
    place = top - LINE
    for y, slot, label, value in sorted(names):
        place = max(y + 4, place + LINE)
        said = f"{cut(visible(label), NAMES - 50)} {percent(value)}"
        yield Words(x + WIDTH + 10, place, said, f"pin{slot}", "start")


def followed_of(grid: Grid) -> Followed:
    """What is followed, else the output's leader."""
    exact = [
        (grid.targets[q.target].label, q.values[:, -1])
        for q in grid.quantities.values()
        if q.target is not None and q.measure == "probability"
    ]
    if exact or grid.candidates is None or grid.trajectories is None:
        return exact
    leader = grid.candidates.ids[-1, -1, 0]
    entries = grid.trajectories.of(grid.shape[1] - 1)
    place = np.flatnonzero(grid.trajectories.ids[entries] == leader)
    return [(grid.text(leader), np.exp2(grid.trajectories.log_probability[entries][i])) for i in place[:1]]
