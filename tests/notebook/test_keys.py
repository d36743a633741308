"""Keys pressed in a widget, in hosts where each of them is a command to the cell that it stands in."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from tests.grids import make_grid
from tests.notebook.hosts import Host, Watched

READY = "[data-state=ready]"
COMMANDS = ("r", "m", "y", "x", "c", "v", "z", "a", "b", "d", "d", "Shift+m", "1", "ArrowDown", "ArrowUp", "j", "k")
"""Raw, text and code; cut, copy, paste, undo; one above, one below; delete; merge; a heading; another cell."""
CELLS = """() => Array.from(window.jupyterapp.shell.currentWidget.content.widgets, ({ model }) =>
    [model.type, model.sharedModel.getSource()])"""
FOCUSABLE = """() => {
    const views = [...document.querySelectorAll(".lenswidget")];
    for (const details of document.querySelectorAll(".lenswidget details")) details.open = true;
    window.focusable = views.flatMap((view) => [...view.querySelectorAll("*")]).filter((element) => {
        element.focus?.();
        return document.activeElement === element;
    });
    return window.focusable.length;
}"""


def test_no_key_in_a_widget_is_a_command_of_the_notebook(host: Host, watched: Watched) -> None:
    page = watched.page
    make_grid(9, 6).save(host.folder / "grid.npz")
    first = "import lenswidget as lw\ngrid = lw.Grid.load('grid.npz')\n"
    state = "dict(selected=[2, 1], pins=[[1], [2]], rows_compared=[1, 3])"
    host.open(page, [first + f"lw.LensWidget(grid, **{state})", "lw.LensWidget([grid, grid])", "print('below')"])
    expect(page.locator(READY)).to_have_count(2)
    # as a click in a menu leaves it: the cell is selected, and in command mode
    page.evaluate("window.jupyterapp.commands.execute('notebook:enter-command-mode')")

    def cells() -> Any:
        return page.evaluate(CELLS)

    before = cells()
    count = page.evaluate(FOCUSABLE)
    assert count > 15
    for i in range(count):
        what = page.evaluate(
            """(i) => {
                const element = window.focusable[i];
                if (!element.isConnected || element.closest("[hidden]")) return null;
                element.focus();
                return element.outerHTML.slice(0, 160);
            }""",
            i,
        )
        for key in COMMANDS if what else ():
            page.keyboard.press(key)
        assert cells() == before, f"a key in {what} changed the notebook"
    assert page.locator(".lenswidget").count() == 2
