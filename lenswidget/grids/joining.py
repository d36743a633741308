"""Grids of some positions of one text, put together: the Grid that reading all of them at once would have made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lenswidget.grids.grid import Grid
from lenswidget.grids.parts import NO_TOKEN, Candidates, Check, Quantity, Trajectories
from lenswidget.grids.reach import LONG_TAILED, reach

BY_COLUMN = ("following", "decision")
"""Parts of a Grid that have one number for each column, or are None."""


def joined(grids: Sequence[Grid]) -> Grid:
    """The Grids of some positions each, in the order of positions, as one.

    They may come from runs of a text that grew, each read as far as it then went. Title, notes, row quantities, jumps and
    provenance are those of the Grid that has the last position, and the checks are one; what makes it again or answers for it
    (`provenance["call"]`, `explain`) is for those to add who know how all of it is read.

    Raises ValueError for Grids that were read in different ways, for a position that two of them have, and for a column that was
    read when another token followed it, or none: read it again.
    """
    pieces = sorted(grids, key=lambda grid: int(grid.positions.min(initial=0)))
    if not pieces:
        raise ValueError("There are no Grids to put together; give one at least.")
    last = max(pieces, key=lambda grid: int(grid.positions.max(initial=-1)))
    for one in pieces:
        _require_alike(one, last)
    positions = np.concatenate([one.positions for one in pieces])
    columns = np.concatenate([one.columns for one in pieces])
    excluded = tuple(sorted({position for one in pieces for position in one.excluded}))
    texts = {i: text for one in pieces for i, text in one.texts.items()}
    occurring = {i for one in pieces for i in _occurring(one)}
    whole = Grid(
        title=last.title,
        kind=last.kind,
        model=last.model,
        rows=last.rows,
        columns=columns,
        positions=positions,
        quantities=_quantities(pieces, ~np.isin(positions, excluded)),
        texts={i: text for i, text in sorted(texts.items()) if i in occurring},
        special=tuple(sorted({i for one in pieces for i in one.special} & occurring)),
        candidates=_candidates(pieces),
        trajectories=_trajectories(pieces),
        targets=last.targets,
        excluded=excluded,
        row_quantities=last.row_quantities,
        jumps=last.jumps and replace(last.jumps, columns=last.jumps.columns + _before(pieces, last)),
        check=_check([one.check for one in pieces]),
        notes=last.notes,
        provenance={name: value for name, value in last.provenance.items() if name != "call"},
        **{name: _of_columns(pieces, name) for name in BY_COLUMN},
    )
    order = np.argsort(positions, kind="stable")
    if (np.diff(order) != 1).any():
        whole = whole[:, order]
    _require_one_text(whole)
    return whole


def _require_alike(one: Grid, other: Grid) -> None:
    """Raises ValueError where two Grids have not the same rows, quantities, targets and number of candidates."""
    for what, ours, theirs in (
        ("kind", one.kind, other.kind),
        ("model", one.model, other.model),
        ("weights", one.provenance.get("weights"), other.provenance.get("weights")),
        ("rows", one.rows, other.rows),
        ("quantities", list(one.quantities), list(other.quantities)),
        ("targets", one.targets, other.targets),
        ("number of candidates", *(g.candidates and g.candidates.ids.shape[2] for g in (one, other))),
    ):
        if ours != theirs:
            raise ValueError(
                f"Grids are put together that were read in one way; these differ in their {what}: {ours!r} and {theirs!r}."
            )
    if one.column_labels is not None or one.sides or one.sweep or one.view != "heatmap":
        raise ValueError(f"Grids of a lens are put together, by their positions; got {one.kind!r}.")


def _require_one_text(whole: Grid) -> None:
    """Raises ValueError for a position that is there twice, and where what followed a column isn't what stands there."""
    twice = whole.positions[1:][np.diff(whole.positions) == 0]
    if len(twice):
        raise ValueError(f"Two of these Grids have position {twice[0]}; give each position once.")
    if whole.following is None:
        return
    # a token beyond the unembedding can stand in a prompt, but nothing predicts it
    rank = whole.quantities.get("rank of the next token")
    predicted = np.inf if rank is None or rank.domain is None else rank.domain[1]
    follows = np.where(whole.columns[1:] < predicted, whole.columns[1:], NO_TOKEN)
    wrong = np.flatnonzero((np.diff(whole.positions) == 1) & (whole.following[:-1] != follows))
    if len(wrong):
        column = int(wrong[0])
        then, now = (
            repr(whole.text(i)) if i != NO_TOKEN else "nothing" for i in (whole.following[column], follows[column])
        )
        raise ValueError(
            f"Position {whole.positions[column]} was read when {then} followed it, and now {now} does; read it again."
        )


def _occurring(grid: Grid) -> set[int]:
    """The ids of all tokens in a Grid; part of a Grid may know texts of tokens that are in another part."""
    arrays = [grid.columns]
    if grid.candidates is not None:
        arrays.append(grid.candidates.ids.ravel())
    if grid.trajectories is not None:
        arrays.append(grid.trajectories.ids)
    return {*np.unique(np.concatenate(arrays)).tolist(), *(i for target in grid.targets for i in target.ids)}


def _quantities(pieces: Sequence[Grid], counted: np.ndarray) -> dict[str, Quantity]:
    found = {}
    for name, quantity in pieces[0].quantities.items():
        values = np.concatenate([one.quantities[name].values for one in pieces], axis=1)
        domain = reach(values, counted) if name in LONG_TAILED else quantity.domain
        found[name] = replace(quantity, values=values, domain=domain)
    return found


def _candidates(pieces: Sequence[Grid]) -> Candidates | None:
    found = [one.candidates for one in pieces if one.candidates is not None]
    if not found:
        return None
    return Candidates(
        np.concatenate([one.ids for one in found], axis=1),
        np.concatenate([one.log_probability for one in found], axis=1),
    )


def _trajectories(pieces: Sequence[Grid]) -> Trajectories | None:
    found = [one.trajectories for one in pieces if one.trajectories is not None]
    if not found:
        return None
    sizes = np.concatenate([np.diff(one.offsets) for one in found])
    return Trajectories(
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32),
        np.concatenate([one.ids for one in found]),
        np.concatenate([one.log_probability for one in found]),
        np.concatenate([one.rank for one in found]),
    )


def _of_columns(pieces: Sequence[Grid], name: str) -> Any:
    found = [getattr(one, name) for one in pieces]
    return None if any(part is None for part in found) else np.concatenate(found)


def _before(pieces: Sequence[Grid], one: Grid) -> int:
    """How many columns stand before those of a Grid."""
    return sum(len(piece.columns) for piece in pieces[: [piece is one for piece in pieces].index(True)])


def _check(checks: Sequence[Check | None]) -> Check | None:
    """What each was checked for, of the whole: its error is the largest of all. None where one was not checked."""
    known = [check for check in checks if check is not None]
    if not known or len(known) < len(checks):
        return None
    failed = [check for check in known if not (check.holds or np.isnan(check.error))]
    if failed:
        return max(failed, key=lambda check: check.error / max(check.tolerance, 1e-30))
    errors = [check.error for check in known if not np.isnan(check.error)]
    if not errors:
        return known[-1]
    return Check(max(errors), max(check.tolerance for check in known), known[-1].claim)
