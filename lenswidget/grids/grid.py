"""Grid: what is drawn. Labelled rows and columns, with named quantities and candidate tokens in each cell.

Everything computed becomes a Grid and everything shown is a Grid, so this is the one noun that the two halves
of lenswidget share. It is plain numpy data: it can be compared, sliced, saved without pickle and read in a
notebook that has no torch.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex

import numpy as np
from jaxtyping import Int32

from lenswidget.grids import grid_file
from lenswidget.grids.marks import spaced
from lenswidget.grids.parts import (
    BEYOND,
    NO_TOKEN,
    Candidates,
    Check,
    Jumps,
    Quantity,
    RowQuantity,
    Target,
    Trajectories,
)
from lenswidget.grids.showable import Showable
from lenswidget.grids.slicing import indices, slice_explain, slice_jumps, slice_trajectories

if TYPE_CHECKING:
    import pandas

__all__ = [
    "BEYOND", "NO_TOKEN", "Candidates", "Check", "Grid", "Jumps", "Quantity", "RowQuantity", "Target", "Trajectories",
]  # fmt: skip


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
        rows = indices(rows_key, self.rows, "row")
        columns = indices(columns_key, [str(p) for p in self.positions], "position")
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
            jumps=self.jumps and slice_jumps(self.jumps, rows, columns),
            explain=self.explain and slice_explain(self.explain, rows, columns),
            check=self.check and self.check.of_part(**fewer, last_row=last_row),
            positions=self.positions[columns],
            quantities={n: replace(q, values=q.values[cells]) for n, q in self.quantities.items()},
            candidates=self.candidates
            and Candidates(self.candidates.ids[cells], self.candidates.log_probability[cells]),
            trajectories=self.trajectories and slice_trajectories(self.trajectories, rows, columns),
            following=None if self.following is None else self.following[columns],
            decision=decision,
            excluded=tuple(int(p) for p in self.positions[columns] if p in self.excluded),
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Grid):
            return NotImplemented
        ours, theirs = grid_file.flatten(vars(self)), grid_file.flatten(vars(other))
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
        return grid_file.write(path, "Grid", *grid_file.flatten(vars(self)))

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Grid:
        """Read a Grid that `save` wrote. Raises ValueError for a file that is damaged or from a newer version."""
        header, arrays = grid_file.read(path, "Grid")
        with grid_file.whole(path, "Grid"):
            return Grid(**grid_file.unflatten(header, arrays))


def _shorten(text: str, width: int = 60) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
