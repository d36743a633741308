"""Where the effect of a sweep lies, in words, from its numbers alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lenswidget.grids.grid import Grid
from lenswidget.grids.marks import visible
from lenswidget.grids.parts import Sweep
from lenswidget.view.picture.numbers import decimals_for, fixed
from lenswidget.view.picture.patched import SHARES

HALF = 0.5
"""Less than this of the way is no place where anything is kept."""

Piece = str | dict[str, str]
"""Words, or a token as `{"token": "␣Paris"}`."""


def story_of(grid: Grid, sweep: Sweep) -> list[Piece]:
    """What a reader should see first: which column keeps the difference in which rows, else the cells of the largest effect."""
    quantity = next(iter(grid.quantities.values()))
    by_row = grid.column_labels is None and not any("." in row for row in grid.rows)
    if by_row and quantity.name == "recovered" and np.isfinite(sweep.target):
        return _along_rows(grid)
    return _of_largest(grid, sweep)


def measured(grid: Grid, sweep: Sweep) -> str:
    """What is measured, with its tokens as readers see them: "logit difference of ␣Paris − ␣Rome"."""
    kind, *of = sweep.metric.split(" of ", 1)
    tokens = [" + ".join(visible(grid.text(i)) for i in target.ids) for target in grid.targets]
    return f"{kind} of {' − '.join(tokens)}" if of else kind


@dataclass(frozen=True)
class _Phase:
    """Rows one on the other in which the same column brings most back, and no less than half."""

    column: int
    first: int
    last: int
    low: float
    high: float


def _phases(values: np.ndarray) -> list[_Phase]:
    phases: list[_Phase] = []
    for row, line in enumerate(np.nan_to_num(values)):
        column = int(line.argmax())
        value = float(line[column])
        if value < HALF:
            continue
        last = phases[-1] if phases else None
        if last and last.column == column and last.last == row - 1:
            phases[-1] = replace(last, last=row, low=min(last.low, value), high=max(last.high, value))
        else:
            phases.append(_Phase(column, row, row, value, value))
    return phases


def _along_rows(grid: Grid) -> list[Piece]:
    rows = grid.rows
    phases = _phases(next(iter(grid.quantities.values())).values)
    if not phases:
        return ["No one cell brings back half of the difference.", *_most(grid)]
    top = len(rows) - 1
    if len(phases) > 3:
        longest = sorted(phases, key=lambda one: one.first - one.last)[:3]
        told = sorted(longest, key=lambda one: one.first)
    else:
        told = phases
    first, *others = told

    def named(phase: _Phase) -> list[Piece]:
        is_last = phase.column == grid.shape[1] - 1 and len(phases) > 1
        return ["the last token, " if is_last else "", _token(grid, phase.column)]

    begin = f"From {rows[first.first]} to" if first.first else "Up to"
    said: list[Piece] = [f"{begin} {rows[first.last]} the difference is kept at ", *named(first)]
    said.append(f": patched alone, that cell brings back {_span(grid, first)} of it.")
    for one in others:
        to = " on" if one.last == top else f" to {rows[one.last]}" if one.last > one.first else ""
        said.append(f" {'From' if to else 'At'} {rows[one.first]}{to} it lies at ")
        said += [*named(one), f" ({_span(grid, one)})."]
    covered = {row for one in told for row in range(one.first, one.last + 1)}
    between = [rows[row] for row in range(first.last + 1, told[-1].first) if row not in covered]
    if between:
        where = f"Between, in {between[0]} to {between[-1]}, it" if len(between) > 1 else f"In {between[0]} it"
        said.append(f" {where} lies at no one cell for long.")
    return said


def _of_largest(grid: Grid, sweep: Sweep) -> list[Piece]:
    quantity = next(iter(grid.quantities.values()))
    listed: list[Piece] = []
    for i, cell in enumerate(_largest(grid)):
        listed += [", then " if i else "", *_named(grid, *cell)]
    if not listed:
        return ["No cell changes the answer."]
    if np.isfinite(sweep.target):
        how = "By estimate" if quantity.name == "estimate" else "Patched alone"
        return [f"{how}, most moves at ", *listed, "; 1 is all of the difference."]
    unit = f", in {quantity.unit}" if quantity.unit else ""
    return [f"One at a time {sweep.put}, most moves {measured(grid, sweep)}{unit}: ", *listed, "."]


def _most(grid: Grid) -> list[Piece]:
    found = _largest(grid)[:1]
    return [piece for cell in found for piece in (" The most is ", *_named(grid, *cell), ".")]


def _largest(grid: Grid) -> list[tuple[int, int]]:
    """The cells of the largest effect, up to three."""
    size = np.abs(next(iter(grid.quantities.values())).values)
    size = np.where(np.isfinite(size), size, 0)
    size[:, np.isin(grid.positions, list(grid.excluded))] = 0
    order = np.argsort(-size, axis=None, kind="stable")[:3]
    return [divmod(int(cell), grid.shape[1]) for cell in order if size.flat[cell]]


def _named(grid: Grid, row: int, column: int) -> list[Piece]:
    value = float(next(iter(grid.quantities.values())).values[row, column])
    if grid.column_labels is None:
        return [f"{grid.rows[row]} at ", _token(grid, column), f" ({_said(grid, value)})"]
    label = grid.column_labels[column]
    part = label if label[:1] == "H" and label[1:].isdecimal() else ""
    return [f"{grid.rows[row]}{part}", f" ({_said(grid, value)})"]


def _token(grid: Grid, column: int) -> Piece:
    return {"token": visible(grid.text(int(grid.columns[column])))}


def _span(grid: Grid, phase: _Phase) -> str:
    low, high = _said(grid, phase.low), _said(grid, phase.high)
    return low if low == high else f"{low} to {high}"


def _said(grid: Grid, value: float) -> str:
    """A number as it is written in its cell."""
    quantity = next(iter(grid.quantities.values()))
    return fixed(value, decimals_for(quantity.values), signed=quantity.center == 0 and quantity.measure not in SHARES)
