"""A Grid at the end of a cell, in real notebooks in a real browser: seen, hovered, clicked, typed at, run again."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as Late

from lenswidget.grids.grid import Grid
from tests.grids import hostile_grid, make_grid
from tests.notebook.hosts import Host, Watched, watch
from tests.notebook.markup import LISTEN, made_in

READY = "[data-state=ready]"
HEATMAP = "[role=application]"
GRID = "import lenswidget as lw\ngrid = lw.Grid.load('grid.npz')\n"


@pytest.fixture
def grid(host: Host) -> Grid:
    made = make_grid(9, 6)
    made.save(host.folder / "grid.npz")
    return made


def point_at(page: Page, layer: int, column: int, grid: Grid) -> None:
    """Put the pointer on the cell of a layer, found as a reader finds it: down the column until its card says so."""
    heatmap = page.locator(HEATMAP).first
    heatmap.scroll_into_view_if_needed()
    box, size = heatmap.bounding_box(), heatmap.locator("> div").bounding_box()
    assert box and size
    x = box["x"] + (column + 0.5) * size["width"] / grid.shape[1]
    for y in range(6, int(size["height"]), 8):
        page.mouse.move(x, box["y"] + y)
        page.wait_for_timeout(30)
        card = page.locator(".lw-card").first
        if card.count() and re.search(rf"\bL{layer}\b", card.inner_text()):
            return
    raise AssertionError(f"no card for layer {layer} in column {column}")


def file_says(page: Page, path: Path, wanted: object) -> None:
    """Wait until the kernel has written what is wanted."""
    for _ in range(100):
        if path.exists() and json.loads(path.read_text() or "null") == wanted:
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"the kernel wrote {path.read_text() if path.exists() else 'nothing'}, not {wanted}")


def test_hover_click_and_keys(host: Host, watched: Watched, grid: Grid) -> None:
    """Hovering shows a card; a click, a pin and the keys reach Python."""
    page = watched.page
    write = "import json, pathlib\ndef write(change): pathlib.Path('seen.json').write_text(json.dumps([w.selected, w.pins]))\n"
    (host.folder / "seen.json").unlink(missing_ok=True)
    host.open(page, [GRID + write + "w = lw.LensWidget(grid)\nw.observe(write, ['selected', 'pins'])\nw"])
    page.wait_for_selector(READY)
    assert grid.candidates is not None
    point_at(page, 3, 3, grid)
    card = page.locator(".lw-card")
    expect(card).to_contain_text(f"tok{grid.candidates.ids[4, 3, 0]}")
    page.mouse.down()
    page.mouse.up()
    file_says(page, host.folder / "seen.json", [[4, 3], []])
    card.get_by_role("button").first.click()
    leader = int(grid.candidates.ids[4, 3, 0])
    file_says(page, host.folder / "seen.json", [[4, 3], [[leader]]])
    page.locator(HEATMAP).focus()
    page.keyboard.press("Escape")
    page.keyboard.press("End")
    page.keyboard.press("PageUp")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".lw-spoken")).to_contain_text("L7")
    page.keyboard.press("Enter")
    file_says(page, host.folder / "seen.json", [[8, 4], [[leader]]])


def test_python_sets_what_is_shown(host: Host, watched: Watched, grid: Grid) -> None:
    page = watched.page
    host.open(page, [GRID + "w = lw.LensWidget(grid, color='entropy', selected=[2, 1])\nw"])
    page.wait_for_selector(READY)
    expect(page.locator(".lw-card")).to_contain_text("L1")
    expect(page.locator("label:has-text('color') select")).to_have_value("entropy")


def test_two_views_of_one_widget_and_two_widgets_apart(host: Host, watched: Watched, grid: Grid) -> None:
    """Two views share what is selected; another widget does not, unless it is linked."""
    page = watched.page
    host.open(page, [
        GRID + "import ipywidgets\nw, other = lw.LensWidget(grid), lw.LensWidget(grid)\n"
        "ipywidgets.jslink((w, 'color'), (other, 'color'))\nw",
        "w",
        "other",
    ])  # fmt: skip
    expect(page.locator(READY)).to_have_count(3)
    point_at(page, 7, 2, grid)
    page.mouse.down()
    page.mouse.up()
    expect(page.locator(".lw-held")).to_have_count(2)
    menus = page.locator("label:has-text('color') select")
    menus.first.select_option("entropy")
    for i in range(3):
        expect(menus.nth(i)).to_have_value("entropy")


@pytest.mark.parametrize("host", ["lab"], indirect=True)
def test_two_tabs_of_one_notebook_share_what_is_chosen(host: Host, watched: Watched, grid: Grid) -> None:
    """Whatever is chosen in one arrives in the other, through the kernel, and the one that stays loses nothing."""
    page = watched.page
    write = (
        "import json, pathlib\ndef write(change): pathlib.Path('tabs.json').write_text(json.dumps([w.pins, w.color]))\n"
    )
    (host.folder / "tabs.json").unlink(missing_ok=True)
    cells = [GRID + write + "w = lw.LensWidget(grid)\nw.observe(write, ['pins', 'color'])\nw", "w"]
    notebook = host.open(page, cells)
    expect(page.locator(READY)).to_have_count(2)
    host.save(page)
    other = watch(page.context)
    host.visit(other.page, notebook.name)
    expect(other.page.locator(READY)).to_have_count(2)
    assert grid.candidates is not None
    leader = int(grid.candidates.ids[-1, -2, 0])
    assert leader not in grid.targets[0].ids

    heatmap = other.page.locator(HEATMAP).first
    heatmap.focus()
    for key in ("ArrowUp", "ArrowLeft", "p"):
        heatmap.press(key)
    chips = ".lw-chip button"
    for tab in (page, other.page):
        expect(tab.locator(chips)).to_have_count(2)  # a pin, in both views
    file_says(page, host.folder / "tabs.json", [[[leader]], ""])
    page.bring_to_front()
    page.locator("label:has-text('color') select").first.select_option("entropy")
    for tab in (page, other.page):
        for i in range(2):
            expect(tab.locator("label:has-text('color') select").nth(i)).to_have_value("entropy")
    file_says(page, host.folder / "tabs.json", [[[leader]], "entropy"])
    other.page.close()
    page.locator(chips).first.click()
    expect(page.locator(chips)).to_have_count(0)
    file_says(page, host.folder / "tabs.json", [[], "entropy"])
    assert (other.outside, other.errors) == ([], [])


def test_running_a_cell_again_leaves_nothing_behind(host: Host, watched: Watched, grid: Grid) -> None:
    page = watched.page
    count = (
        "import ipywidgets, json, pathlib\n"
        "pathlib.Path('count.json').write_text(json.dumps(sorted(type(w).__name__ for w in ipywidgets.Widget.widgets.values())))"
    )
    (host.folder / "count.json").unlink(missing_ok=True)
    host.open(page, [GRID + "grid", count])
    page.wait_for_selector(READY)
    file_says(page, host.folder / "count.json", ["Layout", "LensWidget", "Script"])
    for _ in range(3):
        (host.folder / "count.json").unlink()
        host.run_all(page)
        file_says(page, host.folder / "count.json", ["Layout", "LensWidget", "Script"])
    expect(page.locator(".lenswidget")).to_have_count(1)


def test_hostile_texts_are_only_text(host: Host, watched: Watched) -> None:
    page = watched.page
    hostile_grid().save(host.folder / "grid.npz")
    page.add_init_script(LISTEN)
    host.open(page, [GRID + "grid", "print(grid)"])
    page.wait_for_selector(READY)
    page.locator(HEATMAP).focus()
    for _ in range(6):
        page.keyboard.press("ArrowUp")
        page.keyboard.press("p")
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    assert not any("on" in attribute.split()[-1][:2] for attribute in made_in(page) if " " in attribute)
    assert page.locator(".lenswidget :is(script, b, img, iframe, object, math, a[href^=javascript])").count() == 0
    assert page.locator(".jp-OutputArea-output pre :not(span)").count() == 0


def test_stop_ends_a_fit_while_its_cell_runs(host: Host, watched: Watched) -> None:
    """The kernel is busy, so the click must come in beside the cell."""
    cell = (
        "from lenswidget.lenses.fitting.progress import Progress\n"
        "progress = Progress('Tuned lens', ('embed', 'L0'))\n"
        "with progress.running():\n"
        "    progress.kl.append((0.0, (3.0, 2.0)))\n"
        "    while not progress.tell(0.5) and progress.clock() < 50:\n"
        "        pass\n"
        "print('ended', 'by a click' if progress.stopping else 'by itself')"
    )
    page = watched.page
    host.open(page, [cell], wait=False)
    stop, ended = page.get_by_role("button", name="Stop"), page.get_by_text("ended by a click")
    # a click that comes before the notebook has its second shell waits for the cell to end
    for _ in range(20):
        if stop.is_visible() and stop.is_enabled():
            stop.click()
        with contextlib.suppress(Late):
            ended.wait_for(timeout=2_000)
            break
    expect(ended).to_be_visible()


def test_what_is_handed_on_replaced_stepped_or_empty_shows_once(host: Host, watched: Watched, grid: Grid) -> None:
    page = watched.page
    cells = [
        GRID + "shown = display(grid, display_id=True)",
        "shown.update(grid[:, :3])",
        "import ipywidgets\nout = ipywidgets.Output()\nout.append_display_data(grid)\nout",
        "stepped = ipywidgets.interact(lambda i: grid[:, :i], i=(1, 5))",
        "stepped.widget.children[0].value = 2",
        "grid[:, 0:0]",
    ]
    host.open(page, cells)
    expect(page.locator(READY)).to_have_count(3)
    expect(page.locator(".lenswidget [role=alert]")).to_have_text("There is nothing to show: the grid is empty.")
    expect(page.locator(".jp-OutputArea-output img:visible")).to_have_count(0)
    sizes = page.locator(f"{READY} .lw-facts .lw-muted").all_inner_texts()
    columns = [int(text.split("×")[1].split()[0]) for text in sizes if "×" in text]
    assert columns == [3, grid.shape[1], 2]
