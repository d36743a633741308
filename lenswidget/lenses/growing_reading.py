"""GrowingReading: what a lens reads of a prompt that is typed or written, of which only what changed is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from jaxtyping import Int
from torch import Tensor

from lenswidget.grids.grid import Grid
from lenswidget.grids.new_columns import NewColumns
from lenswidget.lenses.reader import Asked, Reader
from lenswidget.model.growing_run import GrowingRun, shared
from lenswidget.model.run import Run


class GrowingReading:
    """What is asked of a prompt, as its tokens change. `grid` is what was read last; None before that."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.grid: Grid | None = None
        self._tokens: Int[Tensor, "positions"] | None = None

    def become(
        self, growing: GrowingRun, *, begin: int = 0, end: int | None = None, note: str | None = None
    ) -> NewColumns:
        """Read what a run has become: its positions from `begin` to `end`, by default all.

        Columns stay that have the same tokens before them and the same token after them. Where there is such a column,
        `begin` is that of the Grid that was read before. `note` is one more that the Grid has.
        """
        run = growing.run
        end = len(run.tokens) if end is None else end
        before, had = self.grid, 0 if self.grid is None else len(self.grid.columns)
        kept = self._same(run, end) if growing.keeps_rows else 0
        reader, parts = self.asked.of(run), []
        if kept and self.grid is not None:
            begin = int(self.grid.positions[0])
            parts.append(self.grid[:, :kept])
        if begin + kept < end:
            parts.append(reader.read(slice(begin + kept, end)))
        grid = _together(reader, parts)
        self.grid = grid if note is None else replace(grid, notes=(*grid.notes, note))
        self._tokens = run.tokens
        count = len(self.grid.columns)
        # what is said of the whole, and the jumps, travel with the last column
        return NewColumns(self.grid, before, min(kept, count - 1), count, had)

    def before(self, run: Run, begin: int) -> NewColumns:
        """Read the positions from `begin` up to those that are there."""
        known = self.grid
        assert known is not None, "the last positions are read first"
        reader, first = self.asked.of(run), int(known.positions[0])
        self.grid = _together(reader, [reader.read(slice(begin, first)), known])
        return NewColumns(self.grid, known, 0, first - begin, 0)

    def _same(self, run: Run, end: int) -> int:
        """How many of the columns that were read are also this run's, up to the position `end`."""
        if self.grid is None or self._tokens is None:
            return 0
        known = shared(self._tokens, run.tokens)
        # of the last token that is shared, another follows
        known -= not known == len(self._tokens) == len(run.tokens)
        begin = int(self.grid.positions[0])
        return max(0, min(known, end, begin + len(self.grid.columns)) - begin)


def _together(reader: Reader, parts: Sequence[Grid]) -> Grid:
    """The Grid of a run, of which some parts were read when it was shorter."""
    run = reader.run
    return replace(
        reader.together(parts), title=run.prompt, check=run.check, notes=reader.lens.notes_on(run) + run.notes
    )
