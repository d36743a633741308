"""A scene as SVG, whose text stays text."""

from __future__ import annotations

from html import escape

from lenswidget.view.picture.colors import Theme, colors
from lenswidget.view.picture.scene import SIZE, Box, Line, Ring, Scene, Shape, Words


def svg(scene: Scene, title: str, themes: tuple[Theme, ...], inches: float | None = None) -> str:
    """A scene as an SVG element with the first theme's colors, and the second's for readers who have it dark."""
    width, height = scene.width, scene.height
    size = f'width="{inches}in"' if inches else f'width="{width}" height="{height}"'
    fills = {s.fill if isinstance(s, Box) else s.ink for s in scene.shapes if isinstance(s, (Box, Words))}
    lines = {s.ink for s in scene.shapes if isinstance(s, (Line, Ring))}
    light, *dark = (_rules(colors(theme), fills, lines) for theme in themes)
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {size} '
            f'role="img" font-family="system-ui, \'DejaVu Sans\', sans-serif" font-size="{SIZE}" text-anchor="middle">',
            f"<title>{escape(title)}</title>",
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
