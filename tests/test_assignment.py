"""Assignments: what nbgrader and Otter get, and that both really grade it, in an environment of their own."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from lenswidget.__main__ import main
from lenswidget.lessons.assignment import without_solutions, write_assignment
from tests.grids import make_grid

LESSON = "---\ntitle: My rows\nminutes: 5\n---\nLook at the last row.\n"
EXERCISES = '''"""Exercises."""
from lenswidget import lessons

EXERCISES = {
    "last-row": lessons.Exercise(
        "Which is the last row?",
        check=lambda row, grid: row == grid.rows[-1] or f"{row} – no.",
        solution="answer = grid.rows[-1]",
        hints=["Look up.", {"say": "Show me", "code": "grid.rows[-1]"}],
    ),
    "how-many": lessons.Exercise(
        "How many rows are there?",
        check=lambda count, grid: int(count) == len(grid.rows) or "Count again.",
        solution="""
answer = 0
for _ in grid.rows:
    answer += 1
""",
    ),
}
'''
ANSWERS = {
    "right": ("answer = grid.rows[-1]", "answer = len(grid.rows)"),
    "half": ("answer = 'embed'", "answer = len(grid.rows)"),
    "none": ("answer = ...", "answer = ..."),
}


def cells() -> list[Any]:
    code = [
        "import lenswidget as lw\nfrom lenswidget import lessons\nlesson = lessons.Lesson.read('my_rows.md')\nlesson",
        "%time grid = lw.Grid.load('grid.npz')",
        "lesson.exercise('last-row')",
        "answer = ...  # your turn",
        "lesson.check('last-row', answer, grid)",
        "lesson.exercise('how-many')",
        "answer = ...  # your turn",
        "lesson.check('how-many', answer, grid)",
    ]
    return [new_markdown_cell("# My rows\n\nSee [row](words.md#row)."), *map(new_code_cell, code)]


@pytest.fixture
def lesson(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    make_grid().save(folder / "grid.npz")
    (folder / "my_rows.md").write_text(LESSON)
    (folder / "my_rows.py").write_text(EXERCISES, encoding="utf-8")
    (folder / "words.md").write_text("## row\nA line.\n")
    nbformat.write(new_notebook(cells=cells(), metadata=KERNEL), folder / "02_my_rows.ipynb")
    return folder / "02_my_rows.ipynb"


KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


def test_an_assignment_has_the_solutions_and_hides_them(lesson: Path, tmp_path: Path) -> None:
    out = tmp_path / "course"
    assert main(["assignment", str(lesson), "--nbgrader", "--points", "3", "-o", str(out)]) == 0
    folder = out / "source/my-rows"
    # what the notebook names comes with it
    assert {path.name for path in folder.iterdir()} == {
        "my-rows.ipynb",
        "grid.npz",
        "my_rows.md",
        "my_rows.py",
        "words.md",
    }
    notebook = nbformat.read(folder / "my-rows.ipynb", as_version=4)
    graded = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    assert [cell.metadata.nbgrader.grade_id for cell in graded] == ["last-row", "how-many"]
    assert all(cell.metadata.nbgrader.points == 3 and "HIDDEN TESTS" in cell.source for cell in graded)
    assert sum("answer += 1" in cell.source for cell in notebook.cells) == 1
    exercises = (folder / "my_rows.py").read_text("utf-8")
    assert "answer += 1" not in exercises and "grid.rows[-1] or" in exercises and '"code": "answer = ..."' in exercises


def test_a_course_of_nbgrader_keeps_its_settings(lesson: Path, tmp_path: Path) -> None:
    (tmp_path / "nbgrader_config.py").write_text("# mine")
    write_assignment(lesson, tmp_path, "nbgrader")
    assert (tmp_path / "nbgrader_config.py").read_text() == "# mine"


def test_every_lesson_of_the_course_that_asks_can_be_assigned(tmp_path: Path) -> None:
    for path in sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb")):
        if "lesson.check(" in path.read_text("utf-8"):
            written = write_assignment(path, tmp_path, "otter")
            asked = path.read_text("utf-8").count("lesson.check(")
            assert written.read_text("utf-8").count("# BEGIN QUESTION") == asked


Change = Callable[[list[Any]], list[Any]]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda cells: cells[:1], "has no lesson: a cell says"),
        (lambda cells: cells[:4], 'checks no exercise: .* the exercises of its lesson are: "last-row", "how-many"'),
        (lambda cells: [*cells[:4], cells[5]], 'checks "last-row", and no cell above has a line `answer = ...`'),
        (
            lambda cells: [*cells[:5], new_code_cell("lesson.check('first', answer)")],
            'checks "first"; the exercises of its lesson are: "last-row", "how-many"',
        ),
    ],
)
def test_what_makes_no_assignment_is_said(
    lesson: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Change, sentence: str
) -> None:
    import re

    nbformat.write(new_notebook(cells=change(cells())), lesson)
    assert main(["assignment", str(lesson), "--otter", "-o", str(tmp_path / "out")]) == 1
    assert re.search(sentence, capsys.readouterr().err)


def test_a_file_that_is_no_notebook_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.ipynb").write_text("no")
    for name, sentence in (("a", "is not a notebook"), ("b", "No such file")):
        assert main(["assignment", str(tmp_path / f"{name}.ipynb"), "--otter", "-o", str(tmp_path)]) == 1
        assert sentence in capsys.readouterr().err


def test_a_solution_that_cant_be_taken_out_is_refused() -> None:
    with pytest.raises(ValueError, match=r"mine\.py, line 2: a solution is a text that is written there"):
        without_solutions("text = 'answer = 1'\nExercise('What?', bool, solution=text)", "mine.py")
    kept = "EXERCISES = {'ü': Exercise('ü?', bool, 'answer = 1')}; after = 'ü'"
    assert without_solutions(kept, "mine.py") == kept.replace("'answer = 1'", '"answer = ..."')


# the tools themselves

NEEDS = ["anywidget", "ipykernel", "jaxtyping", "nbgrader", "numpy>=2", "otter-grader", "pillow"]


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with both tools, and lenswidget without torch, as a grader's machine may have it."""
    folder = tmp_path_factory.mktemp("graders") / "venv"
    pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet"]
    try:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True)
        subprocess.run([*pip, *NEEDS], check=True, capture_output=True, text=True)
        root = str(Path(__file__).parents[1])
        subprocess.run([*pip, "--no-deps", root], check=True, capture_output=True, text=True)
    except subprocess.CalledProcessError as reason:
        pytest.skip(f"nbgrader and Otter can't be installed here: {str(reason.stderr).strip().splitlines()[-1]}")
    return folder / "bin"


def run(tools: Path, *command: str, folder: Path) -> None:
    environment = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(
        [str(tools / command[0]), *command[1:]],
        check=False,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def hand_in(copy: Path, name: str, folder: Path) -> None:
    """A student's answers, in the notebook that she was given."""
    folder.mkdir(parents=True)
    for file in copy.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    notebook = nbformat.read(copy / "my-rows.ipynb", as_version=4)
    text = "".join(cell.source for cell in notebook.cells)
    assert "answer += 1" not in text and "assert" not in text  # neither a solution nor a hidden test
    empty = [cell for cell in notebook.cells if cell.source.startswith("answer = ...  # your turn")]
    for cell, answer in zip(empty, ANSWERS[name], strict=True):
        cell.source = answer
    nbformat.write(notebook, folder / "my-rows.ipynb")


@pytest.mark.lesson
def test_nbgrader_grades_what_students_hand_in(tools: Path, lesson: Path, tmp_path: Path) -> None:
    write_assignment(lesson, tmp_path / "course", "nbgrader", points=2)
    course = tmp_path / "course"
    run(tools, "nbgrader", "generate_assignment", "my-rows", folder=course)
    for name in ANSWERS:
        hand_in(course / "release/my-rows", name, course / "submitted" / name / "my-rows")
    run(tools, "nbgrader", "autograde", "my-rows", folder=course)
    run(tools, "nbgrader", "export", folder=course)
    with (course / "grades.csv").open() as stream:
        grades = {row["student_id"]: (float(row["score"]), float(row["max_score"])) for row in csv.DictReader(stream)}
    assert grades == {"right": (4, 4), "half": (2, 4), "none": (0, 4)}


@pytest.mark.lesson
def test_otter_grades_what_students_hand_in(tools: Path, lesson: Path, tmp_path: Path) -> None:
    written = write_assignment(lesson, tmp_path / "otter", "otter", points=2)
    # Otter runs the solutions, too, and stops where a test of its own doesn't pass
    run(tools, "otter", "assign", written.name, "dist", folder=written.parent)
    (autograder,) = (written.parent / "dist/autograder").glob("*.zip")
    for name, points in {"right": [2, 2], "half": [0, 2], "none": [0, 0]}.items():
        hand_in(written.parent / "dist/student", name, tmp_path / name)
        run(tools, "otter", "run", "my-rows.ipynb", "-a", str(autograder), "-o", str(tmp_path), folder=tmp_path / name)
        results = json.loads((tmp_path / "results.json").read_text())
        assert [test["score"] for test in results["tests"] if test["name"] != "Public Tests"] == points
