"""Exercises that check themselves: a question, a function that judges an answer, and the code that solves it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

CHECKED = "application/vnd.lenswidget.checked+json"
"""How an answer stands, for pages, which leave out what nobody answered."""
Hint = str | Mapping[str, Any]
"""A sentence, or `{"show": state, "say": sentence}`: what sets the view of a figure."""


@dataclass(frozen=True)
class Exercise:
    """A question that is answered in a notebook's cell.

    `check` takes the answer, and whatever else stands behind it in `lesson.check(name, answer, …)`: usually the Grid that is
    shown, so that the right answer follows the model. It returns True, or a sentence that says what is off. `solution` is code
    that assigns `answer`; `expects` says what kind of value an answer is; `hints` open one by one.

        Exercise(
            "At which row does ` Paris` first lead, and stays in the lead?",
            check=lambda row, grid: row == first_lead(grid) or f"{row} is not the first.",
            solution="answer = 'L27'",
            hints=["Look at the last column.", "Which row is the first of those that say Paris?"],
            expects="a row label, such as 'L24'",
        )

    Raises ValueError and TypeError for an exercise that can't be asked.
    """

    question: str
    check: Callable[..., bool | str]
    solution: str
    hints: Sequence[Hint] = ()
    minutes: int = 5
    expects: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.question, str) or not self.question.strip():
            raise ValueError(f"An exercise needs a question in words; got {self.question!r}.")
        if not callable(self.check):
            raise TypeError(f"check= is a function of an answer, which returns True or a sentence; got {self.check!r}.")
        if isinstance(self.hints, str):
            raise TypeError(f"hints= is a list of sentences; got one text, {self.hints!r}: put it into brackets.")
        if "answer" not in self.solution:
            raise ValueError(f"solution= is code that assigns `answer`; got {self.solution!r}.")


@dataclass(frozen=True)
class Checked:
    """How an answer stands: `right` is True, False, or None where there is no answer yet; `says` is what is said of it."""

    right: bool | None
    says: str = field(default="")

    def __repr__(self) -> str:
        return f"{'·' if self.right is None else '✓' if self.right else '✗'} {self.says}"

    def __bool__(self) -> bool:
        return self.right is True

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        mark, text = repr(self).split(" ", 1)
        kind = "unanswered" if self.right is None else "right" if self.right else "wrong"
        return {
            "text/plain": repr(self),
            "text/html": f'<p class="lens-checked" data-checked="{kind}"><b>{mark}</b> {escape(text)}</p>',
            CHECKED: {"right": self.right},
        }


def judge(exercise: Exercise, answer: Any, shown: Sequence[Any] = ()) -> Checked:
    """What a check says of an answer. An answer of a kind that it can't read is a sentence, too, and no error."""
    if answer is ...:
        return Checked(None, "No answer yet. Put yours in place of `...` above, run that cell, then this one.")
    try:
        said = exercise.check(answer, *shown)
    except Exception as reason:
        return Checked(False, f"This answer can't be read: {_short(answer)}. {_expected(exercise)}({_name(reason)})")
    # numpy has truth values of its own
    if isinstance(said, str):
        return Checked(False, said)
    if type(said).__name__ not in ("bool", "bool_"):
        raise TypeError(
            f"The check of an exercise returns True or a sentence that says what is off; this one returned {said!r} for "
            f"{_short(answer)}."
        )
    return (
        Checked(True, "Right.") if said else Checked(False, f"Not yet: {_short(answer)}. {_expected(exercise)}".strip())
    )


def _expected(exercise: Exercise) -> str:
    return f"An answer is {exercise.expects}. " if exercise.expects else ""


def _name(reason: Exception) -> str:
    return f"{type(reason).__name__}: {reason}" if str(reason) else type(reason).__name__


def _short(value: Any, most: int = 60) -> str:
    """A value in a sentence; its own `repr` may fail, or fill pages."""
    try:
        text = " ".join(repr(value).split())
    except Exception:
        text = f"a {type(value).__name__}"
    return text if len(text) <= most else f"{text[: most - 1]}…"
