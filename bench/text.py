"""English prose that any machine has: docstrings of the standard library, and descriptions of packages."""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import sysconfig
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from bench.openings import is_held_out

CHARACTERS_A_TOKEN = 3.5
"""Fewer than in plain prose: docstrings hold names and punctuation, so that a request is met rather than missed."""


def prose(tokens: int, *, held_out: bool = False) -> list[str]:
    """Documents of at least about `tokens` tokens in all, always the same on one machine.

    A module's docstrings are one document, a package's description another. A fifth of the documents is held out:
    no text of them is ever in a call without `held_out`.
    """
    texts = documents(held_out=held_out)
    wanted, size = tokens * CHARACTERS_A_TOKEN, 0
    for count, text in enumerate(texts, 1):
        size += len(text)
        if size >= wanted:
            return texts[:count]
    raise ValueError(f"This machine has prose for about {int(size / CHARACTERS_A_TOKEN)} tokens; {tokens} were asked.")


def documents(*, held_out: bool = False) -> list[str]:
    """All that are held out, or all others."""
    return [text for name, text in _documents() if is_held_out(name) == held_out]


def in_turn(*kinds: list[str]) -> list[str]:
    """Texts of several kinds in turn, so that at any place as much of each has been read, as a share of all of it."""
    placed = [
        (sum(map(len, texts[:i])) / sum(map(len, texts)), text) for texts in kinds for i, text in enumerate(texts)
    ]
    return [text for _, text in sorted(placed, key=lambda one: one[0])]


@cache
def _documents() -> tuple[tuple[str, str], ...]:
    """Names and texts, mixed by a hash of the name so that no kind of text comes first."""
    found = {name: text for source in (_docstrings(), _descriptions()) for name, text in source if len(text) >= 500}
    return tuple(sorted(found.items(), key=lambda item: hashlib.md5(item[0].encode()).digest()))


def modules() -> Iterator[Path]:
    """The files of the standard library, its tests left out."""
    library = Path(sysconfig.get_path("stdlib"))
    for path in sorted(library.rglob("*.py")):
        inside = path.relative_to(library).parts
        if not {"site-packages", "dist-packages", "test", "tests", "idle_test"} & set(inside):
            yield path


def _docstrings() -> Iterator[tuple[str, str]]:
    library = Path(sysconfig.get_path("stdlib"))
    for path in modules():
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError):
            continue
        documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        texts = [ast.get_docstring(node) or "" for node in ast.walk(tree) if isinstance(node, documented)]
        yield path.relative_to(library).as_posix(), "\n\n".join(text for text in texts if len(text) >= 80)


def _descriptions() -> Iterator[tuple[str, str]]:
    for distribution in importlib.metadata.distributions():
        metadata = distribution.metadata
        body = metadata.get_payload()  # type: ignore[attr-defined]
        yield metadata["Name"], body.strip() if isinstance(body, str) else metadata.get("Description", "")
