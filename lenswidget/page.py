"""Self-contained pages: the same view where no kernel runs, with no request to anywhere."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable
from html import escape
from pathlib import Path

from lenswidget.files import write_whole
from lenswidget.grid import Grid
from lenswidget.picture import svg
from lenswidget.script import code, fill, style, template
from lenswidget.wire import encode


def write_page(grids: Grid | Iterable[Grid], path: str | os.PathLike[str], *, title: str = "") -> Path:
    """Write one HTML file that shows a Grid, or several one under another, alive; without scripts, their pictures.

    Raises OSError, naming the path, where it can't be written; an older file stays whole.
    """
    figures = _grids(grids)
    page = template()
    whole = fill(
        page,
        title=escape(title or f"{figures[0].kind}: {figures[0].title}"),
        style=style(),
        figures="\n".join(map(_figure, figures)),
        template=json.dumps(page).replace("<", "\\u003c"),
        script=code(),
    )
    return _write(whole, path)


def write_fragment(grids: Grid | Iterable[Grid], path: str | os.PathLike[str]) -> Path:
    """Write HTML for the middle of another page, whose styles it neither takes nor gives.

    It has no blank line, at which Markdown would leave off.
    """
    figures = [_figure(grid, f"<style>{style().strip()}</style>") for grid in _grids(grids)]
    return _write("\n".join([*figures, f"<script>{code().strip()}</script>", ""]), path)


def _figure(grid: Grid, inside: str = "") -> str:
    data = base64.b64encode(encode([grid])).decode("ascii")
    return f'<div data-lens="{data}">{inside}<noscript>{svg(grid)}</noscript></div>'


def _grids(grids: Grid | Iterable[Grid]) -> list[Grid]:
    figures = [grids] if isinstance(grids, Grid) else list(grids)
    for grid in figures:
        if not isinstance(grid, Grid):
            raise TypeError(f"A page shows Grids and got {type(grid).__name__}; make one with lw.logit_lens(run).")
    if not figures:
        raise ValueError("A page needs at least one Grid; got none.")
    return figures


def _write(text: str, path: str | os.PathLike[str]) -> Path:
    # half of a surrogate pair, which UTF-8 can't carry, in a title
    return write_whole(path, lambda stream: stream.write(text.encode("utf-8", "backslashreplace")))
