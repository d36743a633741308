"""Two Grids told apart in words: which token leads on each side of a difference, and how far apart the two are."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float32, Int32

from lenswidget.grids.alignment import NONE, on_slots, one_tokenizer
from lenswidget.grids.belief import beliefs
from lenswidget.grids.grid import Grid
from lenswidget.grids.parts import NO_TOKEN, Candidates, Quantity, Sides

APART = "total variation"
BELIEF = "belief"
"""The quantities of a difference that say how far apart its sides are, and how far both of them can be believed."""
SEES_BACK = "a position can’t see what comes after it"
OF_THE_WHOLE = ("entropy", "KL to the output")
"""Quantities that speak of a whole distribution: where these and all candidates are the same, so is the distribution."""


def sides_of(
    first: Grid,
    other: Grid,
    rows: Int32[np.ndarray, "row_slots 2"],
    columns: Int32[np.ndarray, "column_slots 2"],
    names: tuple[str, str],
) -> tuple[Sides, list[Quantity]] | None:
    """What leads on both sides, and how far apart they are; None for Grids without candidates of one tokenizer."""
    if first.candidates is None or other.candidates is None or not one_tokenizer(first, other):
        return None
    if "bars" in (first.view, other.view):
        return None
    ours, theirs = (
        _placed(grid.candidates, rows[:, g], columns[:, g])  # type: ignore[arg-type]
        for g, grid in enumerate((first, other))
    )
    believed = [
        on_slots(beliefs(grid).astype(np.float32), rows[:, g], columns[:, g]) for g, grid in enumerate((first, other))
    ]
    equal = _equal(first, other, ours, theirs, rows, columns)
    two_prompts = first.title != other.title and (first.kind, first.model) == (other.kind, other.model)
    same_token = first.columns[columns[:, 0]] == other.columns[columns[:, 1]]
    begin_alike = bool((equal & same_token)[: equal.sum()].all())
    sides = Sides(
        names=names,
        leaders=Candidates(
            np.stack([ours.ids[..., 0], theirs.ids[..., 0]], axis=-1),
            np.stack([ours.log_probability[..., 0], theirs.log_probability[..., 0]], axis=-1),
        ),
        equal=tuple(np.flatnonzero(equal).tolist()),
        why=SEES_BACK if two_prompts and begin_alike and equal.any() else "",
    )
    return sides, [
        Quantity(APART, apart(ours, theirs), domain=(0.0, 1.0)),
        Quantity(BELIEF, np.minimum(*believed), domain=(0.0, 1.0)),
    ]


def apart(ours: Candidates, theirs: Candidates) -> Float32[np.ndarray, "rows columns"]:
    """The least that the total variation of two distributions can be, of which the candidates are known.

    Total variation is the sum of p - q over the tokens to which p gives more. What isn't a candidate of the other side has
    at most the probability of the last one that is. NaN where either side has a gap.
    """
    p, q = np.exp2(ours.log_probability), np.exp2(theirs.log_probability)
    same = (ours.ids[..., :, None] == theirs.ids[..., None, :]) & (ours.ids[..., :, None] != NO_TOKEN)

    def gained(p: np.ndarray, q: np.ndarray, same: np.ndarray) -> np.ndarray:
        known = np.where(same, np.nan_to_num(q)[..., None, :], 0).sum(-1)
        last = np.nan_to_num(q, nan=1.0).min(-1, keepdims=True)
        return np.asarray(np.maximum(0, np.nan_to_num(p) - np.where(same.any(-1), known, last)).sum(-1))

    there = (ours.ids[..., 0] != NO_TOKEN) & (theirs.ids[..., 0] != NO_TOKEN)
    least = np.maximum(gained(p, q, same), gained(q, p, same.swapaxes(-1, -2)))
    return np.where(there, np.clip(least, 0, 1), np.nan).astype(np.float32)


def _placed(candidates: Candidates, rows: np.ndarray, columns: np.ndarray) -> Candidates:
    """Candidates where the slots have them, none in their gaps."""
    at = np.ix_(rows, columns)
    gap = (rows == NONE)[:, None] | (columns == NONE)[None, :]
    ids, bits = candidates.ids[at].copy(), candidates.log_probability[at].copy()
    ids[gap], bits[gap] = NO_TOKEN, np.nan
    return Candidates(ids, bits)


def _equal(
    first: Grid, other: Grid, ours: Candidates, theirs: Candidates, rows: np.ndarray, columns: np.ndarray
) -> Bool[np.ndarray, "column_slots"]:
    """The columns in which all that is known of every distribution is the same, to the last bit."""
    if ours.ids.shape != theirs.ids.shape:
        return np.zeros(len(columns), dtype=bool)
    pairs = [(ours.ids, theirs.ids), (ours.log_probability, theirs.log_probability)]
    for name in OF_THE_WHOLE:
        if name in first.quantities and name in other.quantities:
            values = (grid.quantities[name].values for grid in (first, other))
            one, two = (on_slots(of, rows[:, g], columns[:, g]) for g, of in enumerate(values))
            pairs.append((one, two))
    there = (columns != NONE).all(axis=1)
    same = [np.all(a == b, axis=tuple(i for i in range(a.ndim) if i != 1)) for a, b in pairs]
    return np.asarray(np.logical_and.reduce([there, *same]))
