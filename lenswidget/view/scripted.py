"""Scripted: what every widget of ours is, before it shows anything. It finds the script that all of them share."""

from __future__ import annotations

from typing import Any

import anywidget
import ipywidgets
import traitlets

from lenswidget.view.script import host_keeps_modules, is_shared, loader, module, shared_script, style, wanted


class Scripted(anywidget.AnyWidget):
    """A widget whose script is stored once a notebook, however many widgets it has."""

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    script = traitlets.Instance(
        ipywidgets.Widget,
        allow_none=True,
        read_only=True,
        help="The script that every widget of this kernel shares; None where the host keeps each module once by itself.",
    ).tag(sync=True, **ipywidgets.widget_serialization)

    def __init__(self, **settings: Any) -> None:
        if host_keeps_modules():
            settings |= {"_esm": module(wanted()), "_css": style(wanted())}
        else:
            settings |= {"_esm": loader()}
            self.set_trait("script", shared_script())
        super().__init__(**settings)

    def close(self) -> None:
        """Close the widget everywhere, and its script where no other widget refers to it."""
        script = self.script
        super().close()
        if script is not None and not is_shared(script):
            script.close()

    def _get_embed_state(self, drop_defaults: bool = False) -> Any:
        """All of it: ipywidgets' embedding leaves out defaults that anywidget's view then lacks, its own name among them."""
        return super()._get_embed_state(drop_defaults=False)
