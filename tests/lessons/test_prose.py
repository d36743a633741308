"""A figure in a lesson that is false, or that nothing holds, is found."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.lessons import prose
from tests.lessons.prose import Prose


@pytest.fixture
def lesson(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Prose:
    cells = [
        new_markdown_cell(
            "## 1 Gold before Au\n\nIn 2023, lesson 3 said of `2 + 2 =` at `L27` what\n[one](https://arxiv.org/abs/2303.08112)"
            " formula, $x_0 = 1$, says.\n\n1. ` gold` leads with\n   **88 %**, then with 0.91.\n2. `12 cats` do not."
        ),
        new_code_cell(
            "run('2 + 2 =')\nlessons.Choice('Which of 4?', {'of 5': 'It is 6.', 'of 7': 'It is.'}, 'of 7', hints=['See 8.'])"
        ),
        new_code_cell("lessons.Number('How many?', 30, within=1, id='q99')\nlessons.Order(f'{n} of 31', ['a'])"),
    ]
    (tmp_path / "notebooks").mkdir()
    nbformat.write(new_notebook(cells=cells), tmp_path / "notebooks" / "03_gold.ipynb")
    (tmp_path / "03_gold.md").write_text(
        "---\nnumber: 3\nminutes: 25\n---\n"
        "### At what?\n- [ ] 41 of them. — No: 42.\n- [x] 43 of them. — Yes.\n### And?\n= 44 ± 0 — So.\n"
    )
    (tmp_path / "gold.py").write_text(
        "EXERCISES = {'a1': Exercise(question='Of 51?', check=None, solution='answer = 52')}"
    )
    monkeypatch.setattr(prose, "ROOT", tmp_path)
    monkeypatch.setattr(prose, "COURSE", tmp_path)
    return Prose.of("03_gold")


def test_every_number_that_nothing_holds_is_named_in_its_words(lesson: Prose) -> None:
    numbers = [line.partition(" in ")[0] for line in lesson.loose()]
    assert sorted(numbers) == sorted(["88", "0.91", "12", "4", "6", "7", "8", "30", "31", "42", "43", "44", "0", "51"])
    assert any("then with 0.91." in line for line in lesson.loose())


def test_what_was_computed_holds_the_phrase_that_says_it(lesson: Prose) -> None:
    before = len(lesson.loose())
    lesson.says("` gold` leads with {:.0%}", 0.876)
    lesson.says("then with {:.2f}.", 0.911)
    assert not lesson.missing and len(lesson.loose()) == before - 2
    lesson.says("leads with {:.0f} %", 86)
    lesson.says("with 0.9")  # not a part of a longer number
    lesson.says("old leads with 88")  # nor of a word
    assert lesson.missing == ["leads with 86 %", "with 0.9", "old leads with 88"]
    with pytest.raises(AssertionError, match=r"(?s)not in the lesson: leads with 86 %.*held by nothing: .*12 cats"):
        lesson.hold()
