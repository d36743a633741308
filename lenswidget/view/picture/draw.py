"""A Grid or a Comparison as a picture, for papers and for places that run no script: SVG, PNG and PDF of the same scene.

Jupyter shows an untrusted reader only text and bitmaps, and so does much of the web; a page of our own can do better.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lenswidget.grids.comparison import Comparison
from lenswidget.grids.grid import Grid
from lenswidget.grids.overview import counterpart
from lenswidget.grids.provenance import provenance_text
from lenswidget.grids.whole_file import write_whole
from lenswidget.view.picture.bars_scene import bars_scene
from lenswidget.view.picture.colors import Theme
from lenswidget.view.picture.heatmap_scene import heatmap_scene
from lenswidget.view.picture.overview_scene import overview_scene
from lenswidget.view.picture.pdf import pdf
from lenswidget.view.picture.png import png
from lenswidget.view.picture.scene import Scene, stacked
from lenswidget.view.picture.svg import svg
from lenswidget.view.picture.words_scene import words_scene

Figure = Grid | Comparison
MOST = (36, 16)
"""The rows and columns that a reader can take in from a picture that nobody asked for."""
MOST_SIDE_BY_SIDE = 4
"""As in js/src/state/view-state.ts."""
PICTURED = 3
"""The Grids of several that such a picture shows."""
MOST_BYTES = 30_000
"""Of a picture that rides along with every widget of a notebook."""
PIXELS = 96
"""To an inch, as CSS has it."""
LARGEST = 30_000
"""Pixels of a bitmap, either way."""


def first_seen(figure: Figure) -> tuple[Grid, ...]:
    """The Grids that stand for a figure in a picture that nobody asked for: of many, their overview; as the view begins."""
    if isinstance(figure, Grid):
        return (figure,)
    many = len(figure.grids) > MOST_SIDE_BY_SIDE and figure.overview is not None
    return (figure.overview,) if many else figure.grids[:PICTURED]  # type: ignore[return-value]


def preview_svg(*grids: Grid, most: tuple[int, int] = MOST) -> str:
    """An SVG element of the first few Grids, one above another, that follows the reader's light or dark.

    `most` rows and columns of each are drawn.
    """
    return svg(_stacked(grids, most), _said(grids[0]), ("light", "dark"))


def preview_png(*grids: Grid) -> tuple[bytes, int, int]:
    """The same as a light PNG with its nominal width and height, than which it is finer where that fits MOST_BYTES."""
    scene = _stacked(grids)
    drawn = png(scene, "light", 1.0)
    # bytes grow a little faster than the area; to draw is what takes time when a widget is shown
    finer = next((zoom for zoom in (1.5, 1.25) if len(drawn) * zoom**2.5 <= MOST_BYTES), None)
    if finer:
        drawn = png(scene, "light", finer)
    return drawn, scene.width, scene.height


def _stacked(grids: Sequence[Grid], most: tuple[int, int] = MOST) -> Scene:
    return stacked([scene_of(grid, most=most) for grid in grids[:PICTURED]])


def scene_of(figure: Figure, color: str = "", most: tuple[int, int] | None = None) -> Scene:
    """The picture of a Grid, as it wants to be drawn: all of it, or at `most` so many rows and columns.

    The Grids of a Comparison stand one above another, under their names. One that lacks the quantity has its
    counterpart, or else the first.

    Raises ValueError for a Grid without cells or a quantity that is nowhere.
    """
    grids = figure.grids if isinstance(figure, Comparison) else (figure,)
    empty = next((grid for grid in grids if not all(grid.shape)), None)
    if empty is not None:
        raise ValueError(f"A Grid of {empty.shape[0]} rows and {empty.shape[1]} columns has no cell to draw.")
    quantity = next((grid.quantities[color] for grid in grids if color in grid.quantities), None)
    if color and quantity is None:
        known = dict.fromkeys(name for grid in grids for name in grid.quantities)
        what = type(figure).__name__
        raise ValueError(f"This {what} has no quantity {color!r} to color by; it has {', '.join(known)}.")
    if isinstance(figure, Grid):
        return _scene_of_one(figure, color, most)
    scenes = []
    for name, grid in zip(figure.names, grids):
        match = quantity and counterpart(quantity, grid)
        named = replace(grid, title=f"{name} · {grid.title}")
        scenes.append(_scene_of_one(named, match.name if match else "", most))
    return stacked(scenes)


def _scene_of_one(grid: Grid, color: str, most: tuple[int, int] | None) -> Scene:
    if grid.view == "bars":
        return bars_scene(grid, few=most is not None)
    if grid.view == "overview":
        return overview_scene(grid, most and most[0] // 2)
    if grid.sides is not None and not color:
        return words_scene(grid, most)
    return heatmap_scene(grid, color, most)


def write_svg(
    figure: Figure,
    path: str | os.PathLike[str],
    *,
    color: str = "",
    width: float | None = None,
    theme: Theme = "light",
) -> Path:
    """Draw all of it, colored by a quantity, `width` inches wide; text stays text.

    Raises ValueError for a quantity that it lacks, OSError where the file can't be written.
    """
    scene = scene_of(figure, color)
    drawn = svg(scene, _said(figure), (_theme(theme),), _inches(width), provenance_of_figure(figure))
    return write_whole(path, lambda stream: stream.write(drawn.encode("utf-8")))


def write_png(
    figure: Figure,
    path: str | os.PathLike[str],
    *,
    color: str = "",
    width: float | None = None,
    theme: Theme = "light",
    dpi: float = 200.0,
) -> Path:
    """The same as a bitmap of `dpi` pixels an inch."""
    scene = scene_of(figure, color)
    inches = _inches(width) or scene.width / PIXELS
    zoom = inches * dpi / scene.width
    if not dpi > 0 or scene.width * zoom > LARGEST or scene.height * zoom > LARGEST:
        part = "part of the Grid, grid[:, -64:]" if isinstance(figure, Grid) else "fewer Grids or parts of them"
        raise ValueError(
            f"A picture of {scene.width * zoom:.0f} × {scene.height * zoom:.0f} pixels can't be made; choose a smaller "
            f"width or dpi, {part}, or to_svg(path), which has no pixels."
        )
    drawn = png(scene, _theme(theme), zoom, dpi, provenance_of_figure(figure))
    return write_whole(path, lambda stream: stream.write(drawn))


def write_pdf(
    figure: Figure,
    path: str | os.PathLike[str],
    *,
    color: str = "",
    width: float | None = None,
    theme: Theme = "light",
) -> Path:
    """The same as a PDF of one page that fits it, for a paper. Needs `pip install lenswidget[pdf]`."""
    scene = scene_of(figure, color)
    zoom = (_inches(width) or scene.width / PIXELS) * 72 / scene.width
    drawn = pdf(scene, _titled(figure), _theme(theme), zoom, provenance_of_figure(figure))
    return write_whole(path, lambda stream: stream.write(drawn))


def _inches(width: float | None) -> float | None:
    if width is not None and not 0 < width < 200:
        raise ValueError(f"width is in inches, more than 0 and less than 200; got {width!r}.")
    return width


def _theme(theme: Theme) -> Theme:
    if theme not in ("light", "dark"):
        raise ValueError(f"theme is 'light' or 'dark'; got {theme!r}.")
    return theme


def provenance_of_figure(figure: Figure) -> str:
    """Where it came from, as JSON: an object, or a list of one for each Grid of a Comparison."""
    return provenance_text(figure.grids if isinstance(figure, Comparison) else [figure])


def _said(figure: Figure) -> str:
    """What a picture holds, for readers who can't see it."""
    return " ".join(repr(figure).split())


def _titled(figure: Figure) -> str:
    return " beside ".join(figure.names) if isinstance(figure, Comparison) else f"{figure.kind}: {figure.title}"
