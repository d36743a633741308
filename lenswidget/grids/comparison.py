"""Comparison: several Grids side by side, and what differs between them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Int32

from lenswidget.grids import grid_file
from lenswidget.grids.alignment import (
    align_by_position,
    align_columns,
    align_rows,
    one_model,
    one_tokenizer,
    shared_columns,
)
from lenswidget.grids.difference import difference_of
from lenswidget.grids.grid import COLUMNS, Grid
from lenswidget.grids.marks import spaced
from lenswidget.grids.overview import mean_of, overview_of
from lenswidget.grids.provenance import provenance_of
from lenswidget.grids.showable import Showable

if TYPE_CHECKING:
    import pandas

NAME = 24
"""Letters that a name may have."""


@dataclass(frozen=True, eq=False)  # it holds arrays
class Comparison(Showable):
    """Two or more Grids, how their cells answer to each other, and their differences; made by `lw.compare`.

    - `grids`, and `names`: what tells them apart, the lens, the model or the words of the prompt
    - `rows`, `columns`: for each slot, `[slots, grids]`, the index into each Grid, -1 where it has a gap
    - `differences`: `differences[i]` is `grids[i + 1] − grids[0]` on the slots, a Grid, or None where they have no quantity
      in common
    - `overview`: a Grid with a row for each of `grids` and a column for each layer, read at the position that answers;
      `overview.targets` are their right answers: the first target of each Grid, where each prompt has its own
    - `mean`: a Grid with their mean and spread, for prompts of one shape
    - `notes`: what a reader should know
    """

    grids: tuple[Grid, ...]
    names: tuple[str, ...]
    rows: Int32[np.ndarray, "row_slots grids"]
    columns: Int32[np.ndarray, "column_slots grids"]
    differences: tuple[Grid | None, ...]
    overview: Grid | None = None
    mean: Grid | None = None
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """Slots of rows and of columns."""
        return len(self.rows), len(self.columns)

    def to_dataframe(self) -> pandas.DataFrame:
        """One line a cell of every Grid: the name of its Grid ("grid"), then the columns of `Grid.to_dataframe`.

        A quantity that only some Grids have is NaN in the others' lines. What differs is a Grid itself:
        `comparison.differences[0].to_dataframe()`.
        """
        import pandas

        tables = [grid.to_dataframe() for grid in self.grids]
        for name, table in zip(self.names, tables):
            table.insert(0, "grid", name)
            table.attrs.clear()
        whole = pandas.concat(tables, ignore_index=True)
        places = [name for name in COLUMNS if any(name in table for table in tables)]
        whole = whole[[*places, *(name for name in whole if name not in places)]]
        whole.attrs["provenance"] = [provenance_of(grid) for grid in self.grids]
        return whole

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the Comparison and all of its Grids to one file, whole or not at all. `Comparison.load` reads it."""
        header: dict[str, Any] = {"names": self.names, "notes": self.notes, "parts": {}}
        arrays = {"rows": self.rows, "columns": self.columns}
        for part, grid in self._parts().items():
            header["parts"][part], own = (None, {}) if grid is None else grid_file.flatten(vars(grid))
            arrays |= {f"{part}/{name}": array for name, array in own.items()}
        return grid_file.write(path, "Comparison", header, arrays)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Comparison:
        """Read a Comparison that `save` wrote. Raises ValueError for a file that is damaged or from a newer version."""
        header, arrays = grid_file.read(path, "Comparison")
        with grid_file.whole(path, "Comparison"):
            parts: dict[str, Any] = {
                part: known and Grid(**grid_file.unflatten(known, {n: arrays[f"{part}/{n}"] for n in known["arrays"]}))
                for part, known in header["parts"].items()
            }
            count = len(header["names"])
            return Comparison(
                tuple(parts[f"grid/{i}"] for i in range(count)),
                tuple(header["names"]),
                arrays["rows"],
                arrays["columns"],
                tuple(parts[f"difference/{i}"] for i in range(count - 1)),
                overview=parts["overview"],
                mean=parts["mean"],
                notes=tuple(header["notes"]),
            )

    def _parts(self) -> dict[str, Grid | None]:
        grids = {f"grid/{i}": grid for i, grid in enumerate(self.grids)}
        differences = {f"difference/{i}": grid for i, grid in enumerate(self.differences)}
        return {**grids, **differences, "overview": self.overview, "mean": self.mean}

    def __repr__(self) -> str:
        lines = [f"Comparison of {len(self.grids)} Grids, {self.shape[0]} rows × {self.shape[1]} columns together"]
        lines += [f"  {name}: {repr(grid).splitlines()[0]}" for name, grid in zip(self.names, self.grids)]
        return "\n".join(map(spaced, [*lines, *(f"  {note}" for note in self.notes)]))


def compare(
    *grids: Grid,
    names: Sequence[str] | None = None,
    align: Literal["text", "position"] = "text",
    position: int = -1,
    divergences: Sequence[Grid] = (),
) -> Comparison:
    """Put two or more Grids side by side.

    Columns stand together by what they say (`align="text"`): common beginning and end, the text between, characters
    where tokenizers differ. `align="position"` takes them from the last back, whatever they say. Rows stand together
    by label, and by relative depth where models differ. `names` tell the Grids apart; by default whatever differs
    does. `position` is the index of the column that answers, for the overview: the last one by default. `divergences`
    are Grids from `lw.divergence`, one for each Grid after the first, shown with the differences.

    Raises TypeError for what is no Grid, ValueError for fewer than two of them.
    """
    require_comparable(grids, names, align, position, divergences)
    labels = tuple(names) if names is not None else _names(grids)
    columns = align_columns(grids) if align == "text" else align_by_position(grids)
    rows = align_rows(grids)
    notes: list[str] = []
    differences: list[Grid | None] = []
    first = grids[0]
    for i, grid in enumerate(grids[1:], 1):
        which = f"{labels[0]!r} and {labels[i]!r}"
        together = align == "position" or shared_columns(first, grid)
        divergence = divergences[i - 1] if divergences else None
        found = difference_of(first, grid, rows[:, [0, i]], columns[:, [0, i]], (labels[0], labels[i]), divergence)
        differences.append(found if together else None)
        if not together:
            notes.append(f"nothing in common: no column of {which} says the same, so they have no difference")
        elif found is None:
            notes.append(f"nothing in common: {which} hold no quantity of one kind, so they have no difference")
        elif not one_tokenizer(first, grid):
            notes.append(f"{which} have different vocabularies: tokens stand together where their text ends together")
    if len({len(grid.rows) for grid in grids}) > 1 and not one_model(grids):
        notes.append("models of different depth: rows stand together by relative depth")
    notes += [f"the models called {name!r} have different weights" for name in _twice(grids)]
    return Comparison(
        grids,
        labels,
        rows,
        columns,
        tuple(differences),
        overview=overview_of(grids, labels, rows, position),
        mean=mean_of(grids, rows, columns),
        notes=tuple(notes),
    )


def require_comparable(
    grids: Sequence[Any], names: Sequence[str] | None, align: str, position: int, divergences: Sequence[Grid]
) -> None:
    """Raises TypeError or ValueError, with the reason, for what `compare` can't put side by side."""
    for grid in grids:
        if isinstance(grid, (list, tuple)):
            raise TypeError(
                f"compare takes Grids one after another and got a {type(grid).__name__} of them; call compare(*grids)."
            )
        if not isinstance(grid, Grid):
            raise TypeError(f"compare takes Grids and got {type(grid).__name__}; make one with lw.logit_lens(run).")
    if len(grids) < 2:
        raise ValueError(
            f"compare puts two or more Grids side by side and got {len(grids)}; one shows itself, or call grid.widget()."
        )
    empty = next((i for i, grid in enumerate(grids) if 0 in grid.shape), None)
    if empty is not None:
        raise ValueError(f"Grid {empty} has the shape {grids[empty].shape}: there is nothing in it to compare.")
    if names is not None and len(names) != len(grids):
        raise ValueError(f"{len(names)} names were given for {len(grids)} Grids; give each one.")
    if names is not None and len(set(names)) < len(names):
        raise ValueError(f"Names tell Grids apart; {max(names, key=list(names).count)!r} was given twice.")
    if align not in {"text", "position"}:
        raise ValueError(f"align is 'text' or 'position'; got {align!r}.")
    shortest = min(grid.shape[1] for grid in grids)
    if not -shortest <= position < shortest:
        raise ValueError(
            f"Column {position} can't answer in a Grid of {shortest} columns; position counts from 0, or from -1 backwards."
        )
    if divergences and len(divergences) != len(grids) - 1:
        raise ValueError(
            f"{len(divergences)} divergences were given for {len(grids)} Grids; give one for each after the first, "
            f"{len(grids) - 1}."
        )


def _names(grids: Sequence[Grid]) -> tuple[str, ...]:
    """The shortest words that tell Grids apart: kind, model, and what isn't common to the prompts."""
    parts = [
        [grid.kind for grid in grids],
        _models(grids),
        _apart([grid.title for grid in grids]),
    ]
    telling = [part for part in parts if len(set(part)) > 1]
    names = [" · ".join(words) for words in zip(*telling)] if telling else [grid.kind for grid in grids]
    seen: dict[str, int] = {}
    for i, name in enumerate(names):
        seen[name] = seen.get(name, 0) + 1
        if names.count(name) > 1:
            names[i] = name if seen[name] == 1 else f"{name} ({seen[name]})"
    return tuple(names)


def _models(grids: Sequence[Grid]) -> list[str]:
    """Names of models, with their weights where models of one name differ in these."""
    twice = _twice(grids)
    known = [(grid.model, grid.provenance.get("weights", "")) for grid in grids]
    return [f"{name} (weights {weights[:6]})" if name in twice and weights else name for name, weights in known]


def _twice(grids: Sequence[Grid]) -> list[str]:
    """Names that models of different weights share, as two folders called checkpoint-500."""
    names = dict.fromkeys(grid.model for grid in grids)
    return [name for name in names if not one_model([grid for grid in grids if grid.model == name])]


def _apart(titles: Sequence[str]) -> list[str]:
    """Titles without the words that all of them begin and end with, cut to a few letters."""
    words = [title.split() for title in titles]
    shortest = min(map(len, words))
    start = next((n for n in range(shortest) if len({w[n] for w in words}) > 1), shortest)
    end = next((n for n in range(shortest - start) if len({w[-1 - n] for w in words}) > 1), shortest - start)
    middles = [" ".join(w[start : len(w) - end]) for w in words]
    return [_cut(middle or title) for middle, title in zip(middles, titles)]


def _cut(text: str) -> str:
    return text if len(text) <= NAME else text[: NAME - 1] + "…"
