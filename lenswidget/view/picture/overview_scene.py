"""The picture of an overview: a line a prompt, with what it answers and how it came to that; as js/src/overview draws it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from lenswidget.grids.answers import BELIEF, Answer, answers_of
from lenswidget.grids.grid import Grid
from lenswidget.grids.marks import cell_text, spaced
from lenswidget.grids.parts import NO_TOKEN
from lenswidget.view.picture.scene import MARGIN, Box, Line, Number, Scene, Shape, Words, breadth, cut, head, room_for

ROW, SPAN = 48, 560
ANSWER, AMOUNT = 190, 46
"""Widths of the answer and of its bar."""
FLOOR, TALLEST = 40, 26
"""Where the bars of a line stand, and how high one of probability 1 is."""
WORD = 11
WORTH = 0.05
"""The least that a bar needs to have a word."""
OTHER = "c9"


def overview_scene(grid: Grid, most: int | None = None) -> Scene:
    """All prompts, or the first `most`."""
    answers = answers_of(grid)[:most]
    asked = room_for([spaced(name) for name in grid.rows[: len(answers)]], 320)
    told = MARGIN + asked + 16
    left = told + ANSWER + AMOUNT + 16
    width = left + SPAN + 70
    counted = f"{len(answers)} of {len(grid.rows)} prompts" if len(answers) < len(grid.rows) else ""
    shapes, top = head(grid, width, counted)
    places = left + SPAN * places_of(grid)
    shapes += _layers(grid, places, top + 10)
    top += 16
    for row, answer in enumerate(answers):
        y = top + row * ROW
        shapes.append(Words(MARGIN, y + 30, cut(spaced(grid.rows[row]), asked), "ink", "start"))
        shapes += _answer(grid, row, answer, told, y)
        shapes += _line(grid, row, answer, places, y)
        shapes.append(Words(left + SPAN + 54, y + 30, _label(grid, answer.decided), "ink", "end"))
    height = top + len(answers) * ROW + 40
    shapes += _key(any(one.right is not None for one in answers), height - 18)
    return Scene(width, height, [Box(0, 0, width, height, "page"), *shapes])


def places_of(grid: Grid) -> np.ndarray:
    """Where each layer begins, and where the last ends, 0 to 1: what can be believed has more room."""
    values = np.nan_to_num(grid.quantities[BELIEF].values, nan=1.0)
    ends = np.cumsum(np.maximum(0.15, values.mean(axis=0, dtype=np.float64)))
    return np.concatenate([[0.0], ends / ends[-1]])


def _layers(grid: Grid, places: np.ndarray, y: Number) -> Iterator[Shape]:
    """The names of the layers, as many as have room; the last is always there."""
    free = float("inf")
    for i in reversed(range(grid.shape[1])):
        label, middle = _label(grid, i), (places[i] + places[i + 1]) / 2
        if middle + breadth(label) / 2 + 4 <= free:
            free = middle - breadth(label) / 2 - 4
            yield Words(middle, y, label, "muted")


def _answer(grid: Grid, row: int, answer: Answer, x: Number, y: Number) -> Iterator[Shape]:
    ink = _ink(answer, answer.token, grid, row)
    at = y + (22 if answer.right is False else 30)
    if answer.right is not None:
        yield Line(_mark(x, at, answer.right), ink, 1.5)
    said = cell_text(grid.text(answer.token)) if answer.token != NO_TOKEN else "nothing"
    yield Words(x + 16, at, cut(said, ANSWER - 60, 14), "ink" if answer.right is None else ink, "start", 14)
    yield Words(x + ANSWER, at, f"{answer.probability:.0%}", "ink", "end")
    yield Box(x + ANSWER + 6, at - 9, AMOUNT, 9, "excluded")
    if answer.probability > 0:
        yield Box(x + ANSWER + 6, at - 9, AMOUNT * answer.probability, 9, ink)
    if answer.right is False:
        right = " + ".join(cell_text(grid.text(i)) for i in grid.targets[row].ids)
        led = "never led" if answer.led_until is None else f"led until {_label(grid, answer.led_until)}"
        sentence = f"right: {right} {answer.right_probability:.0%}, {led}"
        yield Words(x + 16, at + 15, cut(spaced(sentence), ANSWER + AMOUNT), "muted", "start")


def _mark(x: Number, y: Number, right: bool) -> tuple[tuple[Number, Number], ...]:
    if right:
        return ((x, y - 5), (x + 3, y - 1), (x + 9, y - 10))
    return ((x, y - 9), (x + 4, y - 5), (x, y - 1), (x + 4, y - 5), (x + 8, y - 9), (x + 4, y - 5), (x + 8, y - 1))


def _ink(answer: Answer, token: int, grid: Grid, row: int) -> str:
    if grid.targets and token in grid.targets[row].ids:
        return "pin0"
    if token != answer.token:
        return OTHER
    return "plus" if answer.right is None else "pin1"


def _line(grid: Grid, row: int, answer: Answer, places: np.ndarray, y: Number) -> Iterator[Shape]:
    """A bar a layer, words where the leader changes, a bracket from the decision on."""
    assert grid.candidates is not None
    leaders = grid.candidates.ids[row, :, 0].tolist()
    believed = np.nan_to_num(grid.quantities[BELIEF].values[row], nan=1.0)
    heights = np.nan_to_num(np.exp2(grid.candidates.log_probability[row, :, 0].astype(np.float64))) * believed
    tops = y + FLOOR - np.maximum(0.5, TALLEST * heights)
    for leader, (start, end), top in zip(leaders, pairwise(places.tolist()), tops.tolist()):
        if leader != NO_TOKEN:
            yield Box(start, top, max(0.5, end - start - 1), y + FLOOR - top, _ink(answer, leader, grid, row))

    def weight(i: int) -> float:
        is_right = bool(grid.targets) and leaders[i] in grid.targets[row].ids
        return float(heights[i] + (4 if i == answer.decided else 2 if is_right else 0))

    changes = [i for i, leader in enumerate(leaders) if leader != NO_TOKEN and (not i or leader != leaders[i - 1])]
    taken: list[tuple[float, float, float]] = []
    # what says most is placed first; a word that finds no room isn't written
    for i in sorted((i for i in changes if heights[i] >= WORTH), key=weight, reverse=True):
        word = cut(cell_text(grid.text(leaders[i])), 100)
        wide = breadth(word)
        left = max(float(places[0]), min(float(places[i]), float(places[-1]) - wide))
        beneath = (places[1:] > left) & (places[:-1] < left + wide)
        at = float(tops[beneath].min()) - 3
        while near := [
            one for one in taken if one[0] < left + wide + 4 and left < one[1] + 4 and abs(one[2] - at) < WORD
        ]:
            at = near[0][2] - WORD
        if at < y + WORD - 4:
            continue
        taken.append((left, left + wide, at))
        ink = _ink(answer, leaders[i], grid, row)
        yield Words(left, at, word, "muted" if ink == OTHER else ink, "start")
    start, end = float(places[answer.decided]), float(places[-1]) - 1
    yield Line(((start, y + FLOOR + 1), (start, y + FLOOR + 7)), "ink", 1.5)
    yield Line(((start, y + FLOOR + 4), (end, y + FLOOR + 4)), "ink", 1.5)


def _key(is_known: bool, y: Number) -> Iterator[Shape]:
    answers = (
        [("pin0", "the right answer leads"), ("pin1", "what is said, and isn’t right")]
        if is_known
        else [("plus", "what is said leads")]
    )
    x: float = MARGIN
    for fill, words in [*answers, (OTHER, "another token leads")]:
        yield Box(x, y - 9, 10, 10, fill)
        yield Words(x + 16, y, words, "muted", "start")
        x += breadth(words) + 34
    yield Line(((x, y - 7), (x, y - 1)), "ink", 1.5)
    yield Line(((x, y - 4), (x + 22, y - 4)), "ink", 1.5)
    yield Words(x + 28, y, "what is said leads from here on · height: probability × belief", "muted", "start")


def _label(grid: Grid, column: int) -> str:
    assert grid.column_labels is not None
    return spaced(grid.column_labels[column])
