"""The picture of a difference in words: where another token leads on the other side; as js/src/difference draws it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lenswidget.grids.grid import Grid
from lenswidget.grids.marks import cell_text, spaced
from lenswidget.grids.parts import NO_TOKEN, Sides
from lenswidget.grids.sides import APART, BELIEF
from lenswidget.view.picture.scene import (
    MARGIN,
    SIZE,
    Box,
    Number,
    Scene,
    Shape,
    Words,
    breadth,
    cut,
    head,
    room_for,
    wrapped,
)

ROW, EQUAL, SHARE, WIDEST = 22, 170, 110, 240
GAP = 18


def words_scene(grid: Grid, most: tuple[int, int] | None = None) -> Scene:
    """All rows and the columns in which anything differs, or the last of them."""
    sides = grid.sides
    assert sides is not None
    rows = list(range(grid.shape[0]))[::-1][: most and most[0]]
    gaps = (sides.leaders.ids == NO_TOKEN).any(-1).all(0)
    columns = [c for c in range(grid.shape[1]) if c not in sides.equal and not gaps[c]][-(most[1] if most else 0) :]
    weights = weights_of(grid)
    left = MARGIN + room_for([spaced(grid.rows[r]) for r in rows], 120) + 12
    places = [left + (EQUAL + GAP if sides.equal else 0)]
    for c in columns:
        labels = [breadth(_column(grid, c)), *(_breadth(grid, r, c, float(weights[r, c])) for r in rows)]
        places.append(places[-1] + round(min(WIDEST, max(labels))) + GAP)
    width = max(420, places[-1] + SHARE + MARGIN)
    shapes, top = head(grid, width)
    says = f"{' → '.join(sides.names)} where the leading token differs; size: total variation × belief, at least"
    shapes.append(Words(MARGIN, top + 6, cut(spaced(says), width - 2 * MARGIN), "muted", "start"))
    top += 30
    if sides.equal:
        shapes += _equal(grid, sides, left, top, len(rows) * ROW)
    for x, c in zip(places, columns):
        shapes.append(Words(x, top, cut(_column(grid, c), WIDEST), "muted", "start"))
    for i, r in enumerate(rows):
        y = top + 6 + i * ROW
        shapes.append(Words(left - 12, y + 15, cut(spaced(grid.rows[r]), 120), "muted", "end"))
        for x, c in zip(places, columns):
            shapes += _pair(grid, r, c, float(weights[r, c]), x, y)
        if columns and not np.isnan(weights[r, columns[-1]]):
            shares = np.exp2(sides.leaders.log_probability[r, columns[-1]].astype(np.float64))
            told = " → ".join(f"{share:.0%}" for share in shares.tolist())
            shapes.append(Words(places[-1], y + 15, told, "muted", "start"))
    height = top + 6 + len(rows) * ROW + MARGIN
    return Scene(width, height, [Box(0, 0, width, height, "page"), *shapes])


def weights_of(grid: Grid) -> np.ndarray:
    """How much the difference in each cell says, 0 to 1: total variation × belief; NaN where the same token leads."""
    assert grid.sides is not None
    ours, theirs = np.moveaxis(grid.sides.leaders.ids, -1, 0)
    belief = np.nan_to_num(grid.quantities[BELIEF].values, nan=1.0)
    told = (ours != theirs) & (ours != NO_TOKEN) & (theirs != NO_TOKEN)
    return np.where(told, np.nan_to_num(grid.quantities[APART].values * belief), np.nan)


def _equal(grid: Grid, sides: Sides, x: Number, y: Number, height: Number) -> Iterator[Shape]:
    names = (
        " ".join(_column(grid, c) for c in sides.equal) if len(sides.equal) <= 3 else f"{len(sides.equal)} positions"
    )
    yield Words(x, y, cut(names, EQUAL), "muted", "start")
    yield Box(x, y + 6, EQUAL, height, "excluded")
    sentence = f"Equal to the last bit: {sides.why}." if sides.why else "Equal to the last bit."
    for i, line in enumerate(wrapped(sentence, EQUAL - 20)):
        yield Words(x + 10, y + 24 + 14 * i, line, "muted", "start")


def _pair(grid: Grid, row: int, column: int, weight: float, x: Number, y: Number) -> Iterator[Shape]:
    if np.isnan(weight):
        return
    assert grid.sides is not None
    size, leaders = _size(weight), grid.sides.leaders.ids[:, column]
    ours, arrow, theirs = _words(grid, row, column)
    # a word has its side's color where it is what that side says in the end
    inks = [
        "pin0" if leaders[row, 0] == leaders[-1, 0] else "ink",
        "pin1" if leaders[row, 1] == leaders[-1, 1] else "ink",
    ]
    for text, ink in ((ours, inks[0]), (arrow, "muted"), (theirs, inks[1])):
        yield Words(x, y + 15, text, ink, "start", size)
        x += round(breadth(text, size)) + 5


def _breadth(grid: Grid, row: int, column: int, weight: float) -> float:
    if np.isnan(weight):
        return 0.0
    return sum(breadth(text, _size(weight)) + 5 for text in _words(grid, row, column))


def _words(grid: Grid, row: int, column: int) -> tuple[str, str, str]:
    ours, theirs = (
        cut(cell_text(grid.text(i)), WIDEST / 2 - 14)
        for i in grid.sides.leaders.ids[row, column]  # type: ignore[union-attr]
    )
    return ours, "→", theirs


def _size(weight: float) -> int:
    return round(SIZE - 1 + 6 * float(np.sqrt(weight)))


def _column(grid: Grid, column: int) -> str:
    return (
        spaced(grid.column_labels[column].strip()) if grid.column_labels else cell_text(grid.text(grid.columns[column]))
    )
