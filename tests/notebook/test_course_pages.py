"""Pages of a course: its lessons beside each page, terms, questions that can be answered there, and what is kept."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from playwright.sync_api import expect

from lenswidget.lessons.mark import mark_svg
from lenswidget.lessons.notebook_body import with_terms, without_questions
from lenswidget.lessons.notebook_pages import build
from lenswidget.lessons.terms import read_glossary
from lenswidget.view.wire import encode, seen_first
from tests.grids import hostile_grid, make_grid
from tests.notebook.hosts import Watched

LESSON = """---
title: {title}
number: {number}
minutes: 20
terms: row
see: A *row* of <b>cells</b>.
---
What it is about.

## Quiz
### How many?
= 3 — said

## Next
- {other}: go on
"""
GLOSSARY = '# Words\n\n## row\nA line of the "grid", <i>read</i> once. First met in lesson 1.\n\n## Big row\nA row.\n'


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("course")
    make_grid().save(folder / "grid.npz")
    (folder / "glossary.md").write_text(GLOSSARY)
    for number, name, other in ((2, "second", "first"), (1, "first", "second")):
        text = LESSON.format(title=f"The {name} lesson", number=number, other=other)
        (folder / f"{number}_{name}.md").write_text(text)
        (folder / f"{name}.py").write_text(
            "from lenswidget import lessons\n"
            "EXERCISES = {'half': lessons.Exercise('Half of one?', lambda value: value == 0.5, 'answer = 0.5')}\n"
        )
        code = [
            "import lenswidget as lw\nfrom lenswidget import lessons",
            f"lesson = lessons.Lesson.read('{number}_{name}.md')\nlesson",
            "grid = lw.Grid.load('grid.npz')\nlessons.Choice('Which?', {'left': 'Not so.', 'RIGHT': 'Said.'}, right='RIGHT')",
            "grid",
            "lesson.exercise('half')",
            "answer = ...  # your turn",
            "lesson.check('half', answer)",
            "lesson.quiz",
            "lesson.next",
        ]
        words = (
            f"# The {name} lesson\n\nA [row](glossary.md#row) and a [[Big row|large one]], not `[[row]]`.\n\n## 1 Look"
        )
        cells = [
            new_markdown_cell(words),
            *map(new_code_cell, code),
            new_markdown_cell("## Where it misleads\n\nThere."),
        ]
        nbformat.write(new_notebook(cells=cells), folder / f"{number}_{name}.ipynb")
    build(
        [folder / "2_second.ipynb", folder / "1_first.ipynb", folder / "glossary.md"],
        folder / "site",
        about="For *you*",
    )
    return folder / "site"


def test_the_index_leads_to_lessons_in_their_order(watched: Watched, site: Path) -> None:
    page = watched.page
    page.goto((site / "index.html").as_uri())
    cards = page.locator("main .cards > li")
    assert [card.inner_text().split("\n")[0] for card in cards.all()] == ["1The first lesson", "2The second lesson"]
    assert cards.locator("svg").count() == 2 and cards.first.locator("em").inner_text() == "row"
    assert "<b>cells</b>" in cards.first.inner_text() and page.locator("main b").count() == 0
    expect(cards.first).to_contain_text("20 minutes · 1 exercise · quiz of 1")
    page.locator(".course").get_by_role("link", name="Words").click()
    expect(page).to_have_title("Words")


def test_lessons_stand_beside_a_page_with_what_is_done(watched: Watched, site: Path) -> None:
    page = watched.page
    page.goto((site / "1_first.html").as_uri())
    course = page.locator("nav.course")
    expect(course.locator("[aria-current=page]")).to_have_text("1The first lesson")
    assert course.locator(".sections a").all_inner_texts() == ["1 Look", "Where it misleads"]
    expect(course.locator(".kept")).to_have_text("0 done · kept in this browser")
    score = {"tried": [], "score": {"right": 12, "answered": 15, "asked": 15}}
    page.evaluate("said => localStorage.setItem('lenswidget/second/quiz', said)", json.dumps(score))
    page.evaluate("localStorage.setItem('lenswidget/first/quiz', 'no')")  # somebody edited it
    page.reload()
    expect(course.locator(".kept")).to_have_text("1 done · kept in this browser")
    expect(course.locator("[data-lesson=second] .score")).to_have_text("12/15")
    expect(course.locator("[data-lesson=second]")).to_have_attribute("data-stand", "done")
    page.get_by_role("heading", name="Where it misleads").evaluate("head => head.scrollIntoView()")
    expect(course.locator("[data-here]")).to_have_text("Where it misleads")


def test_a_guess_is_answered_in_the_page_and_kept(watched: Watched, site: Path) -> None:
    page = watched.page
    page.goto((site / "1_first.html").as_uri())
    page.get_by_role("button", name="RIGHT").click()
    expect(page.get_by_text("Said.").first).to_be_visible()
    page.reload()
    expect(page.get_by_text("Said.").first).to_be_visible()
    assert any(key.startswith("lenswidget/first/") for key in page.evaluate("Object.keys(localStorage)"))


def test_no_page_shows_what_answers_its_questions(site: Path) -> None:
    text = (site / "1_first.html").read_text()
    shown = text.split("</head>")[1].split("data-lens-code")[0]
    assert "right=" not in shown and "Said." not in shown and "Not so." not in shown
    for line in ("answer = ", "lesson.check", "lesson.quiz", "No answer yet"):
        assert line not in shown


def test_terms_say_what_they_mean(watched: Watched, site: Path) -> None:
    page = watched.page
    page.goto((site / "1_first.html").as_uri())
    row, large = page.locator("main a[data-lens-term]").all()[:2]
    assert row.get_attribute("data-lens-term") == 'A line of the "grid", <i>read</i> once.'
    assert large.inner_text() == "large one" and (large.get_attribute("href") or "").endswith("glossary.html#Big-row")
    expect(page.locator("code", has_text="[[row]]")).to_be_visible()


def test_a_lesson_leads_on_to_others(watched: Watched, site: Path) -> None:
    page = watched.page
    page.goto((site / "1_first.html").as_uri())
    page.locator("main .cards").get_by_role("link", name="The second lesson").click()
    expect(page).to_have_title("The second lesson")


def test_a_term_that_nobody_explains_is_said(tmp_path: Path) -> None:
    nbformat.write(new_notebook(cells=[new_markdown_cell("# A\n\nA [[colum]].")]), tmp_path / "a.ipynb")
    with pytest.raises(ValueError, match=r'a\.ipynb: The glossary has no "colum"'):
        build([tmp_path / "a.ipynb"], tmp_path / "site")


def test_terms_in_code_are_code(tmp_path: Path) -> None:
    (tmp_path / "glossary.md").write_text(GLOSSARY)
    terms = read_glossary(tmp_path / "glossary.md")
    for html in ("<code>[[row]]</code>", "<pre>a[[row]]</pre>", '<a title="[[row]]">x</a>', "a[[0]"):
        assert with_terms(html, terms) == html
    assert with_terms("[[ROW]]", terms).startswith(
        '<a href="glossary.html#row" data-lens-term="A line of the &quot;grid&quot;'
    )


@pytest.mark.parametrize(
    ("code", "left"),
    [
        ("grid = lw.read(run)\nlessons.Point(\n    grid, 'Click',\n    right=1,\n)", "grid = lw.read(run)"),
        ("guess = lw.lessons.Choice('?', {}, 'a')\nlesson.quiz", ""),
        ("lesson = lessons.lesson('a')\nlesson", "lesson = lessons.lesson('a')"),
        ("answer = ...  # your turn", ""),
        ("%pip install it\nlessons.Choice()", "%pip install it\nlessons.Choice()"),
        ("x = 1  # a comment\nx", "x = 1  # a comment\nx"),
    ],
)
def test_code_stands_in_a_page_without_its_questions(code: str, left: str) -> None:
    assert without_questions(code) == left


def test_a_small_picture_has_the_colors_of_its_figure() -> None:
    grid = make_grid()
    seen = seen_first(encode([grid]))
    first = next(iter(grid.quantities.values())).values
    assert seen is not None and seen.values.shape == first.shape
    assert abs(seen.values - first).max() < 2e-3
    assert mark_svg(encode([grid])).count("<rect") == min(16, first.shape[0]) * min(9, first.shape[1])
    bars = hostile_grid(view="bars")
    assert "var(--plus)" in mark_svg(encode([bars]))
