"""A live prompt in JupyterLab: typed, followed by the picture in both of its views, told what went wrong, and left standing
by a kernel that goes."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.architectures import save
from tests.notebook.hosts import Host, Watched

LIVE = """import pathlib
import lenswidget as lw
from tests.architectures import boot
w = lw.live(boot(pathlib.Path("model")), "A first one")
w"""


@pytest.mark.parametrize("host", ["lab"], indirect=True)
def test_a_live_prompt_is_typed_told_of_and_outlived(host: Host, watched: Watched) -> None:
    save("GPT2LMHeadModel", host.folder / "model")
    page = watched.page
    host.open(page, [LIVE, "w"])
    expect(page.locator("[data-state=ready]")).to_have_count(2, timeout=60_000)
    boxes, said = page.get_by_role("textbox", name="Prompt"), page.locator(".lw-prompt [role=status]")
    titles = page.locator(".lw-title > bdi")
    expect(titles).to_have_text(["A first one"] * 2)

    boxes.first.fill("Quite another")
    boxes.first.press("Enter")
    expect(titles).to_have_text(["Quite another"] * 2, timeout=20_000)
    expect(said).to_have_text(["", ""])
    assert page.locator(".jp-CodeCell").count() == 2, "Enter was for the prompt, and not for the notebook"

    boxes.nth(1).fill("long " * 400)
    boxes.nth(1).press("Enter")
    for view in range(2):
        expect(said.nth(view)).to_contain_text("The prompt has 2", timeout=20_000)
        expect(said.nth(view)).to_contain_text("The picture is of the last prompt that did.")
    expect(titles).to_have_text(["Quite another"] * 2)

    page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    for view in range(2):
        expect(said.nth(view)).to_contain_text(
            "The kernel was restarted or has gone. The picture stays", timeout=30_000
        )
        expect(boxes.nth(view)).to_be_disabled()
    expect(titles).to_have_text(["Quite another"] * 2)
    expect(page.locator("[data-state=ready]")).to_have_count(2)
