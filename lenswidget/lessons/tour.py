"""Tour: a figure whose view moves step by step, with a caption for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lenswidget.lessons.figure_part import Figure, FigurePart, plain_state


class Tour(FigurePart):
    """A few stops in one figure: each shows it in a state of its own, and says something about it.

    `stops` are pairs of a state and a caption. A state is what `LensWidget.state()` gives, or as much of it as the stop changes;
    rows may be named, `{"selected": ("L24", -1)}`, and pins be texts. What a stop doesn't name is as `state` has it, else as it
    is at first. Captions may have `*emphasis*`, `**weight**`, `` `code` `` and `[[terms]]`.

    `answer` is the index of the last stop that was opened.

    Raises TypeError or ValueError with a sentence for what is no figure, no stop, or a state that the figure doesn't have.

        lessons.Tour(
            grid,
            [
                ({}, "The top row is what the model says."),
                ({"selected": ("L24", -1)}, "Here it leads for the first time."),
                ({"color": "entropy"}, "The same cells, by how sure each row is."),
            ],
            title="Three things to see",
        )
    """

    kind = "tour"
    counts = False
    _needs_question = False

    def __init__(
        self,
        figure: Figure,
        stops: Sequence[tuple[Mapping[str, Any], str]],
        *,
        title: str = "",
        id: str = "",
        lesson: str = "",
        state: Mapping[str, Any] | None = None,
    ) -> None:
        self._stops = [stop_of(stop, number) for number, stop in enumerate(stops, 1)]
        if not self._stops:
            raise ValueError("A Tour needs a stop; give it [(state, caption), …].")
        captions = [caption for _, caption in self._stops]
        super().__init__(figure, title, id=id, lesson=lesson, state=state, said=captions)

    def _asked(self, figure: Figure) -> dict[str, Any]:
        return {"stops": [{"show": plain_state(shown, figure), "say": caption} for shown, caption in self._stops]}

    def _problem(self, answer: Any) -> str | None:
        if type(answer) is int and 0 <= answer < len(self._stops):
            return None
        return f"A Tour is at a stop from 0 to {len(self._stops) - 1}; got {answer!r}."

    def _tried_with(self, answer: Any) -> list[Any]:
        return [answer]

    def _judge(self, answer: Any) -> None:
        return None

    def _stands(self) -> str:
        return f"at stop {(self.answer or 0) + 1} of {len(self._stops)}"

    def _plain(self) -> str:
        captions = [f"{number}. {caption}" for number, (_, caption) in enumerate(self._stops, 1)]
        return "\n".join([self.part["question"], *captions]).strip()


def stop_of(stop: Any, number: int) -> tuple[Mapping[str, Any], str]:
    if not isinstance(stop, (tuple, list)) or len(stop) != 2:
        raise TypeError(
            f"Stop {number} is a state and a caption, ({{'selected': ('L24', -1)}}, 'Here …'); got {stop!r}."
        )
    shown, caption = stop
    if not isinstance(shown, Mapping) or not isinstance(caption, str) or not caption.strip():
        raise TypeError(f"Stop {number} is a state and a caption; got {shown!r} and {caption!r}.")
    return shown, caption
