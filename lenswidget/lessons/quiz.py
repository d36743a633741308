"""Quiz: questions in a row, each of them once, and a score."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lenswidget.lessons.part import Part


@dataclass(frozen=True)
class Score:
    """How many questions were right at the first try, how many were answered, and how many there are."""

    right: int
    answered: int
    asked: int

    def __repr__(self) -> str:
        return f"{self.right} of {self.asked}" + (
            "" if self.answered == self.asked else f", {self.answered} answered so far"
        )


class Quiz(Part):
    """Questions in a row: `Choice`, `Number`, `Order` and others. Each counts once, with the first answer.

    `quiz.score()` says how it went. `answer` has the state of every question that was answered, by its id: plain data that can
    be kept, and put in again by `quiz.answer = …`. A question belongs to its quiz from then on, and is closed as a widget.

        quiz = lessons.Quiz([lessons.Number("How many blocks?", 30), lessons.Number("How many heads in each?", 9)])
        quiz
        quiz.score()  # 1 of 2

    Raises TypeError for what is no question, ValueError for none or two with one id.
    """

    kind = "quiz"
    counts = False
    _needs_question = False

    def __init__(
        self,
        questions: Sequence[Part],
        *,
        title: str = "",
        id: str = "",
        lesson: str = "",
        state: Mapping[str, Any] | None = None,
    ) -> None:
        questions = list(questions)
        for number, one in enumerate(questions, 1):
            if not isinstance(one, Part) or not one.counts:
                raise TypeError(
                    f"A quiz asks questions, such as lessons.Choice; question {number} is a {type(one).__name__}."
                )
        if not questions:
            raise ValueError("A quiz needs at least one question; got none.")
        ids = [one.part["id"] for one in questions]
        twice = next((one for one in ids if ids.count(one) > 1), None)
        if twice is not None:
            raise ValueError(f"Two questions of this quiz have the id {twice!r}; ask each once, or give them ids.")
        if not isinstance(title, str):
            raise TypeError(f"The title of a quiz is a text; got {title!r}.")
        self.questions = dict(zip(ids, questions))
        asked = [
            {**one.part, **({"grids": base64.b64encode(one.grids).decode()} if one.grids else {})} for one in questions
        ]
        for one in questions:
            one.close()
        super().__init__("", id=id, lesson=lesson, state=state, title=title, questions=asked)

    def score(self) -> Score:
        """How many questions were right at the first try."""
        tried = [self._tried(name) for name in self.questions]
        right = sum(
            bool(one) and self.questions[name]._judge(one[0]) is True for name, one in zip(self.questions, tried)
        )
        return Score(right, sum(map(bool, tried)), len(tried))

    def _tried(self, name: str) -> list[Any]:
        """The answers to a question."""
        return list((self.answer or {}).get(name, {}).get("tried", ()))

    def _tried_with(self, answer: Any) -> list[Any]:
        return [answer]

    def _problem(self, answer: Any) -> str | None:
        if not isinstance(answer, Mapping):
            return f"A quiz is answered by the state of each question, by its id; got {answer!r}."
        for name, state in answer.items():
            if name not in self.questions:
                return f"This quiz has no question {name!r}; it has {', '.join(self.questions)}."
            tried = state.get("tried") if isinstance(state, Mapping) else None
            if not isinstance(tried, list):
                return f"The state of question {name!r} is such as {{'tried': [answer]}}; got {state!r}."
            for one in tried:
                problem = self.questions[name]._problem(one)
                if problem:
                    return f"Question {name!r}: {problem}"
        return None

    def _judge(self, answer: Any) -> bool | None:
        """Once all are answered, whether all were right."""
        judged = [
            self.questions[name]._judge(state["tried"][0]) for name, state in answer.items() if state.get("tried")
        ]
        return all(judged) if len(judged) == len(self.questions) else None

    def _plain(self) -> str:
        title = self.part["title"] or "Quiz"
        asked = [f"{number}. {one._plain()}" for number, one in enumerate(self.questions.values(), 1)]
        return "\n".join([title, *asked])

    def __repr__(self) -> str:
        title = f" {self.part['title']!r}" if self.part["title"] else ""
        return f"Quiz{title}: {self.score()!r}"
