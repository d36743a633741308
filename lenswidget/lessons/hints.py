"""Hints: alone, beside a figure or a task of the author's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lenswidget.lessons.part import Hint, Part


class Hints(Part):
    """A few hints that open one by one: usually a nudge, a suggestion, and what shows the way.

    Every part takes such a list as `hints=`; this is one alone. `hints` counts those that were opened, and `given_up` says
    whether one was opened that shows the answer.

        lessons.Hints(["Which row agrees with the output?", "Look at the last column.", {"say": "It is L24.", "code": "24"}])

    Raises TypeError and ValueError for hints that are none.
    """

    kind = "hints"
    counts = False
    _needs_question = False

    def __init__(
        self, hints: Sequence[Hint], *, id: str = "", lesson: str = "", state: Mapping[str, Any] | None = None
    ) -> None:
        if isinstance(hints, str) or not hints:
            raise ValueError(f"Hints are a list of one or more; got {hints!r}.")
        super().__init__("", hints=hints, id=id, lesson=lesson, state=state)

    def _problem(self, answer: Any) -> str | None:
        return f"Hints take no answer; got {answer!r}."

    def _judge(self, answer: Any) -> bool | None:
        return None

    def _plain(self) -> str:
        return f"{len(self._hints)} hints"

    def __repr__(self) -> str:
        return f"Hints: {self.hints} of {len(self._hints)} opened"
