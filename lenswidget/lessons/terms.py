"""Terms and what they mean, read from one Markdown file that all lessons share."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

COURSE = Path(__file__).parent / "course"
GLOSSARY = COURSE / "glossary.md"


@dataclass(frozen=True)
class Term:
    """A word of the field: what it means, in a sentence or two, and the lesson in which it is first met."""

    term: str
    says: str
    lesson: int | None = None

    @property
    def anchor(self) -> str:
        """The end of a link to it: `glossary.md#residual-stream`."""
        return anchor(self.term)


@cache
def glossary() -> dict[str, Term]:
    """The terms of the course, from each in lower case to what it means."""
    return read_glossary(GLOSSARY)


def read_glossary(path: str | os.PathLike[str]) -> dict[str, Term]:
    """Read a glossary: `## term`, then one or two sentences, and perhaps "First met in lesson 1."

    Raises ValueError for a term without a sentence, or there twice, naming file and line; OSError where it can't be read.
    """
    terms: dict[str, Term] = {}
    heads: list[tuple[int, str, list[str]]] = []
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith("## "):
            heads.append((number, line[3:].strip(), []))
        elif heads:
            heads[-1][2].append(line.strip())
    for number, term, lines in heads:
        said = " ".join(filter(None, lines))
        first = re.search(r"\s*First met in lesson ([0-9]+)\.$", said)
        says = said[: first.start()] if first else said
        if not says:
            raise ValueError(f'{os.fspath(path)}, line {number}: "{term}" has no sentence; write one under it.')
        if term.lower() in terms:
            raise ValueError(f'{os.fspath(path)}, line {number}: "{term}" is in the glossary already.')
        terms[term.lower()] = Term(term, says, int(first[1]) if first else None)
    return terms


def meaning(term: str, terms: Mapping[str, Term] | None = None) -> Term:
    """What a term means. Raises ValueError with the terms that are like it, where the glossary has none of this name."""
    terms = glossary() if terms is None else terms
    found = terms.get(term.strip().lower())
    if found is None:
        like = [known.term for known in terms.values() if _shares_a_word(known.term, term)]
        near = f" Like it are {', '.join(like)}." if like else ""
        raise ValueError(
            f'The glossary has no "{term}".{near} Add it to glossary.md: "## {term}", and a sentence under it.'
        )
    return found


def terms_in(texts: Iterable[str]) -> list[list[str]]:
    """The terms that stand in texts as `[[term]]`, or `[[term|as it reads there]]`, each with what it means.

    Raises ValueError as `meaning` does.
    """
    named = dict.fromkeys(term.strip().lower() for text in texts for term in re.findall(r"\[\[([^\]|]+)", text))
    return [[one.term, one.says] for one in map(meaning, named)]


def anchor(term: str) -> str:
    """What Jupyter, Colab and GitHub call the heading of a term."""
    return re.sub(r"[^\w-]", "", term.strip().lower().replace(" ", "-"))


def _shares_a_word(one: str, other: str) -> bool:
    return bool(set(re.findall(r"\w{4,}", one.lower())) & set(re.findall(r"\w{4,}", other.lower())))
