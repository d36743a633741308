"""Point: a question that is answered by a click in the figure itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import traitlets

from lenswidget.grids.comparison import Comparison
from lenswidget.grids.grid import Grid
from lenswidget.lessons.figure_part import Figure, FigurePart, grids_of
from lenswidget.lessons.part import Hint
from lenswidget.lessons.rules import Cell, Rule, cell_of, cells_of
from lenswidget.lessons.seal import digest, seal, well_formed


class Point(FigurePart):
    """A question that is answered in the figure: by a click on a cell or a bar, or with Enter where the arrow keys lead.

    `right` is a cell, `("L24", -1)`, a set of cells, the label of a bar, or a rule: a function of a Grid that gives cells.
    `lessons.first_lead`, `biggest_jump`, `greatest` and `least` make rules. A rule is worked out on the Grid that is shown, and
    again when `w.figure` is assigned: no key goes stale. Of a Comparison each Grid has right cells of its own, and one of them
    answers.

    What the reader is told of a cell is read off the Grid: who leads there, and how the token fares that is asked for. `say` is
    added where the answer is right. The names of rows that decide, and what made a step, are hidden until then.

    `answer` is the last cell, `[row, column, grid]`, indices all (in a Comparison, the column is a slot); a cell by its label,
    `w.answer = ("L24", -1)`, is the same.

    Raises TypeError, ValueError, KeyError or IndexError with a sentence for what is no figure or no cell, and for a rule that
    gives none.

        lessons.Point(
            grid,
            "Click the first row where ␣Paris leads, and keeps the lead.",
            lessons.first_lead(" Paris"),
            hints=["The last row is the model's answer.", {"say": "L24.", "show": {"selected": ("L24", -1)}}],
        )
    """

    kind = "point"

    def __init__(
        self,
        figure: Figure,
        question: str,
        right: Any,
        *,
        say: str = "",
        hints: Sequence[Hint] = (),
        id: str = "",
        state: Any = None,
    ) -> None:
        self._right_by, self._say, self._question = right, say, question
        super().__init__(figure, question, hints=hints, id=id, state=state, said=[say])

    def _asked(self, figure: Figure) -> dict[str, Any]:
        right: list[list[int]] = []
        asked: list[dict[str, Any]] = []
        failed: Exception | None = None
        for which, grid in enumerate(grids_of(figure)):
            try:
                cells = cells_of(self._right_by, grid)
                tells = self._tells(grid, cells)
            except (ValueError, LookupError) as reason:
                # in a Comparison, what one Grid never says another may
                failed = failed or reason
                cells, tells = [], {"what": "cell", "column": None}
            if tells["column"] is not None:
                tells["column"] = _slot(figure, tells["column"], which)
            right += [[row, _slot(figure, column, which), which] for row, column in cells]
            asked.append(tells)
        if failed is not None and not right:
            raise failed
        self._right = right
        salt = well_formed(str(self._question))
        keys = [" ".join(map(str, cell)) for cell in right]
        return {
            "right": {digest(salt, key): seal(well_formed(self._say), f"{salt}\n{key}") for key in keys},
            "asked": asked,
        }

    def _tells(self, grid: Grid, cells: list[Cell]) -> dict[str, Any]:
        if isinstance(self._right_by, Rule):
            return dict(self._right_by.tells(grid))
        columns = {column for _, column in cells}
        return {"what": "cell", "column": columns.pop() if len(columns) == 1 else None}

    @traitlets.validate("answer")
    def _valid_answer(self, proposal: Any) -> Any:
        answer = proposal.value
        if answer is None or self._problem(answer) is None:
            return answer
        if not isinstance(answer, (tuple, list)) or len(answer) not in (2, 3):
            raise traitlets.TraitError(self._problem(answer))
        *cell, which = answer if len(answer) == 3 else (*answer, 0)
        grids = grids_of(self._figure)
        if type(which) is not int or not 0 <= which < len(grids):
            raise traitlets.TraitError(
                f"There is no Grid {which!r} in this figure; it has {len(grids)}, counted from 0."
            )
        try:
            row, column = cell_of(tuple(cell), grids[which])
        except (TypeError, LookupError) as reason:
            raise traitlets.TraitError(str(reason.args[0])) from reason
        return [row, _slot(self._figure, column, which), which]

    def _problem(self, answer: Any) -> str | None:
        rows, columns = self._figure.shape
        if not isinstance(answer, list) or len(answer) != 3 or not all(type(one) is int for one in answer):
            label = grids_of(self._figure)[0].rows[-1]
            return f"A Point is answered by a cell, [row, column, grid] or ({label!r}, -1); got {answer!r}."
        row, column, which = answer
        grids = grids_of(self._figure)
        if not 0 <= which < len(grids) or not (0 <= row < len(grids[which].rows) and 0 <= column < columns):
            return f"There is no cell {answer!r} in this figure: {rows} rows, {columns} columns, Grids 0 to {len(grids) - 1}."
        return None

    def _judge(self, answer: Any) -> bool:
        return answer in self._right


def _slot(figure: Figure, column: int, which: int) -> int:
    """Where a column of one Grid is drawn."""
    if not isinstance(figure, Comparison):
        return column
    return int((figure.columns[:, which] == column).argmax())
