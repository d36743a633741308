"""Exercises as their lesson asks them: unanswered, solved, and answered wrongly in every way."""

from __future__ import annotations

import ast
from typing import Any

from tests.lessons.prose import cells

WRONG = "no such thing", "", [], None, -1, 10**9, float("nan"), {"answer": 1}, object()


def hold_exercises(name: str, names: dict[str, Any]) -> None:
    """In a lesson that ran, with its `names`: each check says that there is no answer yet, and believes its solution alone."""
    lesson = names["lesson"]
    checks = {
        call.args[0].value: ast.unparse(call)
        for cell in cells(name)
        if cell.cell_type == "code" and "lesson.check(" in cell.source
        for call in ast.walk(ast.parse(cell.source))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "lesson.check"
    }
    assert set(checks) == set(lesson.exercises), "an exercise that the notebook doesn't ask, or asks and doesn't have"
    for exercise, check in checks.items():
        here = {**names, "answer": ...}
        assert eval(check, here).right is None, exercise
        exec(lesson.exercises[exercise].solution, here)
        said = eval(check, here)
        assert said.right is True, f"{exercise}: its solution gives {here['answer']!r}, of which is said: {said}"
        for wrong in WRONG:
            said = eval(check, {**here, "answer": wrong})
            assert said.right is False and said.says, f"{exercise}: {wrong!r} is {said}"
