"""Predict: the line that a reader draws, and how far it is off."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import traitlets

from lenswidget.grids.comparison import compare
from lenswidget.lessons.predict import Predict
from tests.grids import make_grid

GRID = make_grid(seed=4)
TARGET = GRID.targets[0].ids[0]


def test_how_far_a_guess_is_off() -> None:
    predict = Predict(GRID, "Draw it.", TARGET, rows=("L2", "L5"))
    truth = [float(GRID.values("probability", target=TARGET)[row, -1]) for row in range(3, 7)]
    assert predict.off is None and "not answered yet" in repr(predict)
    guess = [0.5, 0.25, 1, 0]
    predict.answer = guess
    off = sum(abs(a - b) for a, b in zip(guess, truth)) / 4
    assert predict.off == pytest.approx(100 * off, abs=1e-4)
    assert predict.correct is None and predict.attempts == 1 and "points off on average" in repr(predict)
    assert predict.part["first"] == 3 and predict.part["last"] == 6 and predict.part["column"] == 4
    predict.answer = truth
    assert predict.off == pytest.approx(0, abs=1e-9)


def test_rows_are_named_by_label_or_number_in_any_order() -> None:
    for rows in [("L2", "L5"), ("L5", "L2"), (2, 5), ("L2", 5)]:
        predict = Predict(GRID, "Draw it.", TARGET, rows=rows)
        assert (predict.part["first"], predict.part["last"]) == (3, 6)
    whole = Predict(GRID, "Draw it.", TARGET, rows=("embed", "L5"))
    assert (whole.part["first"], whole.part["last"]) == (0, 6)


def test_what_is_not_followed_is_pinned() -> None:
    assert GRID.trajectories is not None
    other = next(int(i) for i in GRID.trajectories.ids[GRID.trajectories.of(4)] if i != TARGET)
    assert Predict(GRID, "Draw it.", TARGET, rows=(2, 5)).part["shown"]["pins"] == []
    assert Predict(GRID, "Draw it.", other, rows=(2, 5)).part["shown"]["pins"] == [[other]]
    shown = Predict(GRID, "Draw it.", other, rows=(2, 5), state={"pins": [[other], [TARGET]]}).part["shown"]
    assert shown["pins"] == [[other], [TARGET]]


@pytest.mark.parametrize("answer", ["up", [0.5], [0.5] * 5, [0.5, 0.5, 0.5, 2], [0, 0, 0, -0.1], [0, 0, 0, None], [0, 0, 0, True],
                                    [0, 0, 0, float("nan")], {"L2": 1}])  # fmt: skip
def test_what_is_no_line_is_refused(answer: Any) -> None:
    predict = Predict(GRID, "Draw it.", TARGET, rows=("L2", "L5"))
    with pytest.raises(traitlets.TraitError, match="This line is 4 probabilities from 0 to 1"):
        predict.answer = answer
    assert predict.attempts == 0 and predict.off is None


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        ({"figure": compare(GRID, make_grid(seed=5))}, TypeError, "covers rows of one Grid; got a Comparison"),
        ({"figure": replace(GRID, view="bars")}, ValueError, "covers rows of what a lens read"),
        ({"figure": replace(GRID, candidates=None)}, ValueError, "covers rows of what a lens read"),
        ({"target": " nowhere"}, ValueError, "No token of this Grid reads ' nowhere'"),
        ({"rows": ("L2", "L90")}, ValueError, "There is no row 'L90'"),
        ({"rows": ("L2",)}, ValueError, "rows is the first and the last row"),
        ({"rows": "L2"}, ValueError, "rows is the first and the last row"),
        ({"position": 40}, IndexError, "position 40 is out of range"),
    ],
)
def test_what_can_not_be_covered_is_said(change: dict[str, Any], error: type[Exception], sentence: str) -> None:
    asked: dict[str, Any] = {"figure": GRID, "question": "Draw it.", "target": TARGET, "rows": ("L2", "L5"), **change}
    with pytest.raises(error, match=sentence):
        Predict(**asked)


def test_a_token_whose_probability_is_not_known_there_is_said() -> None:
    assert GRID.trajectories is not None
    there = set(GRID.trajectories.ids[GRID.trajectories.of(4)].tolist())
    lacking = next(i for i in GRID.texts if i not in there)
    with pytest.raises(
        ValueError, match=r"neither followed nor among the candidates there. Follow it when the Grid is made"
    ):
        Predict(GRID, "Draw it.", lacking, rows=("L2", "L5"))


def test_another_figure_begins_again() -> None:
    predict = Predict(GRID, "Draw it.", TARGET, rows=("L2", "L5"))
    predict.answer = [0, 0, 0, 0]
    before = predict.off
    other = make_grid(seed=6)
    predict = Predict(other, "Draw it.", other.targets[0].ids[0], rows=("L2", "L5"))
    predict.answer = [0, 0, 0, 0]
    assert predict.off != before
    predict.figure = other[:, 2:]
    assert predict.answer is None and predict.off is None and predict.part["column"] == 2


def test_one_row() -> None:
    one = GRID[-1:]
    predict = Predict(one, "Draw it.", TARGET, rows=("L5", "L5"))
    predict.answer = [0.5]
    assert predict.off is not None
