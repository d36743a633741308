"""What a Grid is made of: quantities, candidates, trajectories, targets, checks and jumps. Plain numpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from jaxtyping import Float32, Int32

from lenswidget.grids.words import say

NO_TOKEN = -1
"""Stands where a column has no token that really follows: the last position of a prompt."""
MOVED = "change of the state"
"""The quantity of a Grid read under a reader's edits: how far they moved each cell's state, exactly 0 where they can't reach."""
BEFORE = "contribution before"
"""What bars were without the edits that they are under."""
BEYOND = 0
"""Stands in a rank that was not counted: the token lies beyond the candidates of that cell."""


@dataclass(frozen=True)
class Quantity:
    """One number for every cell.

    `values` is `[rows, columns]`. `measure` says what kind of number it is, whatever it speaks of ("probability", "rank",
    "contribution"); by default its name. `scale` says how the eye should read it and `strong` which end of it stands out.
    `domain` is fixed where the quantity has natural ends (a probability), and None where the data decide.
    `target` is the index of the followed target that the quantity speaks of, or None where it speaks of the cell.
    """

    name: str
    values: Float32[np.ndarray, "rows columns"]
    unit: str = ""
    scale: Literal["linear", "log"] = "linear"
    strong: Literal["high", "low"] = "high"
    domain: tuple[float, float] | None = None
    center: float | None = None
    target: int | None = None
    measure: str = ""

    def __post_init__(self) -> None:
        if not self.measure:
            object.__setattr__(self, "measure", self.name)


@dataclass(frozen=True)
class RowQuantity:
    """One number for every row, drawn beside the row labels: how far a row can be trusted, for one.

    `values` is `[rows]`. `strong` says which end is the good one; a row near the other end looks faint. `domain` are the
    ends of the scale, None where the data decide. `says` is a sentence about a row, with {} where its value goes: "{} from
    the output on held-out text". `parts` are the same number for each kind of what it was measured on, by name: each style
    of text, for one.
    """

    name: str
    values: Float32[np.ndarray, "rows"]
    unit: str = ""
    strong: Literal["high", "low"] = "high"
    domain: tuple[float, float] | None = None
    says: str = ""
    parts: Mapping[str, Float32[np.ndarray, "rows"]] = field(default_factory=dict)

    @property
    def means(self) -> dict[str, float]:
        """The mean over rows of each part; a row that is the output's own, at 0, isn't counted."""
        counted = np.nan_to_num(self.values) != 0
        return {name: float(values[counted].mean()) for name, values in self.parts.items() if counted.any()}


@dataclass(frozen=True)
class ColumnQuantity:
    """One number for every column, drawn below it: how unusual a prompt is, for one.

    `values` is `[columns]`, NaN where it isn't known. `line` is the value from which on it is much, None where nothing says so;
    one that has a line is drawn as dots, too, a line of them for each of the Grid's groups. `says` is a sentence about a column,
    with {} where its value goes. For the dots, `reach` says who reaches the line, `of_groups` something of a group, by its name,
    and `elsewhere` are values of what is none of the columns, by the name of their line.
    """

    name: str
    values: Float32[np.ndarray, "columns"]
    unit: str = ""
    line: float | None = None
    says: str = ""
    reach: str = ""
    of_groups: Mapping[str, str] = field(default_factory=dict)
    elsewhere: Mapping[str, Float32[np.ndarray, "n"]] = field(default_factory=dict)

    def said(self, column: int) -> str:
        """What it says of a column, in words."""
        value = f"{float(self.values[column]):.3g} {self.unit}".strip()
        words = self.says.replace("{}", value) if self.says else f"{self.name}: {value}"
        is_much = self.line is not None and self.values[column] >= self.line
        return f"{words}, beyond the line at {self.line:.3g}" if is_much else words


@dataclass(frozen=True)
class Check:
    """How nearly a claim holds that a Grid makes of itself: `error` is max |difference|, in logits; NaN if not checked."""

    error: float
    tolerance: float
    claim: str = "last row is the model"

    @property
    def holds(self) -> bool:
        return self.error <= self.tolerance

    def of_part(self, *, fewer_rows: bool, fewer_columns: bool, last_row: str) -> Check | None:
        """What is left of it in a part of the Grid: nothing, where it speaks of a sum over rows or cells that aren't there.

        `last_row` is what the part calls the row that was last: "last row", or its label where it isn't last any more.
        """
        lost = {"rows sum": fewer_rows, "cells sum": fewer_rows or fewer_columns}
        if any(gone and self.claim.startswith(words) for words, gone in lost.items()):
            return None
        return replace(self, claim=self.claim.replace("last row is", f"{last_row} is"))

    def __str__(self) -> str:
        if self.error == 0:
            return say("exactly", claim=self.claim)
        if np.isnan(self.error):
            return say("unchecked", claim=self.claim)
        error, tolerance = (_short(value) for value in (self.error, self.tolerance))
        return say("off" if self.holds else "failed", claim=self.claim, error=error, tolerance=tolerance)


def _short(value: float) -> str:
    """One digit and its power of ten: 2e-6."""
    mantissa, exponent = f"{value:.0e}".split("e")
    return f"{mantissa}e{int(exponent)}"


@dataclass(frozen=True)
class Jumps:
    """Who moved a token from one row to the next: entry `i` speaks of token `tokens[i]` in column `columns[i]`.

    `values[i, r]` are what each part of the block that wrote row `r` added to the token's logit since row `r - 1`. They
    sum to the jump; a part that a block doesn't have is NaN, and so is all of row 0. `parts` are their names, in which
    `{}` stands for the row's label: "{}H3", "{}.mlp", "norm rescale". `check` is that of the jump that is furthest off.
    """

    columns: Int32[np.ndarray, "entries"]
    tokens: Int32[np.ndarray, "entries"]
    parts: tuple[str, ...]
    values: Float32[np.ndarray, "entries rows parts"]
    check: Check


@dataclass(frozen=True)
class Candidates:
    """The leading tokens of every cell, best first: `ids` and `log_probability`, in bits, are `[rows, columns, k]`."""

    ids: Int32[np.ndarray, "rows columns k"]
    log_probability: Float32[np.ndarray, "rows columns k"]


@dataclass(frozen=True)
class Sides:
    """What leads on the two sides of a difference, whose `names` are those of the Grids.

    `leaders` are Candidates of two: the first Grid's and the other's, NO_TOKEN in gaps. `equal` are the columns in which
    nothing differs, to the last bit; `why` says how that comes, or is "".
    """

    names: tuple[str, str]
    leaders: Candidates
    equal: tuple[int, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class Trajectories:
    """Every token that is a candidate anywhere in a column, through all the rows of that column.

    The token that really follows and the followed targets are among them everywhere, candidates or not.
    Column `c` owns entries `offsets[c]` to `offsets[c + 1]`, whose tokens are `ids`. `log_probability`, in bits, and `rank`
    are `[entries, rows]`: rank 1 is the prediction; BEYOND (0) stands where the token is no candidate of that cell and its
    rank was not counted.
    """

    offsets: Int32[np.ndarray, "columns_and_one"]
    ids: Int32[np.ndarray, "entries"]
    log_probability: Float32[np.ndarray, "entries rows"]
    rank: Int32[np.ndarray, "entries rows"]

    def of(self, column: int) -> slice:
        """The entries that belong to a column."""
        return slice(int(self.offsets[column]), int(self.offsets[column + 1]))


@dataclass(frozen=True)
class Sweep:
    """What the cells of a Grid are patches of: in each, one thing of a base is put to what it is in a source.

    `columns` are the source's tokens, one for each column of the Grid, NO_TOKEN where none answers to it. `base` and `target` are
    the metric at the base and at the source, NaN where there is no source; `position` is where the answer is read, `first` the
    first position at which the two differ. `said` is `[2, n]`: what base and source say of the ids `tokens`, in bits.
    """

    source: str
    put: str
    columns: Int32[np.ndarray, "columns"]
    metric: str
    base: float
    target: float
    position: int
    first: int
    tokens: Int32[np.ndarray, "n"]
    said: Float32[np.ndarray, "both n"]


@dataclass(frozen=True)
class Target:
    """A set of token `ids` that is followed as one, under a `label`: its probability is the sum over the set."""

    label: str
    ids: tuple[int, ...]
