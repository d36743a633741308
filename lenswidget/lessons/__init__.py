"""What teaches: lessons with questions, exercises and quizzes, their terms, and pages of executed notebooks.

    from lenswidget import lessons

    lesson = lessons.lesson("meaning-before-form")
    lessons.Choice("How many blocks has this model?", {"12": "Count the rows.", "30": "L0 to L29."}, "30")

Names are looked up when they are first used: a page of a notebook needs packages that a question doesn't.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOME = {
    "Choice": "choice",
    "Exercise": "exercise",
    "Header": "header",
    "Hints": "hints",
    "Lesson": "notebook_lesson",
    "Point": "point",
    "Predict": "predict",
    "Prompts": "prompts_to_try",
    "Rule": "rules",
    "Tour": "tour",
    "biggest_jump": "rules",
    "first_lead": "rules",
    "Number": "number",
    "Order": "order",
    "Quiz": "quiz",
    "glossary": "terms",
    "greatest": "rules",
    "least": "rules",
    "lesson": "notebook_lesson",
    "scores": "score_table",
}

__all__ = sorted(_HOME)  # noqa: PLE0605 (a list of str, which ruff can't see)

if TYPE_CHECKING:
    from lenswidget.lessons.choice import Choice as Choice
    from lenswidget.lessons.exercise import Exercise as Exercise
    from lenswidget.lessons.header import Header as Header
    from lenswidget.lessons.hints import Hints as Hints
    from lenswidget.lessons.notebook_lesson import Lesson as Lesson
    from lenswidget.lessons.notebook_lesson import lesson as lesson
    from lenswidget.lessons.number import Number as Number
    from lenswidget.lessons.order import Order as Order
    from lenswidget.lessons.point import Point as Point
    from lenswidget.lessons.predict import Predict as Predict
    from lenswidget.lessons.prompts_to_try import Prompts as Prompts
    from lenswidget.lessons.quiz import Quiz as Quiz
    from lenswidget.lessons.rules import Rule as Rule
    from lenswidget.lessons.rules import biggest_jump as biggest_jump
    from lenswidget.lessons.rules import first_lead as first_lead
    from lenswidget.lessons.rules import greatest as greatest
    from lenswidget.lessons.rules import least as least
    from lenswidget.lessons.score_table import scores as scores
    from lenswidget.lessons.terms import glossary as glossary
    from lenswidget.lessons.tour import Tour as Tour


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"lenswidget.lessons has no {name!r}; it has {', '.join(__all__)}.")
    value = getattr(import_module(f"lenswidget.lessons.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
