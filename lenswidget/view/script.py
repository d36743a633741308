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
from typing import Any, Literal

import ipywidgets
import traitlets

from lenswidget.view.picture.colors import colors

STATIC = Path(__file__).parents[1] / "static"
Bundle = Literal["widget", "lessons"]
"""Which front-end: the view, or the view and the parts that lessons are made of."""

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

    def __init__(self, bundle: Bundle = "widget") -> None:
        super().__init__()
        with self.hold_sync():
            for name, value in (("code", packed(code(bundle))), ("style", style(bundle)), ("page", template(bundle))):
                self.set_trait(name, value)


_shared: Script | None = None


def shared_script() -> Script:
    """This kernel's script: a new one where the last was closed, or the front-end has been built again.

    Where there is no kernel, one process may serve many sessions (Shiny, Solara, Panel), none of which knows another's
    widgets: there each widget gets its own.
    """
    global _shared
    bundle = wanted()
    if not _is_one_session():
        return Script(bundle)
    built = packed(code(bundle)), style(bundle)
    if _shared is None or _shared.comm is None or (_shared.code, _shared.style) != built:
        _shared = Script(bundle)
    return _shared


def wanted() -> Bundle:
    """The lessons' front-end shows all that the other does, so a kernel that has imported lessons stores that one alone."""
    return "lessons" if "lenswidget.lessons" in sys.modules else "widget"


def is_shared(script: ipywidgets.Widget) -> bool:
    """Whether other widgets refer to it, too."""
    return script is _shared


def _is_one_session() -> bool:
    """Whether all widgets of this process show in one place: a notebook's kernel. Solara has something like a shell, for each
    session another."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython and ipython.get_ipython()
    return shell is not None and isinstance(shell, ipython.InteractiveShell) and hasattr(shell, "kernel")


def code(bundle: Bundle = "widget") -> str:
    """The front-end as a plain script; in a page, the figures there are shown as soon as it runs."""
    return (STATIC / f"{bundle}.js").read_text(encoding="utf-8")


def module(bundle: Bundle = "widget") -> str:
    """The same as a module for anywidget, for hosts that keep modules once by themselves."""
    return f"{code(bundle)}\nexport default lenswidget.default;"


def style(bundle: Bundle = "widget") -> str:
    return (STATIC / f"{bundle}.css").read_text(encoding="utf-8")


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


def element(code: str, bundle: Bundle = "widget") -> str:
    """The script as a page or a fragment of one holds it, packed, and the few lines that run it."""
    return f'<script type="text/plain" data-lens-code="{name(bundle)}">{code}</script><script>{boot()}</script>'


@cache
def name(bundle: Bundle = "widget") -> str:
    """What tells this script from those of other versions in one page: each shows the figures that name it."""
    return hashlib.sha256(code(bundle).encode()).hexdigest()[:12]


def template(bundle: Bundle = "widget") -> str:
    """The page with its policy, which names its scripts by their hashes."""
    light, dark = colors("light"), colors("dark")
    named = {"light": light["page"], "dark": dark["page"], "ink": light["ink"], "darkInk": dark["ink"]}
    version = importlib.metadata.version("lenswidget")
    return fill(PAGE, policy=policy(bundle), script=element("{code}", bundle), version=version, **named)


def policy(bundle: Bundle = "widget") -> str:
    """What a page of ours allows: no script but these two, and nothing from anywhere else."""
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in (boot(), code(bundle))]
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
