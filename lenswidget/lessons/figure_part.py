"""FigurePart: a part that asks about a figure, and looks at what is shown there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lenswidget.grids.comparison import Comparison
from lenswidget.grids.grid import Grid
from lenswidget.lessons.part import STATE, Hint, Part, sealed
from lenswidget.lessons.rules import cell_of, ids_of
from lenswidget.view.widget import CHOICES
from lenswidget.view.wire import encode

Figure = Grid | Comparison


class FigurePart(Part):
    """A part with a figure. Assign `w.figure` to ask the same of another one: what is right follows, and answers begin again."""

    def __init__(
        self,
        figure: Figure,
        question: str,
        *,
        hints: Sequence[Hint] = (),
        id: str = "",
        lesson: str = "",
        state: Mapping[str, Any] | None = None,
        said: Sequence[str] = (),
        **asked: Any,
    ) -> None:
        """`state` is how the part stands, as `state()` has it, and how its figure is shown, as `LensWidget.state()` has it."""
        self._figure = figure_of(figure, type(self).__name__)
        stands, shown = _apart(state or {}, type(self).__name__)
        self._shown = shown
        self._given = list(hints)
        super().__init__(
            question,
            hints=[_opened(hint, self._figure) for hint in hints],
            id=id,
            lesson=lesson,
            said=said,
            **asked,
            **self._asked(self._figure),
            shown=self._as_shown(self._figure),
        )
        self._send_figure()
        self._restore(stands)

    def _asked(self, figure: Figure) -> dict[str, Any]:
        """What is asked of a figure, as plain data. Raises with a sentence where it can't be asked of that one."""
        raise NotImplementedError

    def _as_shown(self, figure: Figure) -> dict[str, Any]:
        """How a figure is shown at first, as plain data."""
        return plain_state(self._shown, figure)

    @property
    def figure(self) -> Figure:
        """The Grid or Comparison that is asked about."""
        return self._figure

    @figure.setter
    def figure(self, figure: Figure) -> None:
        figure = figure_of(figure, type(self).__name__)
        hints = [_opened(hint, figure) for hint in self._given]
        shown = self._as_shown(figure)
        asked = {**self._asked(figure), "shown": shown, "hints": sealed(hints, self.part["question"])}
        with self.hold_sync():
            self._figure = figure
            self.tried, self.hints, self.given_up = [], 0, False
            self.set_trait("part", {**self.part, **asked})
            self._send_figure()

    def _send_figure(self) -> None:
        grids = grids_of(self._figure)
        self.set_trait("grids", encode(grids, self._figure if isinstance(self._figure, Comparison) else None))

    def _restore(self, stands: Mapping[str, Any]) -> None:
        for name, value in stands.items():
            setattr(self, name, value)


def figure_of(figure: Any, part: str) -> Figure:
    """A figure, or a TypeError or ValueError that says what was given instead."""
    if not isinstance(figure, (Grid, Comparison)):
        raise TypeError(
            f"A {part} asks about a Grid or a Comparison; got {type(figure).__name__}. lw.logit_lens(run) makes a Grid."
        )
    if 0 in figure.shape:
        raise ValueError(f"There is nothing to ask about: the Grid is empty, its shape is {figure.shape}.")
    if any(grid.view == "overview" for grid in grids_of(figure)):
        raise ValueError(f"A {part} asks about cells or bars; an overview has lines. Ask about one of its Grids.")
    return figure


def grids_of(figure: Figure) -> tuple[Grid, ...]:
    return (figure,) if isinstance(figure, Grid) else figure.grids


def plain_state(state: Mapping[str, Any], figure: Figure) -> dict[str, Any]:
    """How a figure is shown, as plain data: tokens in pins as ids, a selected cell as indices.

    Raises ValueError with a sentence for a name that is no choice of a LensWidget, and for what the figure doesn't have.
    """
    unknown = next((name for name in state if name not in CHOICES), None)
    if unknown is not None:
        raise ValueError(f"A figure has no choice {unknown!r} to show; it has {', '.join(CHOICES)}.")
    plain = dict(state)
    grid = grids_of(figure)[0]
    if plain.get("pins") is not None:
        pins = plain["pins"]
        groups = [pins] if isinstance(pins, (str, int)) else list(pins)
        plain["pins"] = [ids_of(grid, group) for group in groups]
    if plain.get("selected") is not None:
        if isinstance(figure, Grid):
            plain["selected"] = list(cell_of(plain["selected"], grid))
        else:
            rows, columns = figure.shape
            row, column = plain["selected"]
            if not (0 <= row < rows and 0 <= column < columns):
                raise ValueError(f"There is no slot {[row, column]} in this Comparison, whose shape is {figure.shape}.")
            plain["selected"] = [int(row), int(column)]
    return plain


def _opened(hint: Hint, figure: Figure) -> Hint:
    """A hint whose state, if it shows one, is plain data."""
    if not isinstance(hint, Mapping) or not isinstance(hint.get("show"), Mapping):
        return hint
    return {**hint, "show": plain_state(hint["show"], figure)}


def _apart(state: Mapping[str, Any], part: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """How the part stands, and how its figure is shown."""
    unknown: Iterable[str] = (name for name in state if name not in (*STATE, *CHOICES))
    for name in unknown:
        raise ValueError(f"state has {name!r}, which no {part} has; it has {', '.join((*STATE, *CHOICES))}.")
    return (
        {name: value for name, value in state.items() if name in STATE},
        {name: value for name, value in state.items() if name in CHOICES},
    )
