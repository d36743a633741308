"""A class's answers as a table: judged again, and every broken file named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lenswidget import lessons

MINE = """---
title: Mine
minutes: 5
---
Two questions.

## Quiz
### One?
- [x] yes — so
- [ ] no — not so

### How many?
= 30 ± 1 — said
"""


@pytest.fixture
def mine(tmp_path: Path) -> lessons.Lesson:
    (tmp_path / "mine.md").write_text(MINE)
    return lessons.Lesson.read(tmp_path / "mine.md")


def saved(folder: Path, name: str, lesson: lessons.Lesson, answers: list[Any], **more: Any) -> None:
    """As a page saves them: each question's tries by its id."""
    folder.mkdir(exist_ok=True)
    states = {one: {"tried": tries} for one, tries in zip(lesson.quiz.questions, answers) if tries}
    quiz = {"tried": [states] if states else [], "hints": 0, "given_up": False, **more}
    whole = {"format": "lenswidget answers", "version": 1, "lessons": {"mine": {"quiz": quiz, "other": {"tried": [1]}}}}
    (folder / f"{name}.json").write_text(json.dumps(whole))


def test_answers_are_judged_again(mine: lessons.Lesson, tmp_path: Path) -> None:
    folder = tmp_path / "answers"
    saved(folder, "ann", mine, [["yes"], [31]])
    saved(folder, "bob", mine, [["no", "yes"], [30]])  # the first try counts
    saved(folder, "cat", mine, [["no"], []], score={"right": 2, "answered": 2, "asked": 2})  # written in by hand
    (folder / "dan.json").write_text('{"format": "lenswidget answers", "version": 1, "lessons": {}}')
    table = lessons.scores(folder, lessons=[mine])
    assert list(table.index) == ["ann", "bob", "cat", "dan"] and list(table.columns) == ["mine"]
    assert table["mine"].tolist()[:3] == [2, 1, 0] and table["mine"].iloc[3] is pd.NA
    assert lessons.scores([folder / "ann.json"], lessons=[mine])["mine"].sum() == 2


def test_answers_of_the_course_need_no_more(tmp_path: Path) -> None:
    lesson = lessons.lesson("reading-the-grid")
    (number, text) = next((n, q) for n, q in enumerate(lesson.text.questions) if hasattr(q, "options"))
    name = list(lesson.quiz.questions)[number]
    quiz = {"tried": [{name: {"tried": [text.right[0]]}}]}
    whole = {"format": "lenswidget answers", "version": 1, "lessons": {"reading-the-grid": {"quiz": quiz}}}
    (tmp_path / "ann.json").write_text(json.dumps(whole))
    assert lessons.scores(tmp_path).loc["ann", "reading-the-grid"] == 1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("no", r"a\.json holds no answers: it is not JSON"),
        ("[]", r"a\.json holds no answers: it isn't an answers\.json"),
        ('{"format": "x"}', r"a\.json holds no answers"),
        ('{"format": "lenswidget answers", "version": 2}', "answers of version 2; this lenswidget reads version 1"),
        ('{"format": "lenswidget answers", "version": 1, "lessons": [1]}', r"a\.json is broken"),
        (
            '{"format": "lenswidget answers", "version": 1, "lessons": {"x": {"quiz": {}}}}',
            'lesson "x", which isn\'t of',
        ),
        (
            '{"format": "lenswidget answers", "version": 1, "lessons": {"mine": {"quiz": 3}}}',
            'quiz of "mine" aren\'t a list',
        ),
        (
            '{"format": "lenswidget answers", "version": 1, "lessons": {"mine": {"quiz": {"tried": [{"x": {"tried": []}}]}}}}',
            "quiz of \"mine\": This quiz has no question 'x'",
        ),
    ],
)
def test_a_broken_file_is_named(mine: lessons.Lesson, tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValueError, match=sentence):
        lessons.scores(tmp_path / "a.json", lessons=[mine])


def test_no_files_and_two_of_one_name_are_said(mine: lessons.Lesson, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no files of answers"):
        lessons.scores(tmp_path)
    with pytest.raises(ValueError, match='Two files are called "a"'):
        lessons.scores([tmp_path / "x/a.json", tmp_path / "y/a.json"])
