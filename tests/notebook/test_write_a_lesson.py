"""The lesson in docs/how-to/write-a-lesson.md is a whole one: it reads, runs, solves its exercise and becomes a page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from lenswidget import lessons
from lenswidget.lessons.assignment import write_assignment
from lenswidget.lessons.notebook_pages import build

TEXT = (Path(__file__).parents[2] / "docs/how-to/write-a-lesson.md").read_text("utf-8")


@pytest.fixture
def written(tmp_path: Path) -> Path:
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    (text,) = [code for kind, code in blocks if kind == "markdown"]
    exercises, *cells = [code for kind, code in blocks if kind == "python"]
    last = next(at for at, code in enumerate(cells) if "lesson.next" in code)
    (tmp_path / "hot.md").write_text(text, encoding="utf-8")
    (tmp_path / "hot.py").write_text(exercises, encoding="utf-8")
    all_cells = [new_markdown_cell("# Warm before cold\n\nLook."), *map(new_code_cell, cells[: last + 1])]
    nbformat.write(new_notebook(cells=all_cells), tmp_path / "hot.ipynb")
    return tmp_path


def test_the_lesson_that_is_shown_is_one(written: Path) -> None:
    lesson = lessons.Lesson.read(written / "hot.md")
    assert repr(lesson) == "Warm before cold: a lesson, 10 minutes, 1 exercise, 3 questions"
    assert write_assignment(written / "hot.ipynb", written / "course", "nbgrader").is_file()


@pytest.mark.lesson
def test_the_lesson_that_is_shown_runs_and_is_solved(written: Path, smollm: Any) -> None:
    notebook = nbformat.read(written / "hot.ipynb", as_version=4)
    at = next(at for at, cell in enumerate(notebook.cells) if cell.source.startswith("answer = ..."))
    solution = lessons.Lesson.read(written / "hot.md").exercises["cold-leads"].solution
    check = "checked = lesson.check('cold-leads', answer, grid)\nassert checked.right, checked.says\n"
    wrong = "assert lesson.check('cold-leads', 'L3', grid).right is False"
    notebook.cells.insert(at + 1, new_code_cell(f"{solution}\n{check}{wrong}"))
    nbformat.write(notebook, written / "hot.ipynb")
    page, index = build([written / "hot.ipynb"], written / "site")
    assert page.read_text("utf-8").count("data-lens-part=") == 4 and "hot.html" in index.read_text("utf-8")
