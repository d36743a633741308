"""Grid: what is drawn. Labelled rows and columns, with named quantities and candidate tokens in each cell.

Everything computed becomes a Grid and everything shown is a Grid, so this is the one noun that the two halves
of lenswidget share. It is plain numpy data: it can be compared, sliced, saved without pickle and read in a
notebook that has no torch.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex

import numpy as np
from jaxtyping import Float32, Int32

from lenswidget.grids import grid_file
from lenswidget.grids.groups import groups_of
from lenswidget.grids.marks import spaced, well_formed
from lenswidget.grids.parts import (
    NO_TOKEN,
    Candidates,
    Check,
    ColumnQuantity,
    Jumps,
    Quantity,
    RowQuantity,
    Sides,
    Sweep,
    Target,
    Trajectories,
)
from lenswidget.grids.provenance import provenance_of
from lenswidget.grids.showable import Showable, viewer
from lenswidget.grids.slicing import (
    indices,
    slice_column_quantity,
    slice_explain,
    slice_jumps,
    slice_row_quantity,
    slice_sides,
    slice_trajectories,
)

if TYPE_CHECKING:
    import pandas

COLUMNS: list[str] = json.loads(Path(__file__).with_name("columns.json").read_text("utf-8"))
"""Of tables, in their order; quantities follow. js/src/export/tables.ts writes the same."""


@dataclass(frozen=True, eq=False)
class Grid(Showable):
    """Labelled rows and columns, with quantities, candidates and trajectories in the cells.

    Index it with rows and positions, `grid[20:, -5:]` or `grid["L20":"L25"]`; `grid.values("entropy")` are a quantity's
    numbers. Rows and columns count from 0; for a lens, row 0 is the embedding and the last the model's output.

    - `title`: what was read, most often the prompt; `kind`: by what, as "Logit lens"; `model`: of which model
    - `rows`: labels, from the lowest up: "embed", "L0", "L1", …
    - `columns`: the prompt's token ids, NO_TOKEN (-1) where a column is no token (heads, layers); `positions`: their
      places in the prompt
    - `column_labels`: what columns are that are no tokens, or None
    - `quantities`: by name, one number for every cell each
    - `row_quantities`: one number for every row each, drawn beside the row labels: how far a row can be trusted
    - `column_quantities`: one number for every column each, drawn below it
    - `groups`: the group that each column is of, as prompts of one kind, or None
    - `texts`: by id, the text of every token that occurs; `special`: ids among them that are no text, as the beginning of
      a sequence
    - `candidates`: the leading tokens of every cell; `trajectories`: all of them through all the rows of their column
    - `targets`: sets of tokens that are followed, each as one
    - `following`: the token that really follows each column, NO_TOKEN where none does
    - `decision`: for each column, the index of the row from which the top candidate is the output's, all the way up
    - `excluded`: positions that are shown, and left out of color scales and means: the first one, whose norm dwarfs the rest
    - `view`: how the Grid wants to be drawn, "heatmap", "bars", which suit rows that are parts of a sum, or "overview",
      whose rows are prompts and whose columns are layers; there, `targets` are the right answer of each row
    - `jumps`: what moved tokens from one row to the next, as far as it was worked out beforehand
    - `sweep`: what was put into what, where each cell is an experiment of its own
    - `sides`: what leads on both sides, where the Grid is the difference of two
    - `check`: what the Grid claims of itself, and how nearly it holds; `notes`: what a reader should know
    - `provenance`: where it came from, by name
    - `explain`: asks the model about a cell, `explain(column, token, row)`: what moved a token, as bars that sum to the
      jump of its logit from row `row - 1`; or with NO_TOKEN what the head or neuron there promotes. None where there is no
      model to ask; it is neither saved, pickled nor compared
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
    decision: Int32[np.ndarray, "columns"] | None = None
    excluded: tuple[int, ...] = ()
    special: tuple[int, ...] = ()
    column_labels: tuple[str, ...] | None = None
    view: Literal["heatmap", "bars", "overview"] = "heatmap"
    row_quantities: tuple[RowQuantity, ...] = ()
    column_quantities: tuple[ColumnQuantity, ...] = ()
    groups: tuple[str, ...] | None = None
    jumps: Jumps | None = None
    sweep: Sweep | None = None
    sides: Sides | None = None
    check: Check | None = None
    model: str = ""
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)
    explain: Callable[[int, int, int], Grid] | None = field(default=None, repr=False)

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
            for part, values in one.parts.items():
                if values.shape != shape[:1]:
                    raise ValueError(
                        f"Part {part!r} of the row quantity {one.name!r} has shape {values.shape}; a Grid of {shape[0]} rows "
                        f"needs {shape[:1]}."
                    )
        for below in self.column_quantities:
            if below.values.shape != shape[1:]:
                raise ValueError(
                    f"Column quantity {below.name!r} has shape {below.values.shape}; a Grid of {shape[1]} columns needs "
                    f"{shape[1:]}."
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
        if self.groups is not None and len(self.groups) != shape[1]:
            raise ValueError(f"{len(self.groups)} groups were given for {shape[1]} columns; each column is of one.")
        if not self.quantities:
            raise ValueError("A Grid needs at least one quantity; got none.")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.rows), len(self.columns)

    def text(self, token_id: SupportsIndex) -> str:
        """The text of a token id that occurs in this Grid."""
        return self.texts.get(int(token_id), f"token {int(token_id)}")

    def values(self, measure: str, *, target: Any = None) -> Float32[np.ndarray, "rows columns"]:
        """The numbers of one quantity, `[rows, columns]`, by what it measures and the target it speaks of.

        `measure` is "probability", "rank", "logit difference" or another that the Grid has, or a quantity's whole name.
        `target` is a followed token, by text or id, or a set of tokens that is followed as one. Without it, the quantity
        is the one that speaks of the cells ("probability": of their leading tokens), or the only one of its measure.

        Raises ValueError, with what there is, for a quantity that the Grid doesn't have.

            grid.values("rank", target=" Paris")[-1, -1]
        """
        if target is None and measure in self.quantities:
            return self.quantities[measure].values
        alike = [q for q in self.quantities.values() if q.measure == measure]
        if not alike:
            measures = dict.fromkeys(repr(q.measure) for q in self.quantities.values())
            raise ValueError(f"This Grid has no {measure!r}; it has {', '.join(measures)}.")
        known = ", ".join(self._told(q) for q in alike)
        if target is None:
            found = [q for q in alike if q.target is None] or alike
        else:
            found = [q for q in alike if q.target is not None and self._is_of(self.targets[q.target], target)]
            if not found:
                raise ValueError(
                    f"This Grid has no {measure!r} of {target!r}; it has {known}. Follow a token when the Grid is made, "
                    f"lw.logit_lens(run, targets=[{target!r}])."
                )
        if len(found) > 1:
            raise ValueError(
                f"Several quantities of this Grid are {measure!r}"
                + (f" of {target!r}; name the token by its id" if target is not None else "; name one with target=")
                + f". It has {known}."
            )
        return found[0].values

    def features(self, *measures: str, target: Any = None) -> Float32[np.ndarray, "columns features"]:
        """What learns from Grids takes: a line for each column, with a quantity's numbers from the lowest row up.

        `measures` and `target` are those of `values`; several measures stand one after another. What isn't known stays NaN.

        Raises ValueError for no measure, and as `values` does.

            IsolationForest().fit(grid.features("entropy"))
        """
        if not measures:
            raise ValueError("Name what features are made of, as in grid.features('entropy').")
        numbers: Float32[np.ndarray, "columns features"]
        numbers = np.concatenate([self.values(measure, target=target) for measure in measures]).T
        return numbers

    def plot_groups(
        self, measure: str, ax: Any = None, *, target: Any = None, theme: Literal["light", "dark"] = "light"
    ) -> Any:
        """Draw one quantity by row on a matplotlib Axes: the mean of each group as a line, its standard deviation as a band.

        `measure` and `target` are those of `values`. What isn't known of a column is left out of its group. Returns the Axes, a
        new one for None. Raises ValueError for a Grid whose columns have no groups, and as `values` and `plot` do.

            lw.trajectories(model, prompts, groups=kinds).plot_groups("entropy")
        """
        if self.groups is None:
            raise ValueError("The columns of this Grid have no groups; give them to lw.trajectories(…, groups=[…]).")
        lines = {
            f"{one.name} ({one.count})": (one.mean, np.stack([one.mean - one.spread, one.mean + one.spread]))
            for one in groups_of(self.groups, self.values(measure, target=target))
        }
        unit = next((f" ({q.unit})" for q in self.quantities.values() if q.measure == measure and q.unit), "")
        return viewer().plot_lines(
            lines, self.rows, f"Mean {measure}{unit} by group", ax, band="its standard deviation", theme=theme
        )

    def open(self, column: SupportsIndex) -> Grid:
        """The whole Grid of one column's prompt, read again in the same way, where columns are prompts.

        Raises ValueError where columns are no prompts, and where the model is gone or has changed, IndexError for a column that
        isn't there.

            lw.trajectories(model, prompts).open(17)
        """
        opens = getattr(self.explain, "opened", None)
        if opens is None:
            raise ValueError(
                "This Grid has no prompt to open: its columns are no prompts, or it was saved, and a saved Grid has no model to "
                "ask. lw.trajectories(model, prompts) makes one that has."
            )
        whole: Grid = opens(int(indices(column, [str(p) for p in self.positions], "column")[0]))
        return whole

    def _is_of(self, followed: Target, target: Any) -> bool:
        """Whether a target is what somebody names: by its label, or by texts and ids of all its tokens."""
        if target == followed.label:
            return True
        tokens = list(target) if isinstance(target, (tuple, list, set, frozenset)) else [target]
        pairs = [[token == i or token == self.texts.get(i) for token in tokens] for i in followed.ids]
        return bool(tokens) and all(map(any, pairs)) and all(map(any, zip(*pairs)))

    def _told(self, quantity: Quantity) -> str:
        if quantity.target is None:
            return repr(quantity.name)
        target = self.targets[quantity.target]
        return f"{quantity.name!r} (target={target.label!r}, id {', '.join(map(str, target.ids))})"

    def __getitem__(self, key: Any) -> Grid:
        """Part of the Grid: rows first, then positions, each a number, a slice, a mask or a list; rows also by label.

        Rows may come in another order; then no row is known to be the model's output, so there is no decision layer.
        """
        rows_key, columns_key = key if isinstance(key, tuple) else (key, slice(None))
        rows = indices(rows_key, self.rows, "row")
        columns = indices(columns_key, [str(p) for p in self.positions], "position")
        cells = np.ix_(rows, columns)
        is_there = len(self.rows) - 1 in rows
        ends_there = len(rows) > 0 and int(rows[-1]) == len(self.rows) - 1
        decision = None
        if self.decision is not None and ends_there and (np.diff(rows) > 0).all():
            # the first kept row at or above the old decision: still the row from which the output leads
            decision = np.searchsorted(rows, self.decision[columns]).astype(np.int32)
        check = self.check and self.check.of_part(
            # a sum over rows is one in any order
            fewer_rows=sorted(rows.tolist()) != list(range(len(self.rows))),
            fewer_columns=sorted(columns.tolist()) != list(range(len(self.columns))),
            last_row="last row" if ends_there else self.rows[-1] if is_there else "last row, left out here,",
        )
        return replace(
            self,
            rows=tuple(self.rows[i] for i in rows),
            columns=self.columns[columns],
            column_labels=self.column_labels and tuple(self.column_labels[i] for i in columns),
            row_quantities=tuple(slice_row_quantity(s, rows) for s in self.row_quantities),
            column_quantities=tuple(slice_column_quantity(q, columns) for q in self.column_quantities),
            groups=self.groups and tuple(self.groups[i] for i in columns),
            sides=self.sides and slice_sides(self.sides, rows, columns),
            jumps=self.jumps and slice_jumps(self.jumps, rows, columns),
            sweep=self.sweep and replace(self.sweep, columns=self.sweep.columns[columns]),
            explain=self.explain and slice_explain(self.explain, rows, columns),
            check=check,
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
            # what the model says, or only what a row says that isn't its output
            where = "" if self.decision is not None else f"{self.rows[-1]}, "
            lines.append(f"  {where}after {self.text(self.columns[-1])!r}: {self.text(top)!r} with probability {p:.3f}")
        if self.check is not None:
            lines.append(f"  {self.check}")
        return "\n".join(map(spaced, lines))  # a terminal obeys what it is told by control characters

    def to_dataframe(self) -> pandas.DataFrame:
        """One line a cell: where it stands, its leading token, and every quantity in its unit.

        "row" is the row's index in this Grid, from the embedding where that is the first, "layer" its label; "column" is
        the column's label where columns have any (heads, lenses), "group" the one that it is of; "token" is empty where
        a column is no token. Half of a surrogate pair in a text, which no table can hold, is U+FFFD. Quantities of columns
        stand last. Where the numbers came from is in `attrs["provenance"]`.

        The CSV that the view's menu saves has the same columns, and "provenance" as the last; what the page has in half
        precision is rounded to four digits there. Read so, a token that spells "null" is not lost:

            pandas.read_csv(path, keep_default_na=False, na_values=[""])
        """
        import pandas

        rows, columns = self.shape
        token_ids = np.tile(self.columns, rows)
        known: dict[str, Any] = {
            "row": np.repeat(np.arange(rows), columns),
            "layer": np.repeat(_labels(self.rows), columns),
            "position": np.tile(self.positions, rows),
            "token_id": token_ids,
            "token": self._texts(token_ids),
        }
        if self.column_labels is not None:
            known["column"] = np.tile(_labels(self.column_labels), rows)
        if self.groups is not None:
            known["group"] = np.tile(_labels(self.groups), rows)
        if self.candidates is not None:
            known["top_id"] = self.candidates.ids[:, :, 0].ravel()
            known["top"] = self._texts(known["top_id"])
        table = {name: known[name] for name in COLUMNS if name in known}
        frame = pandas.DataFrame(
            table
            | {name: quantity.values.ravel() for name, quantity in self.quantities.items()}
            | {below.name: np.tile(below.values, rows) for below in self.column_quantities}
        )
        frame.attrs["provenance"] = provenance_of(self)
        return frame

    def _texts(self, ids: np.ndarray) -> list[str | None]:
        return [None if i == NO_TOKEN else well_formed(self.text(i)) for i in ids.tolist()]

    def __getstate__(self) -> dict[str, Any]:
        """Pickled without `explain`, which holds a run of a model."""
        return {**vars(self), "explain": None}

    def __copy__(self) -> Grid:
        return replace(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Grid:
        """A copy asks the same model."""
        own = {name: copy.deepcopy(value, memo) for name, value in vars(self).items() if name != "explain"}
        return replace(self, **own)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the Grid to one file, whole or not at all, without pickle. `Grid.load` reads it."""
        return grid_file.write(path, "Grid", *grid_file.flatten(vars(self)))

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Grid:
        """Read a Grid that `save` wrote. Raises ValueError for a file that is damaged or from a newer version."""
        header, arrays = grid_file.read(path, "Grid")
        with grid_file.whole(path, "Grid"):
            return Grid(**grid_file.unflatten(header, arrays))


def _labels(labels: Iterable[str]) -> np.ndarray:
    """For a column of a table."""
    return np.array([well_formed(label) for label in labels], dtype=object)


def _shorten(text: str, width: int = 60) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
