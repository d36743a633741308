"""Diagnosis: where a prediction was decided, and whether a right answer led before it was overwritten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from lenswidget.grids.grid import Grid
from lenswidget.grids.parts import NO_TOKEN
from lenswidget.grids.words import say


@dataclass(frozen=True)
class Diagnosis:
    """What became of a right answer at one position. Rows are labels, as `grid.rows` has them.

    - `target`: the text of the right answer
    - `predicted`: what the model says in the end
    - `decided`: the row from which what is predicted leads, all the way up
    - `led`: the rows in which the right answer leads
    - `overwritten`: those of them that are overwritten: all, if the answer doesn't lead in the end
    - `nearest`: the row in which the right answer's rank is best
    - `rank`: its rank there; None where no rank was counted
    - `look_at`: the rows in which something is decided, from the bottom up
    - `sentence`: the same in plain words
    """

    target: str
    predicted: str
    decided: str
    led: tuple[str, ...]
    overwritten: tuple[str, ...]
    nearest: str
    rank: int | None
    look_at: tuple[str, ...]
    sentence: str

    def __str__(self) -> str:
        return self.sentence


def diagnosis_of(grid: Grid, target: str | int, position: int = -1) -> Diagnosis:
    """Say what became of the right answer in one column of a Grid: decided where, led where, overwritten where.

    `target` is the text or the id of one token; `position` the index of a column, the last by default.

    Raises ValueError for a Grid without candidates or without its last row, for a column that it lacks, and for a token
    that it doesn't hold: make it with `targets=[target]`.
    """
    if grid.candidates is None or grid.trajectories is None or 0 in grid.shape:
        raise ValueError(
            f"A diagnosis reads candidate tokens, and this Grid ({grid.kind}) holds none; pass lw.logit_lens(run)."
        )
    if grid.decision is None:
        raise ValueError(
            f"A diagnosis reads what the model says in the end, and the last row here, {grid.rows[-1]!r}, isn't its output; "
            "pass the Grid with all of its rows, in order."
        )
    if not -grid.shape[1] <= position < grid.shape[1]:
        raise ValueError(
            f"Column {position} is outside this Grid, which has {grid.shape[1]}, 0 to {grid.shape[1] - 1}."
        )
    column = range(grid.shape[1])[position]
    token = _token(grid, target)
    leaders = grid.candidates.ids[:, column, 0]
    if leaders[-1] == NO_TOKEN:
        raise ValueError(
            f"The last row is not finite at position {grid.positions[column]}, so the model says nothing there."
        )
    return _told(grid, token, leaders, _ranks(grid, column, token))


def _token(grid: Grid, target: str | int) -> int:
    ids = [target] if isinstance(target, int) else [i for i, text in grid.texts.items() if text == target]
    if len(ids) != 1 or ids[0] not in grid.texts:
        several = len(ids) > 1
        what = f"{len(ids)} tokens of this Grid read {target!r}" if several else f"This Grid holds no token {target!r}"
        mend = (
            f"name one by its id, {ids[0]}"
            if several
            else f"lw.logit_lens(run, targets=[{target!r}]) makes one that does"
        )
        raise ValueError(f"{what}; {mend}.")
    return ids[0]


def _ranks(grid: Grid, column: int, token: int) -> Int[np.ndarray, "rows"]:
    """The rank in every row: exact where the token is followed, among the candidates else; 0 where it isn't known."""
    for quantity in grid.quantities.values():
        if quantity.measure == "rank" and quantity.target is not None and grid.targets[quantity.target].ids == (token,):
            return np.asarray(np.nan_to_num(quantity.values[:, column]), dtype=np.int64)
    assert grid.candidates is not None
    among = grid.candidates.ids[:, column] == token
    return np.where(among.any(1), among.argmax(1) + 1, 0)


def _told(grid: Grid, token: int, leaders: np.ndarray, ranks: np.ndarray) -> Diagnosis:
    rows, last, name = grid.rows, len(grid.rows) - 1, grid.text
    decided = _held_from(leaders == leaders[last])
    led = np.flatnonzero(leaders == token)
    look = {last, decided, decided - 1}
    counted = np.where(ranks > 0, ranks, np.iinfo(np.int64).max)
    nearest = int(counted.argmin())
    right, wrong = name(token), name(leaders[last])
    overwritten = led if leaders[last] != token else led[:0]
    if leaders[last] == token:
        look |= {led[0], led[0] - 1}
        sentence = say("leads" if decided else "always", token=repr(right), row=rows[decided], rising="")
    else:
        if len(led):
            first, final = int(led[0]), int(led[-1])
            look |= {first - 1, first, final, final + 1}
            ends = {"count": len(led), "first": rows[first], "last": rows[final]}
            span = say("inRow", row=rows[first]) if first == final else say("inRows", **ends)
            other = name(leaders[final + 1])
            sentence = say("overwritten", token=repr(right), span=span, row=rows[final + 1], other=repr(other))
        elif ranks[nearest]:
            look.add(nearest)
            sentence = say("nearest", token=repr(right), row=rows[nearest], rank=f"{ranks[nearest]:,}")
        else:
            sentence = say("never", token=repr(right))
        sentence += f" The model says {wrong!r}, decided in {rows[decided]}."

    def labels(indices: Sequence[int] | np.ndarray) -> tuple[str, ...]:
        return tuple(rows[i] for i in indices)

    return Diagnosis(
        target=right,
        predicted=wrong,
        decided=rows[decided],
        led=labels(led),
        overwritten=labels(overwritten),
        nearest=rows[nearest],
        rank=int(ranks[nearest]) or None,
        look_at=labels(sorted(i for i in look if i >= 0)),
        sentence=sentence,
    )


def _held_from(holds: np.ndarray) -> int:
    """The row from which something holds all the way up."""
    return int(len(holds) - np.argmin(holds[::-1])) if not holds.all() else 0
