"""Showable: what a Grid and a Comparison have in common, to be seen in a notebook, on a page and as a picture.

Nothing here knows how that is done. A Viewer is registered by the name of its module, and imported when it is first asked.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Protocol, cast, runtime_checkable


@runtime_checkable
class Widget(Protocol):
    """What `widget()` gives: a `lenswidget.LensWidget`, which says what each of these means."""

    grid: Any
    selected: list[int] | None
    pins: list[list[int]]
    color: str
    trajectory: str
    stride: int
    height: int
    jump: list[int] | None
    order: str
    view: str
    shown: int
    links: list[str]
    rows_compared: list[int]
    filter: str
    prompt: str

    @property
    def comparison(self) -> Any: ...
    def state(self) -> dict[str, Any]: ...
    def wait(self, timeout: float | None = None) -> bool: ...
    def close(self) -> None: ...
    def observe(self, handler: Any, names: Any = ..., type: Any = ...) -> None: ...


@runtime_checkable
class Viewer(Protocol):
    """A module that shows Grids and Comparisons, as `lenswidget/view/viewer.py` does. Each function but the last takes one of
    them first."""

    widget: Callable[..., Widget]
    """It as a living widget, with settings."""
    show: Callable[..., Any]
    """The widget of what ends a cell."""
    write_html: Callable[..., Path]
    """Write it as a page, or a fragment of one."""
    write_svg: Callable[..., Path]
    write_png: Callable[..., Path]
    write_pdf: Callable[..., Path]
    plot: Callable[..., Any]
    """Draw it on a matplotlib Axes."""
    plot_dots: Callable[..., Any]
    """Draw a column quantity of a Grid on a matplotlib Axes, a line of dots for each group."""
    plot_lines: Callable[..., Any]
    """Draw figures by row on a matplotlib Axes, with their intervals."""
    show_fit: Callable[[Any], Callable[[Any], None]]
    """Show the progress of a fit under the cell that runs it; what comes back paints it anew."""


_registered = ""


def register_viewer(module: str) -> None:
    """Name the module that shows Grids from now on: a `Viewer`. It is imported when something is first shown."""
    global _registered
    _registered = module


def viewer() -> Viewer:
    """What was registered last."""
    if not _registered:
        raise RuntimeError("Nothing is registered that shows Grids; call register_viewer('lenswidget.view.viewer').")
    return cast(Viewer, import_module(_registered))


class Showable:
    """Shows itself where it ends a cell: alive where scripts run, as a picture where they can't."""

    def widget(self, **settings: Any) -> Widget:
        """This as a living `LensWidget`; keywords are the widget's traits (`color=`, `pins=`, `selected=`) and `state=`."""
        return viewer().widget(self, **settings)

    def to_html(
        self, path: str | os.PathLike[str], *, fragment: bool = False, state: Mapping[str, Any] | None = None
    ) -> Path:
        """Write one self-contained page: the same view, with no request to anywhere.

        A `fragment` is for the middle of another page: MyST, Quarto, a course platform. `state` is what a widget's
        `state()` gives, or some of it: the page opens so. `lw.write_page` puts several Grids into one page.

        Raises ValueError for a state that can't be shown, OSError, naming the path, where it can't be written.
        """
        return viewer().write_html(self, path, fragment=fragment, state=state)

    def to_svg(
        self,
        path: str | os.PathLike[str],
        *,
        color: str = "",
        width: float | None = None,
        theme: Literal["light", "dark"] = "light",
    ) -> Path:
        """Write a picture of all of it as SVG, with text that stays text.

        `color` is the name of the quantity that colors the cells. By default it is the first; where that is what a lens
        read, its ink is probability × how far each cell can be believed, and `color="probability"` is plain. `width` is
        in inches. The Grids of a Comparison stand one above another.

        Raises ValueError for a quantity that there is not, OSError, naming the path, where it can't be written.
        """
        return viewer().write_svg(self, path, color=color, width=width, theme=theme)

    def to_png(
        self,
        path: str | os.PathLike[str],
        *,
        color: str = "",
        width: float | None = None,
        theme: Literal["light", "dark"] = "light",
        dpi: float = 200.0,
    ) -> Path:
        """Write the picture of `to_svg` as PNG, with `dpi` pixels to the inch.

        Raises ValueError also for a picture of too many pixels.
        """
        return viewer().write_png(self, path, color=color, width=width, theme=theme, dpi=dpi)

    def to_pdf(
        self,
        path: str | os.PathLike[str],
        *,
        color: str = "",
        width: float | None = None,
        theme: Literal["light", "dark"] = "light",
    ) -> Path:
        """Write the picture of `to_svg` as PDF for a paper, on one page that fits it; text stays text.

        Needs `pip install lenswidget[pdf]`.
        """
        return viewer().write_pdf(self, path, color=color, width=width, theme=theme)

    def plot(
        self, ax: Any = None, *, color: str = "", theme: Literal["light", "dark"] = "light", colorbar: bool = True
    ) -> Any:
        """Draw the picture of `to_svg` on a matplotlib Axes, a new one for None, and return the Axes.

        Column `c` is at x = c, row `r` (the embedding is 0) at y = r, and the cells are a `QuadMesh` with a color bar. Parts of
        a sum are horizontal bars. The Grids of a Comparison need an Axes each, and give a list. Words that have no room are
        left out.

        Raises ImportError without matplotlib (`pip install lenswidget[plot]`), ValueError for a quantity that there is not,
        TypeError for an `ax` that is no Axes.

            fig, ax = plt.subplots()
            grid.plot(ax).set_title("The capital of France")
        """
        return viewer().plot(self, ax, color=color, theme=theme, colorbar=colorbar)

    def _ipython_display_(self) -> None:
        viewer().show(self)._ipython_display_()

    def _display_(self) -> Widget:
        """marimo's way to ask."""
        return self.widget()

    def _repr_mimebundle_(self, **arguments: Any) -> Any:
        return viewer().show(self)._repr_mimebundle_(**arguments)
