"""Text of four styles, for fits: what is held out is in no fit."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

from bench import openings
from bench.styles import FILES_OF_A_PACKAGE, _excerpts, _packaged, _without_docstrings, code, packaged_code


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


def test_excerpts_are_all_of_a_text_in_whole_lines_but_for_a_short_end() -> None:
    text = "".join(f"line {number} of a file that is rather long\n" for number in range(300))
    pieces = list(_excerpts(text))
    assert len(pieces) > 2 and all(piece.endswith("\n") for piece in pieces)
    assert text.startswith("".join(pieces)) and len(text) - len("".join(pieces)) <= 400
    assert list(_excerpts("x" * 5_000)) == ["x" * 5_000] and list(_excerpts("short\n")) == []


def test_a_file_of_code_is_held_out_whole() -> None:
    fit, held_out = code(10**9), code(10**9, held_out=True)
    assert len(fit) > len(held_out) > 0 and not set(fit) & set(held_out)


def test_packages_that_are_held_out_are_in_no_fit() -> None:
    ours, held_out = packaged_code(30_000), packaged_code(30_000, held_out=True)
    assert ours and held_out and not set(ours) & set(held_out)
    files = Counter(name for name, _ in _packaged("python"))
    assert len(files) > 20 and max(files.values()) == FILES_OF_A_PACKAGE
    assert all(max(map(len, text.splitlines())) <= 300 for text in ours)
