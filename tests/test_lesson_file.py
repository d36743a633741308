"""Lessons as text: what their files say, and the sentence for each way in which one can be wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lenswidget import lessons
from lenswidget.lessons.exercise import Checked, Exercise, judge
from lenswidget.lessons.lesson_file import (
    Before,
    ChoiceText,
    LessonText,
    Link,
    Named,
    NumberText,
    OrderText,
    parse_lesson,
)
from lenswidget.lessons.notebook_lesson import course_files, name_of
from lenswidget.lessons.terms import meaning, read_glossary
from tests.grids import HOSTILE

WHOLE = """---
title: Meaning before form
number: 3
minutes: 25
know: what a row says, in words (reading-the-grid), some Python
terms: residual stream, jump
see: It has *gold*, and says *Au*.
---
Ask for the symbol of gold,
and look.

## Moves
- **Read** what each row
  would say
- **Ask who** wrote it

## Quiz
### At L24 the lens says `␣gold` 96 %. What may you conclude?
- [ ] It would say gold. — It would not.
- [x] A map can read gold — yes — from L24. — Whether it is used
  is another question.
- [X] Both of these. — Also so.

### How many blocks has this model?

Count the rows.

= 30 ± 0 blocks — All but the lowest.

### How many bits?
= −1.5 ± .25

### Put in order
1. first
2. then
   this
3. last

Each reads the one before.

## Next
- copying: Four heads read the same token.

## Read on
- [Wendler et al. 2024](https://arxiv.org/abs/2402.10588): the same in three languages
- [the map](../docs/architecture.md)
"""


def test_a_lesson_says_what_its_file_says() -> None:
    assert parse_lesson(WHOLE, "a.md") == LessonText(
        source="a.md",
        title="Meaning before form",
        number=3,
        minutes=25,
        lead="Ask for the symbol of gold, and look.",
        see="It has *gold*, and says *Au*.",
        know=(Before("what a row says", ""), Before("in words", "reading-the-grid"), Before("some Python", "")),
        terms=("residual stream", "jump"),
        moves=(Named("Read", "what each row would say"), Named("Ask who", "wrote it")),
        questions=(
            ChoiceText(
                "At L24 the lens says `␣gold` 96 %. What may you conclude?",
                {
                    "It would say gold.": "It would not.",
                    "A map can read gold": "yes — from L24. — Whether it is used is another question.",
                    "Both of these.": "Also so.",
                },
                ("A map can read gold", "Both of these."),
            ),
            NumberText(
                "How many blocks has this model?\n\nCount the rows.", 30.0, 0.0, "blocks", "All but the lowest."
            ),
            NumberText("How many bits?", -1.5, 0.25, "", ""),
            OrderText("Put in order", ("first", "then this", "last"), "Each reads the one before."),
        ),
        next=(Named("copying", "Four heads read the same token."),),
        read_on=(
            Link("Wendler et al. 2024", "https://arxiv.org/abs/2402.10588", "the same in three languages"),
            Link("the map", "../docs/architecture.md", ""),
        ),
    )


def test_a_lesson_may_be_a_title_and_a_paragraph() -> None:
    text = parse_lesson("\ufeff---\ntitle: Short\nminutes: 5\n---\n\nOne paragraph.")
    assert (text.title, text.lead, text.number, text.questions) == ("Short", "One paragraph.", None, ())


HEAD = "---\ntitle: T\nminutes: 5\n---\nLead.\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", r'line 1: A lesson begins with a line "---"'),
        ("# Title\n", 'line 1: A lesson begins with a line "---"'),
        ("---\ntitle: T\n", 'line 1: What begins with "---" ends with'),
        ("---\ntitle: T\nminutes: 5\nauthor: me\n---\nLead.", 'line 4: "author: me" is not one of title: …'),
        ("---\ntitle: T\ntitle: U\n---\n", 'line 3: "title" is there twice; the first is in line 2'),
        ("---\nminutes: 5\n---\nLead.", "needs a title"),
        ("---\ntitle: T\n---\nLead.", "needs a minutes"),
        ("---\ntitle: T\nminutes: soon\n---\nLead.", 'line 3: "minutes" is a whole number .* "soon"'),
        ("---\ntitle: T\nminutes: 5\n---\n## Quiz\n", "begins with a paragraph"),
        (HEAD + "## Summary\n", 'line 6: A lesson has no section "Summary"; its sections are Moves, Quiz'),
        (HEAD + "## Next\n## Next\n", 'line 7: The section "Next" is there twice; the first is in line 6'),
        (HEAD + "## Moves\n- read\n", r'line 7: A move is "- \*\*Read\*\* what'),
        (HEAD + "## Moves\nread\n", "line 7: Here stands a list"),
        (HEAD + "## Next\n- Some lesson\n", 'line 7: A way on is "- name-of-the-lesson'),
        (HEAD + "## Read on\n- Wendler\n", "line 7: Something to read is"),
        (HEAD + "## Read on\n- [x](javascript:alert)\n", "line 7: .* no address"),
        (HEAD + "## Quiz\n", "line 6: The quiz has no question"),
        (HEAD + "## Quiz\nHow?\n", 'line 7: A question of the quiz begins with "### "'),
        (HEAD + "## Quiz\n### How?\n", 'line 7: "How\\?" has no answers'),
        (HEAD + "## Quiz\n### \n- [x] a — b\n", 'line 7: The question stands behind "### "'),
        (HEAD + "## Quiz\n### How?\n- a — b\n", 'line 8: An option begins with "- \\[ \\] "'),
        (HEAD + "## Quiz\n### How?\n- [ ] a\n- [x] b — c\n", "line 8: Say what is so"),
        (HEAD + "## Quiz\n### How?\n- [ ] a — b\n- [ ] c — d\n", "line 7: No option"),
        (HEAD + "## Quiz\n### How?\n- [x] a — b\n", "line 7: .* has one option"),
        (HEAD + "## Quiz\n### How?\n- [x] a — b\n- [ ] a — c\n", 'line 9: "a" is an option'),
        (HEAD + "## Quiz\n### How?\n= many — says\n", 'line 8: The answer is a number.*"= many"'),
        (HEAD + "## Quiz\n### How?\n= 3 ± -1 — says\n", 'line 8: How far .* "± -1"'),
        (HEAD + "## Quiz\n### How?\n= 3\n= 4\n", "line 9: .* has a number already, in line 8"),
        (HEAD + "## Quiz\n### How?\n1. a\n2. a\n", "line 7: .* two items or more .* no two alike"),
        (HEAD + "## Quiz\n### How?\n1. a\nand so on\n2. b\n", 'line 9: .*"and so on" is none'),
        (HEAD + "## Quiz\n### How?\n= 1\n### How?\n= 2\n", 'asks "How\\?" twice'),
    ],
)
def test_what_is_wrong_in_a_lesson_is_said_with_its_line(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"^mine\.md.*" + sentence):
        parse_lesson(text, "mine.md")


def test_text_of_a_lesson_is_only_text() -> None:
    for text in HOSTILE:
        line = " ".join(text.split())
        if not line or line.startswith("#"):
            continue
        found = parse_lesson(f"{HEAD}## Quiz\n### {line} ?\n- [x] {line}. — {line}\n- [ ] other — said\n", "a.md")
        (question,) = found.questions
        assert isinstance(question, ChoiceText) and question.question == f"{line} ?"


def test_a_file_that_is_no_text_is_said(tmp_path: Path) -> None:
    (tmp_path / "mine.md").write_bytes(b"\xff\xfe---")
    with pytest.raises(ValueError, match=r"mine\.md is not text in UTF-8"):
        lessons.Lesson.read(tmp_path / "mine.md")
    with pytest.raises(OSError, match=r"none\.md"):
        lessons.Lesson.read(tmp_path / "none.md")


def test_a_lesson_is_called_as_its_file_is() -> None:
    assert (
        name_of("notebooks/03_meaning_before_form.ipynb") == "meaning-before-form" == name_of("meaning-before-form.md")
    )
    assert name_of("10_something_slipped_in.ipynb") == "something-slipped-in"
    with pytest.raises(ValueError, match=r"no lesson 'gold'; it has .*For one of your own: lessons\.Lesson\.read"):
        lessons.lesson("gold")


COURSE = {
    "reading-the-grid",
    "which-lens-to-believe",
    "meaning-before-form",
    "copying",
    "who-did-it",
    "agreement",
    "answers-that-were-lost",
    "take-it-away-put-it-in",
    "limits",
    "something-slipped-in",
}


@pytest.mark.parametrize("name", course_files())
def test_every_lesson_of_the_course_is_whole(name: str) -> None:
    lesson = lessons.lesson(name)
    assert name in COURSE
    assert {one.name for one in lesson.text.next} <= COURSE
    assert {one.lesson for one in lesson.text.know} - {""} <= COURSE
    for term in lesson.text.terms:
        assert meaning(term)
    for asked in lesson.exercises.values():
        compile(asked.solution, name, "exec")


def test_where_an_option_stands_does_not_tell_that_it_is_right() -> None:
    places = []
    for name in course_files():
        quiz = lessons.lesson(name).quiz
        for asked in quiz.questions.values():
            if isinstance(asked, lessons.Choice) and isinstance(right := asked._right, list) and len(right) == 1:
                texts = [option["text"] for option in asked.part["options"]]
                places.append(texts.index(right[0]))
        assert [one.part for one in lessons.lesson(name).quiz.questions.values()] == [
            one.part for one in quiz.questions.values()
        ]
    assert max(places.count(place) for place in set(places)) < 0.5 * len(places)


# exercises

HALF = Exercise(
    "What is half of one?",
    check=lambda value: abs(float(value) - 0.5) < 1e-9 or f"{float(value):g} is not half of one.",
    solution="answer = 1 / 2",
    hints=["Two of them make one."],
    expects="a number, such as 0.25",
)


def test_an_exercise_is_right_wrong_or_not_answered() -> None:
    assert judge(HALF, 0.5) == Checked(True, "Right.")
    assert judge(HALF, np.float32(0.5)).right is True
    assert judge(HALF, 2) == Checked(False, "2 is not half of one.")
    none = judge(HALF, ...)
    assert none.right is None and not none and "No answer yet" in repr(none)


@pytest.mark.parametrize("answer", [None, "much", "", [], {}, np.zeros(3), object(), float, b"\xff"])
def test_an_answer_of_another_kind_is_a_sentence(answer: object) -> None:
    said = judge(HALF, answer)
    assert said.right is False and "can't be read" in said.says and "An answer is a number, such as 0.25." in said.says
    assert len(said.says) < 300


def test_an_answer_that_has_no_repr_is_a_sentence() -> None:
    class Odd:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    assert "a Odd" in judge(HALF, Odd()).says


def test_an_answer_is_never_markup() -> None:
    says = judge(HALF, "<img src=x onerror=alert(1)>")._repr_mimebundle_()["text/html"]
    assert "<img" not in says and "&lt;img" in says


def test_a_check_may_look_at_the_grid_that_is_shown() -> None:
    row = Exercise("Which is the last row?", lambda row, rows: row == rows[-1], "answer = 'b'")
    assert judge(row, "b", [["a", "b"]]).right and judge(row, "a", [["a", "b"]]).says.startswith("Not yet: 'a'.")


def test_an_exercise_that_cant_be_asked_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a question"):
        Exercise(" ", lambda value: True, "answer = 1")
    with pytest.raises(ValueError, match="assigns `answer`"):
        Exercise("What?", lambda value: True, "value = 1")
    with pytest.raises(TypeError, match="returned None"):
        judge(Exercise("What?", lambda value: None, "answer = 1"), 1)  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        ("lessons.Exercise('What?', 'right', 'answer = 1')", "check= is a function of an answer"),
        ("lessons.Exercise('What?', bool, 'answer = 1', hints='look')", "put it into brackets"),
        ("lessons.Lesson.read('mine.md', {'half': 0.5})", "'half' leads to a float"),
    ],
)
def test_what_is_of_another_kind_is_said(call: str, sentence: str) -> None:
    """In a Python of its own: here, shapes and types are checked before the code is reached."""
    done = subprocess.run(
        [sys.executable, "-c", f"from lenswidget import lessons; {call}"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert sentence in done.stderr.splitlines()[-1]


def test_a_lesson_of_ones_own_checks_its_exercises(tmp_path: Path) -> None:
    (tmp_path / "07_my_own.md").write_text(WHOLE, encoding="utf-8")
    lesson = lessons.Lesson.read(tmp_path / "07_my_own.md", {"half": HALF})
    assert lesson.name == "my-own" and repr(lesson).endswith("lesson 3, 25 minutes, 1 exercise, 4 questions")
    assert lesson.check("half", 0.5).right
    with pytest.raises(ValueError, match=r'no exercise \'whole\'; its exercises are: "half"\.'):
        lesson.check("whole", 1)


# the glossary


def test_the_glossary_has_a_sentence_for_each_term() -> None:
    terms = lessons.glossary()
    assert len(terms) >= 40 and all(term.says.endswith((".", ")")) for term in terms.values())
    assert terms["residual stream"].lesson == 1 and terms["residual stream"].anchor == "residual-stream"
    with pytest.raises(ValueError, match=r'no "residual".*Like it are residual stream'):
        meaning("residual")


def test_what_is_wrong_in_a_glossary_is_said_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "glossary.md"
    path.write_text("# Words\n\n## one\nSaid.\n\n## two\n\n")
    with pytest.raises(ValueError, match=r'line 6: "two" has no sentence'):
        read_glossary(path)
    path.write_text("## one\nSaid.\n## One\nAgain.\n")
    with pytest.raises(ValueError, match=r'line 3: "One" is in the glossary already'):
        read_glossary(path)


def test_lessons_need_no_torch() -> None:
    code = (
        "import sys; from lenswidget import lessons; lessons.glossary(); lessons.Lesson; lessons.Exercise; "
        "sys.exit('torch' in sys.modules or 'nbconvert' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
