"""A class's answers as a table: what each student saved, judged again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import traitlets

from lenswidget.lessons.notebook_lesson import Lesson, course_files, course_lesson

if TYPE_CHECKING:
    import pandas as pd

FORMAT = "lenswidget answers"
"""As js/src/lessons/storage.ts writes it."""


def scores(
    files: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], *, lessons: Iterable[Lesson] = ()
) -> pd.DataFrame:
    """How a class did: a row for each file of answers, by its name, a column for each quiz that somebody answered.

    `files` is a folder, or files that were saved as `answers.json` in lessons. An entry is how many questions were right at the
    first try; it is missing where a quiz was not begun. Every answer is judged again by the lesson's own questions, so a score
    that stands in a file counts for nothing. `lessons` are those that aren't of the course.

        lessons.scores("answers/").mean()

    Raises ValueError for a file that holds no answers, or answers to questions that a lesson doesn't ask, with its name; OSError
    where one can't be read.
    """
    import pandas as pd

    own = {one.name: one for one in lessons}
    known: dict[str, Lesson | None] = {**dict.fromkeys(course_files()), **own}
    rows: dict[str, dict[str, int]] = {}
    for path in _paths(files):
        rows[path.stem] = {}
        for name, states in _answers(path).items():
            if "quiz" not in states:
                continue
            if name not in known:
                raise ValueError(
                    f'{path} has answers to the lesson "{name}", which isn\'t of the course; say '
                    'lessons=[lessons.Lesson.read("its-file.md")].'
                )
            known[name] = taught = known[name] or course_lesson(name)
            rows[path.stem][name] = _score(taught, states["quiz"], path)
    asked = [name for name in known if any(name in row for row in rows.values())]
    table = pd.DataFrame.from_dict(rows, orient="index")
    # pandas before 3 leaves out a file without answers
    table = table.reindex(index=list(rows), columns=asked).astype("Int64")
    table.index.name = "file"
    return table


def _paths(files: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[Path]:
    if isinstance(files, str | os.PathLike):
        folder = Path(files)
        found = sorted(folder.glob("*.json")) if folder.is_dir() else [folder]
        if not found:
            raise ValueError(
                f"{os.fspath(files)} has no files of answers: students save answers.json in a lesson's quiz."
            )
        return found
    paths = [Path(file) for file in files]
    twice = next((one.stem for one in paths if sum(one.stem == other.stem for other in paths) > 1), None)
    if twice is not None:
        raise ValueError(f'Two files are called "{twice}", which would be one row; give each a name of its own.')
    return paths


def _answers(path: Path) -> dict[str, dict[str, Any]]:
    """Lesson → part → what was answered."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as reason:
        raise ValueError(f"{path} holds no answers: it is not JSON ({reason}).") from reason
    if not isinstance(said, Mapping) or said.get("format") != FORMAT:
        raise ValueError(f"{path} holds no answers: it isn't an answers.json that was saved in a lesson.")
    if said.get("version") != 1:
        raise ValueError(f"{path} has answers of version {said.get('version')!r}; this lenswidget reads version 1.")
    lessons = said.get("lessons")
    if not isinstance(lessons, Mapping) or not all(isinstance(states, Mapping) for states in lessons.values()):
        raise ValueError(f"{path} is broken: its lessons aren't mappings from parts to answers.")
    return {str(name): dict(states) for name, states in lessons.items()}


def _score(taught: Lesson, state: Any, path: Path) -> int:
    tried = state.get("tried") if isinstance(state, Mapping) else None
    if not isinstance(tried, list):
        raise ValueError(f'{path} is broken: the answers to the quiz of "{taught.name}" aren\'t a list.')
    quiz = taught.quiz
    try:
        quiz.answer = tried[-1] if tried else None
    except traitlets.TraitError as reason:
        raise ValueError(f'{path}, quiz of "{taught.name}": {reason}') from reason
    return quiz.score().right
