"""Point: a question that is answered by a click in the figure itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lenswidget.grids.comparison import Comparison
from lenswidget.grids.grid import Grid
from lenswidget.grids.marks import well_formed
from lenswidget.grids.slicing import indices
from lenswidget.lessons.figure_part import Figure, FigurePart, grids_of
from lenswidget.lessons.part import Hint
from lenswidget.lessons.rules import Cell, Rule, cell_of, cells_of
from lenswidget.lessons.seal import digest, seal


class Point(FigurePart):
    """A question that is answered in the figure: by a click on a cell or a bar, or with Enter where the arrow keys lead.

    `right` is a cell, `("L24", -1)`, a set of cells, the label of a bar, or a rule: a function of a Grid that gives cells.
    `lessons.first_lead`, `biggest_jump`, `greatest` and `least` make rules. A rule is worked out on the Grid that is shown, and
    again when `w.figure` is assigned: no key goes stale. Of a Comparison each Grid has right cells of its own, and one of them
    answers.

    What the reader is told of a cell is read off the Grid: who leads there, and how the token fares that is asked for. `say` is
    added where the answer is right. The names of rows that decide, and what made a step, are hidden until then.

    `answer` is the last cell, `[row, column, grid]`, indices all. A row by its label, `w.answer = ("L24", -1)`, and
    `("L24", -1, 1)` in Grid 1 of a Comparison are the same; there, the column of an index is a slot.

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
        lesson: str = "",
        state: Mapping[str, Any] | None = None,
    ) -> None:
        self._right_by, self._say, self._question = right, say, question
        super().__init__(figure, question, hints=hints, id=id, lesson=lesson, state=state, said=[say])

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

    def _problem(self, answer: Any) -> str | None:
        try:
            self._normal(answer)
        except (TypeError, LookupError) as reason:
            return str(reason.args[0])
        return None

    def _normal(self, answer: Any) -> list[int]:
        """A cell as it crosses, of what names it: `[row, column, grid]`, of a `("L24", -1)` too."""
        grids = grids_of(self._figure)
        if not isinstance(answer, (tuple, list)) or len(answer) not in (2, 3):
            label = grids[0].rows[-1]
            raise TypeError(f"A Point is answered by a cell, ({label!r}, -1) or [row, column, grid]; got {answer!r}.")
        row, column, which = answer if len(answer) == 3 else (*answer, 0)
        if type(which) is not int or not 0 <= which < len(grids):
            raise IndexError(f"There is no Grid {which!r} in this figure; it has {len(grids)}, counted from 0.")
        if isinstance(self._figure, Comparison) and len(answer) == 3 and not isinstance(row, str):
            # as a browser has it
            (row,), slots = indices(row, grids[which].rows, "row"), self._figure.shape[1]
            return [int(row), int(indices(column, [str(slot) for slot in range(slots)], "slot")[0]), which]
        row, column = cell_of((row, column), grids[which])
        return [row, _slot(self._figure, column, which), which]

    def _judge(self, answer: Any) -> bool:
        return answer in self._right


def _slot(figure: Figure, column: int, which: int) -> int:
    """Where a column of one Grid is drawn."""
    if not isinstance(figure, Comparison):
        return column
    return int((figure.columns[:, which] == column).argmax())
