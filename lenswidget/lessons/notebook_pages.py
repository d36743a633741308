"""Lesson pages: an executed notebook as one HTML file that needs no kernel and no network, its widgets alive.

nbconvert renders prose, code and outputs; here a widget becomes the same view that `page.py` writes, the script comes
once a page, and formulas become MathML, which browsers draw by themselves.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path

from pygments.formatters import HtmlFormatter

from lenswidget.grids.whole_file import write_whole
from lenswidget.lessons.course_pages import Page, cards, count_of, lessons_of, marked, side_bar, with_ways_on
from lenswidget.lessons.notebook_body import body_of, read_notebook, teaches, title_of
from lenswidget.lessons.notebook_lesson import Lesson, course_files, course_lesson, name_of
from lenswidget.lessons.terms import glossary, read_glossary
from lenswidget.view.picture.colors import STEPS, Theme, colors
from lenswidget.view.script import Bundle, code, element, fill, packed, policy, style

COLAB = "https://colab.research.google.com/github/lenswidget/lenswidget/blob/main/notebooks/{}"
"""Where a notebook of the course can be run."""
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{navigation}
<main>
{body}
</main>
{script}
</body>
</html>
"""


def build(
    sources: Iterable[str | os.PathLike[str]],
    folder: str | os.PathLike[str],
    *,
    title: str = "Lessons",
    about: str = "",
    links: Mapping[str, str] | None = None,
) -> list[Path]:
    """Write a page for each notebook and Markdown file, and an `index.html` that leads to them. Returns them, the index last.

    A notebook without outputs is executed first, in its own folder, by the kernel that it names. A notebook of a lesson, of the
    course or with a lesson's file beside it (`mine.md` beside `mine.ipynb`), has all lessons beside it, with what a reader
    has done, and a card in the index. A source that is called `glossary.md` has the terms, in place of the course's own.
    `title` is the index's, `about` a paragraph under it; `links` are further lines of it, from text to address.

    Raises ValueError for a file that is no notebook, with its name, and `nbclient.exceptions.CellExecutionError` where a
    cell fails.
    """
    paths = [Path(source) for source in sources]
    names = [path.stem for path in paths]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice or "index" in names:
        raise ValueError(f"Two pages would be called {twice or 'index'}.html; rename one of the notebooks.")
    own = next((path for path in paths if path.name == "glossary.md"), None)
    terms = read_glossary(own) if own else glossary()
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    lessons = {path: _lesson_of(path) for path in paths}
    pages, bundles = [], {}
    for path, taught in lessons.items():
        notebook = read_notebook(path)
        bundle: Bundle = "lessons" if any(lessons.values()) or teaches(notebook) else "widget"
        address = COLAB.format(path.name) if taught and name_of(path) in course_files() else ""
        body = body_of(notebook, path, bundle, terms, name_of(path), address)
        body.html = _linked(body.html, paths)
        bundles[path.stem] = bundle
        pages.append(Page(path.stem, title_of(notebook, path), body, taught))
    links = links or {}
    written = [
        _write(
            folder / f"{page.file}.html",
            page.title,
            with_ways_on(page, pages),
            side_bar(pages, page.file, links),
            bundles[page.file],
        )
        for page in pages
    ]
    beside = side_bar(pages, "index", links) if lessons_of(pages) else ""
    return [*written, _write(folder / "index.html", title, _index(pages, title, about, links), beside, "lessons")]


def _lesson_of(path: Path) -> Lesson | None:
    """The lesson that a notebook teaches: that of a file of its name beside it, or of the course."""
    if path.suffix != ".ipynb":
        return None
    beside = path.with_suffix(".md")
    if beside.is_file() and beside.read_text(encoding="utf-8").lstrip("\ufeff\n").startswith("---"):
        return Lesson.read(beside)
    return course_lesson(name_of(path)) if name_of(path) in course_files() else None


def _index(pages: list[Page], title: str, about: str, links: Mapping[str, str]) -> str:
    lessons = lessons_of(pages)
    head = f"<h1>{escape(title)}</h1>" + (f'<p class="lead">{marked(about)}</p>' if about else "")
    if not lessons:
        listed = [*((page.title, page.address) for page in pages), *links.items()]
        lines = "".join(f'<li><a href="{escape(address)}">{escape(text)}</a></li>' for text, address in listed)
        return f"{head}<ol>{lines}</ol>"
    minutes = sum(lesson.text.minutes for _, lesson in lessons)
    hours = f"{minutes} minutes" if minutes < 90 else f"about {round(minutes / 60)} hours"
    said = f"{count_of(lessons)}, {hours}. What you answer stays in this browser."
    return f'{head}<p class="index-kept">{said}</p>{cards(pages)}'


def _linked(body: str, sources: list[Path]) -> str:
    """Links to the files that are pages here, leading to the pages."""
    for source in sources:
        body = re.sub(
            rf'href="(?:[^":]*/)?{re.escape(escape(source.name))}(?=["#])', f'href="{escape(source.stem)}.html', body
        )
    return body


def _write(path: Path, title: str, body: str, navigation: str, bundle: Bundle) -> Path:
    alive = re.search(r"data-lens(-term|-course)?[= ]", body + navigation) is not None
    page = fill(
        PAGE,
        title=escape(title),
        policy=policy(bundle),
        style=_style(bundle if alive else None),
        navigation=navigation,
        body=body,
        script=element(packed(code(bundle)), bundle) if alive else "",
    )
    return write_whole(path, lambda stream: stream.write(page.encode("utf-8", "backslashreplace")))


def _style(bundle: Bundle | None) -> str:
    prose = Path(__file__).with_name("pages.css").read_text(encoding="utf-8")
    themed = f"\n{_colors('light')}\n@media (prefers-color-scheme: dark) {{ {_colors('dark')} }}\n"
    return themed + prose + _code_colors() + (style(bundle) if bundle else "")


def _code_colors() -> str:
    light = HtmlFormatter(style="default").get_style_defs(".highlight")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".highlight")
    return f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n.highlight {{ background: none; }}\n"


def _colors(theme: Theme) -> str:
    """The colors of the words around a figure are those of the figure."""
    names = {
        "ink": "ink",
        "faint": "muted",
        "line": "line",
        "edge": "hatch",
        "code": "excluded",
        "link": "focus",
        "page": "page",
        "raised": "raised",
        "right": "source",
        "wrong": "base",
        "plus": "plus",
        "minus": "minus",
        **{f"{tone}{step}": f"{tone}{step}" for tone in "cd" for step in range(STEPS)},
    }
    named = colors(theme)
    return f":root {{ {' '.join(f'--{name}: {named[color]};' for name, color in names.items())} }}"
