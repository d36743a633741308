"""The page: one file, opened as a reader would, with no kernel, no server and no network."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.grids import hostile_grid, make_grid
from tests.notebook.hosts import Watched, watch

READY = "[data-state=ready]"


def test_a_page_from_a_file_is_alive(watched: Watched, tmp_path: Path) -> None:
    page = watched.page
    page.goto(make_grid(title="<b>a title</b>").to_html(tmp_path / "page.html").as_uri())
    page.wait_for_selector(READY)
    assert page.title() == "Logit lens: <b>a title</b>"
    page.locator("[role=application]").focus()
    for key in ("ArrowUp", "ArrowDown", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
    expect(page.locator(".lw-card")).to_contain_text("After layer 4")
    page.keyboard.press("Enter")
    expect(page.locator(".lw-chip button")).to_have_count(0)
    page.locator(".lw-card").get_by_role("button").first.click()
    expect(page.locator(".lw-chip button")).to_have_count(1)  # a pin of the reader's own can be taken away


def test_a_page_of_hostile_texts_runs_none_of_them(watched: Watched, tmp_path: Path) -> None:
    page = watched.page
    page.add_init_script("window.alert = () => { window.attacked = true }")
    page.goto(hostile_grid().to_html(tmp_path / "page.html").as_uri())
    page.wait_for_selector(READY)
    assert page.evaluate("window.attacked") is None
    assert page.locator("script").count() == 2  # ours, and the page's own template, which is data


def test_a_page_without_scripts_shows_the_picture(chromium: Browser, tmp_path: Path) -> None:
    context = chromium.new_context(java_script_enabled=False)
    watched = watch(context)
    watched.page.goto(make_grid().to_html(tmp_path / "page.html").as_uri())
    expect(watched.page.locator("noscript svg")).to_be_visible()
    assert watched.outside == []
    context.close()


def test_a_page_works_in_a_sandboxed_frame(watched: Watched, tmp_path: Path) -> None:
    page = watched.page
    page.goto("about:blank")
    html = make_grid().to_html(tmp_path / "page.html").read_text()
    page.evaluate(
        """html => {
            const frame = document.createElement("iframe");
            frame.sandbox = "allow-scripts";
            frame.style = "width: 1200px; height: 800px";
            frame.srcdoc = html;
            document.body.append(frame);
        }""",
        html,
    )
    expect(page.frame_locator("iframe").locator(READY)).to_be_visible()
