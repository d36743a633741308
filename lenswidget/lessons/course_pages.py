"""What stands around the pages of a course: the list of its lessons beside each, the cards of its index, and the ways on.

`js/src/lessons/course.ts` says in them what a reader has done.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import quote

from lenswidget.lessons.mark import mark_svg
from lenswidget.lessons.notebook_body import WAYS_ON_HERE, Body
from lenswidget.lessons.notebook_lesson import Lesson

COUNTS = (
    "No lessons", "One lesson", "Two lessons", "Three lessons", "Four lessons", "Five lessons", "Six lessons", "Seven lessons",
    "Eight lessons", "Nine lessons", "Ten lessons", "Eleven lessons", "Twelve lessons",
)  # fmt: skip


CURRENT = ' aria-current="page"'


@dataclass(frozen=True)
class Page:
    """A page of a site, whose file is `file` and ".html", and the lesson that it teaches, or None."""

    file: str
    title: str
    body: Body
    lesson: Lesson | None = None

    @property
    def address(self) -> str:
        """Where it is, in the folder that all of them are in: a name may hold what an address reads otherwise."""
        return f"./{quote(self.file)}.html"


def side_bar(pages: Sequence[Page], here: str, more: Mapping[str, str]) -> str:
    """All pages, beside the one that is called `here`: lessons in their order, with the sections of this one, then the others."""
    lessons = lessons_of(pages)
    if not lessons:
        return _line(pages, here) if len(pages) > 1 else ""
    listed = "".join(_item(page, lesson, page.file == here) for page, lesson in lessons)
    links = [("All lessons", "index.html", here == "index")]
    links += [(page.title, page.address, page.file == here) for page in pages if page.lesson is None]
    links += [(text, address, False) for text, address in more.items()]
    further = "".join(
        f'<li><a href="{escape(address)}"{CURRENT * is_here}>{escape(text)}</a></li>'
        for text, address, is_here in links
    )
    return (
        f'<nav class="course" data-lens-course aria-label="Lessons"><p class="name">{count_of(lessons)}</p>'
        f'<p class="kept"></p><div class="done-bar"><i></i></div><ol>{listed}</ol>'
        f'<div class="more"><ol>{further}</ol></div></nav>'
    )


def _line(pages: Sequence[Page], here: str) -> str:
    """Pages that teach no lessons, in one line."""
    links = [
        f"<b>{escape(page.title)}</b>" if page.file == here else f'<a href="{page.address}">{escape(page.title)}</a>'
        for page in pages
    ]
    return f'<nav class="pages"><a href="index.html">All</a> {" ".join(links)}</nav>'


def _item(page: Page, lesson: Lesson, is_here: bool) -> str:
    sections = "".join(
        f'<li data-section="{escape(place)}"><a href="#{quote(place)}">{escape(title)}</a></li>'
        for place, title in page.body.sections.items()
    )
    inside = f'<ol class="sections">{sections}</ol>' if is_here and sections else ""
    return (
        f'<li data-lesson="{escape(lesson.name)}"><a href="{page.address}"{CURRENT * is_here}>'
        f'<span class="number"><span>{lesson.text.number or "·"}</span></span><span class="title">{escape(page.title)}</span>'
        f'<span class="score"></span></a>{inside}</li>'
    )


def cards(pages: Sequence[Page]) -> str:
    """The lessons of a course, each with its picture, what one will see, and how long it takes."""
    listed = "".join(_card(page, lesson, lesson.text.see or lesson.text.lead) for page, lesson in lessons_of(pages))
    return f'<ol class="cards" data-lens-course>{listed}</ol>'


def with_ways_on(page: Page, pages: Sequence[Page]) -> str:
    """A page's body in which its ways on are cards of their lessons; those that are no pages here are left out."""
    taught = {lesson.name: (one, lesson) for one, lesson in lessons_of(pages)}
    ways = [] if page.lesson is None else [way for way in page.lesson.text.next if way.name in taught]
    listed = "".join(_card(*taught[way.name], way.text, "" if at else "next") for at, way in enumerate(ways))
    drawn = f'<h3>Where to next</h3><ol class="cards" data-lens-course>{listed}</ol>' if ways else ""
    return page.body.html.replace(WAYS_ON_HERE, drawn)


def _card(page: Page, lesson: Lesson, says: str, kind: str = "") -> str:
    text, exercises = lesson.text, len(lesson.exercises)
    facts = [f"{text.minutes} minutes"]
    facts += [f"{exercises} exercise{'s' * (exercises != 1)}"] if exercises else []
    facts += [f"quiz of {len(text.questions)}"] if text.questions else []
    number = f'<span class="number">{text.number}</span>' if text.number else ""
    picture = mark_svg(page.body.figure) if page.body.figure else ""
    return (
        f'<li data-lesson="{escape(lesson.name)}"{f" class={kind}" if kind else ""}>{picture}'
        f'<div><a href="{page.address}">{number}{escape(page.title)}</a></div>'
        f'<p>{marked(says)}</p><p class="facts">{" · ".join(facts)} <span class="score"></span></p></li>'
    )


def marked(text: str) -> str:
    """A text of a lesson's file as HTML: its emphasis, weight and code; of a term in brackets, the words."""
    html = escape(re.sub(r"\[\[(?:[^\]|]*\|)?([^\]]*)\]\]", r"\1", text))
    html = re.sub(r"`([^`]+)`", r"<code>\1</code>", html)
    html = re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", html)
    return re.sub(r"\*([^*]+)\*", r"<em>\1</em>", html)


def count_of(lessons: Sequence[Any]) -> str:
    """How many lessons there are, in words."""
    return COUNTS[len(lessons)] if len(lessons) < len(COUNTS) else f"{len(lessons)} lessons"


def lessons_of(pages: Sequence[Page]) -> list[tuple[Page, Lesson]]:
    """The pages of lessons with their lessons, in their order: by their numbers, then those without."""
    taught = [(page, page.lesson) for page in pages if page.lesson is not None]
    return sorted(taught, key=lambda one: one[1].text.number or len(taught) + 1)
