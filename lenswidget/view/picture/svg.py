"""A scene as SVG, whose text stays text."""

from __future__ import annotations

from html import escape

from lenswidget.view.picture.colors import Theme, colors
from lenswidget.view.picture.scene import FAINT, SIZE, Area, Box, Dots, Line, Ring, Scene, Shape, Words

STILL = "lw-still"
"""The class of a picture that has a second theme."""


def svg(scene: Scene, title: str, themes: tuple[Theme, ...], inches: float | None = None, provenance: str = "") -> str:
    """A scene as an SVG element with the first theme's colors, and the second's for readers who have it dark.

    Each shape has its color itself: a page may refuse style sheets, and would show one black rectangle. Only the second
    theme needs one, whose rules name nothing beyond this element.
    """
    width, height = scene.width, scene.height
    size = f'width="{inches}in"' if inches else f'width="{width}" height="{height}"'
    fills = {s.fill if isinstance(s, Box) else s.ink for s in scene.shapes if isinstance(s, (Box, Area, Words))}
    lines = {s.ink for s in scene.shapes if isinstance(s, (Line, Ring, Dots))}
    first, *others = (colors(theme) for theme in themes)
    dark = "".join(_rules(named, fills, lines) for named in others)
    still = f' class="{STILL}"' if dark else ""
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {size} '
            f'role="img" font-family="system-ui, \'DejaVu Sans\', sans-serif" font-size="{SIZE}" text-anchor="middle"'
            f"{still}>",
            f"<title>{escape(title)}</title>",
            f"<metadata>{escape(provenance)}</metadata>" if provenance else "",
            f"<style>@media screen and (prefers-color-scheme:dark){{{dark}}}</style>" if dark else "",
            *(_element(shape, first, bool(dark)) for shape in scene.shapes),
            "</svg>",
        ]
    )


def _element(shape: Shape, named: dict[str, str], themed: bool) -> str:
    if isinstance(shape, Box):
        return f"<rect {_color(shape.fill, named, themed)} {_place(shape)}/>"
    if isinstance(shape, Ring):
        return f'<rect {_color(shape.ink, named, themed, line=True)} {_place(shape)} rx="2" stroke-width="2"/>'
    if isinstance(shape, Line):
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.points)
        color = _color(shape.ink, named, themed, line=True)
        dash = f' stroke-dasharray="{shape.dash}"' if shape.dash else ""
        return f'<polyline {color} points="{points}" stroke-width="{shape.weight}"{dash}/>'
    if isinstance(shape, Dots):
        # there may be thousands; not every program draws a line of no length
        places = "".join(f"M{x:.1f} {y:.1f}h.01" for x, y in shape.points)
        color = _color(shape.ink, named, themed, line=True)
        return f'<path {color} d="{places}" stroke-width="{2 * shape.radius}" stroke-linecap="round"/>'
    if isinstance(shape, Area):
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.points)
        return f'<polygon {_color(shape.ink, named, themed)} points="{points}" fill-opacity="{FAINT}"/>'
    anchor = "" if shape.anchor == "middle" else f' text-anchor="{shape.anchor}"'
    size = "" if shape.size == SIZE else f' font-size="{shape.size}" font-weight="600"'
    return (
        f'<text {_color(shape.ink, named, themed)} x="{shape.x:g}" y="{shape.y:g}"'
        f"{anchor}{size}>{escape(shape.text)}</text>"
    )


def _color(name: str, named: dict[str, str], themed: bool, *, line: bool = False) -> str:
    """The color of a shape, and the name by which another theme finds it."""
    color = f'fill="none" stroke="{named[name]}"' if line else f'fill="{named[name]}"'
    return f'class="{_class(name)}{"-line" if line else ""}" {color}' if themed else color


def _class(name: str) -> str:
    return name.replace("on ", "on-")


def _place(shape: Box | Ring) -> str:
    return f'x="{shape.x:g}" y="{shape.y:g}" width="{shape.width:g}" height="{shape.height:g}"'


def _rules(named: dict[str, str], fills: set[str], lines: set[str]) -> str:
    filled = "".join(f".{STILL} .{_class(name)}{{fill:{named[name]}}}" for name in sorted(fills))
    return filled + "".join(f".{STILL} .{name}-line{{stroke:{named[name]}}}" for name in sorted(lines))
