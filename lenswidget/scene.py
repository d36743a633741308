"""What a picture of a Grid holds, as a list of shapes; `picture.py` draws them as SVG, PNG or PDF.

The leading tokens in their cells, coloured by a quantity; a legend; and what is followed, through the rows, at the last
position. Colours have names, so that one drawing can be light and dark.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from lenswidget.grid import NO_TOKEN, Grid, Quantity
from lenswidget.marks import cell_text, visible

Number = int | float
STEPS = 16
LIGHT = {
    "page": "#ffffff",
    "ink": "#1f2430",
    "muted": "#5b6270",
    "aside": "#f1f2f4",
    "odd": "#e8d9c5",
    "line": "#e3e6ea",
    "pin0": "#0b9a8d",
    "pin1": "#e8590c",
    "pin2": "#b01fae",
    "pin3": "#8d6a00",
}
DARK = {
    "page": "#14161a",
    "ink": "#e8eaee",
    "muted": "#9aa1ad",
    "aside": "#1d2025",
    "odd": "#4a3b28",
    "line": "#2a2e36",
    "pin0": "#2fc9b8",
    "pin1": "#ff8a47",
    "pin2": "#e681e8",
    "pin3": "#e8c23a",
}
PINS = 4
# from the page's own colour to the deepest tone, as in js/src/style.css
BLUE = {"light": ["#cfdbfc", "#8ba6f5", "#4263df", "#1b2a76"], "dark": ["#212d59", "#3852b6", "#7d99f8", "#d5dfff"]}
ORANGE = {"light": ["#fcdcc4", "#f2a469", "#cc5f12", "#703006"], "dark": ["#482a15", "#9a4e18", "#ef8d42", "#ffdfc4"]}
ROW, COLUMN, LEFT, TOP, RIGHT = 20, 62, 62, 46, 12
LABELS, CHART, BAR = 30, 112, 150
"""Heights of the column labels and of what stands beneath them, and the width of the legend's bar."""
LETTERS = 8
"""That fit a cell."""


@dataclass(frozen=True)
class Box:
    """A rectangle, filled with a colour that has a name."""

    x: Number
    y: Number
    width: Number
    height: Number
    fill: str


@dataclass(frozen=True)
class Ring:
    """The outline of a rectangle."""

    x: Number
    y: Number
    width: Number
    height: Number
    ink: str


@dataclass(frozen=True)
class Line:
    """A line through points."""

    points: tuple[tuple[Number, Number], ...]
    ink: str
    weight: Number = 1


@dataclass(frozen=True)
class Words:
    """A line of text on its baseline; `ink` names its colour: "on c3" is the ink that can be read on "c3"."""

    x: Number
    y: Number
    text: str
    ink: str
    anchor: Literal["start", "middle", "end"] = "middle"
    size: int = 11


Shape = Box | Ring | Line | Words


@dataclass(frozen=True)
class Scene:
    """Shapes on a page of a size, the first lowest."""

    width: int
    height: int
    shapes: list[Shape]


def scene_of(grid: Grid, colour: str = "", most: tuple[int, int] | None = None) -> Scene:
    """The picture of a Grid, coloured by a quantity, the first for "".

    `most` rows and columns are drawn, the last of each always, or all of them. Raises ValueError for a Grid without
    cells or a quantity that it lacks.
    """
    if not all(grid.shape):
        raise ValueError(f"A Grid of {grid.shape[0]} rows and {grid.shape[1]} columns has no cell to draw.")
    quantity = grid.quantities.get(colour or next(iter(grid.quantities)))
    if quantity is None:
        raise ValueError(f"This Grid has no quantity {colour!r} to colour by; it has {', '.join(grid.quantities)}.")
    part = _part(grid, most)
    rows, columns = part.shape
    scale = _Scale(part, quantity.name)
    chart = list(_chart(grid, LEFT + 190, TOP + rows * ROW + LABELS, max(420, LEFT + columns * COLUMN) - LEFT - 190))
    width = max(420, LEFT + columns * COLUMN + RIGHT)
    height = TOP + rows * ROW + LABELS + (CHART if chart else 46)
    # a sentence keeps its spaces; what else can't be seen is marked
    title = " ".join(visible(word) for word in _cut(grid.title, width // 9).split(" "))
    shapes = [
        Box(0, 0, width, height, "page"),
        Words(RIGHT, 19, title, "ink", "start", 14),
        Words(RIGHT, 36, _cut(_caption(grid, part), width // 6), "muted", "start"),
        *_cells(part, scale),
        *_legend(scale, LEFT, TOP + rows * ROW + LABELS),
        *chart,
    ]
    return Scene(width, height, shapes)


def stacked(scenes: Sequence[Scene]) -> Scene:
    """Scenes one above another."""
    width, below, shapes = max(scene.width for scene in scenes), 0, list[Shape]()
    for scene in scenes:
        shapes += [_lowered(shape, below) for shape in scene.shapes]
        below += scene.height
    return Scene(width, below, [Box(0, 0, width, below, "page"), *shapes] if len(scenes) > 1 else shapes)


def _lowered(shape: Shape, by: Number) -> Shape:
    if isinstance(shape, Line):
        return replace(shape, points=tuple((x, y + by) for x, y in shape.points))
    return replace(shape, y=shape.y + by)


def _part(grid: Grid, most: tuple[int, int] | None) -> Grid:
    if most is None:
        return grid
    rows, columns = grid.shape
    stride = max(1, -(-rows // most[0]))
    return grid[sorted(range(rows - 1, -1, -stride)), slice(max(0, columns - most[1]), None)]


class _Scale:
    """From the values of a quantity to the names of colours: "c0" to "c15", "d0" to "d15" where it has a centre."""

    def __init__(self, grid: Grid, name: str) -> None:
        self.quantity = quantity = grid.quantities[name]
        self.values = values = quantity.values.astype(np.float64)
        self.beside = np.isin(grid.positions, grid.aside)
        counted = values[np.isfinite(values) & ~self.beside]
        low, high = quantity.domain or ((counted.min(), counted.max()) if counted.size else (0.0, 1.0))
        if quantity.centre is not None:
            reach = max(high - quantity.centre, quantity.centre - low)
            low, high = quantity.centre - reach, quantity.centre + reach
        self.low, self.high = float(low), float(high)
        self.tone = "c" if quantity.centre is None else "d"

    def place(self, values: np.ndarray) -> np.ndarray:
        """0 to 1 from the low end to the high one."""
        low, high = self.low, self.high
        if self.quantity.scale == "log":
            with np.errstate(divide="ignore", invalid="ignore"):
                values, low, high = np.log(values), float(np.log(low)), float(np.log(high))
        return np.asarray((values - low) / ((high - low) or 1.0))

    def tones(self) -> list[list[str]]:
        """The name of every cell's colour: also "aside" in a column set aside, "odd" where nothing is finite."""
        finite = np.isfinite(self.values)
        share = np.clip(np.where(finite, self.place(np.where(finite, self.values, 1.0)), 0.0), 0.0, 1.0)
        share = 1 - share if self.quantity.strong == "low" else share
        steps = np.minimum((share * STEPS).astype(int), STEPS - 1)
        names = np.char.add(self.tone, steps.astype(str)).astype(object)
        names[:, self.beside] = "aside"
        names[~finite] = "odd"
        return [list(row) for row in names]


def _legend(scale: _Scale, x: Number, y: Number) -> Iterator[Shape]:
    quantity = scale.quantity
    for i in range(STEPS):
        step = STEPS - 1 - i if quantity.strong == "low" else i
        yield Box(x + i * BAR / STEPS, y, BAR / STEPS + 0.3, 9, f"{scale.tone}{step}")
    percent = quantity.measure == "probability" and quantity.domain == (0.0, 1.0)
    for anchor, at, value in (("start", x, scale.low), ("end", x + BAR, scale.high)):
        yield Words(at, y + 22, f"{value:.0%}" if percent else f"{value:.3g}", "muted", anchor)  # type: ignore[arg-type]
    unit = f" ({quantity.unit})" if quantity.unit else ""
    yield Words(x, y + 37, _cut(visible(quantity.name).replace("␣", " ") + unit, 30), "muted", "start")


def _chart(grid: Grid, x: Number, y: Number, width: Number) -> Iterator[Shape]:
    """Probability through the rows at the last position: what is followed, else the output's leader."""
    followed = _followed(grid)
    rows = grid.shape[0]
    if not followed or rows < 2:
        return
    room = 88
    left, right, top, bottom = x + 34, x + width - room, y, y + CHART - 42
    for share in (0.0, 0.5, 1.0):
        at = bottom - share * (bottom - top)
        yield Line(((left, at), (right, at)), "line")
        yield Words(left - 5, at + 4, f"{share:.0%}", "muted", "end")
    for row in sorted({0, round((rows - 1) / 3), round(2 * (rows - 1) / 3), rows - 1}):
        at = left + row * (right - left) / (rows - 1)
        yield Words(at, bottom + 16, _cut(grid.rows[row], LETTERS), "muted")
    ends = []
    for slot, (label, values) in enumerate(followed[:PINS]):
        known = [(left + r * (right - left) / (rows - 1), float(v)) for r, v in enumerate(values) if np.isfinite(v)]
        points = tuple((at, bottom - min(1.0, v) * (bottom - top)) for at, v in known)
        if points:
            yield Line(points, f"pin{slot}", 2)
            ends.append((points[-1][1], slot, label))
    place = top - 10.0
    for at, slot, label in sorted(ends):
        place = max(at, place + 13)
        yield Words(right + 6, place + 4, _cut(visible(label), 12), f"pin{slot}", "start")
    yield Words(left, bottom + 32, "probability at the last token, row by row", "muted", "start")


def _followed(grid: Grid) -> list[tuple[str, np.ndarray]]:
    exact = [
        (grid.targets[q.target].label, q.values[:, -1])
        for q in grid.quantities.values()
        if q.target is not None and q.measure == "probability"
    ]
    if exact or grid.candidates is None or grid.trajectories is None:
        return exact
    leader = grid.candidates.ids[-1, -1, 0]
    entries = grid.trajectories.of(grid.shape[1] - 1)
    place = np.flatnonzero(grid.trajectories.ids[entries] == leader)
    return [(grid.text(leader), np.exp2(grid.trajectories.log_probability[entries][i])) for i in place[:1]]


def _cells(part: Grid, scale: _Scale) -> Iterator[Shape]:
    rows, columns = part.shape
    quantity, tones, rings = scale.quantity, scale.tones(), _rings(part)
    for r in range(rows):
        y = TOP + (rows - 1 - r) * ROW
        yield Words(LEFT - 6, y + 14, _cut(part.rows[r], LETTERS), "muted", "end")
        for c in range(columns):
            yield Box(LEFT + c * COLUMN, y, COLUMN - 1, ROW - 1, tones[r][c])
            if rings[r, c] >= 0:
                yield Ring(LEFT + c * COLUMN + 1, y + 1, COLUMN - 3, ROW - 3, f"pin{rings[r, c]}")
            text = _word(part, quantity, r, c)
            yield Words(LEFT + c * COLUMN + COLUMN // 2, y + 14, _cut(text, LETTERS), f"on {tones[r][c]}")
    for c in range(columns):
        label = _cut(part.column_labels[c] if part.column_labels else cell_text(part.text(part.columns[c])), LETTERS)
        yield Words(LEFT + c * COLUMN + COLUMN // 2, TOP + rows * ROW + 16, label, "muted")


def _rings(part: Grid) -> np.ndarray:
    """The target that leads in each cell, or -1."""
    rings = np.full(part.shape, -1)
    if part.candidates is not None:
        for slot, target in reversed(list(enumerate(part.targets[:PINS]))):
            rings[np.isin(part.candidates.ids[:, :, 0], target.ids)] = slot
    return rings


def _word(part: Grid, quantity: Quantity, row: int, column: int) -> str:
    value = float(quantity.values[row, column])
    if not np.isfinite(value):
        return "NaN" if np.isnan(value) else "∞" if value > 0 else "−∞"
    if part.candidates is None:
        return f"{value:.3g}"
    token = part.candidates.ids[row, column, 0]
    return "·" if token == NO_TOKEN else cell_text(part.text(token))


def _caption(grid: Grid, part: Grid) -> str:
    words = [grid.model, ": ".join(filter(None, [grid.kind, ", ".join(grid.notes)]))]
    if grid.check is not None:
        words.append(str(grid.check))
    if part.shape != grid.shape:
        words.append(f"{part.shape[0]} of {grid.shape[0]} rows, {part.shape[1]} of {grid.shape[1]} tokens")
    return visible(" · ".join(word for word in words if word)).replace("␣", " ")


def colours(theme: Literal["light", "dark"]) -> dict[str, str]:
    """Every named colour of a theme, and for each the ink that can be read on it."""
    names = LIGHT if theme == "light" else DARK
    amount, opposite = [names["page"], *BLUE[theme]], [names["page"], *ORANGE[theme]]
    fills = {f"c{i}": _mix(amount, i / (STEPS - 1)) for i in range(STEPS)}
    fills |= {f"d{i}": _mix([*opposite[::-1], *amount[1:]], i / (STEPS - 1)) for i in range(STEPS)}
    inks = {
        f"on {name}": max((names["ink"], names["page"]), key=lambda ink: _contrast(ink, fill))
        for name, fill in fills.items()
    }
    return {**names, **fills, **inks, "on aside": names["muted"], "on odd": names["ink"]}


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
