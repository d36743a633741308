"""What shows Grids and Comparisons: the functions that `lenswidget.grids.showable.Viewer` asks for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lenswidget.grids.showable import Widget
from lenswidget.view.fit_curve import show as show_fit
from lenswidget.view.page import write_fragment, write_page
from lenswidget.view.picture.dots import plot_dots
from lenswidget.view.picture.draw import Figure, write_pdf, write_png, write_svg
from lenswidget.view.picture.lines import plot_lines
from lenswidget.view.picture.plot import plot
from lenswidget.view.widget import LensWidget, Showing

__all__ = [
    "plot",
    "plot_dots",
    "plot_lines",
    "show",
    "show_fit",
    "widget",
    "write_html",
    "write_pdf",
    "write_png",
    "write_svg",
]


def show(shown: Figure) -> Showing:
    """What a notebook asks how it is displayed."""
    return Showing(shown)


def widget(shown: Figure, **settings: Any) -> Widget:
    """It as a living widget."""
    return LensWidget(shown, **settings)


def write_html(
    shown: Figure, path: str | os.PathLike[str], *, fragment: bool = False, state: Mapping[str, Any] | None = None
) -> Path:
    """Write it as a page, or a fragment of one, in a state. Raises ValueError for a state that can't be shown."""
    if state is not None:
        alive = LensWidget(shown, state=state)
        state = alive.state()  # whole, and refused where it can't be shown
        alive.close()
    return (write_fragment if fragment else write_page)(shown, path, state=state)
