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


TYPED = """import pathlib
import lenswidget as lw
from tests.architectures import boot
model = boot(pathlib.Path("model"))
w = lw.live(model, "A first one", prompts=["Another one"])
w"""


@pytest.mark.parametrize("host", ["lab"], indirect=True)
def test_the_picture_follows_what_is_typed_and_what_the_model_writes(host: Host, watched: Watched) -> None:
    save("LlamaForCausalLM", host.folder / "model")
    page = watched.page
    host.open(page, [TYPED, "w"])
    expect(page.locator("[data-state=ready]")).to_have_count(2, timeout=60_000)
    boxes, titles = page.get_by_role("textbox", name="Prompt"), page.locator(".lw-title > bdi")
    boxes.first.focus()
    page.keyboard.press("End")
    page.keyboard.type(" and more", delay=30)
    expect(titles).to_have_text(["A first one and more"] * 2, timeout=20_000)  # in both views, without Enter
    for view in range(2):
        expect(boxes.nth(view)).to_have_value("A first one and more")
    for _ in range(5):
        page.keyboard.press("Backspace")
    expect(titles).to_have_text(["A first one and"] * 2, timeout=20_000)
    assert boxes.first.evaluate("box => document.activeElement === box || box.getRootNode().activeElement === box")

    facts = page.locator(".lw-facts > :first-child")
    before = facts.first.text_content()
    page.get_by_role("button", name="go on").first.click()
    expect(facts.first).not_to_have_text(before or "", timeout=20_000)
    expect(page.get_by_role("button", name="go on")).to_have_count(2, timeout=60_000)
    assert boxes.first.input_value().startswith("A first one and")
    assert boxes.first.input_value() == boxes.nth(1).input_value()

    page.get_by_label("Prompts", exact=True).first.select_option(label="Another one")
    expect(titles).to_have_text(["Another one"] * 2, timeout=20_000)
    assert page.locator(".jp-CodeCell").count() == 2, "what was typed was for the prompt, and not for the notebook"

    # what a reader scrolled to stays in sight while columns come
    boxes.first.fill("one two three four five six seven eight")
    expect(titles.first).to_have_text("one two three four five six seven eight", timeout=20_000)
    scroller = page.locator("[role=application]").first
    scroller.evaluate("cells => { cells.scrollLeft = 40 }")
    page.wait_for_timeout(100)
    before = facts.first.text_content()
    page.get_by_role("button", name="go on").first.click()
    expect(facts.first).not_to_have_text(before or "", timeout=20_000)
    expect(page.get_by_role("button", name="go on")).to_have_count(2, timeout=60_000)
    assert scroller.evaluate("cells => [cells.scrollLeft, cells.scrollWidth > cells.clientWidth + 200]") == [40, True]
