"""Predict: rows that stay covered until a reader has drawn what she expects there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, SupportsIndex

import numpy as np

from lenswidget.grids.grid import Grid
from lenswidget.grids.marks import well_formed
from lenswidget.grids.row_names import named_row
from lenswidget.lessons.figure_part import Figure, FigurePart, grids_of
from lenswidget.lessons.part import Hint
from lenswidget.lessons.rules import Token, ids_of, position_of, probabilities
from lenswidget.lessons.seal import seal


class Predict(FigurePart):
    """Rows of one column stay covered, in map, chart, card and all that is said, until a line was drawn through them.

    `figure` is a Grid of a lens; `target` the token whose probability is to be drawn, by text or id, or several that count as
    one; `rows` the first and the last row that are covered, by label or the number in it; `position` the index of the column.
    `say` is said once it is uncovered. The guess stays beside what was true, and says how far off it was on average.

    `answer` is the line: a probability from 0 to 1 for each covered row, from the lowest up. Nothing is right or wrong about it:
    `correct` stays None, and `off` says how many points it is off on average.

    Raises TypeError or ValueError with a sentence for what is no Grid of a lens, a row or position it doesn't have, and a token
    whose probability it doesn't know there.

        lessons.Predict(grid, "Draw what the seven rows above will give ␣Paris.", " Paris", rows=("L23", "L29"))
    """

    kind = "predict"
    counts = False

    def __init__(
        self,
        figure: Figure,
        question: str,
        target: Token,
        rows: Sequence[str | int] = ("L23", "L29"),
        *,
        position: SupportsIndex = -1,
        say: str = "",
        hints: Sequence[Hint] = (),
        id: str = "",
        lesson: str = "",
        state: Mapping[str, Any] | None = None,
    ) -> None:
        self._target, self._rows, self._position = target, rows, position
        salt = well_formed(str(question))
        sealed = seal(well_formed(say), f"{salt}\nuncovered")
        super().__init__(figure, question, hints=hints, id=id, lesson=lesson, state=state, said=[say], say=sealed)

    def _asked(self, figure: Figure) -> dict[str, Any]:
        if not isinstance(figure, Grid):
            raise TypeError("A Predict covers rows of one Grid; got a Comparison. Give it one of its `grids`.")
        if figure.view != "heatmap" or figure.candidates is None or figure.sweep is not None:
            raise ValueError(
                f"A Predict covers rows of what a lens read, and this is a Grid of {figure.kind!r}; lw.logit_lens(run) makes "
                "one of a lens."
            )
        if isinstance(self._rows, str) or not isinstance(self._rows, Sequence) or len(self._rows) != 2:
            raise ValueError(f'rows is the first and the last row to cover, ("L23", "L29"); got {self._rows!r}.')
        first, last = sorted(named_row(figure.rows, row) for row in self._rows)
        column = position_of(figure, self._position)
        truth = probabilities(figure, self._target, column)[first : last + 1]
        if np.isnan(truth).any():
            raise ValueError(f"This Grid has no number in some of the rows from {self._rows[0]} to {self._rows[1]}.")
        self._truth = truth
        return {"tokens": ids_of(figure, self._target), "column": column, "first": first, "last": last}

    def _as_shown(self, figure: Figure) -> dict[str, Any]:
        """With a line for the target, unless the Grid follows it or `state` pins it."""
        shown = super()._as_shown(figure)
        grid = grids_of(figure)[0]
        ids, pins = ids_of(grid, self._target), shown.get("pins", [])
        has_line = ids in pins or any(set(target.ids) == set(ids) for target in grid.targets)
        return {**shown, "pins": pins if has_line else [*pins, ids]}

    @property
    def off(self) -> float | None:
        """How many percentage points the guess is off on average; None before there is one."""
        if self.answer is None:
            return None
        return float(100 * np.abs(np.array(self.answer, dtype=np.float64) - self._truth).mean())

    def _problem(self, answer: Any) -> str | None:
        count = len(self._truth)
        are_numbers = isinstance(answer, list) and all(
            isinstance(one, (int, float)) and not isinstance(one, bool) and 0 <= one <= 1 for one in answer
        )
        if not are_numbers or len(answer) != count:
            return f"This line is {count} probabilities from 0 to 1, one for each covered row from the lowest up; got {answer!r}."
        return None

    def _judge(self, answer: Any) -> None:
        return None

    def _stands(self) -> str:
        return super()._stands() if self.off is None else f"{self.off:.0f} points off on average"
