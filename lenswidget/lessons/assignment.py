"""A lesson's notebook as an assignment: what nbgrader or Otter makes the students' copies from, with hidden tests.

Both tools take a notebook with the solutions in it, and marks that say what a student doesn't get. Here the solutions come from
the lesson's exercises, and a hidden test is the exercise's own check, by a lesson that is read anew.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import nbformat

from lenswidget.grids.whole_file import write_whole
from lenswidget.lessons.exercise import Exercise
from lenswidget.lessons.notebook_lesson import Lesson, course_lesson, exercises_beside, name_of

Tool = Literal["nbgrader", "otter"]
NBGRADER_CONFIG = """c = get_config()

# A student's cell says `answer = ...` already: nothing is put in place of a solution.
c.ClearSolutions.code_stub = {"python": ""}
"""


@dataclass(frozen=True)
class Asked:
    """An exercise in a notebook: the cells in which it is answered and checked, and the arguments of the check as written."""

    name: str
    answer_cell: int
    check_cell: int
    variable: str
    arguments: str
    solution: str


def write_assignment(
    notebook: str | os.PathLike[str], folder: str | os.PathLike[str], tool: Tool, *, points: int = 1
) -> Path:
    """Write what a tool makes the students' copies of a lesson from: solutions and hidden tests are in it. Returns the notebook.

    For nbgrader, `folder` is a course: the notebook goes under `source/`, `nbgrader_config.py` beside that if there is none, and
    `nbgrader generate_assignment NAME` goes on. For Otter, `otter assign NAME.ipynb dist` does. Each exercise gives `points`.
    Files that the notebook's code names are copied with it, the exercises of a lesson of your own without their solutions.

    Raises ValueError where the notebook has no lesson, or no exercise that is answered and checked, with what is missing; OSError
    where something can't be read or written.
    """
    source = Path(notebook)
    read = _read(source)
    taught, reads = _lesson_of(read, source)
    asked = {one.check_cell: one for one in _asked(read, source, taught.exercises)}
    name = name_of(source)
    inside = Path(folder) / "source" / name if tool == "nbgrader" else Path(folder)
    inside.mkdir(parents=True, exist_ok=True)
    copied = [_copy(file, inside) for file in _files(read, source)]
    mark = _Nbgrader() if tool == "nbgrader" else _Otter(name, copied)
    cells = mark.begin()
    answers = {one.answer_cell: one for one in asked.values()}
    for number, cell in enumerate(read.cells):
        if number in answers:
            cells += mark.answer(cell, answers[number], points)
        else:
            cells.append(cell)
        if number in asked:
            cells += mark.tests(asked[number], _test(asked[number], reads), points)
    for cell in cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    kernel = {name: read.metadata[name] for name in ("kernelspec",) if name in read.metadata}
    written = nbformat.v4.new_notebook(cells=cells, metadata=kernel)
    if tool == "nbgrader" and not (Path(folder) / "nbgrader_config.py").exists():
        _write(Path(folder) / "nbgrader_config.py", NBGRADER_CONFIG)
    return _write(inside / f"{name}.ipynb", nbformat.writes(written))


class _Nbgrader:
    """Cells as nbgrader knows them: by their metadata, and by lines in them."""

    def begin(self) -> list[Any]:
        return []

    def answer(self, cell: Any, asked: Asked, points: int) -> list[Any]:
        cell.source = f"{cell.source}\n### BEGIN SOLUTION\n{asked.solution}\n### END SOLUTION"
        cell.metadata["nbgrader"] = self._about(f"{asked.name}-answer", solution=True)
        return [cell]

    def tests(self, asked: Asked, test: str, points: int) -> list[Any]:
        code = f'# graded: "{asked.name}"\n### BEGIN HIDDEN TESTS\n{test}\n### END HIDDEN TESTS'
        cell = nbformat.v4.new_code_cell(code)
        cell.metadata["nbgrader"] = {**self._about(asked.name, grade=True), "points": points}
        return [cell]

    def _about(self, name: str, *, solution: bool = False, grade: bool = False) -> dict[str, Any]:
        return {
            "grade_id": name,
            "solution": solution,
            "grade": grade,
            "locked": grade,
            "task": False,
            "schema_version": 3,
        }


class _Otter:
    """Cells as Otter knows them: between raw cells that say what they are."""

    def __init__(self, name: str, files: list[str]) -> None:
        self.name = name
        self.files = files

    def begin(self) -> list[Any]:
        files = "".join(f"\n  - {file}" for file in self.files)
        listed = f"\nfiles:{files}" if files else ""
        return [
            self._raw(
                f"# ASSIGNMENT CONFIG\nname: {self.name}\nsolutions_pdf: false\nexport_cell: false\n"
                f"check_all_cell: false{listed}"
            )
        ]

    def answer(self, cell: Any, asked: Asked, points: int) -> list[Any]:
        prompt = f'""" # BEGIN PROMPT\n{cell.source}\n""" # END PROMPT'
        cell.source = f"{prompt}\n# BEGIN SOLUTION NO PROMPT\n{asked.solution}\n# END SOLUTION"
        begin = f"# BEGIN QUESTION\nname: {_word(asked.name)}\npoints: {points}"
        return [self._raw(begin), self._raw("# BEGIN SOLUTION"), cell, self._raw("# END SOLUTION")]

    def tests(self, asked: Asked, test: str, points: int) -> list[Any]:
        code = f'""" # BEGIN TEST CONFIG\nhidden: true\n""" # END TEST CONFIG\n{test}'
        cell = nbformat.v4.new_code_cell(code)
        return [self._raw("# BEGIN TESTS"), cell, self._raw("# END TESTS"), self._raw("# END QUESTION")]

    def _raw(self, text: str) -> Any:
        return nbformat.v4.new_raw_cell(text)


def _test(asked: Asked, reads: str) -> str:
    """A lesson that is read anew: a student may have put something else in the place of `lesson`."""
    return (
        f"from lenswidget import lessons as _lessons\n_checked = _{reads}.check({asked.arguments})\n"
        "assert _checked.right, _checked.says"
    )


# what a notebook has


def _read(source: Path) -> Any:
    try:
        return nbformat.read(source, as_version=4)
    except (ValueError, KeyError, AttributeError, nbformat.reader.NotJSONError) as reason:
        raise ValueError(f"{os.fspath(source)!r} is not a notebook ({reason}).") from reason


def _lesson_of(notebook: Any, source: Path) -> tuple[Lesson, str]:
    """The lesson that a notebook teaches, and the code that reads it."""
    for _, call in _calls(notebook):
        called = ast.unparse(call.func).removeprefix("lw.")
        first = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
        if called == "lessons.lesson" and isinstance(first, str):
            return course_lesson(first), f"lessons.lesson({first!r})"
        if called == "lessons.Lesson.read" and isinstance(first, str):
            return Lesson.read(source.parent / first), f"lessons.Lesson.read({first!r})"
    raise ValueError(
        f'{os.fspath(source)} has no lesson: a cell says `lesson = lessons.lesson("its-name")`, or '
        '`lesson = lessons.Lesson.read("mine.md")`.'
    )


def _asked(notebook: Any, source: Path, exercises: Mapping[str, Exercise]) -> Iterator[Asked]:
    """The exercises that a notebook asks, in their order."""
    there = ", ".join(f'"{name}"' for name in exercises) or "none"
    found = False
    for number, call in _calls(notebook):
        if not (isinstance(call.func, ast.Attribute) and call.func.attr == "check" and len(call.args) >= 2):
            continue
        name, value = call.args[:2]
        if not (isinstance(name, ast.Constant) and isinstance(name.value, str) and isinstance(value, ast.Name)):
            continue
        if name.value not in exercises:
            raise ValueError(f'{os.fspath(source)} checks "{name.value}"; the exercises of its lesson are: {there}.')
        above = [at for at in range(number) if _is_empty(notebook.cells[at], value.id)]
        if not above:
            raise ValueError(
                f'{os.fspath(source)} checks "{name.value}", and no cell above has a line `{value.id} = ...`, where a student '
                "answers."
            )
        found = True
        arguments = ", ".join(map(ast.unparse, call.args))
        yield Asked(name.value, above[-1], number, value.id, arguments, exercises[name.value].solution.strip())
    if not found:
        raise ValueError(
            f'{os.fspath(source)} checks no exercise: a cell says `lesson.check("name", answer)`; the exercises of its lesson '
            f"are: {there}."
        )


def _is_empty(cell: Any, variable: str) -> bool:
    """Whether a cell waits for an answer."""
    return cell.cell_type == "code" and bool(re.search(rf"^{variable} = \.\.\.", cell.source, re.MULTILINE))


def _calls(notebook: Any) -> Iterator[tuple[int, ast.Call]]:
    """Every call in a notebook's code, with the number of its cell."""
    for number, tree in _trees(notebook):
        yield from ((number, node) for node in ast.walk(tree) if isinstance(node, ast.Call))


def _trees(notebook: Any) -> Iterator[tuple[int, ast.Module]]:
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            code = re.sub(r"^(\s*)[%!].*$", r"\1pass", cell.source, flags=re.MULTILINE)  # IPython's own lines
            try:
                yield number, ast.parse(code)
            except SyntaxError:
                continue  # what isn't Python asks nothing


# the files beside it


def _files(notebook: Any, source: Path) -> list[Path]:
    """Files that the notebook's code or words name and that lie beside it, and the exercises of a lesson of one's own."""
    named: set[str] = set()
    for cell in notebook.cells:
        quoted = r"""["']([^"'\n]+)["']""" if cell.cell_type == "code" else r"\]\(([^)#\s]+)"
        named |= set(re.findall(quoted, cell.source))
    files = {source.parent / name for name in named if re.fullmatch(r"[\w -]+\.\w+", name)}
    files = {file for file in files if file.suffix != ".ipynb" and file.is_file()}
    files |= {path for file in list(files) if file.suffix == ".md" and (path := exercises_beside(file)).is_file()}
    return sorted(files)


def _copy(file: Path, folder: Path) -> str:
    content = file.read_bytes()
    if file.suffix == ".py":
        content = without_solutions(content.decode("utf-8"), os.fspath(file)).encode()
    write_whole(folder / file.name, lambda stream: stream.write(content))
    return file.name


def without_solutions(code: str, source: str) -> str:
    """Exercises as students may have them: of each, the solution is an empty answer, and a hint that shows code has none.

    Raises ValueError for a solution that isn't written where it is given.
    """
    lines = code.encode().splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    taken: list[tuple[int, int]] = []
    for node in ast.walk(ast.parse(code)):
        hidden = _hidden(node, source)
        if hidden is not None:
            begin = starts[hidden.lineno - 1] + hidden.col_offset
            taken.append((begin, starts[(hidden.end_lineno or 1) - 1] + (hidden.end_col_offset or 0)))
    data = code.encode()
    for begin, end in sorted(taken, reverse=True):
        data = data[:begin] + b'"answer = ..."' + data[end:]
    return data.decode()


def _hidden(node: ast.AST, source: str) -> ast.expr | None:
    """The text in a piece of code that gives a solution away."""
    if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "Exercise":
        given = [keyword.value for keyword in node.keywords if keyword.arg == "solution"] or node.args[2:3]
        for value in given:
            if not isinstance(value, ast.Constant):
                raise ValueError(
                    f"{source}, line {value.lineno}: a solution is a text that is written there, so that it can be left out of "
                    "students' copies."
                )
            return value
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values):
            if isinstance(key, ast.Constant) and key.value == "code" and isinstance(value, ast.Constant):
                return value
    return None


def _word(name: str) -> str:
    """A name that Otter takes for a question, and Python for a file's."""
    return re.sub(r"\W", "_", name)


def _write(path: Path, text: str) -> Path:
    return write_whole(path, lambda stream: stream.write(text.encode("utf-8")))
