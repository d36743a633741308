"""What a picture holds, as a list of shapes; `svg.py`, `png.py` and `pdf.py` draw them. Colors are names, see `colors.py`.

A picture is opened with other fonts than those it was drawn for, so what a text needs is reckoned in those of a wide font.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from lenswidget.grids.grid import Grid
from lenswidget.grids.marks import spaced
from lenswidget.grids.parts import Check

Number = int | float
MARGIN = 12
SIZE = 11
"""Of text, in pixels."""


@dataclass(frozen=True)
class Box:
    """A rectangle, filled with a color that has a name."""

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
    """A line through points; of dashes so long, with as much between them, or whole."""

    points: tuple[tuple[Number, Number], ...]
    ink: str
    weight: Number = 1
    dash: Number = 0


@dataclass(frozen=True)
class Dots:
    """Filled circles of one size, about points."""

    points: tuple[tuple[Number, Number], ...]
    radius: Number
    ink: str


@dataclass(frozen=True)
class Area:
    """A polygon so thinly filled, FAINT, that what lies beneath it shows."""

    points: tuple[tuple[Number, Number], ...]
    ink: str


FAINT = 0.15
"""How much of an area's ink there is on what lies beneath."""


@dataclass(frozen=True)
class Words:
    """A line of text on its baseline; `ink` names its color: "on c3" is the ink that can be read on "c3"."""

    x: Number
    y: Number
    text: str
    ink: str
    anchor: Literal["start", "middle", "end"] = "middle"
    size: int = SIZE


Shape = Box | Ring | Line | Dots | Area | Words


@dataclass(frozen=True)
class Scene:
    """Shapes on a page of a size, the first lowest."""

    width: int
    height: int
    shapes: list[Shape]


def stacked(scenes: Sequence[Scene]) -> Scene:
    """Scenes one above another."""
    width, below, shapes = max(scene.width for scene in scenes), 0, list[Shape]()
    for scene in scenes:
        shapes += [_lowered(shape, below) for shape in scene.shapes]
        below += scene.height
    return Scene(width, below, [Box(0, 0, width, below, "page"), *shapes] if len(scenes) > 1 else shapes)


def _lowered(shape: Shape, by: Number) -> Shape:
    if isinstance(shape, (Line, Dots, Area)):
        return replace(shape, points=tuple((x, y + by) for x, y in shape.points))
    return replace(shape, y=shape.y + by)


def head(grid: Grid, width: int, *more: str) -> tuple[list[Shape], int]:
    """The title and what the Grid is, and how high they are."""
    said = [grid.model, ": ".join(filter(None, [grid.kind, ", ".join(grid.notes)])), *more]
    lines = wrapped(spaced(" · ".join(filter(None, said))), width - 2 * MARGIN)
    title = cut(spaced(grid.title), width - 2 * MARGIN, 15)
    shapes: list[Shape] = [Words(MARGIN, 19, title, "ink", "start", 14)]
    shapes += [Words(MARGIN, 36 + 14 * i, line, "muted", "start") for i, line in enumerate(lines)]
    return shapes, 32 + 14 * len(lines)


def claimed(check: Check) -> tuple[str, str]:
    """What a Grid claims of itself and whether that holds, in words and their color."""
    return spaced(str(check)), "muted" if check.holds else "warning"


def wrapped(sentence: str, width: Number, most: int = 3) -> list[str]:
    """A sentence in lines that fit, the last of them cut short if there would be more than `most`."""
    lines = [""]
    for word in sentence.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and breadth(longer) > width and len(lines) < most:
            lines.append(word)
        else:
            lines[-1] = longer
    return [cut(line, width) for line in lines]


def cut(text: str, width: Number, size: int = SIZE) -> str:
    """As much of a text as fits, with an ellipsis where that isn't all."""
    room = width - breadth("…", size)
    fits, reached = 0, 0.0
    for i, character in enumerate(text):
        reached += size * _ems(character)
        if reached > width:
            return text[:fits] + "…"
        if reached <= room:
            fits = i + 1
    return text


def breadth(text: str, size: int = SIZE) -> float:
    """What a text needs at most, in pixels."""
    return size * sum(map(_ems, text), 0.0)


def _ems(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF":
        return 1.05
    if character in " .,:;'|!()[]ijltfrI-":
        return 0.4
    if character in "mwMW@%…&<>=+~#" or not character.isascii():
        return 1.0
    return 0.72 if character.isupper() else 0.64


def dashes(line: Line) -> list[tuple[tuple[Number, Number], tuple[Number, Number]]]:
    """The dashes of a line, each from end to end; each stretch between two points begins with one."""
    found = list[tuple[tuple[Number, Number], tuple[Number, Number]]]()
    for (x, y), (to_x, to_y) in zip(line.points, line.points[1:]):
        length = math.hypot(to_x - x, to_y - y)
        for i in range(math.ceil(length / (2 * line.dash))):
            start, end = 2 * i * line.dash / length, min(1, (2 * i + 1) * line.dash / length)
            found.append(
                (
                    (x + start * (to_x - x), y + start * (to_y - y)),
                    (x + end * (to_x - x), y + end * (to_y - y)),
                )
            )
    return found


def largest(values: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The places of the `count` largest of some parts, first the largest, and those of the rest; no number comes before all."""
    size = np.abs(np.nan_to_num(values, nan=np.inf, posinf=np.inf, neginf=np.inf))
    order = np.argsort(-size, kind="stable")
    # one part has its own name, which says more than "1 other"
    shown = len(order) if len(order) - count <= 1 else count
    return order[:shown], order[shown:]


def room_for(labels: Sequence[str], most: Number) -> int:
    """What labels need, up to `most`, beyond which they are cut."""
    return math.ceil(min(most, max(map(breadth, labels), default=0)))
