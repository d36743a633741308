"""A Grid as a picture, for places that run no script: SVG where text should stay text, PNG where nothing else is let in.

Jupyter shows an untrusted reader only text and bitmaps, and so does much of the web; a page of our own can do better.
Both are drawn from the same list of shapes.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any, Literal

import numpy as np

from lenswidget.grid import NO_TOKEN, Grid, Quantity
from lenswidget.marks import cell_text, visible

STEPS = 16
LIGHT = {"page": "#ffffff", "ink": "#1f2430", "muted": "#5b6270", "aside": "#f1f2f4", "odd": "#e8d9c5"}
DARK = {"page": "#14161a", "ink": "#e8eaee", "muted": "#9aa1ad", "aside": "#1d2025", "odd": "#4a3b28"}
# one hue from the page's own colour to the deepest tone, as in js/src/style.css
RAMP_LIGHT = ["#ffffff", "#cfdbfc", "#8ba6f5", "#4263df", "#1b2a76"]
RAMP_DARK = ["#14161a", "#212d59", "#3852b6", "#7d99f8", "#d5dfff"]
MOST_ROWS, MOST_COLUMNS = 36, 20
"""What a reader can take in from a picture."""
ROW, COLUMN, LEFT, TOP, RIGHT, BOTTOM = 20, 62, 62, 46, 12, 30
LETTERS = 8
"""That fit a cell."""
PICTURED = 3
"""Grids of several that a picture shows."""


@dataclass(frozen=True)
class Box:
    """A rectangle, filled with a colour that has a name."""

    x: int
    y: int
    width: int
    height: int
    fill: str


@dataclass(frozen=True)
class Words:
    """A line of text on its baseline; `ink` names its colour: "on c3" is the ink that can be read on "c3"."""

    x: int
    y: int
    text: str
    ink: str
    anchor: Literal["start", "middle", "end"] = "middle"
    size: int = 11


def svg(*grids: Grid) -> str:
    """Grids one above another, as an SVG element that follows the reader's light or dark."""
    width, height, shapes = _scenes(grids)
    title = " ".join(visible(word) for grid in grids for word in repr(grid).split())
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" font-family="system-ui, sans-serif" font-size="11">',
        f"<title>{escape(title)}</title>",
        f"<style>{_rules(_colours(LIGHT, RAMP_LIGHT))}"
        f"@media(prefers-color-scheme:dark){{{_rules(_colours(DARK, RAMP_DARK))}}}</style>",
    ]
    for shape in shapes:
        if isinstance(shape, Box):
            place = f'x="{shape.x}" y="{shape.y}" width="{shape.width}" height="{shape.height}"'
            out.append(f'<rect class="{shape.fill}" {place}/>')
        else:
            size = "" if shape.size == 11 else f' font-size="{shape.size}" font-weight="600"'
            out.append(
                f'<text class="{shape.ink.replace("on ", "on-")}" x="{shape.x}" y="{shape.y}" '
                f'text-anchor="{shape.anchor}"{size}>{escape(shape.text)}</text>'
            )
    return "".join([*out, "</svg>"])


def png(*grids: Grid, zoom: float = 1.5) -> tuple[bytes, int, int]:
    """The same as a light PNG, finer than its nominal width and height by `zoom`; both are returned with it."""
    from PIL import Image, ImageDraw

    width, height, shapes = _scenes(grids)
    colours = _colours(LIGHT, RAMP_LIGHT)
    image = Image.new("RGB", (round(width * zoom), round(height * zoom)), LIGHT["page"])
    draw = ImageDraw.Draw(image)
    for shape in shapes:
        x, y = shape.x * zoom, shape.y * zoom
        if isinstance(shape, Box):
            draw.rectangle([x, y, x + shape.width * zoom - 1, y + shape.height * zoom - 1], fill=colours[shape.fill])
        else:
            font, draws = _font(shape.size * zoom)
            text = shape.text if draws else shape.text.encode("latin-1", "replace").decode("latin-1")
            anchor = {"start": "ls", "middle": "ms", "end": "rs"}[shape.anchor]
            draw.text((x, y), text, font=font, fill=colours[shape.ink], anchor=anchor)
    stream = io.BytesIO()
    # 64 colours hold every fill and the edges of the letters, in a third of the bytes
    image.quantize(64, dither=Image.Dither.NONE).save(stream, "png", optimize=True)
    return stream.getvalue(), width, height


def _font(size: float) -> tuple[Any, bool]:
    """A font of the machine's, and whether it draws more than Latin letters; Pillow's own where there is none."""
    from PIL import ImageFont

    for name in ("DejaVuSans.ttf", "Arial Unicode.ttf", "arial.ttf", "Helvetica.ttc", "LiberationSans-Regular.ttf"):
        try:
            return ImageFont.truetype(name, size), True
        except OSError:
            continue
    return ImageFont.load_default(size), False


def _scenes(grids: Sequence[Grid]) -> tuple[int, int, list[Box | Words]]:
    """Scenes one above another."""
    scenes = [_scene(grid) for grid in grids]
    width, below, shapes = max(scene[0] for scene in scenes), 0, []
    for _, height, part in scenes:
        shapes += [replace(shape, y=shape.y + below) for shape in part]
        below += height
    return width, below, [Box(0, 0, width, below, "page"), *shapes]


def _scene(grid: Grid) -> tuple[int, int, list[Box | Words]]:
    """Width, height and shapes: the leading tokens, coloured by the first quantity, last row and columns always in."""
    rows, columns = grid.shape
    stride = max(1, -(-rows // MOST_ROWS))
    part = grid[sorted(range(rows - 1, -1, -stride)), slice(max(0, columns - MOST_COLUMNS), None)]
    width = max(420, LEFT + part.shape[1] * COLUMN + RIGHT)
    height = TOP + part.shape[0] * ROW + BOTTOM
    # a sentence keeps its spaces; what else can't be seen is marked
    title = " ".join(visible(word) for word in _cut(grid.title, width // 9).split(" "))
    shapes = [
        Words(RIGHT, 19, title, "ink", "start", 14),
        Words(RIGHT, 36, _cut(_caption(grid, part), width // 6), "muted", "start"),
        *_cells(part),
    ]
    return width, height, shapes


def _cells(part: Grid) -> Iterator[Box | Words]:
    rows, columns = part.shape
    quantity = next(iter(part.quantities.values()))
    tones = _tones(part, quantity)
    for r in range(rows):
        y = TOP + (rows - 1 - r) * ROW
        yield Words(LEFT - 6, y + 14, _cut(part.rows[r], LETTERS), "muted", "end")
        for c in range(columns):
            yield Box(LEFT + c * COLUMN, y, COLUMN - 1, ROW - 1, tones[r][c])
            text = _word(part, quantity, r, c)
            yield Words(LEFT + c * COLUMN + COLUMN // 2, y + 14, _cut(text, LETTERS), f"on {tones[r][c]}")
    for c in range(columns):
        label = _cut(part.column_labels[c] if part.column_labels else cell_text(part.text(part.columns[c])), LETTERS)
        yield Words(LEFT + c * COLUMN + COLUMN // 2, TOP + rows * ROW + 16, label, "muted")


def _word(part: Grid, quantity: Quantity, row: int, column: int) -> str:
    value = float(quantity.values[row, column])
    if not np.isfinite(value):
        return "NaN" if np.isnan(value) else "∞" if value > 0 else "−∞"
    if part.candidates is None:
        return f"{value:.3g}"
    token = part.candidates.ids[row, column, 0]
    return "·" if token == NO_TOKEN else cell_text(part.text(token))


def _caption(grid: Grid, part: Grid) -> str:
    quantity = next(iter(part.quantities.values()))
    unit = f" ({quantity.unit})" if quantity.unit else ""
    words = [grid.model, f"{grid.kind}, coloured by {quantity.name}{unit}"]
    if grid.check is not None:
        words.append(str(grid.check))
    if part.shape != grid.shape:
        words.append(f"{part.shape[0]} of {grid.shape[0]} rows, {part.shape[1]} of {grid.shape[1]} tokens")
    return visible(" · ".join(word for word in words if word)).replace("␣", " ")


def _tones(grid: Grid, quantity: Quantity) -> list[list[str]]:
    """The name of every cell's colour: "c0" to "c15", "aside" in a column set aside, "odd" where nothing is finite."""
    values = quantity.values.astype(np.float64)
    finite = np.isfinite(values)
    beside = np.isin(grid.positions, grid.aside)
    counted = values[finite & ~beside]
    low, high = quantity.domain or ((counted.min(), counted.max()) if counted.size else (0.0, 1.0))
    if quantity.scale == "log":
        with np.errstate(divide="ignore", invalid="ignore"):
            values, low, high = np.log(values), np.log(low), np.log(high)
    share = np.where(finite, (values - low) / ((high - low) or 1.0), 0.0)
    share = np.clip(1 - share if quantity.strong == "low" else share, 0.0, 1.0)
    names = np.char.add("c", np.minimum((share * STEPS).astype(int), STEPS - 1).astype(str)).astype(object)
    names[:, beside] = "aside"
    names[~finite] = "odd"
    return [list(row) for row in names]


def _colours(names: dict[str, str], stops: list[str]) -> dict[str, str]:
    """Every named colour of a theme, and for each the ink that can be read on it."""
    fills = {f"c{i}": _mix(stops, i / (STEPS - 1)) for i in range(STEPS)}
    inks = {
        f"on {name}": max((names["ink"], names["page"]), key=lambda ink: _contrast(ink, fill))
        for name, fill in fills.items()
    }
    return {**names, **fills, **inks, "on aside": names["muted"], "on odd": names["ink"]}


def _rules(colours: dict[str, str]) -> str:
    return "".join(f".{name.replace('on ', 'on-')}{{fill:{colour}}}" for name, colour in colours.items())


def _rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.float64)


def _mix(stops: list[str], share: float) -> str:
    place = share * (len(stops) - 1)
    i = min(int(place), len(stops) - 2)
    colour = _rgb(stops[i]) + (place - i) * (_rgb(stops[i + 1]) - _rgb(stops[i]))
    return "#" + "".join(f"{round(part):02x}" for part in colour)


def _contrast(one: str, other: str) -> float:
    """WCAG contrast ratio of two colours."""

    def luminance(colour: str) -> float:
        part = _rgb(colour) / 255
        linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
        return float(linear @ np.array([0.2126, 0.7152, 0.0722]))

    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
