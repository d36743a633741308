"""What a notebook is given to show, whoever asks for it, and which widgets stay."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import ipywidgets
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display

import lenswidget as lw
from lenswidget.view.widget import LensWidget
from tests.grids import make_grid

VIEW = "application/vnd.jupyter.widget-view+json"


class Notebook:
    """A shell that runs cells as a kernel does, and what they put out."""

    def __init__(self, shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shell, self.outputs = shell, []
        self._runs = itertools.count()
        self._parent: dict[str, Any] = {}
        monkeypatch.setattr(shell, "kernel", self, raising=False)
        monkeypatch.setattr(shell, "get_parent", lambda: self._parent, raising=False)
        monkeypatch.setattr(shell.display_pub, "publish", self._publish)
        monkeypatch.setattr(type(shell.displayhook), "write_format_data", self._ended, raising=False)
        # an Output asks the kernel which message it is to capture the outputs of
        monkeypatch.setattr("ipywidgets.widgets.widget_output.get_ipython", lambda: self.shell)

    def get_parent(self) -> dict[str, Any]:
        return self._parent

    @property
    def _parent_header(self) -> dict[str, Any]:
        """Where ipywidgets 7 looks."""
        return self._parent

    def _publish(self, data: dict[str, Any], metadata: Any = None, *, update: bool = False, **more: Any) -> None:
        self.outputs.append({**data, "named": (more.get("transient") or {}).get("display_id"), "update": update})

    def _ended(self, data: dict[str, Any], metadata: Any = None) -> None:
        self.outputs.append({**data, "named": None, "update": False})

    def message(self, cell: str = "") -> None:
        """What comes next answers another message: of a cell that runs, or of a widget that was moved."""
        self._parent = {"header": {"msg_id": str(next(self._runs))}, "metadata": {"cellId": cell} if cell else {}}

    def run(self, source: str, cell: str = "cell-1") -> list[dict[str, Any]]:
        """What a cell puts out."""
        self.message(cell)
        self.outputs.clear()
        self.shell.run_cell(source).raise_error()
        return list(self.outputs)


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    for name in ("VSCODE_PID", "VSCODE_CWD"):
        monkeypatch.delenv(name, raising=False)
    shell = InteractiveShell.instance()
    shell.user_ns |= {"grid": make_grid(), "lw": lw, "display": display, "ipywidgets": ipywidgets}
    with monkeypatch.context() as patch:
        patch.setattr("lenswidget.view.showing._kept", {})
        yield Notebook(shell, patch)
    InteractiveShell.clear_instance()


def widgets() -> int:
    return sum(isinstance(one, LensWidget) for one in ipywidgets.Widget.widgets.values())


@pytest.fixture
def left() -> Callable[[], int]:
    """How many widgets there are more than before."""
    before = widgets()
    return lambda: widgets() - before


def test_what_ends_a_cell_has_two_outputs_so_that_the_picture_stays(notebook: Notebook) -> None:
    for source in ("grid", "display(grid)", "grid.widget()", "display(grid.widget())"):
        picture, widget = notebook.run(source)
        assert "image/png" in picture and VIEW not in picture
        assert VIEW in widget and "image/png" not in widget


def test_an_output_that_has_a_name_is_one_and_is_replaced(notebook: Notebook, left: Callable[[], int]) -> None:
    (first,) = notebook.run("shown = display(grid, display_id=True)")
    assert {VIEW, "image/png", "text/plain"} < set(first) and first["named"]
    for i in range(3):
        (again,) = notebook.run(f"shown.update(grid[:, :{i + 1}])", cell=f"cell-{i}")
        assert again["update"] and again["named"] == first["named"] and f"{i + 1} tokens" in again["text/plain"]
        assert again[VIEW] == first[VIEW]
        assert left() == 1


def test_who_asks_for_the_data_gets_it_and_nothing_is_displayed(notebook: Notebook, left: Callable[[], int]) -> None:
    assert notebook.run("out = ipywidgets.Output(); out.append_display_data(grid)") == []
    (put,) = notebook.shell.user_ns["out"].outputs
    assert {VIEW, "image/png", "text/plain"} <= set(put["data"])
    notebook.run("format = get_ipython().display_formatter.format; data, _ = format(grid)")
    assert VIEW in notebook.shell.user_ns["data"]
    count = left()
    notebook.run("1")
    notebook.run("grid")
    assert left() == count + 1  # what was handed on shows elsewhere, whatever this cell does next


def test_running_a_cell_again_leaves_no_widget_behind(notebook: Notebook, left: Callable[[], int]) -> None:
    notebook.run("mine = lw.LensWidget(grid); mine", cell="cell-0")
    for _ in range(4):
        notebook.run("display(grid)\ngrid")  # both stay
        assert left() == 1 + 2
    assert notebook.shell.user_ns["mine"].comm is not None  # what the user made herself is hers to close


def test_interact_leaves_nothing_behind_and_an_output_keeps_what_it_has(
    notebook: Notebook, left: Callable[[], int]
) -> None:
    notebook.run(
        "stepped = ipywidgets.interactive(lambda i: [display(grid), grid][1], i=3)\nstepped.auto_display = True; stepped.update()"
    )
    assert left() == 2
    for i in range(4, 8):
        notebook.message()
        notebook.shell.user_ns["stepped"].children[0].value = i
        assert left() == 2
    for i in range(3):
        notebook.run("out = globals().get('out') or ipywidgets.Output()\nwith out:\n    display(grid)", cell="cell-2")
        assert left() == 3 + i  # all of them show in it


@pytest.mark.parametrize("part", ["grid[:, 0:0]", "grid[0:0]", "grid[0:0, 0:0]"])
def test_an_empty_grid_is_shown_as_such(notebook: Notebook, part: str) -> None:
    for source in (part, f"{part}.widget()", f"display({part})"):
        (output,) = notebook.run(source)
        assert VIEW in output and "Grid" in output["text/plain"] and "image/png" not in output


def test_a_kernel_has_one_script_and_a_process_of_many_sessions_one_for_each_widget(notebook: Notebook) -> None:
    one, other = LensWidget(make_grid()), LensWidget(make_grid())
    assert one.script is other.script
    one.close()
    assert other.script.comm is not None
    InteractiveShell.clear_instance()
    for hidden in range(2):
        one, other = LensWidget(make_grid()), LensWidget(make_grid())
        assert one.script is not other.script, hidden
        mine = one.script
        one.close()
        assert mine.comm is None and other.script.comm is not None
