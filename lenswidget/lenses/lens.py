"""What a lens is: it moves a row of the residual stream towards the output. Readout does the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.grids.parts import RowQuantity
from lenswidget.model.run import Run
from lenswidget.model.surroundings import own_arithmetic


class Lens:
    """Moves residual rows towards the output. A subclass says how, in `move`; or in `move_rows`, if it needs the run itself.

    The last row is the model's own output in every lens, so no lens is asked to move it.
    """

    name: str = "Lens"
    explains: bool = True
    """Whether what moved a token between two rows is what the block between them added, and a translation."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know of the lens, in a few words: what it was fitted on, or that it wasn't."""
        return ()

    def row_quantities(self, run: Run) -> tuple[RowQuantity, ...]:
        """How far each row of a run can be believed, where the lens knows it: what a Grid shows beside its rows."""
        return ()

    @property
    def provenance(self) -> Mapping[str, str]:
        """What a Grid keeps of how it was made, beside the lens's name."""
        return {}

    @property
    def code(self) -> str:
        """The lens as it is written in Python, where it is made of nothing by its call; else a name for it."""
        return "lens" if vars(self) else f"lw.{type(self).__name__}()"

    def notes_on(self, run: Run) -> tuple[str, ...]:
        """The notes, and what is so for this run alone."""
        return self.notes

    def through(self, run: Run) -> Run:
        """The run with whose readout moved rows are read, and whose last row ends them: the run itself, except where a lens moves
        rows into another model."""
        return run

    def require(self, run: Run) -> None:
        """Raises ValueError, with the reason, for a run that this lens can't read."""

    def move(self, residual: Float[Tensor, "positions d"], row: int) -> Float[Tensor, "positions d"]:
        """One row at every position, moved: the embedding is row 0, the output of block `l` row `l + 1`."""
        raise NotImplementedError

    def move_rows(self, run: Run, rows: Sequence[int], positions: Int[Tensor, "p"]) -> Float[Tensor, "rows p d"]:
        """Some rows of a run at some positions, moved, in float32: `move`, one row after another."""
        return torch.stack([self.move(run.row(row, positions), row).float() for row in rows])

    def __repr__(self) -> str:
        return "; ".join([self.name, *self.notes])


class FunctionLens(Lens):
    """Any function of `(residual, row)` as a lens."""

    def __init__(self, function: Callable[[Tensor, int], Tensor]) -> None:
        self.name = getattr(function, "__name__", type(function).__name__).strip("<>").replace("_", " ")
        self._function = function

    @property
    def notes(self) -> tuple[str, ...]:
        return ("a function of your own",)

    def move(self, residual: Float[Tensor, "positions d"], row: int) -> Float[Tensor, "positions d"]:
        moved = self._function(residual, row)
        if not isinstance(moved, Tensor) or moved.shape != residual.shape:
            got = tuple(moved.shape) if isinstance(moved, Tensor) else type(moved).__name__
            raise ValueError(
                f"The lens {self.name!r} returned {got} for row {row}; a lens returns the row moved, {tuple(residual.shape)}."
            )
        return moved


def as_lens(lens: Any) -> Lens:
    """A Lens as it is; a function of `(residual, row)`, made into one."""
    if isinstance(lens, Lens):
        return lens
    if isinstance(lens, type) and issubclass(lens, Lens):
        raise TypeError(f"{lens.__name__} is a kind of lens, not a lens; make one first, as in {lens.__name__}().")
    if callable(lens):
        return FunctionLens(lens)
    raise TypeError(
        f"A lens is a Lens or a function of (residual, row) and got {type(lens).__name__}; for a saved one call "
        "lw.load_lens(path)."
    )


def lens_call(lens: Any) -> str:
    """A lens as an argument, in Python."""
    return lens.code if isinstance(lens, Lens) else "lens"


@own_arithmetic()
@torch.no_grad()
def moved(
    run: Run,
    lens: Lens,
    through: Run | None = None,
    positions: Int[Tensor, "p"] | None = None,
    *,
    rows: Sequence[int] | None = None,
) -> Float[Tensor, "rows p e"]:
    """Every row of a run at some positions, by default all, moved by a lens, in float32; the last as it is. `rows` are those to
    move, by default all but the last, which comes after them. `through` is the lens's `through(run)`.

    Without it, raises ValueError for a lens that moves rows into another model: the run's own readout can't read them.
    """
    lens.require(run)
    ends = lens.through(run) if through is None else through
    if through is None and ends is not run:
        raise ValueError(
            f"This {lens.name.lower()} is {ends.model}, which can't be compared with {run.model} row by row; read it by itself, "
            "lw.read(run, lens)."
        )
    at = torch.arange(len(run.tokens)) if positions is None else positions
    last = len(run.residual) - 1
    chosen = range(last) if rows is None else rows
    own = ends.row(last, at)[None]
    return torch.cat([lens.move_rows(run, chosen, at), own]) if chosen else own.float()
