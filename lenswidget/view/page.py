"""Self-contained pages: the same view where no kernel runs, with no request to anywhere."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from lenswidget.grids.comparison import Comparison
from lenswidget.grids.grid import Grid
from lenswidget.grids.marks import spaced
from lenswidget.grids.provenance import provenance_of, provenance_text
from lenswidget.grids.whole_file import write_whole
from lenswidget.view.picture.draw import MOST, Figure, first_seen, preview_svg
from lenswidget.view.script import code, element, fill, name, packed, style, template
from lenswidget.view.wire import encode

MOST_OF_SEVERAL = (8, 6)
"""The rows and columns of a picture for readers without scripts, where a page holds several."""


def write_page(
    figures: Figure | Iterable[Figure],
    path: str | os.PathLike[str],
    *,
    title: str = "",
    state: Mapping[str, Any] | None = None,
) -> Path:
    """Write one HTML file that shows a Grid or a Comparison, or several one under another, alive; without scripts, pictures.

    They open in a `state`, as `LensWidget.state` gives it.

    Raises OSError, naming the path, where it can't be written; an older file stays whole.
    """
    shown = _listed(figures)
    page, grids = template(), _grids(shown)
    whole = fill(
        page,
        title=escape(title or _title(shown[0])),
        style=style(),
        provenance=escape(provenance_text(grids)),
        about=_about(grids),
        figures="\n".join(_element(figure, most=_most(shown), state=state) for figure in shown),
        template=json.dumps(page).replace("<", "\\u003c"),
        code=packed(code()),
    )
    return _write(whole, path)


def write_fragment(
    figures: Figure | Iterable[Figure], path: str | os.PathLike[str], *, state: Mapping[str, Any] | None = None
) -> Path:
    """Write HTML for the middle of another page, whose styles it neither takes nor gives.

    It has no blank line, at which Markdown would leave off.
    """
    shown = _listed(figures)
    elements = [_element(figure, f"<style>{style().strip()}</style>", _most(shown), state) for figure in shown]
    return _write("\n".join([*elements, element(packed(code())), ""]), path)


def _grids(figures: list[Figure]) -> list[Grid]:
    """All the Grids of some figures."""
    return [grid for figure in figures for grid in (figure.grids if isinstance(figure, Comparison) else (figure,))]


def _about(grids: list[Grid]) -> str:
    """Where the figures came from, for readers of the page; twin of `aboutOf` in js/src/export/saved-page.ts."""
    lists = [
        "".join(f"<dt>{escape(spaced(name))}</dt><dd>{escape(spaced(value))}</dd>" for name, value in said.items())
        for said in map(provenance_of, grids)
    ]
    listed = "".join(f"<dl>{one}</dl>" for one in lists)
    return f'<details class="about"><summary>where this came from</summary>{listed}</details>'


def _title(figure: Figure) -> str:
    return " beside ".join(figure.names) if isinstance(figure, Comparison) else f"{figure.kind}: {figure.title}"


def _most(shown: list[Figure]) -> tuple[int, int]:
    return MOST if len(shown) == 1 else MOST_OF_SEVERAL


def _element(
    figure: Figure, inside: str = "", most: tuple[int, int] = MOST, state: Mapping[str, Any] | None = None
) -> str:
    message = encode(figure.grids, figure) if isinstance(figure, Comparison) else encode([figure])
    data = base64.b64encode(message).decode("ascii")
    settings = f' data-lens-settings="{escape(json.dumps(dict(state)))}"' if state else ""
    # in sight until the script runs, as it may never: it isn't in what is put in by innerHTML, and a page may refuse it
    picture = preview_svg(*first_seen(figure), most=most)
    return f'<div data-lens="{data}" data-lens-by="{name()}"{settings}>{inside}{picture}</div>'


def _listed(figures: Figure | Iterable[Figure]) -> list[Figure]:
    listed = [figures] if isinstance(figures, Figure) else list(figures)
    for figure in listed:
        if not isinstance(figure, Figure):
            raise TypeError(f"A page shows Grids and got {type(figure).__name__}; make one with lw.logit_lens(run).")
    if not listed:
        raise ValueError("A page needs at least one Grid; got none.")
    return listed


def _write(text: str, path: str | os.PathLike[str]) -> Path:
    # half of a surrogate pair, which UTF-8 can't carry, in a title
    return write_whole(path, lambda stream: stream.write(text.encode("utf-8", "backslashreplace")))
