"""Parts of lessons, as an author makes them and a reader answers them, without a browser."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import pytest
import traitlets

from lenswidget import lessons
from lenswidget.lessons import part, terms
from lenswidget.lessons.seal import digest, seal, unseal
from lenswidget.view import script
from lenswidget.view.widget import LensWidget
from tests.grids import make_grid

GOLDEN = json.loads((Path(__file__).parent / "golden/seal.json").read_text(encoding="utf-8"))
"""Made with sha256sum of the coreutils, and read by the browser's tests too."""
OPTIONS = {"12": "Count the rows.", "30": "L0 to L29.", "31": "The embedding is no block."}


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case["salt"][:12] or "empty")
def test_what_is_sealed_is_what_the_browser_unseals(case: dict[str, str]) -> None:
    assert digest(case["salt"], case["text"]) == case["digest"]
    assert seal(case["text"], case["salt"]) == case["sealed"]
    assert unseal(case["sealed"], case["salt"]) == case["text"]


def test_half_of_a_surrogate_pair_can_be_sealed() -> None:
    assert unseal(seal("a\ud800b", "\ud800"), "\ud800") == "a\ufffdb"


def test_a_choice_is_answered_and_says_how_it_stands() -> None:
    w = lessons.Choice("How many blocks?", OPTIONS, "30", hints=["Look at the labels.", "The last is L29."])
    assert (w.answer, w.correct, w.attempts, repr(w)) == (None, None, 0, "Choice 'How many blocks?': not answered yet")
    w.answer = "12"
    assert (w.correct, w.attempts, repr(w)) == (False, 1, "Choice 'How many blocks?': not right yet after 1 try")
    w.answer = "12"  # the same again is no other try
    w.answer = "30"
    assert (w.correct, w.attempts, w.solved) == (True, 2, True)
    assert w.state() == {"tried": ["12", "30"], "hints": 0, "given_up": False}
    again = lessons.Choice("How many blocks?", OPTIONS, "30", state=w.state())
    assert again.solved and again.part["id"] == w.part["id"]
    w.answer = None
    assert (w.correct, w.attempts, w.tried) == (None, 0, [])


def test_what_the_browser_sends_counts_once() -> None:
    w = lessons.Choice("How many blocks?", OPTIONS, "30")
    w.set_state({"tried": ["12", "31", "30"]})
    assert (w.answer, w.correct, w.attempts) == ("30", True, 3)
    w.set_state({"given_up": True})
    assert not w.solved and "shown" in repr(w)


def test_several_are_right_in_any_order() -> None:
    w = lessons.Choice("Which add up?", {"heads": "Yes.", "biases": "Yes.", "norms": "No."}, ["heads", "biases"])
    w.answer = ["biases", "heads"]
    assert w.correct
    w.answer = ["heads"]
    assert w.correct is False


def test_answers_cannot_be_read_in_what_a_notebook_stores() -> None:
    w = lessons.Choice("How many blocks?", OPTIONS, "30", hints=["The last is L29."])
    stored = json.dumps(w.get_state(["part", "tried", "answer"]), default=str)
    assert "Count the rows" not in stored and "L29" not in stored and '"right": ["30"]' not in stored


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: lessons.Choice("", OPTIONS, "30"), "question of a Choice is empty"),
        (lambda: lessons.Choice("q", {"30": ""}, "30"), "two options or more; got 1"),
        (lambda: lessons.Choice("q", OPTIONS, "13"), "'13' is none of the options"),
        (lambda: lessons.Choice("q", OPTIONS, []), "none is right"),
        (lambda: lessons.Choice("q", OPTIONS, "30", hints=[{"say": "a", "sho": 1}]), "Hint 1 is a sentence"),
        (lambda: lessons.Choice("What is a [[jumq]]?", OPTIONS, "30"), 'no "jumq"'),
        (lambda: lessons.Choice("q", OPTIONS, "30", state={"trie": []}), "no part has"),
        (lambda: lessons.Chioce, "has no 'Chioce'; it has Choice"),  # type: ignore[attr-defined]
    ],
)
def test_an_author_is_told_what_is_wrong(make: Any, says: str) -> None:
    with pytest.raises((TypeError, ValueError, AttributeError)) as caught:
        make()
    assert says in str(caught.value)


def test_an_author_is_told_what_has_another_type() -> None:
    """In a process of its own: here, every call is checked before it is made."""
    calls = {
        "Choice(3, {'a': '', 'b': ''}, 'a')": "question of a Choice is a text; got int",
        "Choice('q', ['a', 'b'], 'a')": "mapping from each text",
        "Choice('q', {'a': '', 'b': ''}, 'a', hints=[3])": "Hint 1 is a sentence",
    }
    code = f"""
from lenswidget import lessons
for call, says in {calls!r}.items():
    try:
        eval("lessons." + call)
        raise AssertionError(call)
    except TypeError as reason:
        assert says in str(reason), reason
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("answer", [3, "13", ["30"], {"30": 1}, ""])
def test_what_is_no_answer_is_refused_in_a_sentence(answer: Any) -> None:
    w = lessons.Choice("How many blocks?", OPTIONS, "30")
    with pytest.raises(traitlets.TraitError, match="option"):
        w.answer = answer
    with pytest.raises(traitlets.TraitError, match="option"):
        w.tried = [answer]
    assert w.attempts == 0
    with pytest.raises(traitlets.TraitError, match="0 hints"):
        w.hints = 1


def test_a_part_belongs_to_the_lesson_that_was_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part, "_lesson", "")
    part.begin("copying")
    assert lessons.Choice("q", OPTIONS, "30").part["lesson"] == "copying"


def test_a_kernel_that_has_imported_lessons_stores_their_script_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert script.wanted() == "lessons"
    assert lessons.Hints(["Look."]).script.code == script.packed(script.code("lessons"))
    assert LensWidget(make_grid()).script.code == script.packed(script.code("lessons"))
    monkeypatch.delitem(sys.modules, "lenswidget.lessons")
    assert LensWidget(make_grid()).script.code == script.packed(script.code())


def test_the_questions_of_a_lessons_quiz_are_no_widgets_of_the_notebook() -> None:
    before = set(ipywidgets.Widget.get_manager_state(drop_defaults=True)["state"])
    quiz = lessons.lesson("reading-the-grid").quiz
    after = ipywidgets.Widget.get_manager_state(drop_defaults=True)["state"]
    made = [after[name]["model_name"] for name in after.keys() - before]
    assert sorted(made) == ["AnyModel", "LayoutModel", "WidgetModel"]  # the last is its script
    assert quiz.score().asked == 15
    first, *_ = quiz.questions.values()
    assert lessons.Number("Opened again?", 1).comm is not None and first.comm is None


def test_terms_come_with_their_definitions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terms, "glossary", lambda: {"jump": terms.Term("jump", "A step of a trajectory.")})
    w = lessons.Choice("What is a [[Jump|big jump]]?", OPTIONS, "30")
    assert w.part["terms"] == [["jump", "A step of a trajectory."]]


def test_a_number_is_right_where_it_is_near_enough() -> None:
    w = lessons.Number("How sure?", 96, within=0.1, unit="%", say="All but certain.")
    for answer, right in ((96.1, True), (95.9, True), (96.11, False), (np.float32(96), True), (97, False)):
        w.answer = answer
        assert w.correct is right, answer
    for wrong in ("96", True, float("nan"), None.__class__, [96]):
        with pytest.raises(traitlets.TraitError, match="answered by a number"):
            w.answer = wrong


def test_an_order_is_mixed_and_put_in_order() -> None:
    right = ["embedding", "blocks", "final norm", "unembedding"]
    w = lessons.Order("What comes after what?", right)
    assert w.part["items"] != right and sorted(w.part["items"]) == sorted(right)
    w.answer = w.part["items"]
    assert w.correct is False
    w.answer = right
    assert w.correct
    for wrong in (right[:3], "embedding", 3, [*right, "softmax"]):
        with pytest.raises(traitlets.TraitError, match="list of all its items"):
            w.answer = wrong


def a_quiz(**more: Any) -> lessons.Quiz:
    questions = [
        lessons.Choice("How many blocks?", OPTIONS, "30", id="blocks"),
        lessons.Number("How many heads?", 9, id="heads"),
        lessons.Order("In order?", ["a", "b"], id="order"),
    ]
    return lessons.Quiz(questions, id="quiz", **more)


def test_a_quiz_counts_the_first_answer_to_each_question() -> None:
    quiz = a_quiz()
    assert (quiz.score().right, quiz.score().asked, quiz.correct) == (0, 3, None)
    quiz.answer = {"blocks": {"tried": ["12", "30"]}, "heads": {"tried": [9]}}
    assert repr(quiz.score()) == "1 of 3, 2 answered so far" and quiz.correct is None
    quiz.answer = {**quiz.answer, "order": {"tried": [["a", "b"]]}}
    assert repr(quiz) == "Quiz: 2 of 3" and quiz.correct is False
    assert a_quiz(state=quiz.state()).score() == quiz.score()
    quiz.answer = None
    assert quiz.score().answered == 0


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ([], "by its id"),
        ({"lost": {"tried": []}}, "no question 'lost'"),
        ({"heads": 3}, "The state of question 'heads'"),
        ({"heads": {"tried": ["nine"]}}, "answered by a number"),
    ],
)
def test_a_quiz_refuses_what_is_no_answer(answer: Any, says: str) -> None:
    with pytest.raises(traitlets.TraitError, match=says):
        a_quiz().answer = answer


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: lessons.Quiz([]), "at least one question"),
        (lambda: lessons.Quiz([a_quiz()]), "question 1 is a Quiz"),
        (lambda: lessons.Quiz([lessons.Number("n", 1), lessons.Number("n", 1)]), "Two questions of this quiz"),
        (lambda: lessons.Number("n", float("inf")), "`right` is a number; got inf"),
        (lambda: lessons.Number("n", 1, within=-1), "`within` is a number of 0 or more; got -1"),
        (lambda: lessons.Order("o", ["a"]), "needs two items"),
        (lambda: lessons.Order("o", ["a", "b", "a"]), "can't tell 'a'"),
        (lambda: lessons.Hints([]), "one or more"),
        (lambda: lessons.Header({"titel": "x"}), "no 'titel'"),
        (lambda: lessons.Header({"know": ["x"]}), "`know` of a header"),
        (lambda: lessons.Header({"minutes": "5"}), "minutes of a header is a whole number"),
    ],
)
def test_an_author_is_told_what_is_wrong_with_a_question(make: Any, says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        make()
