"""Text of four styles, for fits: what is held out is in no fit."""

from __future__ import annotations

import ast
from pathlib import Path

from bench import openings
from bench.styles import _without_docstrings


def test_what_is_made_of_a_topic_that_is_held_out_is_held_out_with_it() -> None:
    for make, things in (
        (openings.questions, openings.TOPICS),
        (openings.articles, openings.TOPICS),
        (openings.stories, openings.NAMES),
    ):
        fit, held_out = make(), make(held_out=True)
        assert not set(fit) & set(held_out) and len(fit) > 2 * len(held_out) > 0
        for thing in " ".join(things.split()).split(", "):
            is_in = [any(thing.lower() in text.lower() for text in texts) for texts in (fit, held_out)]
            assert is_in[openings.is_held_out(thing)], thing


def test_code_is_left_without_the_docstrings_that_are_prose(tmp_path: Path) -> None:
    long = "A sentence of some length, and then another one, so that there are more than eighty characters of it."
    path = tmp_path / "module.py"
    path.write_text(
        f'"""{long}"""\n\nX = 1\n\n\ndef f(x):\n    """{long}\n\n    {long}\n    """\n    return x  # kept\n\n\n'
        'def g():\n    """Short."""\n    return "kept"\n'
    )
    left = _without_docstrings(path)
    assert long not in left and "# kept" in left and '"""Short."""' in left
    ast.parse(left)
    path.write_bytes(b"\xff\xfe not python")
    assert _without_docstrings(path) == ""
