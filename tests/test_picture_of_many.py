"""Pictures of many prompts: dots above the map, bars beneath it, and the means of groups beside it."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lenswidget.grids.grid import Grid
from lenswidget.grids.groups import groups_of
from lenswidget.grids.parts import ColumnQuantity, Quantity
from lenswidget.view.picture.colors import Theme, colors
from lenswidget.view.picture.draw import MOST, preview_png, scene_of
from lenswidget.view.picture.png import png
from lenswidget.view.picture.scene import Area, Box, Dots, Line, Scene, Shape, Words
from lenswidget.view.picture.svg import svg
from tests.grids import HOSTILE, make_grid

VALUES = np.array([[1, 2, 6, 9], [0, 4, np.nan, 8], [np.nan, np.nan, np.nan, 1]], dtype=np.float32)
"""Rows by columns, of which the first three are of one group."""
GROUPS = ("a", "a", "a", "b")
SCORE = ColumnQuantity("unusual", np.array([1, np.nan, 2.5, -1.5], dtype=np.float32), unit="bits", line=2.5)


def many(score: ColumnQuantity | None = SCORE, **known: Any) -> Grid:
    """Four prompts in two groups."""
    quantity = Quantity("entropy", VALUES, unit="bits")
    return replace(plain(quantity), groups=GROUPS, **{"column_quantities": (score,) if score else (), **known})


def plain(quantity: Quantity) -> Grid:
    """A Grid of one quantity, without what else has lines in a picture."""
    return replace(
        make_grid(*quantity.values.shape), quantities={quantity.name: quantity}, targets=(), decision=None, excluded=()
    )


def of(scene: Scene, kind: type, *inks: str) -> list[Any]:
    def ink(shape: Shape) -> str:
        return shape.fill if isinstance(shape, Box) else shape.ink

    return [shape for shape in scene.shapes if isinstance(shape, kind) and (not inks or ink(shape) in inks)]


def said(scene: Scene) -> list[str]:
    return [shape.text for shape in of(scene, Words)]


def test_the_mean_and_the_spread_of_a_group_are_of_what_is_known() -> None:
    first, last = groups_of(GROUPS, VALUES)
    assert (first.name, first.count, last.name, last.count) == ("a", 3, "b", 1)
    np.testing.assert_allclose(first.mean, [3, 2, np.nan])
    np.testing.assert_allclose(first.spread, [np.std([1, 2, 6]), 2, np.nan])
    np.testing.assert_allclose(last.mean, [9, 8, 1])


def test_bars_stand_beneath_their_columns_and_hang_where_they_are_less_than_0() -> None:
    scene = scene_of(many())
    cells = [box for box in of(scene, Box) if (box.width, box.height) == (61, 19)]
    lefts = sorted({box.x for box in cells})
    bars = [box for box in of(scene, Box, "faint", "ink") if box.width == 61]
    # 26 pixels for 4 bits: 6.5 each
    assert [(box.x, box.height, box.fill) for box in bars] == [
        (lefts[0], 6.5, "faint"),
        (lefts[2], 16.25, "ink"),
        (lefts[3], 9.75, "faint"),
    ]
    zero = bars[0].y + bars[0].height
    assert bars[1].y + bars[1].height == bars[2].y == zero and zero > max(box.y + box.height for box in cells)
    (line,) = [box for box in of(scene, Box, "muted") if box.height == 1]
    assert line.y == bars[1].y and line.width == 4 * 62
    assert {"unusual, bits · line at 2.50", "−1.50", "2.50"} <= set(said(scene))


def test_a_bar_of_0_is_seen_and_one_that_is_not_known_is_not() -> None:
    nothing = ColumnQuantity("tokens", np.array([0, np.nan, 0, 0], dtype=np.float32))
    scene = scene_of(many(nothing))
    assert [box.height for box in of(scene, Box, "faint")] == [1, 1, 1]
    assert not of(scene, Dots), "without a line there are no dots"
    assert not of(scene_of(many(replace(nothing, values=np.full(4, np.nan, dtype=np.float32)))), Box, "faint")


def test_each_column_quantity_has_a_line_of_bars_and_the_picture_room_for_it() -> None:
    one = scene_of(many())
    two = scene_of(many(None, column_quantities=(SCORE, replace(SCORE, name="again", line=None))))
    assert two.height == one.height + 54
    tops = [word.y for word in of(two, Words) if word.text.startswith(("unusual, bits ·", "again, bits"))]
    assert tops[1] == tops[0] + 54


def test_groups_are_means_with_bands_on_the_rows_of_the_map() -> None:
    scene = scene_of(many())
    first, last = of(scene, Line, "pin0", "pin1")
    start = min(line.points[0][0] for line in of(scene, Line, "line") if line.points[0][0] == line.points[1][0])
    # the axis goes as far as there are values below the end of the colors: from 0 to 8
    middle = {row: word.y - 4 for row in ("L1", "L0") for word in of(scene, Words) if word.text == row}
    np.testing.assert_allclose([x for x, _ in first.points], start + 150 * np.array([3, 2]) / 8)
    np.testing.assert_allclose([x for x, _ in last.points], start + 150 * np.minimum([9, 8, 1], 8) / 8)
    assert last.points[1][1] == middle["L0"] and last.points[2][1] == middle["L1"]
    assert not first.dash and last.dash, "some can't tell the colors apart"
    areas = of(scene, Area)
    assert [area.ink for area in areas] == ["pin0", "pin1"]
    spread = np.std([1, 2, 6])
    np.testing.assert_allclose(
        [x for x, _ in areas[0].points], start + 150 * np.array([3 - spread, 0, 4, 3 + spread]) / 8
    )
    words = said(scene)
    assert {"mean entropy (bits) ± SD by group", "a (3)", "b (1)", "0", "2", "4", "6", "8"} <= set(words)
    assert not any("leads" in word for word in words)


def test_a_group_that_is_known_in_one_row_is_a_point() -> None:
    values = np.array([[1, 9], [np.nan, 8], [3, 7]], dtype=np.float32)
    grid = replace(plain(Quantity("entropy", values)), groups=("a", "b"))
    points = [line.points for line in of(scene_of(grid), Line, "pin0")]
    assert [(one[1][0] - one[0][0], one[1][1] - one[0][1]) for one in points] == [(2, 0), (2, 0)]


def test_groups_of_ranks_stand_on_a_logarithmic_axis_and_probabilities_in_percent() -> None:
    ranks = Quantity("rank", np.array([[1, 10], [100, 1000]], dtype=np.float32), scale="log", strong="low")
    scene = scene_of(replace(plain(ranks), groups=("a", "b")))
    assert {"1", "10", "100"} <= set(said(scene))
    (line,) = of(scene, Line, "pin0")
    (start, end) = (x for x, _ in line.points)
    assert end - start == pytest.approx(150)  # to 100, the last below the end of the colors
    shares = Quantity("probability", np.array([[0, 0.1], [0.5, 0.9]], dtype=np.float32), domain=(0.0, 1.0))
    assert {"mean probability (%) ± SD by group", "20", "80"} <= set(
        said(scene_of(replace(plain(shares), groups=("a", "b"))))
    )


def test_dots_stand_above_the_map_by_group_with_what_is_said_of_each() -> None:
    score = replace(
        SCORE,
        reach="5 % of normal prompts",
        of_groups={"a": "AUROC 0.75 (0.50 to 1.00)"},
        elsewhere={"normal": np.array([0.5, np.nan, 2.5], dtype=np.float32)},
    )
    scene = scene_of(many(score))
    lines = of(scene, Dots)
    assert [(line.ink, len(line.points)) for line in lines] == [("muted", 2), ("pin0", 2), ("pin1", 1)]
    # from −1.5 to 2.5 over all that is left between the edges
    width = min(760, scene.width - 24) - 16
    found = [[(x - 20) / width for x, _ in line.points] for line in lines]
    np.testing.assert_allclose(found[0], [0.5, 1])
    np.testing.assert_allclose(found[1], [0.625, 1])
    np.testing.assert_allclose(found[2], [0])
    # the golden ratio, counted in the group also where one isn't known
    middle = np.mean(
        [line.points[0][1] for line in of(scene, Line, "line") if line.points[0][1] == line.points[1][1]][1]
    )
    across = [(y - middle) / 10 for _, y in lines[1].points]
    np.testing.assert_allclose(across, [-1, 2 * (2 * 0.618034 % 1) - 1])
    (much,) = [line for line in of(scene, Line, "muted") if line.dash]
    assert much.points[0][0] == pytest.approx(20 + width)
    assert {"5 % of normal prompts", "AUROC 0.75 (0.50 to 1.00)", "normal", "a", "b", "unusual, bits"} <= set(
        said(scene)
    )
    lowest = max(y for line in lines for _, y in line.points)
    assert lowest < min(box.y for box in of(scene, Box) if (box.width, box.height) == (61, 19))


def test_dots_of_one_value_or_of_none_have_an_axis() -> None:
    same = scene_of(many(replace(SCORE, values=np.full(4, 2.5, dtype=np.float32))))
    assert len({x for line in of(same, Dots) for x, _ in line.points}) == 1
    none = scene_of(many(replace(SCORE, values=np.full(4, np.nan, dtype=np.float32))))
    assert [line.points for line in of(none, Dots)] == [(), ()]
    assert not of(scene_of(many(replace(SCORE, line=float("nan")))), Dots)


def test_a_picture_of_some_columns_has_the_dots_and_the_groups_of_all() -> None:
    count = 60
    values = np.random.default_rng(0).random((3, count)).astype(np.float32)
    grid = replace(
        plain(Quantity("entropy", values)),
        groups=("a",) * 50 + ("b",) * 10,
        column_quantities=(replace(SCORE, values=values[0]),),
    )
    scene = scene_of(grid, most=MOST)
    assert "a (50)" in said(scene) and f"{MOST[1]} of 60 columns" in " ".join(said(scene))
    assert [len(line.points) for line in of(scene, Dots)] == [50, 10]
    (line,) = of(scene, Line, "pin0")
    whole = of(scene_of(grid), Line, "pin0")[0]
    np.testing.assert_allclose(np.diff([x for x, _ in line.points]), np.diff([x for x, _ in whole.points]))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_bands_mix_with_what_lies_beneath_alike_in_every_file(theme: Theme) -> None:
    square = ((10, 10), (50, 10), (50, 50), (10, 50))
    shifted = tuple((x + 20, y) for x, y in square)
    scene = Scene(100, 60, [Box(0, 0, 100, 60, "page"), Area(square, "pin0"), Area(shifted, "pin1")])
    image = Image.open(io.BytesIO(png(scene, theme, 1.0))).convert("RGB")
    named = {name: np.frombuffer(bytes.fromhex(color[1:]), np.uint8) for name, color in colors(theme).items()}
    once = 0.85 * named["page"] + 0.15 * named["pin0"]
    for place, wanted in (
        ((5, 30), named["page"]),
        ((20, 30), once),
        ((60, 30), 0.85 * named["page"] + 0.15 * named["pin1"]),
        ((40, 30), 0.85 * once + 0.15 * named["pin1"]),
    ):
        np.testing.assert_allclose(image.getpixel(place), wanted, atol=1)
    drawn = svg(scene, "", (theme,))
    assert re.findall(r'<polygon fill="(#\w+)" points="[^"]*" fill-opacity="0.15"/>', drawn) == [
        colors(theme)["pin0"],
        colors(theme)["pin1"],
    ]


def test_many_bands_leave_a_bitmap_its_words() -> None:
    count = 40
    values = np.random.default_rng(0).normal(size=(9, count)).astype(np.float32)
    grid = replace(plain(Quantity("entropy", values)), groups=tuple(f"group {i // 2}" for i in range(count)))
    picture = Image.open(io.BytesIO(preview_png(grid)[0]))
    assert picture.mode == "P" and len(picture.getcolors(256) or []) > 60
    scene = scene_of(grid)
    bottom = max(line.points[1][1] for line in of(scene, Line, "line"))
    names = [word for word in of(scene, Words) if word.text.startswith("group ")]
    assert names and all(word.y <= bottom + 14 for word in names), "names that have no room are left out"


def test_all_of_it_can_be_written_and_stays_text(tmp_path: Path) -> None:
    names = tuple(name or "empty" for name in HOSTILE[:4])
    score = replace(SCORE, name=HOSTILE[0], of_groups={names[0]: HOSTILE[0]}, reach=HOSTILE[0])
    grid = replace(many(score), groups=names)
    for theme in ("light", "dark"):
        drawn = grid.to_svg(tmp_path / "a.svg", theme=theme).read_text("utf-8")
        assert "<script" not in drawn and "<img" not in drawn
    assert grid.to_pdf(tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    assert Image.open(grid.to_png(tmp_path / "a.png")).size[0] > 100
