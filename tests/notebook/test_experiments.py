"""A state carried from one prompt into another, in JupyterLab: dragged, by keys, switched off and on, and without a kernel."""

from __future__ import annotations

import contextlib
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.architectures import save
from tests.notebook.hosts import Host, Watched

CELL = """import json, pathlib
import lenswidget as lw
from tests.architectures import boot
model = boot(pathlib.Path("model"))
grids = [lw.logit_lens(one) for one in lw.runs(model, ["A first one and another", "A second one and another"])]
w = lw.LensWidget(lw.compare(*grids))
w.observe(lambda change: pathlib.Path("edits.json").write_text(json.dumps(change.new)), "edits")
w"""


def middle(heatmap: Locator, row: int, column: int, rows: int, columns: int) -> tuple[float, float]:
    """Where a cell is on the page, its row counted from the bottom."""
    box = heatmap.locator("> div").bounding_box()
    assert box is not None
    return box["x"] + (column + 0.5) * box["width"] / columns, box["y"] + (rows - row - 0.5) * box["height"] / rows


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=4)
    page.mouse.move(*end, steps=4)
    page.mouse.up()


def told(file: Path, count: int) -> list[dict[str, Any]]:
    """What Python has of the edits, once it has so many."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with contextlib.suppress(OSError, json.JSONDecodeError):
            edits: list[dict[str, Any]] = json.loads(file.read_text())
            if len(edits) == count:
                return edits
        time.sleep(0.1)
    raise AssertionError(f"Python has {file.read_text()}, not {count} edits.")


@pytest.mark.parametrize("host", ["lab"], indirect=True)
def test_a_state_is_carried_into_another_prompt_by_mouse_and_by_keys(host: Host, watched: Watched) -> None:
    save("GPT2LMHeadModel", host.folder / "model")
    page = watched.page
    host.open(page, [CELL])
    heatmaps = page.locator(".lenswidget [role=application]")
    expect(heatmaps).to_have_count(2)
    heatmaps.nth(1).evaluate("element => element.scrollIntoView({block: 'center'})")
    page.wait_for_timeout(500)
    shape = re.search(r"(\d+) rows by (\d+)", heatmaps.first.get_attribute("aria-label") or "")
    assert shape is not None
    rows, columns = map(int, shape.groups())
    edits = host.folder / "edits.json"

    drag(
        page,
        middle(heatmaps.nth(0), 1, columns - 2, rows, columns),
        middle(heatmaps.nth(1), 1, columns - 3, rows, columns),
    )
    expect(heatmaps).to_have_count(3)
    (first,) = told(edits, 1)
    assert first == {"grid": 1, "site": "L0", "position": first["position"], "to": [0, first["to"][1]], "on": True}
    chips = page.locator(".lw-edit")
    expect(chips).to_have_count(1)
    expect(page.locator(".lw-cone")).to_have_count(1)

    # switched off it is there, and nothing is edited; on again it is
    chips.get_by_role("switch").click()
    expect(heatmaps).to_have_count(2)
    assert json.loads(edits.read_text())[0]["on"] is False
    chips.get_by_role("switch").click()
    expect(heatmaps).to_have_count(3)

    # the same by keys, into the edited run: another edit on top
    heatmaps.nth(0).focus()
    for key in ("End", "PageDown", "Enter", "e"):
        page.keyboard.press(key)
    expect(page.locator(".lw-carrying")).to_contain_text("is carried")
    heatmaps.nth(2).focus()
    for key in ("ArrowLeft", "Enter"):
        page.keyboard.press(key)
    expect(chips).to_have_count(2)
    expect(heatmaps).to_have_count(3)
    assert [edit["grid"] for edit in told(edits, 2)] == [1, 1]
    chips.first.get_by_role("button").click()
    expect(chips).to_have_count(1)
    told(edits, 1)

    # a kernel that has begun anew knows nothing of the run: a sentence, and all that was there
    page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    before = edits.read_text()
    page.wait_for_timeout(3000)
    drag(
        page,
        middle(heatmaps.nth(0), 2, columns - 2, rows, columns),
        middle(heatmaps.nth(1), 1, columns - 4, rows, columns),
    )
    expect(page.locator(".lw-edits")).to_contain_text("needs the notebook")
    expect(heatmaps).to_have_count(3)
    assert edits.read_text() == before
