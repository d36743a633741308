"""One self-contained page: the same view where no kernel runs, with no request to anywhere."""

from __future__ import annotations

import base64
import os
from html import escape
from pathlib import Path

from lenswidget.comparison import Comparison
from lenswidget.files import write_whole
from lenswidget.grid import Grid
from lenswidget.picture import PICTURED, svg
from lenswidget.wire import encode

STATIC = Path(__file__).parent / "static"

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
html {{ background: #fff; }}
body {{ max-width: 1440px; margin: 16px auto; }}
@media (prefers-color-scheme: dark) {{ html {{ background: #14161a; }} }}
{style}
</style>
</head>
<body>
<div data-lens="{data}"></div>
<noscript>{picture}</noscript>
<script>{script}</script>
</body>
</html>
"""


def write_page(shown: Grid | Comparison, path: str | os.PathLike[str]) -> Path:
    """Write one HTML file that shows a Grid or a Comparison, alive; readers without scripts see its picture."""
    comparison = shown if isinstance(shown, Comparison) else None
    grids = (shown,) if isinstance(shown, Grid) else shown.grids
    page = PAGE.format(
        title=escape(" beside ".join(comparison.names) if comparison else f"{grids[0].kind}: {grids[0].title}"),
        style=(STATIC / "widget.css").read_text(encoding="utf-8"),
        data=base64.b64encode(encode(grids, comparison)).decode("ascii"),
        picture=svg(*grids[:PICTURED]),
        # inside a script element only its end tag means anything, and only strings can hold one
        script=(STATIC / "page.js").read_text(encoding="utf-8").replace("</script", "<\\/script"),
    )
    return write_whole(path, lambda stream: stream.write(page.encode("utf-8", "backslashreplace")))
