"""A lesson as its notebook uses it: the header, exercises that check themselves, the quiz, and the way on."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import cached_property
from hashlib import sha256
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from lenswidget.lessons.choice import Choice
from lenswidget.lessons.exercise import Checked, Exercise, judge
from lenswidget.lessons.exercise_card import ExerciseCard
from lenswidget.lessons.header import Header
from lenswidget.lessons.lesson_file import ChoiceText, LessonText, NumberText, QuestionText, read_lesson
from lenswidget.lessons.number import Number
from lenswidget.lessons.order import Order
from lenswidget.lessons.part import Part, begin, unshown
from lenswidget.lessons.printed import WaysOn
from lenswidget.lessons.quiz import Quiz
from lenswidget.lessons.terms import COURSE, meaning


class Lesson:
    """A lesson: the end of a cell shows its header. `lessons.lesson(name)` gives one of the course, `Lesson.read(path)` yours.

    `text` is what its file says, `exercises` those that it has by name.
    """

    def __init__(self, text: LessonText, name: str, exercises: Mapping[str, Exercise] | None = None) -> None:
        self.text = text
        self.name = name
        self.exercises = dict(exercises or {})
        self._cards: dict[str, ExerciseCard] = {}

    @classmethod
    def read(cls, path: str | os.PathLike[str], exercises: Mapping[str, Exercise] | None = None) -> Lesson:
        """A lesson of your own, from a Markdown file; docs/how-to/write-a-lesson.md shows its form.

            lesson = lessons.Lesson.read("mine.md")

        Its exercises are `EXERCISES` in `mine.py` beside it, which is run, or those that are given: from names to Exercises. Its
        name, under which a reader's answers are kept, is the file's without a number: "mine".

        Raises ValueError where the file isn't in the form of a lesson, naming its line; OSError where it can't be read.
        """
        if exercises is None:
            beside = exercises_beside(path)
            exercises = _run(beside) if beside.is_file() else {}
        for name, each in exercises.items():
            if not isinstance(each, Exercise):
                raise TypeError(f"Exercises go from names to Exercise(…); {name!r} leads to a {type(each).__name__}.")
        begin(name_of(path))
        return cls(read_lesson(path), name_of(path), exercises)

    def exercise(self, name: str) -> ExerciseCard:
        """The question of an exercise, with hints that open one by one, and how it stands.

        Raises ValueError for a name that none has, with the names that there are.
        """
        asked = self._exercise(name)
        if name not in self._cards:
            self._cards[name] = ExerciseCard(asked, id=name, lesson=self.name)
        return self._cards[name]

    def check(self, name: str, answer: Any, /, *shown: Any) -> Checked:
        """Check an answer to an exercise, and say what is off.

            lesson.check("first-row", answer, grid)

        `answer` is `...` as long as there is none, which is said and is no error; what stands behind it, usually the Grid that
        is shown, is what the answer is checked against. The result's `right` is True, False, or None without an answer.

        Raises ValueError for a name that no exercise has.
        """
        checked = judge(self._exercise(name), answer, shown)
        if checked.right is not None:
            self.exercise(name).answer_again(checked.right)
        return checked

    @cached_property
    def header(self) -> Header:
        """What stands at the top: how long it takes, what to know before, its moves and its terms."""
        text = self.text
        terms = [meaning(term) for term in text.terms]
        return Header(
            {
                "lesson": self.name,
                "title": text.title,
                "number": text.number,
                "minutes": text.minutes,
                "lead": text.lead,
                "see": text.see,
                "know": [{"text": one.text, "lesson": one.lesson} for one in text.know],
                "moves": [{"name": one.name, "text": one.text} for one in text.moves],
                "terms": [{"term": one.term, "says": one.says} for one in terms],
                "exercises": len(self.exercises),
                "questions": len(text.questions),
            }
        )

    @cached_property
    def quiz(self) -> Quiz:
        """The questions at the end; `lesson.quiz.score()` says how many were right at the first try.

        Raises ValueError where the lesson's file asks none.
        """
        if not self.text.questions:
            raise ValueError(f'{self.text.source} has no quiz; write "## Quiz" and questions under it.')
        with unshown():
            questions = [_asked(one) for one in self.text.questions]
        return Quiz(questions, title="Quiz", id="quiz", lesson=self.name)

    @property
    def next(self) -> WaysOn:
        """Where to go next, and what to read."""
        read_on = "\n".join(
            f"- [{link.text}]({link.address}){link.says and ': ' + link.says}" for link in self.text.read_on
        )
        ways = "\n".join(f"- {_link(one.name)}: {one.text}" for one in self.text.next)
        parts = [f"**{title}**\n\n{lines}" for title, lines in (("Where to next", ways), ("Read on", read_on)) if lines]
        return WaysOn("\n\n".join(parts), read_on)

    def _exercise(self, name: str) -> Exercise:
        if name not in self.exercises:
            there = ", ".join(f'"{one}"' for one in self.exercises) or "none"
            raise ValueError(f'The lesson "{self.text.title}" has no exercise {name!r}; its exercises are: {there}.')
        return self.exercises[name]

    def __repr__(self) -> str:
        text = self.text
        counts = [
            f"lesson {text.number}" if text.number else "a lesson",
            f"{text.minutes} minutes",
            *_count(len(self.exercises), "exercise"),
            *_count(len(text.questions), "question"),
        ]
        return f"{text.title}: {', '.join(counts)}"

    def _repr_mimebundle_(self, **arguments: Any) -> Any:
        return self.header._repr_mimebundle_(**arguments)


def _asked(question: QuestionText) -> Part:
    """A question of a lesson's file as a part."""
    if isinstance(question, ChoiceText):
        right = question.right[0] if len(question.right) == 1 else list(question.right)
        return Choice(question.question, _mixed(question.options, question.question), right)
    if isinstance(question, NumberText):
        return Number(question.question, question.right, within=question.within, unit=question.unit, say=question.say)
    return Order(question.question, question.items, say=question.say)


def _mixed(options: Mapping[str, str], question: str) -> dict[str, str]:
    """Options in an order that tells nothing and is always the same: authors have habits, such as the right one second."""
    return dict(sorted(options.items(), key=lambda one: sha256(f"{question}\n{one[0]}".encode()).digest()))


def lesson(name: str) -> Lesson:
    """A lesson of the course that comes with the package, by its name, such as "meaning-before-form".

    The questions that are made after it belong to it: a page keeps their answers under its name.

    Raises ValueError for a name that none has, with those that there are.
    """
    found = course_lesson(name)
    begin(name)
    return found


def course_lesson(name: str) -> Lesson:
    """The same, for those who only look at it."""
    files = course_files()
    if name not in files:
        raise ValueError(
            f"The course has no lesson {name!r}; it has {', '.join(files)}. For one of your own: lessons.Lesson.read(path)."
        )
    return Lesson(read_lesson(files[name]), name, _exercises(name))


def course_files() -> dict[str, Path]:
    """The files of the course by the names of its lessons, in their order."""
    return {name_of(path): path for path in sorted(COURSE.glob("[0-9]*_*.md"))}


def name_of(path: str | os.PathLike[str]) -> str:
    """The name of a lesson, from that of its file or notebook: "meaning-before-form" of `03_meaning_before_form.md`."""
    return re.sub(r"^[0-9]+[_-]", "", Path(path).stem).replace("_", "-")


def exercises_beside(path: str | os.PathLike[str]) -> Path:
    """Where the exercises of a lesson are: `mine.py` beside `mine.md`, or beside `03_mine.md`."""
    path = Path(path)
    return path.with_name(f"{name_of(path).replace('-', '_')}.py")


def _exercises(name: str) -> dict[str, Exercise]:
    """Those of a lesson of the course."""
    module = name.replace("-", "_")
    if not (COURSE / f"{module}.py").exists():
        return {}
    exercises: dict[str, Exercise] = import_module(f"lenswidget.lessons.course.{module}").EXERCISES
    return exercises


def _run(path: Path) -> Mapping[str, Exercise]:
    """Those of somebody's own lesson."""
    specification = spec_from_file_location(f"lesson_{path.stem}", path)
    assert specification is not None and specification.loader is not None  # as it is for every name that ends in .py
    module = module_from_spec(specification)
    specification.loader.exec_module(module)
    exercises = getattr(module, "EXERCISES", None)
    if not isinstance(exercises, Mapping):
        raise ValueError(f'{path} says what its exercises are: `EXERCISES = {{"name": Exercise(…)}}`; it has none.')
    return exercises


def _link(name: str) -> str:
    """A link from a notebook to that of another lesson, where the course has it."""
    path = course_files().get(name)
    return f"[{read_lesson(path).title}]({path.stem}.ipynb)" if path else name.replace("-", " ")


def _count(number: int, what: str) -> list[str]:
    return [f"{number} {what}{'s' * (number != 1)}"] if number else []
