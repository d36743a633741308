"""What ends a cell, or is displayed by it: who asked for it, how many outputs it may have, and when its widget can go."""

from __future__ import annotations

import os
import sys
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any, TypeVar

import ipywidgets

Shown = TypeVar("Shown", bound=ipywidgets.DOMWidget)


@dataclass(frozen=True)
class Asker:
    """Who asks for a display, as far as can be told."""

    is_output: bool
    """Whether what is displayed becomes an output of its own, which may as well be two; not one that is handed on, or that
    has a name by which it is replaced."""
    place: Hashable = None
    """What shows one thing at a time: a cell, until it runs again; an output that has a name; the output of `interact`."""
    turn: Any = None
    """What is the same for all that the place shows together."""


def asker() -> Asker:
    """Who asks. IPython asks an object how it is displayed and doesn't say for whom, so the calls that lead here are read."""
    is_output, is_asked = False, False
    for frame in _callers():
        module, function, names = frame.f_globals.get("__name__", ""), frame.f_code.co_name, frame.f_locals
        if (module, function) == ("IPython.core.formatters", "format"):
            is_asked = True
        elif (module, function) == ("IPython.core.display_functions", "display") and not is_output:
            name = (names.get("transient") or {}).get("display_id")
            if name:
                return Asker(False, ("display", name), "")
            is_output = True
        elif module.endswith(".displayhook") and function == "__call__":
            is_output = True
        elif (module, function) == ("ipywidgets.widgets.interaction", "update") and is_output:
            it = names["self"]
            return Asker(True, ("interact", it.model_id), it.kwargs) if it.clear_output else Asker(True)
    if is_output and not _is_captured():
        cell, execution = _cell()
        return Asker(True, cell and ("cell", cell), execution)
    return Asker(is_output or not is_asked)


def _callers() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        yield frame
        frame = frame.f_back


def _is_captured() -> bool:
    """Whether an Output widget takes what is displayed now: it shows elsewhere, and whatever else it has stays."""
    ipywidgets = sys.modules.get("ipywidgets.widgets.widget")
    # ipywidgets 8 keeps them in its module, 7, which Colab has, in the class
    widgets = getattr(ipywidgets, "_instances", None) or getattr(getattr(ipywidgets, "Widget", None), "widgets", {})
    running = _parent().get("header", {}).get("msg_id")
    return any(
        getattr(one, "msg_id", None) == running
        for one in list(widgets.values())
        if running and type(one).__name__ == "Output"
    )


def _cell() -> tuple[str | None, str | None]:
    """The notebook cell that is running and this run of it, where the front-end says so; else nothing."""
    parent = _parent()
    return parent.get("metadata", {}).get("cellId"), parent.get("header", {}).get("msg_id")


def _parent() -> dict[str, Any]:
    """The message that the kernel is answering."""
    try:
        return dict(_shell().get_parent())
    except (AttributeError, TypeError):
        return {}


def _shell() -> Any:
    ipython = sys.modules.get("IPython")
    return ipython and ipython.get_ipython()


def may_be_two() -> bool:
    """Whether a cell may have two outputs, of which the front-end hides one: in Jupyter's own, and what is made of them."""
    # in VS Code; the first of the two is missing where that runs on another machine or in a container
    is_vscode = not {"VSCODE_PID", "VSCODE_CWD"}.isdisjoint(os.environ)
    return getattr(_shell(), "kernel", None) is not None and "google.colab" not in sys.modules and not is_vscode


_kept: dict[Hashable, tuple[Any, list[Any]]] = {}


def named(by: Asker) -> Any:
    """The widget that an output with a name shows already, and which shows the next thing, too: JupyterLab hides an output
    for good when its widget is closed."""
    widgets = _kept[by.place][1] if not by.is_output and by.place in _kept else []
    return next((one for one in widgets if one.comm is not None), None)


def keep(widget: Shown, by: Asker) -> Shown:
    """Keep a widget that a place shows, and close those that it showed before.

    A notebook forgets an output when its cell runs again; ipywidgets would keep the widget behind it for ever.
    """
    if by.place is None:
        return widget
    turn, widgets = _kept.get(by.place, (None, []))
    if not (
        turn is by.turn or (isinstance(turn, str) and turn == by.turn)
    ):  # two steps of `interact` may look the same
        for one in widgets:
            one.layout.close()  # a widget of its own, which ipywidgets leaves open
            one.close()
        widgets = []
    _kept[by.place] = (by.turn, [*widgets, widget])
    return widget
