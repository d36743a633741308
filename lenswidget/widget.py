"""LensWidget: a Grid in the notebook, alive. Grids go to the browser; selection, pins and settings go both ways."""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import anywidget
import ipywidgets
import traitlets

from lenswidget.grid import Grid
from lenswidget.picture import png
from lenswidget.script import host_keeps_modules, loader, module, shared_script, style
from lenswidget.wire import encode


class LensWidget(anywidget.AnyWidget):
    """A heatmap of a Grid, with its card, trajectory chart and menus.

    Every trait below may be set and observed from Python, linked with `ipywidgets.jslink`, and is set by the reader's
    clicks and keys. Hovering stays in the browser.

    Raises TypeError for a keyword that is no trait, `traitlets.TraitError` for a value that this Grid can't show.
    """

    # traits of our own rather than anywidget's, whose defaults an embedded page leaves out
    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    script = traitlets.Instance(ipywidgets.Widget, allow_none=True, read_only=True).tag(
        sync=True, **ipywidgets.widget_serialization
    )
    """The script that every widget of this kernel shares; None where the host keeps each module once by itself."""
    grids = traitlets.Bytes(read_only=True).tag(sync=True)
    """What is shown, as `lenswidget.wire` writes it; assign `w.grid` to show another Grid."""
    selected = traitlets.List(traitlets.Int(), minlen=2, maxlen=2, allow_none=True, default_value=None).tag(sync=True)
    """The selected cell, `[row, column]` as indices into the Grid, or None."""
    pins = traitlets.List(traitlets.List(traitlets.Int())).tag(sync=True)
    """Pinned tokens: a list of groups of token ids. The probabilities of a group add. Texts may be assigned too."""
    colour = traitlets.Unicode().tag(sync=True)
    """The name of the quantity that colours the cells; "" for the Grid's first."""
    trajectory = traitlets.Enum(["probability", "log", "rank"], default_value="probability").tag(sync=True)
    """What the chart over the layers shows: probability, the same on a logarithmic scale, or rank."""
    stride = traitlets.Int(0, min=0).tag(sync=True)
    """Every how many rows one is drawn, the last always; 0 for as many as fit."""
    height = traitlets.Int(0, min=0).tag(sync=True)
    """Height of the heatmap in pixels; 0 for what its rows need."""

    def __init__(self, grid: Grid, **settings: Any) -> None:
        unknown = [name for name in settings if name not in self.class_trait_names()]
        if unknown:
            raise TypeError(
                f"LensWidget has no setting {unknown[0]!r}; it has colour, pins, selected, trajectory, stride and height, "
                "and the layout of any ipywidget."
            )
        self._grid = _grid(grid)
        if "pins" in settings:
            settings["pins"] = self._pins(settings["pins"])
        if host_keeps_modules():
            settings |= {"_esm": module(), "_css": style()}
        else:
            settings |= {"_esm": loader()}
            self.set_trait("script", shared_script())
        super().__init__(**settings)
        self.set_trait("grids", encode([self._grid]))

    @property
    def grid(self) -> Grid:
        """The Grid that is shown. Assign another one to show it in place; what it lacks is let go."""
        return self._grid

    @grid.setter
    def grid(self, grid: Grid) -> None:
        self._grid = _grid(grid)
        with self.hold_sync():
            if self.colour not in self._grid.quantities:
                self.colour = ""
            if self.selected and not _inside(self.selected, self._grid):
                self.set_trait("selected", None)
            self.set_trait("grids", encode([self._grid]))

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, self._pins(value) if name == "pins" else value)

    def _pins(self, pins: Iterable[Any]) -> list[list[int]]:
        """Groups of ids from texts, ids and lists of them."""
        if isinstance(pins, str):
            pins = [pins]
        groups = [[pin] if isinstance(pin, (str, int)) else list(pin) for pin in pins]
        return [[self._id(token) for token in group] for group in groups]

    def _id(self, token: Any) -> int:
        if not isinstance(token, str):
            return int(token)
        ids = [i for i, text in self._grid.texts.items() if text == token]
        if len(ids) == 1:
            return ids[0]
        if not ids:
            raise traitlets.TraitError(
                f"No candidate of this Grid reads {token!r}, so it can't be pinned by its text; follow it when the Grid is "
                f"made, lw.logit_lens(run, follow={token!r})."
            )
        raise traitlets.TraitError(f"{token!r} is the text of {len(ids)} tokens, {ids}; pin one by its id.")

    @traitlets.validate("colour")
    def _valid_colour(self, proposal: Any) -> str:
        if proposal.value and proposal.value not in self._grid.quantities:
            raise traitlets.TraitError(
                f"This Grid has no quantity {proposal.value!r} to colour by; it has {', '.join(self._grid.quantities)}."
            )
        return str(proposal.value)

    @traitlets.validate("selected")
    def _valid_selected(self, proposal: Any) -> Any:
        if proposal.value is not None and not _inside(proposal.value, self._grid):
            rows, columns = self._grid.shape
            raise traitlets.TraitError(
                f"Cell {list(proposal.value)} is outside this Grid, which has rows 0 to {rows - 1} and columns 0 to "
                f"{columns - 1}; select [row, column]."
            )
        return proposal.value

    def __repr__(self) -> str:
        return f"LensWidget showing a {self._grid!r}"

    def _ipython_display_(self) -> None:
        """In Jupyter, the picture and the widget are two outputs, of which the stylesheet hides the first.

        A notebook that is opened again without its kernel says of a widget that its model was not found, and shows
        nothing else of the same output, whatever it has; the picture stays.
        """
        if not _is_jupyter():
            raise NotImplementedError  # IPython asks for the mimebundle instead
        from IPython.display import display

        data, metadata = self._repr_mimebundle_()
        still = {"image/png": data.pop("image/png")}
        display(still, metadata={"image/png": metadata.pop("image/png")}, raw=True)  # type: ignore[no-untyped-call]
        display(data, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]

    def _repr_mimebundle_(self, **arguments: Any) -> Any:
        bundle = super()._repr_mimebundle_(**arguments)
        if bundle is None:
            return None
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        picture, width, height = png(self._grid)
        data |= {"text/plain": repr(self._grid), "image/png": base64.b64encode(picture).decode("ascii")}
        return data, {**metadata, "image/png": {"width": width, "height": height}}


def _is_jupyter() -> bool:
    """Whether a cell may have two outputs, of which the front-end hides one: in Jupyter's own, and what is made of them."""
    ipython = sys.modules.get("IPython")
    kernel = getattr(ipython and ipython.get_ipython(), "kernel", None)
    return kernel is not None and "google.colab" not in sys.modules and "VSCODE_PID" not in os.environ


def show(grid: Grid) -> LensWidget:
    """The widget of a Grid that ends a cell, after closing those that an earlier run of the same cell showed.

    A notebook forgets an output when its cell runs again; ipywidgets would keep the widget behind it for ever.
    """
    cell, execution = _cell()
    earlier, widgets = _shown.get(cell, (None, []))
    if earlier != execution:
        for widget in widgets:
            widget.layout.close()  # a widget of its own, which ipywidgets leaves open
            widget.close()
        widgets = []
    widget = LensWidget(grid)
    if cell is not None:
        _shown[cell] = (execution, [*widgets, widget])
    return widget


_shown: dict[str | None, tuple[str | None, list[LensWidget]]] = {}


def _cell() -> tuple[str | None, str | None]:
    """The notebook cell that is running and this run of it, where the front-end says so; else nothing."""
    try:
        from IPython import get_ipython

        parent = get_ipython().get_parent()
        return parent["metadata"].get("cellId"), parent["header"]["msg_id"]
    except (ImportError, AttributeError, KeyError, TypeError):
        return None, None


def _grid(grid: Any) -> Grid:
    if not isinstance(grid, Grid):
        raise TypeError(f"LensWidget shows a Grid and got {type(grid).__name__}; make one with lw.logit_lens(run).")
    return grid


def _inside(cell: Sequence[int], grid: Grid) -> bool:
    return len(cell) == 2 and 0 <= cell[0] < grid.shape[0] and 0 <= cell[1] < grid.shape[1]
