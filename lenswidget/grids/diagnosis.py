"""Diagnosis: where a prediction was decided, and whether a right answer led before it was overwritten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int

from lenswidget.grids.grid import Grid
from lenswidget.grids.parts import NO_TOKEN


@dataclass(frozen=True)
class Diagnosis:
    """What became of an answer at one position. Rows are labels, as `grid.rows` has them."""

    right: str
    predicted: str
    """What the model says in the end."""
    decided: str
    """The row from which what is predicted leads, all the way up."""
    led: tuple[str, ...]
    """The rows in which the right answer leads."""
    overwritten: tuple[str, ...]
    """Those of them that are overwritten: all, if the answer doesn't lead in the end."""
    nearest: str
    """The row in which the right answer's rank is best."""
    rank: int | None
    """Its rank there; None where no rank was counted."""
    look_at: tuple[str, ...]
    """The rows in which something is decided, from the bottom up."""
    sentence: str
    """The same in plain words."""

    def __str__(self) -> str:
        return self.sentence


def diagnose(run_or_grid: Any, right: str | int, *, at: int = -1) -> Diagnosis:
    """Say what became of the right answer at a position: decided where, led where, overwritten where.

    `right` is the text or the id of one token; `at` the index of a column, the last by default. A Run, or a
    TransformerLens cache, is read by the logit lens; pass a Grid to diagnose another lens.

    Raises ValueError for an answer of several tokens, and for one that a Grid doesn't follow: make it with
    `follow=right`.
    """
    grid = run_or_grid if isinstance(run_or_grid, Grid) else _read(run_or_grid, right)
    if grid.candidates is None or grid.trajectories is None or 0 in grid.shape:
        raise ValueError(
            f"A diagnosis reads candidate tokens, and this Grid ({grid.kind}) holds none; pass lw.logit_lens(run)."
        )
    if not -grid.shape[1] <= at < grid.shape[1]:
        raise ValueError(f"Column {at} is outside this Grid, which has {grid.shape[1]}, 0 to {grid.shape[1] - 1}.")
    column = range(grid.shape[1])[at]
    token = _token(grid, right)
    leaders = grid.candidates.ids[:, column, 0]
    if leaders[-1] == NO_TOKEN:
        raise ValueError(f"The last row is not finite in column {column}, so the model says nothing there.")
    ranks = _ranks(grid, column, token)
    return _told(grid, token, leaders, ranks)


def _read(run_or_cache: Any, right: str | int) -> Grid:
    from lenswidget.lenses.read import logit_lens

    return logit_lens(run_or_cache, follow=right)


def _token(grid: Grid, right: str | int) -> int:
    ids = [right] if isinstance(right, int) else [i for i, text in grid.texts.items() if text == right]
    if len(ids) != 1 or ids[0] not in grid.texts:
        what = (
            f"{len(ids)} tokens of this Grid read {right!r}" if len(ids) > 1 else f"This Grid holds no token {right!r}"
        )
        raise ValueError(f"{what}; follow it when the Grid is made, lw.logit_lens(run, follow={right!r}).")
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
        sentence = f"{right!r} leads from {rows[decided]} on." if decided else f"{right!r} leads in every row."
    elif len(led):
        first, final = int(led[0]), int(led[-1])
        look |= {first - 1, first, final, final + 1}
        span = f"in {rows[first]}" if first == final else f"in {len(led)} rows from {rows[first]} to {rows[final]}"
        sentence = (
            f"{right!r} led {span} and was overwritten in {rows[final + 1]} by {name(leaders[final + 1])!r}; the model says "
            f"{wrong!r}, decided in {rows[decided]}."
        )
    elif ranks[nearest]:
        look.add(nearest)
        sentence = (
            f"{right!r} never leads; it comes nearest in {rows[nearest]}, at rank {ranks[nearest]:,}. The model says {wrong!r}, "
            f"decided in {rows[decided]}."
        )
    else:
        sentence = f"{right!r} is never among the candidates. The model says {wrong!r}, decided in {rows[decided]}."

    def labels(indices: Sequence[int] | np.ndarray) -> tuple[str, ...]:
        return tuple(rows[i] for i in indices)

    return Diagnosis(
        right=right,
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
