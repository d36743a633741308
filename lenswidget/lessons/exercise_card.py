"""ExerciseCard: an exercise where it is asked, with its hints, and whether its check has passed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lenswidget.lessons.exercise import Exercise
from lenswidget.lessons.part import Part


class ExerciseCard(Part):
    """An exercise as a part of a lesson. It is answered in a cell, so its answers are what the check said of each: True or False.

    `lesson.exercise(name)` makes it, and `lesson.check(name, answer)` tells it.
    """

    kind = "exercise"
    counts = False

    def __init__(
        self, exercise: Exercise, *, id: str = "", lesson: str = "", state: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(
            exercise.question,
            hints=exercise.hints,
            id=id,
            lesson=lesson,
            state=state,
            minutes=exercise.minutes,
            expects=exercise.expects,
        )

    def answer_again(self, right: bool) -> None:
        """Take what the check said; a cell that is run again with the same answer is one more try."""
        self.tried = [*self.tried, right]

    def _problem(self, answer: Any) -> str | None:
        if not isinstance(answer, bool):
            return f"An exercise is answered in a cell, and checked by lesson.check(…), which says True or False; got {answer!r}."
        return None

    def _judge(self, answer: Any) -> bool:
        return bool(answer)

    def _plain(self) -> str:
        return f"Exercise, {self.part['minutes']} minutes. {self.part['question']}"
