"""The front-end's script, stored once for all the widgets of a notebook, and the page that it can write by itself."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import re
import sys
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import ipywidgets
import traitlets

from lenswidget.view.picture.colors import colors

STATIC = Path(__file__).parents[1] / "static"

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="generator" content="lenswidget {version}">
<meta name="lenswidget" content="{provenance}">
<title>{title}</title>
<style>{style}</style>
<style>
html { background: {light}; }
body { max-width: 1440px; margin: 16px auto; color: {ink}; }
.about { margin: 16px; font: 13px/1.5 system-ui, sans-serif; }
.about dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; }
.about dt { opacity: 0.7; }
.about dd { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
@media screen and (prefers-color-scheme: dark) { html { background: {dark}; } body { color: {darkInk}; } }
</style>
</head>
<body>
{figures}
{about}
<script type="application/json" data-lens-page>{template}</script>
{script}
</body>
</html>
"""
"""A page with gaps, which `fill` fills here and js/src/export/saved-page.ts in the browser. No script but ours may run in it."""


class Script(ipywidgets.Widget):  # type: ignore[misc]
    """What all widgets of a kernel share: each refers to it, so a notebook stores it once."""

    code = traitlets.Unicode(read_only=True, help="Packed.").tag(sync=True)
    style = traitlets.Unicode(read_only=True).tag(sync=True)
    page = traitlets.Unicode(read_only=True).tag(sync=True)

    def __init__(self) -> None:
        super().__init__()
        with self.hold_sync():
            for name, value in (("code", packed(code())), ("style", style()), ("page", template())):
                self.set_trait(name, value)


_shared: Script | None = None


def shared_script() -> Script:
    """This kernel's script: a new one where the last was closed, or the front-end has been built again.

    Where there is no kernel, one process may serve many sessions (Shiny, Solara, Panel), none of which knows another's
    widgets: there each widget gets its own.
    """
    global _shared
    if not _is_one_session():
        return Script()
    if _shared is None or _shared.comm is None or (_shared.code, _shared.style) != (packed(code()), style()):
        _shared = Script()
    return _shared


def is_shared(script: ipywidgets.Widget) -> bool:
    """Whether other widgets refer to it, too."""
    return script is _shared


def _is_one_session() -> bool:
    """Whether all widgets of this process show in one place: a notebook's kernel. Solara has something like a shell, for each
    session another."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython and ipython.get_ipython()
    return shell is not None and isinstance(shell, ipython.InteractiveShell) and hasattr(shell, "kernel")


def code() -> str:
    """The front-end as a plain script; in a page, the figures there are shown as soon as it runs."""
    return (STATIC / "widget.js").read_text(encoding="utf-8")


def module() -> str:
    """The same as a module for anywidget, for hosts that keep modules once by themselves."""
    return f"{code()}\nexport default lenswidget.default;"


def style() -> str:
    return (STATIC / "widget.css").read_text(encoding="utf-8")


@cache
def loader() -> str:
    """The few lines by which a widget finds its script."""
    return (STATIC / "loader.js").read_text(encoding="utf-8")


@cache
def boot() -> str:
    """The few lines by which a page unpacks its script and runs it."""
    return (STATIC / "boot.js").read_text(encoding="utf-8").strip()


@cache
def packed(text: str) -> str:
    """Compressed, in base64."""
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def element(code: str) -> str:
    """The script as a page or a fragment of one holds it, packed, and the few lines that run it."""
    return f'<script type="text/plain" data-lens-code="{name()}">{code}</script><script>{boot()}</script>'


@cache
def name() -> str:
    """What tells this script from those of other versions in one page: each shows the figures that name it."""
    return hashlib.sha256(code().encode()).hexdigest()[:12]


def template() -> str:
    """The page with its policy, which names its scripts by their hashes."""
    light, dark = colors("light"), colors("dark")
    named = {"light": light["page"], "dark": dark["page"], "ink": light["ink"], "darkInk": dark["ink"]}
    version = importlib.metadata.version("lenswidget")
    return fill(PAGE, policy=policy(), script=element("{code}"), version=version, **named)


def policy() -> str:
    """What a page of ours allows: no script but these two, and nothing from anywhere else."""
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in (boot(), code())]
    allowed = " ".join(f"'sha256-{one}'" for one in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )


def fill(page: str, **parts: str) -> str:
    """Fill gaps, in one pass: a title may hold what looks like a gap."""
    return re.sub(r"\{(\w+)\}", lambda gap: parts.get(gap[1], gap[0]), page)


def host_keeps_modules() -> bool:
    """Whether modules are kept once already: marimo does, and closes what a cell made when the cell runs again."""
    marimo: Any = sys.modules.get("marimo")
    return marimo is not None and bool(marimo.running_in_notebook())
