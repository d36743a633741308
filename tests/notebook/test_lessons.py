"""Every lesson runs from top to bottom, and shows what its text says."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def holding(lesson: str) -> str:
    """The cell that ends a lesson: what its words say is compared with what it computed, in its own kernel."""
    truths = (ROOT / "tests" / "lessons" / f"{lesson}.py").read_text("utf-8")
    return f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from tests.lessons.prose import Prose
prose = Prose.of({lesson!r})
says = prose.says
{truths}
prose.hold()
from tests.lessons.exercises import hold_exercises
hold_exercises({lesson!r}, globals())
"""


@pytest.mark.lesson
@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_runs_from_top_to_bottom(path: Path, smollm: Any) -> None:
    notebook = nbformat.read(path, as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells), "lessons are kept without outputs"
    notebook.cells.append(nbformat.v4.new_code_cell(holding(path.stem)))
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    data = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])]
    for shown, least in {"application/vnd.jupyter.widget-view+json": 5, "image/png": 2}.items():
        assert sum(shown in bundle for bundle in data) >= least


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_opens_in_colab_and_installs_only_where_it_must(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    at = next(i for i, cell in enumerate(cells) if cell.cell_type == "code")
    intro, setup = "\n".join(cell.source for cell in cells[:at]), cells[at]
    assert f"/blob/main/notebooks/{path.name})" in intro
    assert setup.metadata.get("tags") == ["remove-cell"]  # no page needs it
    code = compile(setup.source.replace("%pip install --quiet lenswidget", "raise SystemExit"), path.name, "exec")
    exec(code)  # where lenswidget is installed, nothing is
    assert cells[0].source.startswith("# ") and "![" not in intro and "import" in cells[at + 1].source


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_the_code_of_a_question_is_folded(path: Path) -> None:
    """It holds what is right, and what is said of each answer; so it stands alone in its cell, which is folded."""
    for cell in nbformat.read(path, as_version=4).cells:
        asks = re.search(r"^lessons\.(Point|Predict|Choice|Number|Order)\(", cell.source, re.MULTILINE)
        if cell.cell_type == "code" and asks:
            assert cell.metadata["jupyter"]["source_hidden"] and cell.metadata["cellView"] == "form"
            before = ast.parse(cell.source).body[:-1]
            assert all(isinstance(statement, ast.FunctionDef) for statement in before)  # a rule of its own


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_what_a_question_covers_is_not_shown_in_the_next_figure(path: Path) -> None:
    """A reader who scrolls would see it before she has drawn her guess."""
    covered: set[str] = set()
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type != "code" or "%pip" in cell.source or not (statements := ast.parse(cell.source).body):
            continue
        last = statements[-1]
        if not isinstance(last, ast.Expr):
            continue
        call = last.value if isinstance(last.value, ast.Call) else None
        if call and ast.unparse(call.func) == "lessons.Predict":
            covered.add(ast.unparse(call.args[0]))
            continue
        shown = {ast.unparse(last.value)}
        if call and ast.unparse(call.func) == "lessons.Point":
            shown = {ast.unparse(call.args[0])}
        elif call and isinstance(call.func, ast.Attribute) and call.func.attr == "widget":
            shown = {ast.unparse(call.func.value)}
        assert not shown & covered, cell.source
