"""Experiments: edits that a reader made in a widget, checked, and asked of what the Grids know of their runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lenswidget.grids.comparison import Comparison, compare
from lenswidget.grids.grid import Grid
from lenswidget.view.latest import Report

KEYS = ("grid", "site", "position", "to", "on")
"""What an edit says: the Grid that it is made in, where in it, what is put there (`[grid, position]`, or `[]` to take it out),
and whether it is switched on."""
SHARE = 0.7
"""The share of the wait that the model takes, and not the readout."""
EXAMPLE = {"grid": 1, "site": "L12", "position": 2, "to": [0, 2], "on": True}


def problem_of(edits: Any, grids: Sequence[Grid]) -> str | None:
    """Why edits can't be made of these Grids, in a sentence."""
    for edit in edits:
        if not isinstance(edit, Mapping) or set(edit) != set(KEYS):
            return f"An edit has the keys {', '.join(KEYS)}, as {EXAMPLE}; got {edit!r}."
        wrong = _wrong(edit, grids)
        if wrong:
            return f"{wrong} An edit is written as {EXAMPLE}; got {dict(edit)!r}."
    if len({edit["grid"] for edit in edits}) > 1:
        return "Edits are made in one Grid, whose run they change together; these are in several."
    return None


def _wrong(edit: Mapping[str, Any], grids: Sequence[Grid]) -> str | None:
    grid, site, position, to, on = (edit[key] for key in KEYS)
    if not _is_index(grid, len(grids)):
        return f"There is no Grid {grid!r}: there are {len(grids)}, counted from 0."
    if not isinstance(site, str) or not site:
        return f"A site is a label, as 'L12' or 'L23H3'; got {site!r}."
    if grids[grid].view != "bars" and site == grids[grid].rows[-1]:
        return f"{site!r} is the output, after which nothing runs; edit a row below it."
    if not _is_in(position, grids[grid]):
        return f"This Grid has no position {position!r}; it has {_span(grids[grid])}."
    if not isinstance(on, bool):
        return f"on is True or False; got {on!r}."
    if not isinstance(to, (list, tuple)) or len(to) not in (0, 2):
        return f"to is [grid, position], or [] to take the site out; got {to!r}."
    if len(to) == 2:
        if not _is_index(to[0], len(grids)):
            return f"There is no Grid {to[0]!r} to take a value from: there are {len(grids)}, counted from 0."
        if not _is_in(to[1], grids[to[0]]):
            return f"The Grid that a value is taken from has no position {to[1]!r}; it has {_span(grids[to[0]])}."
    for one in (grid, *to[:1]):
        if getattr(grids[one].explain, "edited", None) is None:
            return (
                f"Grid {one}, {grids[one].kind!r}, came without a model that can run it again; read it in this notebook, "
                "lw.logit_lens(lw.run(model, prompt))."
            )
    return None


def _is_index(value: Any, count: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < count


def _is_in(position: Any, grid: Grid) -> bool:
    return isinstance(position, int) and not isinstance(position, bool) and position in grid.positions.tolist()


def _span(grid: Grid) -> str:
    return f"{int(grid.positions.min())} to {int(grid.positions.max())}" if len(grid.positions) else "none"


def run_edits(edits: Sequence[Mapping[str, Any]], own: Grid | Comparison, report: Report) -> Grid | Comparison:
    """What is shown of Grids and edits of one of them: with the edited one beside them, where any edit is on."""
    on = [edit for edit in edits if edit["on"]]
    if not on:
        return own
    grids = (own,) if isinstance(own, Grid) else own.grids
    target: Any = grids[on[0]["grid"]].explain
    changes = [
        (edit["site"], edit["position"], *((_run_of(grids[edit["to"][0]]), edit["to"][1]) if edit["to"] else (None, 0)))
        for edit in on
    ]
    layers = max(1, len(grids[on[0]["grid"]].rows) - 1)
    report(0.0, "running the model under the edit")
    edited = target.edited(
        changes, lambda block: report(SHARE * min(1.0, block / layers), "running the model under the edit")
    )
    report(SHARE, "laying it beside the others")
    return _shown(own, edit_of=on[0]["grid"], edited=edited)


def _run_of(grid: Grid) -> Any:
    """The recipe of the run that a Grid was read from."""
    explain: Any = grid.explain
    return explain.run


def _shown(own: Grid | Comparison, edit_of: int, edited: Grid) -> Grid | Comparison:
    """Bars have what they were beside them and stand in their own place; what a lens read stands beside the others."""
    if edited.view != "bars":
        return compare(*((own,) if isinstance(own, Grid) else own.grids), edited)
    if isinstance(own, Grid):
        return edited
    grids = (edited if i == edit_of else grid for i, grid in enumerate(own.grids))
    return compare(*grids, names=own.names)
