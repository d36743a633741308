"""Showable: what a Grid and a Comparison have in common, to be seen in a notebook and on a page."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lenswidget.view.widget import LensWidget


class Showable:
    """Shows itself where it ends a cell: alive where scripts run, as a picture where they can't."""

    def widget(self: Any, **settings: Any) -> LensWidget:
        """This as a living widget; keywords are the widget's traits (`color=`, `pins=`, `selected=`)."""
        from lenswidget.view.widget import LensWidget

        return LensWidget(self, **settings)

    def to_html(
        self: Any, path: str | os.PathLike[str], *, fragment: bool = False, state: Mapping[str, Any] | None = None
    ) -> Path:
        """Write one self-contained page: the same view, with no request to anywhere.

        A `fragment` is for the middle of another page: MyST, Quarto, a course platform. `state` is what a widget's
        `state()` gives, or some of it: the page opens so. `lw.write_page` puts several Grids into one page.
        """
        from lenswidget.view.page import write_fragment, write_page

        if state is not None:
            widget = self.widget(state=state)
            state = widget.state()  # whole, and refused where it can't be shown
            widget.close()
        return (write_fragment if fragment else write_page)(self, path, state=state)

    def _ipython_display_(self: Any) -> None:
        from lenswidget.view.widget import show

        show(self)._ipython_display_()

    def _display_(self: Any) -> LensWidget:
        """marimo's way to ask."""
        widget: LensWidget = self.widget()
        return widget

    def _repr_mimebundle_(self: Any, **arguments: Any) -> Any:
        """A Grid at the end of a cell shows itself: alive where scripts run, as a picture where they can't."""
        from lenswidget.view.widget import show

        return show(self)._repr_mimebundle_(**arguments)
