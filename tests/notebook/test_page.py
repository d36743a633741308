"""The page: one file, opened as a reader would, with no kernel, no server and no network."""

from __future__ import annotations

import ast
import base64
import io
import json
import re
import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from xml.dom import minidom

import numpy as np
import pandas
import pytest
from PIL import Image
from playwright.sync_api import Browser, FrameLocator, Page, Route, expect

import lenswidget as lw
from lenswidget.grids.comparison import Comparison
from lenswidget.grids.grid import Grid
from lenswidget.grids.marks import spaced
from lenswidget.grids.parts import NO_TOKEN, Quantity
from lenswidget.grids.provenance import provenance_of
from lenswidget.view.page import write_fragment
from lenswidget.view.script import code, name, packed
from lenswidget.view.wire import VERSION
from tests.grids import HOSTILE, PLAIN, hostile_grid, make_grid
from tests.notebook.hosts import Watched, watch
from tests.notebook.markup import LISTEN, made_in

READY = "[data-state=ready]"
COLOR = "label:has-text('color') select"
SCRIPTS = 4
"""The page's own template and our script, which are data, what unpacks it, and the script as it runs."""


def test_a_page_from_a_file_is_alive(watched: Watched, tmp_path: Path) -> None:
    page = watched.page
    page.goto(make_grid(title="<b>a title</b>").to_html(tmp_path / "page.html").as_uri())
    page.wait_for_selector(READY)
    assert page.title() == "Logit lens: <b>a title</b>"
    styled = "e => getComputedStyle(e).fontWeight"
    assert page.locator(".lw-title").evaluate(styled) == "650", "the view has lost its stylesheet"
    assert page.evaluate("document.querySelector('.lw-title') !== null"), "it is in a shadow"
    page.locator("[role=application]").focus()
    for key in ("ArrowUp", "ArrowDown", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
    expect(page.locator(".lw-card")).to_contain_text("L4")
    page.keyboard.press("Enter")
    expect(page.locator(".lw-chip button")).to_have_count(0)
    page.locator(".lw-card").get_by_role("button").first.click()
    expect(page.locator(".lw-chip button")).to_have_count(1)  # a pin of the reader's own can be taken away


def figures_of(texts: list[str]) -> list[Grid | lw.Comparison]:
    """Every kind of figure, with a text in each place where one can stand."""
    several = [hostile_grid(start, texts=texts) for start in (30, 40)]
    compared = lw.compare(*several, names=(texts[21], texts[50]))
    return [*(hostile_grid(start, texts=texts) for start in (0, 16, 48, 64)), hostile_grid(32, "bars", texts), compared]


def opened(texts: list[str]) -> dict[str, Any]:
    """A state in which all is open that can be."""
    figures = figures_of(texts)
    assert isinstance(figures[0], Grid) and figures[0].jumps is not None
    moved = figures[0].jumps
    return {
        "color": list(figures[1].quantities)[-3] if isinstance(figures[1], Grid) else "",
        "pins": [[i] for i in range(0, len(texts), 7)],
        "selected": [3, 2],
        "rows_compared": [1, 4],
        "jump": [int(moved.columns[0]), int(moved.tokens[0]), 4],
    }


def test_hostile_texts_make_nothing_that_plain_ones_do_not(watched: Watched, tmp_path: Path) -> None:
    page = watched.page
    page.add_init_script(LISTEN)
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")  # so the code is shown
    made = []
    for i, texts in enumerate((PLAIN, HOSTILE, HOSTILE)):
        is_fragment = i == 2
        write = write_fragment if is_fragment else partial(lw.write_page, title=" ".join(texts[:60]))
        page.goto(write(figures_of(texts), tmp_path / f"{i}.html", state=opened(texts)).as_uri())
        expect(page.locator(READY)).to_have_count(6)
        made.append(made_in(page))
        assert page.locator("script").count() == SCRIPTS - is_fragment  # a fragment has no page to write
        others = page.locator("body > :not(div, script, style)")
        assert page.locator("body > div").count() == 6 and others.count() == (not is_fragment)
        assert others.locator(":not(summary, dl, dt, dd)").count() == 0
        more = page.locator(".lw-more").nth(1)
        more.locator("summary").click()
        more.get_by_role("button", name="copy code").click()
        code = ast.parse(more.locator("textarea").input_value(), mode="eval").body
        assert isinstance(code, ast.Call) and ast.unparse(code.func) == "lw.LensWidget" and len(code.args) == 1
        assert ast.literal_eval(code.keywords[0].value) == opened(texts)
    plain, hostile, in_fragment = made
    assert hostile | in_fragment <= plain and plain >= {"option value", "p", "tr", "path d"}


def test_hostile_texts_are_only_text_to_readers_without_scripts(chromium: Browser, tmp_path: Path) -> None:
    context = chromium.new_context(java_script_enabled=False)
    watched = watch(context)
    for write in (lw.write_page, write_fragment):
        watched.page.goto(write(figures_of(HOSTILE)[3:], tmp_path / "page.html").as_uri())
        expect(watched.page.locator("body > div > svg")).to_have_count(3)
        inside = watched.page.locator("body > div *").evaluate_all("all => all.map(({ localName }) => localName)")
        assert set(inside) <= {"svg", "title", "style", "rect", "text", "polyline", "polygon", "path"}
    assert (watched.outside, watched.errors) == ([], [])
    context.close()


@pytest.mark.parametrize("scripts", [False, True], ids=["no scripts", "no DecompressionStream"])
def test_a_page_that_can_run_no_script_shows_the_picture(chromium: Browser, tmp_path: Path, scripts: bool) -> None:
    context = chromium.new_context(java_script_enabled=scripts)
    context.add_init_script("delete window.DecompressionStream")
    watched = watch(context)
    watched.page.goto(make_grid().to_html(tmp_path / "page.html").as_uri())
    expect(watched.page.locator("[data-lens] svg")).to_be_visible()
    assert (watched.outside, watched.errors) == ([], [])
    context.close()


POLICIES = {
    "no script but the page's own": "default-src 'self'; style-src 'unsafe-inline'",
    "no style either": "default-src 'self'",
    "nothing at all": "default-src 'none'",
}


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_where_the_script_or_styles_are_refused_the_picture_shows_and_can_be_read(
    watched: Watched, tmp_path: Path, policy: str
) -> None:
    fragment = make_grid().to_html(tmp_path / "fragment.html", fragment=True).read_text()
    page = watched.page
    page.context.route(
        "https://a.test/",
        lambda route: route.fulfill(
            body=f"<!doctype html><meta charset=utf-8><body>{fragment}",
            content_type="text/html",
            headers={"content-security-policy": policy},
        ),
    )
    page.goto("https://a.test/")
    picture = page.locator("[data-lens] svg")
    expect(picture).to_be_visible()
    # from white paper to dark ink, and all shades between
    shot = Image.open(io.BytesIO(picture.screenshot())).convert("RGB")
    assert len(shot.getcolors(100_000) or ()) > 50
    assert shot.getpixel((2, 2)) == (255, 255, 255)
    assert page.locator(READY).count() == 0


def test_a_fragment_that_is_put_in_by_inner_html_shows_its_picture(watched: Watched, tmp_path: Path) -> None:
    fragment = make_grid().to_html(tmp_path / "fragment.html", fragment=True).read_text()
    watched.page.set_content("<main></main>")
    watched.page.locator("main").evaluate("(main, html) => { main.innerHTML = html }", fragment)
    expect(watched.page.locator("[data-lens] svg")).to_be_visible()
    assert watched.page.locator("[data-lens] svg").bounding_box()["width"] > 200  # type: ignore[index]


def test_two_versions_of_the_script_on_one_page_show_their_own_figures(watched: Watched, tmp_path: Path) -> None:
    def older(html: str) -> str:
        """As another version would have written it: data that this one can't read, and a script that can."""
        (data,) = re.findall(r'data-lens="([^"]*)"', html)
        plain = zlib.decompress(base64.b64decode(data))
        message = zlib.compress(plain.replace(b'"version":%d' % VERSION, b'"version":9', 1))
        (script,) = re.findall(r'data-lens-code="\w+">([^<]*)<', html)
        old = zlib.decompress(base64.b64decode(script)).decode()
        patched, count = re.subn(r"\b\w+!==(\w+\.version)", r"9!==\1", old)
        assert count == 1
        new = base64.b64encode(zlib.compress(patched.encode())).decode()
        return (
            html.replace(data, base64.b64encode(message).decode()).replace(script, new).replace(name(), "0123456789ab")
        )

    ours, others = (
        make_grid(title=title).to_html(tmp_path / "fragment.html", fragment=True).read_text()
        for title in ("this version", "another version")
    )
    page = watched.page
    for fragments in ((ours, older(others)), (older(others), ours), (ours, ours, older(others), older(others))):
        (tmp_path / "page.html").write_text(f"<!doctype html><meta charset=utf-8>{''.join(fragments)}")
        page.goto((tmp_path / "page.html").as_uri())
        expect(page.locator(READY)).to_have_count(len(fragments))
        expect(page.locator("[role=alert]")).to_have_count(0)


@pytest.mark.parametrize(
    ("head", "system", "theme"),
    [
        ("", "dark", "light"),
        ('<meta name="color-scheme" content="light dark">', "dark", "dark"),
        ('<meta name="color-scheme" content="light dark">', "light", "light"),
        ("<style>:root { color-scheme: dark }</style>", "light", "dark"),
        ("<style>body { background: #222 }</style>", "light", "dark"),
        ("<style>body { background: white }</style>", "dark", "light"),
    ],
)
def test_a_view_is_light_or_dark_as_the_page_is(
    watched: Watched, tmp_path: Path, head: str, system: Any, theme: str
) -> None:
    fragment = make_grid().to_html(tmp_path / "fragment.html", fragment=True).read_text()
    (tmp_path / "page.html").write_text(f"<!doctype html><meta charset=utf-8>{head}<p>text</p>{fragment}")
    watched.page.emulate_media(color_scheme=system)
    watched.page.goto((tmp_path / "page.html").as_uri())
    expect(watched.page.locator(READY)).to_have_attribute("data-theme", theme)


def frame(page: Page, html: str, sandbox: str = "allow-scripts") -> FrameLocator:
    """A page in a `srcdoc` frame without an origin of its own."""
    page.goto("about:blank")
    page.evaluate(
        """([html, sandbox]) => {
            const frame = document.createElement("iframe");
            frame.sandbox = sandbox;
            frame.style = "width: 1200px; height: 800px";
            frame.srcdoc = html;
            document.body.append(frame);
        }""",
        [html, sandbox],
    )
    return page.frame_locator("iframe")


def test_a_page_works_in_a_sandboxed_frame(watched: Watched, tmp_path: Path) -> None:
    inside = frame(watched.page, make_grid().to_html(tmp_path / "page.html").read_text())
    expect(inside.locator(READY)).to_be_visible()
    inside.get_by_label("Export").select_option("csv")
    expect(inside.get_by_role("status")).to_contain_text("If it doesn’t arrive, this frame may not save files")


def test_ten_figures_share_one_script_and_the_servers_strict_policy_lets_it_run(
    watched: Watched, tmp_path: Path
) -> None:
    path = lw.write_page([make_grid(seed=i) for i in range(10)], tmp_path / "page.html", title="ten {script}")
    page = watched.page
    html = path.read_text()
    assert html.count(packed(code())) == 1
    policy = re.findall(r"script-src 'sha256-[^;]*", html)[0]

    def served(route: Route) -> None:
        headers = {
            "content-security-policy": f"default-src 'none'; {policy}; style-src 'unsafe-inline'; sandbox allow-scripts"
        }
        route.fulfill(body=html, content_type="text/html", headers=headers)

    page.context.route("https://a.test/", served)
    page.goto("https://a.test/")
    expect(page.locator(READY)).to_have_count(10)
    assert page.title() == "ten {script}"


def test_a_fragment_keeps_its_looks_and_leaves_the_page_its_own(watched: Watched, tmp_path: Path) -> None:
    fragments = [make_grid(seed=i).to_html(tmp_path / f"{i}.html", fragment=True).read_text() for i in range(2)]
    assert not any("\n\n" in fragment for fragment in fragments), "Markdown would leave off at a blank line"
    style = "<style>p, dt, select { color: red !important; float: right } :root { --lw-ink: red }</style>"
    (tmp_path / "course.html").write_text(f"<meta charset=utf-8>{style}<p id=mine>text</p>{''.join(fragments)}")
    page = watched.page
    page.goto((tmp_path / "course.html").as_uri())
    expect(page.locator(READY)).to_have_count(2)
    title = page.locator(".lw-title").first
    assert title.evaluate("e => getComputedStyle(e).float") == "none"
    assert "255, 0, 0" not in title.evaluate("e => getComputedStyle(e).color")
    assert "255, 0, 0" in page.locator("#mine").evaluate("e => getComputedStyle(e).color")


OLD_PANDAS = int(pandas.__version__.split(".")[0]) < 3
"""Takes a field that is one NUL for an empty one."""


def assert_same_table(path: Path, figure: Grid | Comparison) -> None:
    """A CSV of the menu, read by pandas, has the columns, labels and values of `to_dataframe`."""
    found = pandas.read_csv(path, keep_default_na=False, na_values=[""])
    wanted = figure.to_dataframe()
    said = json.loads(found["provenance"].iloc[0])
    assert found.pop("provenance").iloc[1:].isna().all()
    for one, known in zip(*([x] if isinstance(x, dict) else x for x in (said, wanted.attrs["provenance"]))):
        assert one.pop("rounded", "to half precision").startswith("to half precision")
        assert one == known
    assert list(found) == list(wanted) and len(found) == len(wanted)
    for column in wanted:
        if wanted[column].dtype.kind in "if":
            np.testing.assert_allclose(
                found[column].to_numpy(float), wanted[column].to_numpy(float), rtol=5e-3, err_msg=column
            )
        else:
            texts = [None if x == "\0" and OLD_PANDAS else x for x in wanted[column]]
            assert [None if pandas.isna(x) else x for x in found[column]] == texts, column


TRICKY = ["=1+1", 'a,"b"', "two\nlines", "null", "NA", "\t", "@SUM(A1)", "é, ␣", " ", "-1", "#x", "\r", "''"]
"""What a table may take for something else than a text."""


def test_a_table_reads_back_in_pandas_whatever_tokens_are(watched: Watched, tmp_path: Path) -> None:
    page = watched.page
    grid = make_grid(6, len(TRICKY), vocabulary=len(TRICKY), title="=1+1")
    huge = {**grid.quantities, "huge": Quantity("huge", grid.quantities["change"].values * 1e6)}
    tricky = replace(grid, texts=dict(enumerate(TRICKY)), quantities=huge, rows=("=1", "a,b", '"', "null", "L3", "L4"))
    labelled = replace(
        tricky,
        columns=np.full_like(tricky.columns, NO_TOKEN),
        column_labels=tuple(TRICKY),
        following=None,
        title="other",
    )
    for figure in (tricky, labelled, lw.compare(tricky, replace(tricky, title="other"), names=["=a", "b,"])):
        page.goto(figure.to_html(tmp_path / "page.html").as_uri())
        page.wait_for_selector(READY)
        with page.expect_download() as download:
            page.get_by_label("Export").select_option("csv")
        download.value.save_as(tmp_path / "saved.csv")
        assert_same_table(tmp_path / "saved.csv", figure)


@pytest.mark.parametrize("made", [make_grid, hostile_grid])
def test_what_the_menu_saves_is_whole(watched: Watched, tmp_path: Path, made: Callable[[], Grid]) -> None:
    page, grid = watched.page, made()
    page.add_init_script("window.alert = () => { window.attacked = true }")
    page.goto(grid.to_html(tmp_path / "page.html").as_uri())
    page.wait_for_selector(READY)
    page.locator(COLOR).select_option("entropy")

    def saved(kind: str) -> Path:
        with page.expect_download() as download:
            page.get_by_label("Export").select_option(kind)
        assert re.fullmatch(r"lens-[\w-]+\." + kind, download.value.suggested_filename)
        download.value.save_as(tmp_path / f"saved.{kind}")
        return tmp_path / f"saved.{kind}"

    drawn = minidom.parse(str(saved("svg")))
    assert {node.nodeName for node in drawn.getElementsByTagName("*")} <= {
        "svg",
        "title",
        "metadata",
        "g",
        "rect",
        "text",
        "tspan",
        "path",
        "line",
        "circle",
        "image",
    }
    images = [node.getAttribute("href") for node in drawn.getElementsByTagName("image")]
    assert all(href.startswith("data:image/png;base64,") for href in images)
    (title,) = drawn.getElementsByTagName("title")
    assert title.firstChild
    (metadata,) = drawn.getElementsByTagName("metadata")
    assert json.loads("".join(node.data for node in metadata.childNodes)) == provenance_of(grid)
    picture = Image.open(saved("png"))
    picture.load()
    assert picture.width > 800 and json.loads(picture.text["lenswidget"]) == provenance_of(grid)
    assert_same_table(saved("csv"), grid)
    numbers = json.loads(saved("json").read_text())
    assert numbers["rows"] == list(grid.rows)
    assert {name: value for name, value in numbers["provenance"].items() if name != "rounded"} == provenance_of(grid)
    page.goto(saved("html").as_uri())
    assert json.loads(page.locator("meta[name=lenswidget]").get_attribute("content") or "") == provenance_of(grid)
    assert page.locator(".about dd").all_text_contents() == [spaced(value) for value in provenance_of(grid).values()]
    page.wait_for_selector(READY)
    expect(page.locator(COLOR)).to_have_value("entropy")
    assert page.evaluate("window.attacked") is None
    assert page.locator("script").count() == SCRIPTS


def test_a_page_says_what_is_wrong_with_its_data(watched: Watched, tmp_path: Path) -> None:
    html = make_grid().to_html(tmp_path / "page.html").read_text()
    data = re.search(r'data-lens="([^"]*)"', html)
    assert data
    raw = base64.b64decode(data[1])
    plain = zlib.decompress(raw)
    newer = zlib.compress(plain.replace(b'"version":%d' % VERSION, b'"version":9', 1))
    for wrong, says in ((raw[: len(raw) // 2], "damaged or cut short"), (newer, "another version of lenswidget")):
        path = tmp_path / "wrong.html"
        path.write_text(html.replace(data[1], base64.b64encode(wrong).decode()))
        watched.page.goto(path.as_uri())
        expect(watched.page.get_by_role("alert")).to_contain_text(says)
