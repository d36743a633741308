"""A Grid as a picture, for papers and for places that run no script: SVG, PNG and PDF from the same list of shapes.

Jupyter shows an untrusted reader only text and bitmaps, and so does much of the web; a page of our own can do better.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from lenswidget.grids.grid import Grid
from lenswidget.grids.whole_file import write_whole
from lenswidget.view.picture import bitmap
from lenswidget.view.picture.bars_scene import bars_scene
from lenswidget.view.picture.colors import Theme, colors
from lenswidget.view.picture.heatmap_scene import heatmap_scene
from lenswidget.view.picture.scene import SIZE, Box, Line, Ring, Scene, Shape, Words, stacked

MOST = (36, 16)
"""The rows and columns that a reader can take in from a picture that nobody asked for."""
PICTURED = 3
"""The Grids of several that such a picture shows."""
MOST_BYTES = 30_000
"""Of a picture that rides along with every widget of a notebook."""
PIXELS = 96
"""To an inch, as CSS has it."""


def svg(*grids: Grid, most: tuple[int, int] = MOST) -> str:
    """An SVG element of the first few Grids, one above another, that follows the reader's light or dark.

    `most` rows and columns of each are drawn.
    """
    return _svg(_stacked(grids, most), grids[0], ("light", "dark"))


def png(*grids: Grid) -> tuple[bytes, int, int]:
    """The same as a light PNG with its nominal width and height, than which it is finer where that fits MOST_BYTES."""
    scene = _stacked(grids)
    drawn = bitmap.png(scene, "light", 1.0)
    # bytes grow a little faster than the area; to draw is what takes time when a widget is shown
    finer = next((zoom for zoom in (1.5, 1.25) if len(drawn) * zoom**2.5 <= MOST_BYTES), None)
    if finer:
        drawn = bitmap.png(scene, "light", finer)
    return drawn, scene.width, scene.height


def _stacked(grids: Sequence[Grid], most: tuple[int, int] = MOST) -> Scene:
    return stacked([scene_of(grid, most=most) for grid in grids[:PICTURED]])


def scene_of(grid: Grid, color: str = "", most: tuple[int, int] | None = None) -> Scene:
    """The picture of a Grid, as it wants to be drawn: all of it, or at `most` so many rows and columns.

    Raises ValueError for a Grid without cells or a quantity that it lacks.
    """
    if not all(grid.shape):
        raise ValueError(f"A Grid of {grid.shape[0]} rows and {grid.shape[1]} columns has no cell to draw.")
    if color and color not in grid.quantities:
        raise ValueError(f"This Grid has no quantity {color!r} to color by; it has {', '.join(grid.quantities)}.")
    if grid.view == "bars":
        return bars_scene(grid, few=most is not None)
    return heatmap_scene(grid, color, most)


def write_svg(
    grid: Grid, path: str | os.PathLike[str], *, color: str = "", width: float | None = None, theme: Theme = "light"
) -> Path:
    """Draw the whole Grid, colored by a quantity, `width` inches wide; text stays text.

    Raises ValueError for a quantity that the Grid lacks, OSError where the file can't be written.
    """
    scene = scene_of(grid, color)
    drawn = _svg(scene, grid, (_theme(theme),), _inches(width))
    return write_whole(path, lambda stream: stream.write(drawn.encode("utf-8")))


def write_png(
    grid: Grid,
    path: str | os.PathLike[str],
    *,
    color: str = "",
    width: float | None = None,
    theme: Theme = "light",
    dpi: float = 200.0,
) -> Path:
    """The same as a bitmap of `dpi` pixels an inch."""
    scene = scene_of(grid, color)
    inches = _inches(width) or scene.width / PIXELS
    zoom = inches * dpi / scene.width
    if not dpi > 0 or scene.width * zoom > LARGEST or scene.height * zoom > LARGEST:
        raise ValueError(
            f"A picture of {scene.width * zoom:.0f} × {scene.height * zoom:.0f} pixels can't be made; choose a smaller "
            f"width or dpi, part of the Grid, grid[:, -64:], or grid.to_svg(path), which has no pixels."
        )
    return write_whole(path, lambda stream: stream.write(bitmap.png(scene, _theme(theme), zoom, dpi)))


LARGEST = 30_000


def write_pdf(
    grid: Grid, path: str | os.PathLike[str], *, color: str = "", width: float | None = None, theme: Theme = "light"
) -> Path:
    """The same as a PDF of one page that fits it, for a paper. Needs `pip install lenswidget[pdf]`."""
    scene = scene_of(grid, color)
    drawn = _pdf(scene, _theme(theme), grid, (_inches(width) or scene.width / PIXELS) * 72 / scene.width)
    return write_whole(path, lambda stream: stream.write(drawn))


def _inches(width: float | None) -> float | None:
    if width is not None and not 0 < width < 200:
        raise ValueError(f"width is in inches, more than 0 and less than 200; got {width!r}.")
    return width


def _theme(theme: Theme) -> Theme:
    if theme not in ("light", "dark"):
        raise ValueError(f"theme is 'light' or 'dark'; got {theme!r}.")
    return theme


def _svg(scene: Scene, grid: Grid, themes: tuple[Theme, ...], inches: float | None = None) -> str:
    """The first theme's colors, and the second's for readers who have it dark."""
    width, height = scene.width, scene.height
    size = f'width="{inches}in"' if inches else f'width="{width}" height="{height}"'
    fills = {s.fill if isinstance(s, Box) else s.ink for s in scene.shapes if isinstance(s, (Box, Words))}
    lines = {s.ink for s in scene.shapes if isinstance(s, (Line, Ring))}
    light, *dark = (_rules(colors(theme), fills, lines) for theme in themes)
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {size} '
            f'role="img" font-family="system-ui, \'DejaVu Sans\', sans-serif" font-size="{SIZE}" text-anchor="middle">',
            f"<title>{escape(' '.join(repr(grid).split()))}</title>",
            f"<style>{light}{''.join(f'@media(prefers-color-scheme:dark){{{rules}}}' for rules in dark)}</style>",
            *map(_element, scene.shapes),
            "</svg>",
        ]
    )


def _element(shape: Shape) -> str:
    if isinstance(shape, Box):
        return f'<rect class="{shape.fill}" {_place(shape)}/>'
    if isinstance(shape, Ring):
        return f'<rect class="{shape.ink}-line" {_place(shape)} rx="2" stroke-width="2"/>'
    if isinstance(shape, Line):
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.points)
        return f'<polyline class="{shape.ink}-line" points="{points}" stroke-width="{shape.weight}"/>'
    anchor = "" if shape.anchor == "middle" else f' text-anchor="{shape.anchor}"'
    size = "" if shape.size == SIZE else f' font-size="{shape.size}" font-weight="600"'
    return (
        f'<text class="{shape.ink.replace("on ", "on-")}" x="{shape.x:g}" y="{shape.y:g}"'
        f"{anchor}{size}>{escape(shape.text)}</text>"
    )


def _place(shape: Box | Ring) -> str:
    return f'x="{shape.x:g}" y="{shape.y:g}" width="{shape.width:g}" height="{shape.height:g}"'


def _rules(named: dict[str, str], fills: set[str], lines: set[str]) -> str:
    filled = "".join(f".{name.replace('on ', 'on-')}{{fill:{named[name]}}}" for name in sorted(fills))
    return filled + "".join(f".{name}-line{{fill:none;stroke:{named[name]}}}" for name in sorted(lines))


def _pdf(scene: Scene, theme: Theme, grid: Grid, zoom: float) -> bytes:
    try:
        from reportlab.pdfbase import pdfmetrics
        from reportlab.pdfbase.ttfonts import TTFont
        from reportlab.pdfgen.canvas import Canvas
    except ImportError as reason:
        raise ImportError(
            "A PDF needs reportlab: pip install 'lenswidget[pdf]', or choose grid.to_svg(path)."
        ) from reason
    named = colors(theme)
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=(scene.width * zoom, scene.height * zoom), invariant=True)
    canvas.setTitle(_encodable(f"{grid.kind}: {grid.title}"))
    canvas.setCreator("lenswidget")
    canvas.scale(zoom, zoom)
    font, draws = bitmap.font(SIZE)
    name = "Helvetica"
    if draws:
        name = "lenswidget"
        pdfmetrics.registerFont(TTFont(name, font.path))
    write: dict[str, Callable[..., Any]] = {
        "start": canvas.drawString, "middle": canvas.drawCentredString, "end": canvas.drawRightString,
    }  # fmt: skip
    for shape in scene.shapes:
        if isinstance(shape, Words):
            canvas.setFont(name, shape.size)
            canvas.setFillColor(named[shape.ink])
            text = _encodable(shape.text) if draws else shape.text.encode("latin-1", "replace").decode("latin-1")
            write[shape.anchor](shape.x, scene.height - shape.y, text)
        elif isinstance(shape, Line):
            canvas.setStrokeColor(named[shape.ink])
            canvas.setLineWidth(shape.weight)
            path = canvas.beginPath()
            for i, (x, y) in enumerate(shape.points):
                (path.lineTo if i else path.moveTo)(x, scene.height - y)
            canvas.drawPath(path)
        else:
            low = scene.height - shape.y - shape.height
            if isinstance(shape, Box):
                canvas.setFillColor(named[shape.fill])
                canvas.rect(shape.x, low, shape.width, shape.height, stroke=0, fill=1)
            else:
                canvas.setStrokeColor(named[shape.ink])
                canvas.setLineWidth(2)
                canvas.roundRect(shape.x, low, shape.width, shape.height, 2)
    canvas.showPage()
    canvas.save()
    return stream.getvalue()


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
