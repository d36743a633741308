"""From a step of a trajectory to who moved it: asked of the kernel in JupyterLab, and carried in a saved page."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.architectures import save
from tests.notebook.hosts import Host, Watched

# what a token's logit is in each row, by the model's own norm and unembedding
CELL = """import json, pathlib
import lenswidget as lw
from lenswidget.grids.marks import visible
from tests.architectures import boot
model = boot(pathlib.Path("model"))
run = lw.run(model, "A first one and another")
h = run.residual.detach()
logits = model.unembed(model.ln_final(h))
pathlib.Path("logits.json").write_text(json.dumps(logits.tolist()))
lens = lw.logit_lens(run)
lens.to_html("page.html")
pathlib.Path("ids.json").write_text(json.dumps({visible(text): i for i, text in lens.texts.items()}))
w = lw.LensWidget(lens)
w.observe(lambda change: pathlib.Path("jump.json").write_text(json.dumps(change.new)), "jump")
w"""


def open_step(page: Page) -> Locator:
    """Click the middle of the chart's first line between its last two rows, as a reader does; what opens beneath."""
    plot = page.locator(".lw-plot")
    plot.scroll_into_view_if_needed()
    page.locator(".lw-steps").evaluate("element => element.scrollIntoView({block: 'center'})")
    line = plot.locator("path.lw-line:not(.lw-rival)").first.evaluate(
        """path => {
            const points = path.getAttribute("d").split(/[ML]/).slice(-2);
            const [a, b] = points.map(point => point.split("h")[0].split(",").map(Number));
            const box = path.ownerSVGElement.getBoundingClientRect();
            return [box.x + 0.5 * (a[0] + b[0]), box.y + 0.5 * (a[1] + b[1])];
        }"""
    )
    page.mouse.move(*line)
    expect(page.locator(".lw-steps")).not_to_have_attribute("title", re.compile("Click a step"))
    page.mouse.click(*line)
    panel = page.locator(".lw-jump")
    expect(panel.locator("tfoot")).to_contain_text(re.compile(r"✓ rows sum to the jump, (off by \de-\d+|exactly)"))
    return panel


def summed(panel: Locator) -> float:
    shown = panel.locator("tfoot td").last.inner_text()
    return float(shown.replace("−", "-").replace("\u202f", ""))


@pytest.mark.parametrize("host", ["lab"], indirect=True)
def test_a_step_opens_into_bars_that_sum_to_it_in_a_notebook_and_in_a_page(host: Host, watched: Watched) -> None:
    save("GPT2LMHeadModel", host.folder / "model")
    page = watched.page
    host.open(page, [CELL])
    page.wait_for_selector("[data-state=ready]")
    logits = json.loads((host.folder / "logits.json").read_text())
    heatmap = page.locator("[role=application]")
    heatmap.click(position={"x": 60, "y": 10})
    expect(page.locator(".lw-held")).to_have_count(1)
    panel = open_step(page)
    column, token, row = json.loads((host.folder / "jump.json").read_text())
    assert column < len(logits[0]) - 1, "no jump is carried of this position, so the kernel was asked"
    assert summed(panel) == pytest.approx(logits[row][column][token] - logits[row - 1][column][token], abs=6e-3)
    assert panel.locator("tr[data-place]").count() > 3

    page.goto((host.folder / "page.html").as_uri())
    page.wait_for_selector("[data-state=ready]")
    panel = open_step(page)
    assert panel.locator("tr[data-place]").count() > 3
    token = json.loads((host.folder / "ids.json").read_text())[panel.locator(".lw-strong bdi").inner_text()]
    assert summed(panel) == pytest.approx(logits[-1][-1][token] - logits[-2][-1][token], abs=6e-3)
