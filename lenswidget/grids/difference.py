"""The difference of two Grids is a Grid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Int32

from lenswidget.grids.alignment import NONE, on_slots, one_model, one_tokenizer
from lenswidget.grids.grid import Grid
from lenswidget.grids.parts import NO_TOKEN, Quantity
from lenswidget.grids.sides import sides_of

WHATEVER_THE_VOCABULARY = {"probability", "entropy"}
"""What can be subtracted between models whose vocabularies differ."""
GAP = "∅"


def difference_of(
    first: Grid,
    other: Grid,
    rows: Int32[np.ndarray, "row_slots 2"],
    columns: Int32[np.ndarray, "column_slots 2"],
    names: tuple[str, str],
    divergence: Grid | None = None,
) -> Grid | None:
    """`other − first` on the slots, for every quantity that both have; None if there is none.

    Diverging and centered on zero, NaN where either has a gap or NaN. Ranks differ by the binary logarithm of their
    ratio: −1 says that a token's rank was halved, so it stands nearer the top in `other`. `divergence` is a Grid of the
    same columns, whose quantities come first. `sides` says what leads on either, and two more quantities how far apart they
    are (`apart`) and the lesser of both beliefs.
    """
    quantities = []
    for quantity in first.quantities.values():
        match = _counterpart(first, quantity, other)
        if match is not None:
            ours = on_slots(quantity.values, rows[:, 0], columns[:, 0])
            theirs = on_slots(match.values, rows[:, 1], columns[:, 1])
            quantities.append(_subtract(quantity, ours, theirs))
    if divergence is not None:
        measured = divergence.quantities.values()
        quantities[:0] = [replace(q, values=on_slots(q.values, rows[:, 0], columns[:, 0])) for q in measured]
    if not quantities:
        return None
    told = sides_of(first, other, rows, columns, names)
    sides, more = told or (None, [])
    leaders = set() if sides is None else set(sides.leaders.ids.ravel().tolist())
    texts = {**other.texts, **first.texts} if sides else first.texts
    tokens, labels = _columns(first, other, columns)
    return Grid(
        title=f"{names[1]} − {names[0]}",
        kind="Difference",
        model=first.model if one_model([first, other]) else "",
        rows=_rows(first, other, rows),
        columns=tokens,
        positions=np.arange(len(columns), dtype=np.int32),
        column_labels=labels,
        quantities={q.name: q for q in [*quantities, *more]},
        texts={i: texts[i] for i in {*tokens.tolist(), *leaders, *(i for t in first.targets for i in t.ids)} if i >= 0},
        special=first.special and tuple(i for i in first.special if i in set(tokens.tolist())),
        targets=first.targets,
        sides=sides,
        excluded=tuple(slot for slot, i in enumerate(columns[:, 0]) if i >= 0 and first.positions[i] in first.excluded),
        view=first.view,
        notes=(f"{names[1]} less {names[0]}; a rank as the binary logarithm of the ratio",),
    )


def _counterpart(first: Grid, quantity: Quantity, other: Grid) -> Quantity | None:
    """What in another Grid is the same quantity: of the same cell by name, or of the same followed tokens."""
    alike = one_tokenizer(first, other)
    if quantity.target is None:
        match = other.quantities.get(quantity.name)
        fits = match is not None and match.measure == quantity.measure and match.target is None
        return match if fits and (alike or quantity.measure in WHATEVER_THE_VOCABULARY) else None
    if not alike:
        return None
    ids = set(first.targets[quantity.target].ids)
    for match in other.quantities.values():
        if (
            match.measure == quantity.measure
            and match.target is not None
            and set(other.targets[match.target].ids) == ids
        ):
            return match
    return None


def _subtract(quantity: Quantity, ours: np.ndarray, theirs: np.ndarray) -> Quantity:
    with np.errstate(invalid="ignore"):  # what is infinite on both sides has no difference
        values, unit = theirs - ours, quantity.unit
        if quantity.scale == "log":
            values, unit = np.log2(theirs) - np.log2(ours), "doublings"
    return replace(quantity, values=values, unit=unit, scale="linear", domain=None, center=0.0)


def _columns(first: Grid, other: Grid, columns: np.ndarray) -> tuple[np.ndarray, tuple[str, ...] | None]:
    """The token of every slot where both have it, and words for all of them where some slot has two."""
    same = one_tokenizer(first, other)
    tokens, labels = [], []
    for i, j in columns.tolist():
        ours, theirs = _label(first, i), _label(other, j)
        agree = ours == theirs and (not same or first.columns[i] == other.columns[j])
        tokens.append(int(first.columns[i]) if agree and first.columns[i] in first.texts else NO_TOKEN)
        labels.append(ours if agree else f"{ours} → {theirs}")
    whole = NO_TOKEN not in tokens
    return np.array(tokens, dtype=np.int32), None if whole else tuple(labels)


def _label(grid: Grid, column: int) -> str:
    if column == NONE:
        return GAP
    return grid.column_labels[column] if grid.column_labels else grid.text(grid.columns[column])


def _rows(first: Grid, other: Grid, rows: np.ndarray) -> tuple[str, ...]:
    labels = []
    for i, j in rows.tolist():
        ours, theirs = (grid.rows[r] if r != NONE else "" for grid, r in ((first, i), (other, j)))
        labels.append(ours if ours == theirs else " / ".join(filter(None, (ours, theirs))))
    return tuple(labels)
