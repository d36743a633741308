"""The words of a lesson, wherever they stand, and which of their numbers are held by what was computed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

ROOT = Path(__file__).parents[2]
COURSE = ROOT / "lenswidget" / "lessons" / "course"
PARTS = {"Choice", "Exercise", "Hints", "Number", "Order", "Point", "Predict", "Quiz", "Term", "Tour"}
"""Calls whose texts a reader reads."""
NOT_TEXT = {"check", "expects", "figure", "grids", "id", "rows", "show", "solution", "state"}
"""Arguments and keys of them that she doesn't."""

NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
EXCEPTIONS = {
    "places in the model": r"\bL\d+(?:\.\w+|H\d+|N\d+)?|\b[Bb]locks? \d+",
    "the ends of a scale": r"\bbetween 0 and 1\b",
    "places in the course": r"\b(?:[Ll]essons?|[Ss]ections?|[Ee]xercises?|[Qq]uestions?) \d+(?:(?:, | and | to )\d+)*",
    "years": r"\b(?:19|20)\d\d\b",
    "names of models and of files": r"\b(?:GPT-|SmolLM)\d(?:-\d+M)?",
    "formulas": r"\$[^$]+\$",
    "marks of lists and headings": r"(?m)^\s*(?:#+ )?\d+(?:\.|(?<=# \d)) ",
    "what the code says itself": "\ue000[^\ue001]*\ue001",
}
"""Numbers that nothing computed: few, and each kind for a reason."""


@dataclass
class Prose:
    """`says` a phrase with what was computed; `missing` are those that the lesson does not say."""

    passages: list[str]
    missing: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, name: str) -> Prose:
        return cls([plain for passage in _passages(name) if (plain := _plain(passage)).strip()])

    def says(self, phrase: str, *values: Any) -> None:
        text = _plain(phrase.format(*values)).strip()
        found = any(_spans(text, _unmarked(passage)) for passage in self.passages)
        (self.said if found else self.missing).append(text)

    def loose(self) -> list[str]:
        """Numbers that no phrase holds, each with the words around it."""
        found = []
        for passage in self.passages:
            text = _unmarked(passage)
            held = [span for said in self.said for span in _spans(said, text)]
            for kind in EXCEPTIONS.values():
                marked = [match.span() for match in re.finditer(kind, passage)]
                held += [(_index(passage, start), _index(passage, end)) for start, end in marked]
            for match in NUMBER.finditer(text):
                if not any(start <= match.start() and match.end() <= end for start, end in held):
                    found.append(f"{match[0]} in “{text[max(match.start() - 50, 0) : match.end() + 30]}”")
        return list(dict.fromkeys(found))

    def hold(self) -> None:
        """Raise for all that is not said, and for every number that isn't held."""
        wrong = [f"not in the lesson: {text}" for text in self.missing]
        wrong += [f"held by nothing: {text}" for text in self.loose()]
        assert not wrong, "\n" + "\n".join(wrong)


def _plain(text: str) -> str:
    """Without marks of Markdown and addresses; one space between words, at the ends of lines, and before a percent sign."""
    text = re.sub(r"!?\[([^\][]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"<?https?://[^\s>]+>?", "", text)
    text = re.sub(r"\n(?!\s*(?:\d+\. |#|- |\|))", " ", text)
    text = re.sub(r"(?<=\d)%", " %", text)
    text = re.sub(r"[ \t]+", " ", re.sub(r"[`*\][]", "", text))
    return re.sub("(?<= )\ue000 ", "\ue000", text)


def _unmarked(text: str) -> str:
    return text.replace("\ue000", "").replace("\ue001", "")


def _index(marked: str, index: int) -> int:
    return len(_unmarked(marked[:index]))


def _spans(phrase: str, text: str) -> list[tuple[int, int]]:
    """Where a phrase stands in a text, and does not begin or end within a word or a number."""
    return [match.span() for match in re.finditer(rf"(?<!\w)(?<!\d[.,]){re.escape(phrase)}(?!\w|[.,]\d)", text)]


def cells(name: str) -> Any:
    """Those of a lesson's notebook."""
    return nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4).cells


def _passages(name: str) -> Iterator[str]:
    code = "\n".join(cell.source for cell in cells(name) if cell.cell_type == "code")
    for cell in cells(name):
        if cell.cell_type == "markdown":
            yield _quoting(cell.source, code)
        elif "%pip" not in cell.source:
            yield from (_quoting(text, code) for text in _texts(cell.source))
    if (page := COURSE / f"{name}.md").exists():
        yield _quoting(_of_the_page(page.read_text("utf-8")), code)
    if (exercises := COURSE / f"{name.partition('_')[2]}.py").exists():
        yield from (_quoting(text, code) for text in _texts(exercises.read_text("utf-8")))


def _quoting(markdown: str, code: str) -> str:
    """Marks what is code, a call or a slice, and what is quoted word for word from the lesson's own: a prompt, say."""

    def marked(match: re.Match[str]) -> str:
        said = (match[1] or match[2]).strip()
        is_code = match[1] and set("([=") & set(said)
        return f"\ue000{match[0]}\ue001" if is_code or (said and said in code) else match[0]

    return re.sub(r"`([^`\n]+)`|[\"“]([^\"“”\n]+)[\"”]", marked, markdown)


def _of_the_page(text: str) -> str:
    """Its number and minutes are no figures, and what a wrong option says is wrong on purpose."""
    text = re.sub(r"(?m)^(?:number|minutes): .*$", "", text)
    return re.sub(r"(?m)^- \[ \] .*?(?= — |$)", "", text)


def _texts(code: str) -> Iterator[str]:
    """The texts of parts that some code makes."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in PARTS:
            right = {text for keyword in node.keywords if keyword.arg == "right" for text in _strings(keyword.value)}
            right |= set(_strings(node.args[2])) if len(node.args) > 2 else set()
            yield from (f"= {number.value}" for number in _numbers(node))
            for argument in [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg not in NOT_TEXT)]:
                yield from _strings(argument, right)


def _numbers(part: ast.Call) -> list[ast.Constant]:
    """The answer of a question that asks for a number, where it is written down and not computed."""
    if getattr(part.func, "attr", getattr(part.func, "id", "")) != "Number":
        return []
    given = [*part.args[1:2], *(keyword.value for keyword in part.keywords if keyword.arg == "right")]
    return [one for one in given if isinstance(one, ast.Constant)]


def _strings(node: ast.AST, right: set[str] | None = None) -> Iterator[str]:
    """Strings in an expression; of options, keys of a dict, those alone that are right."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=pieces):  # what an f-string fills in was computed
            yield from (str(piece.value) for piece in pieces if isinstance(piece, ast.Constant))
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values):
                named = key.value if isinstance(key, ast.Constant) else None
                if isinstance(named, str) and (not right or named in right) and named not in NOT_TEXT:
                    yield named
                if named not in NOT_TEXT:
                    yield from _strings(value)
        case ast.Call():  # a rule, or a part within a part, which is found by itself
            return
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _strings(child)
