"""A lesson as text: what an author writes in one Markdown file, read into plain values. docs/how-to/write-a-lesson.md has one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

DASH = " — "
"""Stands between an answer and what is said of it."""
FACTS = ("title", "number", "minutes", "know", "terms", "see")
HEADINGS = ("Moves", "Quiz", "Next", "Read on")


@dataclass(frozen=True)
class Before:
    """Something to know before, and the lesson that teaches it, or ""."""

    text: str
    lesson: str


@dataclass(frozen=True)
class Named:
    """A move, or a lesson to go on with, and what is said of it."""

    name: str
    text: str


@dataclass(frozen=True)
class Link:
    text: str
    address: str
    says: str


@dataclass(frozen=True)
class ChoiceText:
    question: str
    options: dict[str, str]
    """From each option to the sentence that is said when it is chosen."""
    right: tuple[str, ...]


@dataclass(frozen=True)
class NumberText:
    question: str
    right: float
    within: float
    unit: str
    say: str


@dataclass(frozen=True)
class OrderText:
    question: str
    items: tuple[str, ...]
    """In the right order."""
    say: str


QuestionText = ChoiceText | NumberText | OrderText


@dataclass(frozen=True)
class LessonText:
    """What a lesson's file says."""

    source: str
    title: str
    number: int | None
    minutes: int
    lead: str
    see: str
    know: tuple[Before, ...]
    terms: tuple[str, ...]
    moves: tuple[Named, ...]
    questions: tuple[QuestionText, ...]
    next: tuple[Named, ...]
    read_on: tuple[Link, ...]


def read_lesson(path: str | os.PathLike[str]) -> LessonText:
    """Read a lesson's file.

    Raises ValueError where it isn't in the form of a lesson, naming file and line, and OSError where it can't be read.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as reason:
        raise ValueError(f"{os.fspath(path)} is not text in UTF-8 ({reason.reason}).") from reason
    return parse_lesson(text, os.fspath(path))


def parse_lesson(text: str, source: str = "lesson") -> LessonText:
    """What the text of a lesson says; `source` is what errors call it."""
    return _Reader(text, source).lesson()


Lines = list[tuple[int, str]]
"""Lines with their numbers in the file."""


class _Reader:
    def __init__(self, text: str, source: str) -> None:
        self.source = source
        self.lines: Lines = list(enumerate(text.removeprefix("\ufeff").splitlines(), start=1))

    def wrong(self, line: int, sentence: str) -> NoReturn:
        raise ValueError(f"{self.source}, line {line}: {sentence}")

    def lesson(self) -> LessonText:
        facts, body = self.facts()
        sections = list(_split(body, "## "))
        lead = _paragraphs(sections[0][2])
        if not lead:
            self.wrong(
                sections[0][0], 'A lesson begins with a paragraph that says what it is about, before the first "## ".'
            )
        found: dict[str, tuple[int, Lines]] = {}
        for line, heading, inside in sections[1:]:
            if heading not in HEADINGS:
                self.wrong(
                    line, f'A lesson has no section "{heading}"; its sections are {_listed(HEADINGS)}, after "## ".'
                )
            if heading in found:
                self.wrong(line, f'The section "{heading}" is there twice; the first is in line {found[heading][0]}.')
            found[heading] = line, inside
        of = {heading: lines for heading, (_, lines) in found.items()}
        questions = tuple(self.question(*one) for one in self.questions(*found.get("Quiz", (0, []))))
        self.no_question_twice(questions, found)
        return LessonText(
            source=self.source,
            title=self.needed(facts, "title"),
            number=self.whole(facts, "number"),
            minutes=self.whole(facts, "minutes", needed=True) or 0,
            lead=lead,
            see=facts.get("see", (0, ""))[1],
            know=tuple(_before(one) for one in _comma(facts.get("know", (0, ""))[1])),
            terms=tuple(_comma(facts.get("terms", (0, ""))[1])),
            moves=tuple(self.move(*item) for item in self.items(of.get("Moves", []))),
            questions=questions,
            next=tuple(self.way_on(*item) for item in self.items(of.get("Next", []))),
            read_on=tuple(self.link(*item) for item in self.items(of.get("Read on", []))),
        )

    # what stands between the lines of ---

    def facts(self) -> tuple[dict[str, tuple[int, str]], Lines]:
        lines = [(number, line) for number, line in self.lines if line.strip()]
        if not lines or lines[0][1].strip() != "---":
            self.wrong(
                1, 'A lesson begins with a line "---", then "title: …" and "minutes: …", and a line "---" again.'
            )
        end = next((at for at, line in self.lines[lines[0][0] :] if line.strip() == "---"), None)
        if end is None:
            self.wrong(lines[0][0], 'What begins with "---" ends with a line "---"; there is none.')
        facts: dict[str, tuple[int, str]] = {}
        for number, line in self.lines[lines[0][0] : end - 1]:
            if not line.strip():
                continue
            name, colon, value = (part.strip() for part in line.partition(":"))
            if not colon or name not in FACTS:
                self.wrong(number, f'"{line.strip()}" is not one of {_listed([f"{fact}: …" for fact in FACTS])}.')
            if name in facts:
                self.wrong(number, f'"{name}" is there twice; the first is in line {facts[name][0]}.')
            facts[name] = number, value
        return facts, self.lines[end:]

    def needed(self, facts: dict[str, tuple[int, str]], name: str) -> str:
        line, value = facts.get(name, (1, ""))
        if not value:
            self.wrong(line, f'A lesson needs a {name}: write a line "{name}: …" between the two lines "---".')
        return value

    def whole(self, facts: dict[str, tuple[int, str]], name: str, needed: bool = False) -> int | None:
        value = self.needed(facts, name) if needed else facts.get(name, (0, ""))[1]
        if not value:
            return None
        if not re.fullmatch(r"[0-9]+", value) or int(value) == 0:
            self.wrong(
                facts[name][0], f'"{name}" is a whole number from 1 on, such as "{name}: 25"; it says "{value}".'
            )
        return int(value)

    # lists

    def items(self, lines: Lines) -> list[tuple[int, str]]:
        """The items of a list with "- ", one line each or more."""
        return [(number, text) for number, _, text in self.marked(lines, "- ", 'a list with "- " before each item')]

    def marked(self, lines: Lines, marks: str, expected: str) -> Iterator[tuple[int, str, str]]:
        """Items that begin with a mark, with the lines that go on with them: those that are set in."""
        item: tuple[int, str, str] | None = None
        for number, line in lines:
            mark = re.match(marks, line)
            if mark:
                if item:
                    yield item
                item = number, mark[0], line[mark.end() :].strip()
            elif line.strip():
                if item is None or not line.startswith((" ", "\t")):
                    self.wrong(
                        number, f'Here stands {expected}; "{line.strip()}" is none, nor set in to go on with one.'
                    )
                item = item[0], item[1], f"{item[2]} {line.strip()}"
        if item:
            yield item

    def move(self, line: int, text: str) -> Named:
        found = re.fullmatch(r"\*\*(.+?)\*\*\s+(.+)", text)
        if not found:
            self.wrong(
                line, f'A move is "- **Read** what each row would say", its name between "**"; this is "- {text}".'
            )
        return Named(found[1], found[2])

    def way_on(self, line: int, text: str) -> Named:
        found = re.fullmatch(r"([\w-]+):\s+(.+)", text)
        if not found:
            self.wrong(line, f'A way on is "- name-of-the-lesson: one sentence"; this is "- {text}".')
        return Named(found[1], found[2])

    def link(self, line: int, text: str) -> Link:
        found = re.fullmatch(r"\[(.+?)\]\((\S+?)\)(?::\s+(.+))?", text)
        if not found:
            self.wrong(line, f'Something to read is "- [its name](https://…): one sentence"; this is "- {text}".')
        if not re.match(r"(?:https?://|[\w./#-]+$)", found[2]):
            self.wrong(line, f'"{found[2]}" is no address that a page links to: write one that begins with "https://".')
        return Link(found[1], found[2], found[3] or "")

    # the quiz

    def questions(self, line: int, lines: Lines) -> list[tuple[int, str, Lines]]:
        before, *questions = _split(lines, "### ")
        stray = next((at for at, text in before[2] if text.strip()), None)
        if stray is not None:
            self.wrong(stray, 'A question of the quiz begins with "### " and the question itself.')
        if line and not questions:
            self.wrong(line, 'The quiz has no question; one begins with "### ". Without a quiz, leave "## Quiz" out.')
        return questions

    def question(self, line: int, question: str, lines: Lines) -> QuestionText:
        if not question:
            self.wrong(line, 'The question stands behind "### ", in the same line.')
        start = next((at for at, (_, text) in enumerate(lines) if re.match(r"- |= |[0-9]+\. ", text)), None)
        if start is None:
            self.wrong(
                line,
                f'"{question}" has no answers: write "- [ ] option{DASH}sentence" lines with "- [x]" for what is right, '
                f'or "= 30 ± 0{DASH}sentence" for a number, or a list "1. …" in the right order.',
            )
        more = _paragraphs(lines[:start])
        question = f"{question}\n\n{more}" if more else question
        kind = lines[start][1][0]
        if kind == "-":
            return self.choice(line, question, lines[start:])
        return self.number(question, lines[start:]) if kind == "=" else self.order(line, question, lines[start:])

    def choice(self, line: int, question: str, lines: Lines) -> ChoiceText:
        options: dict[str, str] = {}
        right = []
        for number, mark, text in self.marked(lines, r"- \[[ xX]\] |- ", f'an option, "- [ ] text{DASH}sentence"'):
            option, dash, says = (part.strip() for part in text.partition(DASH))
            if mark == "- ":
                self.wrong(
                    number, f'An option begins with "- [ ] ", or "- [x] " where it is right; this is "- {text}".'
                )
            if not dash or not says or not option:
                self.wrong(
                    number,
                    f'Say what is so, or not so, with this option: "- [ ] {option}{DASH}a sentence". A dash with a space on '
                    "each side stands between.",
                )
            if option in options:
                self.wrong(number, f'"{option}" is an option of this question already.')
            options[option] = says
            if "x" in mark.lower():
                right.append(option)
        if not right:
            self.wrong(line, f'No option of "{question}" is right; put "x" into its brackets: "- [x] ".')
        if len(options) < 2:
            self.wrong(line, f'"{question}" has one option; a choice needs two or more.')
        return ChoiceText(question, options, tuple(right))

    def number(self, question: str, lines: Lines) -> NumberText:
        ((line, _, text), *more) = self.marked(lines, r"= ", f'the number, "= 30 ± 0{DASH}sentence"')
        if more:
            self.wrong(more[0][0], f'"{question}" has a number already, in line {line}.')
        value, _, says = (part.strip() for part in text.partition(DASH))
        number = r"[-−+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[-+]?[0-9]+)?"
        found = re.fullmatch(rf"({number})(?:\s*±\s*({number}))?\s*(.*)", value)
        if not found:
            self.wrong(
                line,
                f'The answer is a number, how far from it is right too, and perhaps a unit, such as "= 1.45 ± 0.1 bits"; it '
                f'says "= {value}".',
            )
        right, within = (float((part or "0").replace("−", "-")) for part in (found[1], found[2]))
        if within < 0:
            self.wrong(line, f'How far an answer may be off is a number from 0 on; it says "± {found[2]}".')
        return NumberText(question, right, within, found[3], says)

    def order(self, line: int, question: str, lines: Lines) -> OrderText:
        last = max(at for at, (_, text) in enumerate(lines) if re.match(r"[0-9]+\. ", text))
        end = next((at for at in range(last + 1, len(lines)) if not lines[at][1].startswith((" ", "\t"))), len(lines))
        items = [text for _, _, text in self.marked(lines[:end], r"[0-9]+\. ", 'an item, "1. …", in the right order')]
        if len(set(items)) < 2 or len(set(items)) < len(items):
            self.wrong(line, f'"{question}" needs two items or more to put in order, no two alike.')
        return OrderText(question, tuple(items), _paragraphs(lines[end:]))

    def no_question_twice(self, questions: tuple[QuestionText, ...], found: dict[str, tuple[int, Lines]]) -> None:
        asked = [one.question for one in questions]
        twice = next((one for one in asked if asked.count(one) > 1), None)
        if twice:
            self.wrong(found["Quiz"][0], f'The quiz asks "{twice}" twice; an answer is kept by its question.')


def _split(lines: Lines, mark: str) -> Iterator[tuple[int, str, Lines]]:
    """Lines by the headings that begin with `mark`: each one's line, text and what follows it; first what stands before them."""
    line, heading, inside = lines[0][0] if lines else 1, "", list[tuple[int, str]]()
    for number, text in lines:
        if text.startswith(mark):
            yield line, heading, inside
            line, heading, inside = number, text.removeprefix(mark).strip(), []
        else:
            inside.append((number, text))
    yield line, heading, inside


def _paragraphs(lines: Lines) -> str:
    """Paragraphs, each on a line of its own, with an empty one between."""
    text = "\n".join(text.strip() for _, text in lines)
    return "\n\n".join(" ".join(part.split("\n")) for part in re.split(r"\n{2,}", text.strip()) if part.strip())


def _comma(text: str) -> list[str]:
    """What commas part, those in parentheses left alone."""
    return [part.strip() for part in re.split(r",(?![^(]*\))", text) if part.strip()]


def _before(text: str) -> Before:
    found = re.fullmatch(r"(.+?)\s*\(([\w-]+)\)", text)
    return Before(found[1], found[2]) if found else Before(text, "")


def _listed(names: list[str] | tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
