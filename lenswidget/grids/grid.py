"""Grid: what is drawn. Labelled rows and columns, with named quantities and candidate tokens in each cell.

Everything computed becomes a Grid and everything shown is a Grid, so this is the one noun that the two halves
of lenswidget share. It is plain numpy data: it can be compared, sliced, saved without pickle and read in a
notebook that has no torch.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex

import numpy as np
from jaxtyping import Float32, Int32

from lenswidget.grids.marks import spaced
from lenswidget.grids.showable import Showable

if TYPE_CHECKING:
    import pandas

NO_TOKEN = -1
"""Stands where a column has no token that really follows: the last position of a prompt."""
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
    centre: float | None = None
    target: int | None = None
    measure: str = ""

    def __post_init__(self) -> None:
        if not self.measure:
            object.__setattr__(self, "measure", self.name)


@dataclass(frozen=True)
class RowQuantity:
    """One number for every row, drawn beside the row labels: how far a row can be trusted, for one.

    `strong` says which end is the good one; a row near the other end looks faint.
    """

    name: str
    values: Float32[np.ndarray, "rows"]
    unit: str = ""
    strong: Literal["high", "low"] = "high"
    domain: tuple[float, float] | None = None
    says: str = ""
    """A sentence about a row, with {} where its value goes: "{} from the output on held-out text"."""


@dataclass(frozen=True)
class Check:
    """How nearly a claim holds that a Grid makes of itself: `error` is max |difference|, in logits; NaN if not checked."""

    error: float
    tolerance: float
    claim: str = "last row is the model"

    @property
    def holds(self) -> bool:
        return self.error <= self.tolerance

    def of_part(self, *, fewer_rows: bool, fewer_columns: bool, last_row: bool) -> Check | None:
        """What is left of it in a part of the Grid: nothing, where it speaks of a sum over rows or cells that aren't there."""
        lost = {"rows sum": fewer_rows, "cells sum": fewer_rows or fewer_columns}
        if any(gone and self.claim.startswith(words) for words, gone in lost.items()):
            return None
        return (
            self if last_row else replace(self, claim=self.claim.replace("last row is", "last row, left out here, is"))
        )

    def __str__(self) -> str:
        if self.error == 0:
            return f"{self.claim}, exactly"
        if np.isnan(self.error):
            return f"{self.claim}: not checked, as it is not finite"
        mantissa, exponent = f"{self.error:.0e}".split("e")
        off = f"off by {mantissa}e{int(exponent)}"
        return f"{self.claim}, {off}" if self.holds else f"not so: {self.claim}, {off}"


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
    """The leading tokens of every cell, best first."""

    ids: Int32[np.ndarray, "rows columns k"]
    log_probability: Float32[np.ndarray, "rows columns k"]
    """In bits."""


@dataclass(frozen=True)
class Trajectories:
    """Every token that is a candidate anywhere in a column, through all the rows of that column.

    The token that really follows and the followed targets are among them everywhere, candidates or not.
    Column `c` owns entries `offsets[c]` to `offsets[c + 1]`.
    """

    offsets: Int32[np.ndarray, "columns_and_one"]
    ids: Int32[np.ndarray, "entries"]
    log_probability: Float32[np.ndarray, "entries rows"]
    """In bits."""
    rank: Int32[np.ndarray, "entries rows"]
    """1 is the prediction; BEYOND (0) where the token is no candidate of that cell and its rank was not counted."""

    def of(self, column: int) -> slice:
        """The entries that belong to a column."""
        return slice(int(self.offsets[column]), int(self.offsets[column + 1]))


@dataclass(frozen=True)
class Target:
    """A set of token ids that is followed as one: its probability is the sum over the set."""

    label: str
    ids: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Grid(Showable):
    """Labelled rows and columns, with quantities, candidates and trajectories in the cells.

    For a lens, rows run from the embedding (index 0) to the output of the last block; `columns` are the prompt's token ids.
    Where columns are no tokens (heads, layers), `column_labels` say what they are and `columns` holds NO_TOKEN.
    Index it with rows and positions, `grid[20:, -5:]` or `grid["L20":"L25"]`, and a quantity by name,
    `grid.quantities["entropy"].values`.
    """

    title: str
    kind: str
    rows: tuple[str, ...]
    columns: Int32[np.ndarray, "columns"]
    positions: Int32[np.ndarray, "columns"]
    quantities: Mapping[str, Quantity]
    texts: Mapping[int, str]
    candidates: Candidates | None = None
    trajectories: Trajectories | None = None
    targets: tuple[Target, ...] = ()
    following: Int32[np.ndarray, "columns"] | None = None
    """The token that really follows each column, NO_TOKEN where none does."""
    decision: Int32[np.ndarray, "columns"] | None = None
    """The row from which the top candidate is the output's, all the way up."""
    excluded: tuple[int, ...] = ()
    """Positions that are kept, and left out of color scales and means: the first one, whose norm dwarfs the rest."""
    special: tuple[int, ...] = ()
    """Ids in `texts` that are no text: the beginning of a sequence, an end of turn."""
    column_labels: tuple[str, ...] | None = None
    view: Literal["heatmap", "bars"] = "heatmap"
    """How the Grid wants to be drawn: bars suit rows that are parts of a sum."""
    row_quantities: tuple[RowQuantity, ...] = ()
    jumps: Jumps | None = None
    check: Check | None = None
    model: str = ""
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)
    explain: Callable[[int, int, int], Grid] | None = field(default=None, repr=False)
    """Asks the model about a cell, `explain(column, token, row)`: what moved a token, bars that sum to the jump of its logit
    from row `row - 1`; or with NO_TOKEN what the head or neuron there promotes. None where there is no model to ask; it
    is neither saved nor compared."""

    def __post_init__(self) -> None:
        shape = self.shape
        for name, quantity in self.quantities.items():
            if quantity.values.shape != shape:
                raise ValueError(
                    f"Quantity {name!r} has shape {quantity.values.shape}; a Grid of {shape[0]} rows and "
                    f"{shape[1]} columns needs {shape}."
                )
        for one in self.row_quantities:
            if one.values.shape != shape[:1]:
                raise ValueError(
                    f"Row quantity {one.name!r} has shape {one.values.shape}; a Grid of {shape[0]} rows needs {shape[:1]}."
                )
        figures: list[Quantity | RowQuantity] = [*self.quantities.values(), *self.row_quantities]
        for figure in figures:
            if figure.domain is not None and not np.isfinite(figure.domain).all():
                raise ValueError(
                    f"The scale of {figure.name!r} goes from {figure.domain[0]} to {figure.domain[1]}; give domain two "
                    "finite ends, or None where the data decide."
                )
        if self.column_labels is not None and len(self.column_labels) != shape[1]:
            raise ValueError(f"{len(self.column_labels)} column labels were given for {shape[1]} columns.")
        if not self.quantities:
            raise ValueError("A Grid needs at least one quantity; got none.")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.rows), len(self.columns)

    def text(self, token_id: SupportsIndex) -> str:
        """The text of a token id that occurs in this Grid."""
        return self.texts.get(int(token_id), f"token {int(token_id)}")

    def __getitem__(self, key: Any) -> Grid:
        """Part of the Grid: rows first, then positions, each a number, a slice or a list; rows also by label."""
        rows_key, columns_key = key if isinstance(key, tuple) else (key, slice(None))
        rows = _indices(rows_key, self.rows, "row")
        columns = _indices(columns_key, [str(p) for p in self.positions], "position")
        cells = np.ix_(rows, columns)
        shape, last_row = self.shape, len(rows) > 0 and int(rows[-1]) == len(self.rows) - 1
        fewer = {"fewer_rows": len(rows) < shape[0], "fewer_columns": len(columns) < shape[1]}
        decision = None
        if self.decision is not None and last_row:
            # the first kept row at or above the old decision: still the row from which the output leads
            decision = np.searchsorted(rows, self.decision[columns]).astype(np.int32)
        return replace(
            self,
            rows=tuple(self.rows[i] for i in rows),
            columns=self.columns[columns],
            column_labels=self.column_labels and tuple(self.column_labels[i] for i in columns),
            row_quantities=tuple(replace(s, values=s.values[rows]) for s in self.row_quantities),
            jumps=self.jumps and _slice_jumps(self.jumps, rows, columns),
            explain=self.explain and _slice_explain(self.explain, rows, columns),
            check=self.check and self.check.of_part(**fewer, last_row=last_row),
            positions=self.positions[columns],
            quantities={n: replace(q, values=q.values[cells]) for n, q in self.quantities.items()},
            candidates=self.candidates
            and Candidates(self.candidates.ids[cells], self.candidates.log_probability[cells]),
            trajectories=self.trajectories and _slice_trajectories(self.trajectories, rows, columns),
            following=None if self.following is None else self.following[columns],
            decision=decision,
            excluded=tuple(int(p) for p in self.positions[columns] if p in self.excluded),
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Grid):
            return NotImplemented
        from lenswidget.grids.grid_file import flatten

        ours, theirs = flatten(self), flatten(other)
        return ours[0] == theirs[0] and all(
            np.array_equal(a, theirs[1][name], equal_nan=a.dtype.kind == "f") for name, a in ours[1].items()
        )

    __hash__ = None  # type: ignore[assignment]  # it holds arrays: equal by value, so not hashable

    def __repr__(self) -> str:
        rows, columns = self.shape
        across = "tokens" if self.column_labels is None else "columns"
        lines = [
            f"Grid: {self.kind} of {_shorten(self.title)!r}" + (f" on {self.model}" if self.model else ""),
            f"  {rows} rows ({self.rows[0]} … {self.rows[-1]}) × {columns} {across}"
            if rows and columns
            else f"  {rows} rows × {columns} {across}: nothing to show",
            f"  quantities: {', '.join(self.quantities)}",
        ]
        if self.candidates is not None and rows and columns and self.columns[-1] != NO_TOKEN:
            top = self.candidates.ids[-1, -1, 0]
            p = 2.0 ** float(self.candidates.log_probability[-1, -1, 0])
            lines.append(f"  after {self.text(self.columns[-1])!r}: {self.text(top)!r} with probability {p:.3f}")
        if self.check is not None:
            lines.append(f"  {self.check}")
        return "\n".join(map(spaced, lines))  # a terminal obeys what it is told by control characters

    def to_dataframe(self) -> pandas.DataFrame:
        """One line a cell: row, position, token, the leading token, and every quantity in its unit."""
        import pandas

        rows, columns = self.shape
        table: dict[str, Any] = {
            "row": np.repeat(np.arange(rows), columns),
            "layer": np.repeat(np.array(self.rows, dtype=object), columns),
            "position": np.tile(self.positions, rows),
            "token_id": np.tile(self.columns, rows),
            "token": [self.text(i) for i in np.tile(self.columns, rows)],
        }
        if self.candidates is not None:
            top = self.candidates.ids[:, :, 0].ravel()
            table["top_id"] = top
            table["top"] = [self.text(i) for i in top]
        for name, quantity in self.quantities.items():
            table[name] = quantity.values.ravel()
        return pandas.DataFrame(table)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the Grid to one file, whole or not at all, without pickle. `Grid.load` reads it."""
        from lenswidget.grids import grid_file

        return grid_file.write(path, "Grid", *grid_file.flatten(self))

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Grid:
        """Read a Grid that `save` wrote. Raises ValueError for a file that is damaged or from a newer version."""
        from lenswidget.grids import grid_file

        header, arrays = grid_file.read(path, "Grid")
        with grid_file.whole(path, "Grid"):
            return grid_file.unflatten(header, arrays)

    def to_svg(self, path: str | os.PathLike[str], **settings: Any) -> Path:
        """Write a picture as SVG, with text that stays text. Keywords are those of `picture.draw`."""
        from lenswidget.view.picture.picture import write_svg

        return write_svg(self, path, **settings)

    def to_png(self, path: str | os.PathLike[str], **settings: Any) -> Path:
        """Write a picture as PNG. Keywords are those of `lenswidget.view.picture.picture.draw`, and `dpi`."""
        from lenswidget.view.picture.picture import write_png

        return write_png(self, path, **settings)

    def to_pdf(self, path: str | os.PathLike[str], **settings: Any) -> Path:
        """Write a picture as PDF for a paper, with text that stays text. Keywords are those of `picture.draw`."""
        from lenswidget.view.picture.picture import write_pdf

        return write_pdf(self, path, **settings)


def _indices(key: Any, labels: Sequence[str], axis: str) -> np.ndarray:
    """The indices that a number, label, slice or list of them picks from `labels`."""

    def find(item: Any) -> int:
        if isinstance(item, str):
            if item not in labels:
                raise KeyError(f"{item!r} is no {axis} of this Grid; it has {labels[0]} to {labels[-1]}.")
            return labels.index(item)
        index = operator.index(item)
        if not -len(labels) <= index < len(labels):
            raise IndexError(
                f"{axis} {index} is out of range: this Grid has {len(labels)} ({axis} 0 to {len(labels) - 1})."
            )
        return index % len(labels)

    labels = list(labels)
    if isinstance(key, slice):
        start = find(key.start) if isinstance(key.start, str) else key.start
        # a label is a place, not a count: a slice of labels includes its end, as in pandas
        stop = find(key.stop) + 1 if isinstance(key.stop, str) else key.stop
        return np.arange(len(labels))[start : stop : key.step]
    items = key if isinstance(key, (list, tuple, np.ndarray, range)) else [key]
    return np.array([find(item) for item in items], dtype=np.int64)


def _slice_trajectories(whole: Trajectories, rows: np.ndarray, columns: np.ndarray) -> Trajectories:
    spans = [whole.of(int(c)) for c in columns]
    keep = np.concatenate([np.arange(s.start, s.stop) for s in spans]) if spans else np.zeros(0, dtype=np.int64)
    offsets = np.cumsum([0] + [s.stop - s.start for s in spans]).astype(np.int32)
    pick = np.ix_(keep, rows)
    return Trajectories(offsets, whole.ids[keep], whole.log_probability[pick], whole.rank[pick])


def _slice_jumps(whole: Jumps, rows: np.ndarray, columns: np.ndarray) -> Jumps:
    where = {int(c): i for i, c in enumerate(columns)}
    keep = np.array([i for i, c in enumerate(whole.columns.tolist()) if c in where], dtype=np.int64)
    values = whole.values[np.ix_(keep, rows)].copy()
    # a jump is told from one row to the next: where the row below was left out, it isn't known
    values[:, [i for i, row in enumerate(rows) if i == 0 or rows[i - 1] != row - 1]] = np.nan
    moved = np.array([where[int(c)] for c in whole.columns[keep]], dtype=np.int32)
    return replace(whole, columns=moved, tokens=whole.tokens[keep], values=values)


def _slice_explain(
    whole: Callable[[int, int, int], Grid], rows: np.ndarray, columns: np.ndarray
) -> Callable[[int, int, int], Grid]:
    def explain(column: int, token: int, row: int) -> Grid:
        if token != NO_TOKEN and (row < 1 or rows[row - 1] != rows[row] - 1):
            raise ValueError(f"Row {row} of this part of a Grid doesn't follow on the one below; ask the whole Grid.")
        return whole(int(columns[column]), token, int(rows[row]))

    return explain


def _shorten(text: str, width: int = 60) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
