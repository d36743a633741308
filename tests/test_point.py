"""Point: what is right follows the Grid that is shown, and Python and a browser judge alike."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import traitlets

from lenswidget.grids.comparison import compare
from lenswidget.grids.grid import Grid
from lenswidget.lessons.figure_part import figure_of
from lenswidget.lessons.number import Number
from lenswidget.lessons.point import Point
from lenswidget.lessons.predict import Predict
from lenswidget.lessons.quiz import Quiz
from lenswidget.lessons.rules import first_lead, greatest
from lenswidget.lessons.seal import digest, unseal
from lenswidget.view.wire import encode
from tests.grids import HOSTILE, hostile_grid, make_grid


def leader(grid: Grid, column: int = -1) -> str:
    assert grid.candidates is not None
    return grid.text(grid.candidates.ids[-1, column, 0])


def lead(grid: Grid) -> int:
    """The row of `grid.decision`, by a loop of its own."""
    assert grid.candidates is not None
    leaders = grid.candidates.ids[:, -1, 0].tolist()
    row = len(leaders) - 1
    while row and leaders[row - 1] == leaders[-1]:
        row -= 1
    return row


def test_a_cell_is_right_or_not() -> None:
    grid = make_grid(seed=4)
    right = lead(grid)
    point = Point(grid, "Where does it first lead?", first_lead(leader(grid)), hints=["Look up."])
    assert (point.answer, point.correct, point.attempts) == (None, None, 0)
    point.answer = ("embed" if right else "L2", -1)
    assert point.correct is False and point.attempts == 1
    point.answer = (grid.rows[right], -1)
    assert point.answer == [right, 4, 0] and point.correct is True and point.attempts == 2
    assert point.solved and "right after 2 tries" in repr(point)
    again = Point(grid, "Where does it first lead?", first_lead(leader(grid)), state=point.state())
    assert again.correct is True and again.tried == point.tried
    point.answer = None
    assert point.attempts == 0 and point.correct is None


def test_what_is_right_follows_the_figure() -> None:
    grids = [make_grid(seed=seed) for seed in range(8)]
    first = grids[0]
    rows = {lead(grid) for grid in grids}
    assert len(rows) > 1
    point = Point(first, "Where?", lambda grid: (lead(grid), -1))
    for grid in grids:
        point.figure = grid
        assert point.tried == [] and bytes(point.grids) == bytes(encode([grid]))
        point.answer = (lead(grid), -1)
        assert point.correct
        point.answer = ((lead(grid) + 1) % 7, -1)
        assert point.correct is False


def test_a_figure_that_the_question_can_not_be_asked_of_changes_nothing() -> None:
    grid = make_grid(seed=4)
    point = Point(grid, "Where?", first_lead(leader(grid)))
    point.answer = (lead(grid), -1)
    before = (point.part, point.state(), bytes(point.grids))
    other = replace(grid, texts={i: f" other{i}" for i in grid.texts})
    with pytest.raises(ValueError, match="No token of this Grid reads"):
        point.figure = other
    assert (point.part, point.state(), bytes(point.grids)) == before and point.figure is grid


def test_a_hint_shows_the_same_cell_of_another_figure() -> None:
    one, other = make_grid(seed=4), make_grid(seed=5)[:, 2:]
    point = Point(one, "Where?", ("L5", -1), hints=["Up.", {"say": "There.", "show": {"selected": ("L5", -1)}}])
    shown = lambda: json.loads(unseal(point.part["hints"][1], "Where?"))["show"]["selected"]  # noqa: E731
    assert shown() == [6, 4]
    point.hints = 2
    point.figure = other
    assert shown() == [6, 2] and point.hints == 0
    with pytest.raises(KeyError, match="'L5' is no row"):
        point.figure = one[:3]
    assert point.figure is other and point._right == [[6, 2, 0]]


def test_a_page_judges_by_the_same_cells() -> None:
    """The digests that cross are of the right cells and of no other."""
    grid = make_grid(seed=4)
    point = Point(grid, "Which is greatest?", greatest("entropy", position=None), say="It knows least there.")
    values = grid.values("entropy")[:, 1:]
    row, column = np.unravel_index(values.argmax(), values.shape)
    for r in range(7):
        for c in range(5):
            known = point.part["right"].get(digest("Which is greatest?", f"{r} {c} 0"))
            assert (known is not None) == ((r, c - 1) == (row, column))
            if known:
                assert unseal(known, f"Which is greatest?\n{r} {c} 0") == "It knows least there."
    assert "knows least" not in json.dumps(point.part)


def test_of_a_comparison_each_grid_has_its_own_right_cells() -> None:
    one, other = make_grid(seed=1), make_grid(seed=2)
    both = compare(one, other, align="position", names=["one", "other"])
    point = Point(both, "Where?", lambda grid: (lead(grid), 3))
    slots = [int(np.flatnonzero(both.columns[:, which] == 3)[0]) for which in (0, 1)]
    for which, grid in enumerate((one, other)):
        point.answer = (grid.rows[lead(grid)], 3, which)
        assert point.answer == [lead(grid), slots[which], which] and point.correct
    point.answer = [lead(one), slots[0], 0]  # as a browser has it
    assert point.correct and point.attempts == 3
    point.answer = (one.rows[(lead(one) + 1) % 7], 3, 0)
    assert point.correct is False


def test_one_grid_of_a_comparison_may_have_no_right_cell() -> None:
    one, other = make_grid(seed=1), make_grid(seed=2)
    both = compare(one, replace(other, texts={i: f" no{i}" for i in other.texts}), names=["one", "other"])
    point = Point(both, "Where?", first_lead(leader(one)))
    assert {cell[2] for cell in point._right} == {0}
    with pytest.raises(ValueError, match="No token of this Grid reads ' nowhere'"):
        Point(both, "Where?", first_lead(" nowhere"))


@pytest.mark.parametrize(
    "answer", ["L5", 3, [1], [1, 2, 3, 4], [0, 0, 5], ["L5", 99], {"a": 1}, ("L99", -1), [True, False], 1.5]
)
def test_what_is_no_cell_is_refused(answer: Any) -> None:
    point = Point(make_grid(), "Where?", ("L5", -1))
    with pytest.raises(traitlets.TraitError):
        point.answer = answer
    assert point.attempts == 0
    with pytest.raises(traitlets.TraitError):
        point.tried = [answer]


def test_bars_are_pointed_at_by_their_label() -> None:
    grid = replace(make_grid(), view="bars")
    point = Point(grid, "Which part?", "L2")
    point.answer = ("L2", -1)
    assert point.correct
    with pytest.raises(KeyError, match="is no row of this Grid"):
        Point(grid, "Which part?", "L99")


@pytest.mark.parametrize(
    ("figure", "error", "sentence"),
    [
        (None, TypeError, "asks about a Grid or a Comparison; got NoneType.*lw.logit_lens"),
        (make_grid()[:0], ValueError, "the Grid is empty"),
        (replace(make_grid(), view="overview"), ValueError, "an overview has lines"),
    ],
)
def test_what_is_no_figure_is_refused(figure: Any, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        figure_of(figure, "Point")


def test_how_the_figure_is_shown() -> None:
    grid = make_grid(seed=4)
    point = Point(grid, "Where?", ("L5", -1), state={"selected": ("L2", -1), "pins": [" tok3", [4, 5]], "hints": 0})
    assert point.part["shown"] == {"selected": [3, 4], "pins": [[3], [4, 5]]}
    assert point.state() == {"tried": [], "hints": 0, "given_up": False}
    with pytest.raises(ValueError, match="state has 'colour', which no Point has; it has tried"):
        Point(grid, "Where?", ("L5", -1), state={"colour": "entropy"})
    with pytest.raises(ValueError, match="A figure has no choice 'colour' to show"):
        Point(grid, "Where?", ("L5", -1), hints=[{"say": "There.", "show": {"colour": "entropy"}}])
    with pytest.raises(KeyError, match="'L70' is no row"):
        Point(grid, "Where?", ("L5", -1), state={"selected": ("L70", -1)})


@pytest.mark.parametrize("start", range(0, len(HOSTILE), 9))
def test_hostile_texts_cross_as_text(start: int) -> None:
    grid = hostile_grid(start)
    point = Point(grid, HOSTILE[start] + "?", lambda g: (2, -1), say=HOSTILE[(start + 1) % len(HOSTILE)])
    point.answer = (2, -1)
    assert point.correct
    json.dumps(point.part)


def test_a_quiz_may_ask_to_point() -> None:
    grid = make_grid(seed=4)
    quiz = Quiz([Point(grid, "Where?", first_lead(leader(grid)), id="lead"), Number("How many?", 7, id="rows")])
    assert quiz.part["questions"][0]["grids"]
    quiz.answer = {"lead": {"tried": [[lead(grid), 4, 0]]}, "rows": {"tried": [8]}}
    assert (quiz.score().right, quiz.score().answered) == (1, 2)
    with pytest.raises(traitlets.TraitError, match="Question 'lead': There is no Grid 9"):
        quiz.answer = {"lead": {"tried": [[0, 0, 9]]}}
    with pytest.raises(TypeError, match="question 1 is a Predict"):
        Quiz([Predict(grid, "Draw.", grid.targets[0].ids[0], rows=("L2", "L5"))])
