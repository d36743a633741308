"""Pages of notebooks: prose, code and formulas as a reader expects them, and every widget alive without a kernel."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from playwright.sync_api import expect

from lenswidget.__main__ import main
from lenswidget.lessons.notebook_pages import build
from tests.grids import hostile_grid, make_grid
from tests.notebook.hosts import Watched


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lessons")
    for name, grid in (("first", make_grid()), ("second", hostile_grid())):
        grid.save(folder / f"{name}.npz")
        cells = [
            new_markdown_cell(f"# The {name} lesson\n\nA sum, $\\sum_i x_i^2 < \\frac{{1}}{{2}}$, and alone:\n\n$$x_0 = 1$$"),
            new_markdown_cell("96 % of both: [before](first.ipynb) and [after](second.ipynb#the-second-lesson)."),
            new_code_cell(f"import sys\nimport lenswidget as lw\ngrid = lw.Grid.load('{name}.npz')"),
            new_code_cell("print('said', 'aside', file=sys.stderr)"),
            new_code_cell("print('from a fold')", metadata={"jupyter": {"source_hidden": True}}),
            new_code_cell("from tqdm.auto import tqdm\nfor _ in tqdm(range(3), desc='a ' + 'bar'): pass"),
            new_code_cell("grid.widget(selected=[2, 3], color='entropy')"),
            new_code_cell("grid.to_dataframe().head(2)"),
        ]  # fmt: skip
        nbformat.write(new_notebook(cells=cells), folder / f"{name}.ipynb")
    assert (
        main(["build", *(str(folder / f"{name}.ipynb") for name in ("first", "second")), "-o", str(folder / "site")])
        == 0
    )
    return folder / "site"


def test_a_lesson_page_is_alive_and_whole(watched: Watched, site: Path) -> None:
    page = watched.page
    page.goto((site / "index.html").as_uri())
    page.get_by_role("link", name="The first lesson").click()
    page.wait_for_selector("[data-state=ready]")
    expect(page.locator(".lw-card.lw-held")).to_contain_text("L1")  # the selection that the notebook had
    expect(page.locator(".lenswidget select").first).to_have_value("entropy")
    assert page.locator("math").count() == 2 and page.locator("math mfrac").count() == 1
    expect(page.get_by_text("lw.Grid.load")).to_be_visible()
    expect(page.locator("table.dataframe")).to_be_visible()
    expect(page.locator(".output_subarea:has(table.dataframe)")).to_have_attribute("tabindex", "0")  # it may scroll
    text = page.locator("main").inner_text()
    assert "96\N{NO-BREAK SPACE}% of both" in text  # a number stays with its percent sign
    assert "from a fold" in text and "print('from a fold')" not in text  # folded code stays folded
    assert "said aside" not in text and "a bar" not in text
    page.get_by_role("link", name="after").click()  # a notebook links to a notebook, and its page to a page
    expect(page).to_have_title("The second lesson")
    page.locator("nav").get_by_role("link", name="The first lesson").click()
    expect(page).to_have_title("The first lesson")
    page.locator("nav").get_by_role("link", name="The second lesson").click()
    page.wait_for_selector("[data-state=ready]")


def test_a_lesson_page_holds_each_thing_once(site: Path) -> None:
    text = (site / "first.html").read_text()
    shown, *scripts = text.split("<script ")
    assert shown.count("data-lens=") == 1 and len(scripts) == 1
    assert len(text) < 200_000


@pytest.fixture(scope="module")
def questions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("questions")
    make_grid().save(folder / "grid.npz")
    cells = [
        new_markdown_cell("# Questions"),
        new_code_cell(
            "import lenswidget as lw\nfrom lenswidget.lessons.part import begin\nbegin('asked')\nlessons = lw.lessons"
        ),
        new_code_cell("lessons.Choice('Which, <b>one</b>?', {'this': 'Yes.', 'that': 'No.'}, 'this', hints=['Look.'])"),
        new_code_cell("lw.Grid.load('grid.npz')"),
        new_code_cell("lessons.Quiz([lessons.Number('How many?', 3), lessons.Number('And?', 4)], id='quiz')"),
    ]
    nbformat.write(new_notebook(cells=cells), folder / "asked.ipynb")
    build([folder / "asked.ipynb"], folder)
    return folder / "asked.html"


def test_questions_live_in_a_page_and_remember(watched: Watched, questions: Path) -> None:
    page = watched.page
    page.goto(questions.as_uri())
    page.get_by_role("button", name="that").click()
    page.get_by_label("Your answer").fill("3")
    page.keyboard.press("Enter")
    page.reload()
    expect(page.locator(".lw-options li").nth(1)).to_have_attribute("data-stand", "wrong")
    expect(page.locator(".lw-score p")).to_contain_text("1 of 2")
    expect(page.locator("[role=application]")).to_have_count(1)  # the grid, by the same script
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save answers.json").click()
    answers = json.loads(saved.value.path().read_text())
    assert answers["format"] == "lenswidget answers" and answers["version"] == 1
    assert answers["lessons"]["asked"]["quiz"]["score"] == {"right": 1, "answered": 1, "asked": 2}
    page.evaluate("localStorage.clear()")
    page.reload()
    page.locator("input[type=file]").set_input_files(saved.value.path())
    expect(page.locator(".lw-score p")).to_contain_text("1 of 2")
    expect(page.locator(".lw-options li").nth(1)).to_have_attribute("data-stand", "wrong")


def test_a_page_of_questions_has_one_script_and_no_answer_in_sight(watched: Watched, questions: Path) -> None:
    text = questions.read_text()
    assert text.count("data-lens-code=") == 1
    assert text.count('data-lens-by="') == 3
    assert "right=" not in text.split("data-lens-part=")[1].split(">")[0]
    assert "Yes." not in text.split("data-lens-part=")[1].split(">")[0]
    browser = watched.page.context.browser
    assert browser is not None
    page = browser.new_page(java_script_enabled=False)
    page.goto(questions.as_uri())
    expect(page.locator("[data-lens-part]").first).to_contain_text("Which, <b>one</b>?")
    expect(page.locator("[data-lens-part]").first).to_contain_text("that")


def test_without_scripts_a_lesson_page_shows_pictures(watched: Watched, site: Path) -> None:
    browser = watched.page.context.browser
    assert browser is not None
    page = browser.new_page(java_script_enabled=False)
    for name in ("first", "second"):
        page.goto((site / f"{name}.html").as_uri())
        expect(page.locator("[data-lens] img")).to_be_visible()
        box = page.locator("[data-lens] img").bounding_box()
        assert box is not None and box["width"] > 200
    page.close()


def test_every_lesson_is_found_whatever_it_is_called(watched: Watched, tmp_path: Path) -> None:
    title = "</title></a><img src=x onerror=alert(1)>"
    names = ["a#b?c 100%25", "javascript:alert(1)", "it's <b>&amp;", "..first"]
    for name in names:
        nbformat.write(new_notebook(cells=[new_markdown_cell(f"# {title}")]), tmp_path / f"{name}.ipynb")
    *pages, index = build([tmp_path / f"{name}.ipynb" for name in names], tmp_path / "site", title=title)
    page = watched.page
    for place in ("ol", "nav"):
        page.goto((index if place == "ol" else pages[-1]).as_uri())
        assert page.title() == title and page.locator(f"{place} :not(li, a, b)").count() == 0
        links = page.locator(f"{place} a").all()
        addresses = [link.evaluate("link => link.href") for link in links]
        # titles that are alike are still two lessons
        assert len(links) == 4 and {page.as_uri() for page in pages[:-1]} <= set(addresses)
        for link in links:
            assert link.inner_text() in (title, "All")


@pytest.mark.parametrize(("name", "sentence"), [("index", "would be called index.html"), ("text", "is not a notebook")])
def test_what_makes_no_page_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, sentence: str
) -> None:
    (tmp_path / f"{name}.ipynb").write_text("no notebook")
    assert main(["build", str(tmp_path / f"{name}.ipynb"), "-o", str(tmp_path / "site")]) == 1
    assert sentence in capsys.readouterr().err
