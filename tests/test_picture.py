"""Pictures of Grids: what they hold is what the Grid holds, and all of it can be read."""

from __future__ import annotations

import io
import itertools
import json
import math
import re
import subprocess
from dataclasses import replace
from html import escape, unescape
from pathlib import Path
from xml.dom import minidom

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from pypdf import PdfReader

from lenswidget.grids.comparison import Comparison, compare
from lenswidget.grids.grid import Grid
from lenswidget.grids.marks import spaced
from lenswidget.grids.parts import BEFORE, MOVED, NO_TOKEN, Check, ColumnQuantity, Quantity, Target
from lenswidget.grids.provenance import provenance_of
from lenswidget.view.picture.colors import Theme, colors, contrast
from lenswidget.view.picture.draw import MOST, preview_png, preview_svg, scene_of
from lenswidget.view.picture.heatmap_cells import edited_cells
from lenswidget.view.picture.png import png
from lenswidget.view.picture.scene import Box, Line, Ring, Scene, Words, breadth
from tests.golden.write import scales
from tests.grids import HOSTILE, hostile_grid, make_grid

CLAIM = "rows sum to the logit"


def parts(values: list[float] | np.ndarray, spread: list[float] | None = None, **changes: object) -> Grid:
    """Parts of a logit, in the order of the network."""
    column = np.array(values, dtype=np.float32).reshape(len(values), -1)
    quantities = {"contribution": Quantity("contribution", column, unit="logits", center=0.0)}
    if spread is not None:
        quantities["spread"] = Quantity("spread", np.array(spread, dtype=np.float32)[:, None])
    columns = column.shape[1]
    grid = Grid(
        title="who voted",
        kind="Direct logit attribution",
        rows=tuple(f"L{i}H3" for i in range(len(values))),
        columns=np.full(columns, 7, dtype=np.int32),
        positions=np.arange(columns, dtype=np.int32),
        quantities=quantities,
        texts={7: " to"},
        view="bars",
        check=Check(2e-6, 1e-4, CLAIM),
    )
    return replace(grid, **changes)  # type: ignore[arg-type]


def by_layer(error: float = 1e-6) -> Grid:
    """Two layers of two heads, the second without its second head."""
    values = np.array([[1, -2, np.nan], [3, np.nan, np.nan], [np.nan, np.nan, 0.5]], dtype=np.float32)
    return parts(
        values,
        view="heatmap",
        rows=("L0", "L1", "embed"),
        columns=np.full(3, NO_TOKEN, dtype=np.int32),
        column_labels=("H0", "H1", "other"),
        check=Check(error, 1e-4, "cells sum to the logit"),
    )


def said(scene: Scene) -> list[str]:
    return [shape.text for shape in scene.shapes if isinstance(shape, Words)]


def boxes(scene: Scene, *fills: str) -> list[Box]:
    return [shape for shape in scene.shapes if isinstance(shape, Box) and shape.fill in fills]


def test_parts_of_a_sum_are_bars_from_zero_the_largest_first_and_their_sum() -> None:
    scene = scene_of(parts([0.5, -4, 2]))
    words = said(scene)
    assert [word for word in words if word.startswith("L")] == ["L1H3", "L2H3", "L0H3"]
    assert [word for word in words if word[0] in "+−"] == ["−4.00", "+2.00", "+0.50", "−1.50"]
    assert "rows sum to the logit, off by 2e-6" in words
    minus, plus, small = boxes(scene, "plus", "minus")
    zero = minus.x + minus.width
    assert (plus.x, small.x) == pytest.approx((zero, zero))
    assert minus.width == pytest.approx(2 * plus.width) == pytest.approx(8 * small.width)


def test_a_picture_that_nobody_asked_for_has_the_largest_and_the_others_as_one() -> None:
    values = [float(2**i) * (-1) ** i for i in range(40)]
    words = said(scene_of(parts(values), most=MOST))
    assert "28 smaller" in words and sum(word.startswith("L") for word in words) == 12
    assert len([word for word in words if word[0] in "+−"]) == 12 + 1 + 1
    assert "28 smaller" not in said(scene_of(parts(values)))


@pytest.mark.parametrize(
    ("check", "says", "ink"),
    [
        (Check(0.5, 1e-4, CLAIM), "check failed: rows sum to the logit, off by 5e-1, more than 1e-4", "warning"),
        (Check(float("nan"), 1e-4, CLAIM), "rows sum to the logit: not checked, as it is not finite", "warning"),
        (None, "logits", "muted"),
    ],
)
def test_a_sum_says_what_it_can_claim(check: Check | None, says: str, ink: str) -> None:
    shapes = scene_of(parts([1, 2], check=check)).shapes
    assert [shape.ink for shape in shapes if isinstance(shape, Words) and shape.text == says] == [ink]


def test_a_part_that_is_no_number_is_not_hidden_among_the_others() -> None:
    values = [1.0] * 20 + [float("nan")] + [2.0] * 20
    scene = scene_of(parts(values), most=MOST)
    assert said(scene)[2] == "L20H3"
    (odd,) = boxes(scene, "odd")
    label = next(shape for shape in scene.shapes if isinstance(shape, Words) and shape.text == "L20H3")
    assert odd.x >= label.x, "it covers no label"
    assert "one part is no finite number" in said(scene)


def test_spread_is_drawn_within_the_picture_as_far_as_it_goes() -> None:
    scene = scene_of(parts([4, -1], spread=[2, 0.5]))
    plus, minus = boxes(scene, "plus", "minus")
    unit = plus.width / 4
    zero = plus.x
    lines = [
        s.points for s in scene.shapes if isinstance(s, Line) and s.ink == "ink" and s.points[0][1] == s.points[1][1]
    ]
    reach = [tuple((x - zero) / unit for x, _ in points) for points in lines]
    assert reach == [pytest.approx((2, 6)), pytest.approx((-1.5, -0.5))]
    assert minus.x > 0 and all(0 < x < scene.width for points in lines for x, _ in points)


def test_a_cell_that_no_part_stands_in_is_blank_and_one_that_is_no_number_is_not() -> None:
    scene = scene_of(by_layer())
    assert "NaN" not in said(scene) and not boxes(scene, "odd")
    assert len([word for word in said(scene) if word[0] in "+−" and len(word) < 6]) == 4 + 1  # and an end of the scale
    broken = scene_of(by_layer(error=float("nan")))
    assert said(broken).count("NaN") == len(boxes(broken, "odd")) == 5


def test_of_rows_that_add_up_none_is_left_out() -> None:
    random = np.random.default_rng(0)
    grid = parts(random.normal(size=(90, 3)), view="heatmap")
    words = said(scene_of(grid, most=(20, 20)))
    assert "71 others" in words
    numbers = [float(word.replace("−", "-")) for word in words if word[0] in "+−" and "." in word]
    drawn = np.array(numbers[: 20 * 3]).reshape(20, 3).sum(0)
    assert drawn == pytest.approx(grid.quantities["contribution"].values.sum(0), abs=0.2)
    assert "L88" in said(scene_of(make_grid(90, 3), most=(20, 20))), "of a lens every so many, the last always"


def test_the_row_quantity_beside_the_rows_has_a_step_for_each_and_a_key() -> None:
    scene = scene_of(make_grid(7, 5))
    steps = boxes(scene, "trust1", "trust2", "trust3", "trust4")
    assert len(steps) == 6 + 2, "six rows that can be believed somewhat, and the key"
    assert "held-out KL: 0 to 9 bits" in said(scene)
    assert not boxes(scene_of(replace(make_grid(7, 5), row_quantities=())), "trust4")


LONG = "L23H3 a name that is far too long for any picture of this size, WMWMWMWMWMWMWMWM"


def many_prompts(columns: int) -> Grid:
    """Columns of groups with odd names, and numbers of them about which much is said."""
    names = (LONG, "中文" * 30, *HOSTILE)
    groups = tuple(names[i % len(names)] for i in range(columns))
    score = np.linspace(-1e-4, 12345.6, columns, dtype=np.float32)
    said = dict.fromkeys(groups, LONG)
    below = ColumnQuantity(
        LONG, score, unit="WM" * 9, line=3.0, reach=LONG, of_groups=said, elsewhere={LONG: score[:2]}
    )
    return replace(make_grid(9, columns), groups=groups, column_quantities=(below, ColumnQuantity("tokens", score)))


@pytest.mark.parametrize(
    "grid",
    [
        hostile_grid(),
        make_grid(31, 14),
        replace(make_grid(3, 4), rows=(LONG, "L1", "中文" * 30), texts=dict.fromkeys(range(60), "WMWMWMWMWM")),
        replace(parts([1, 2, 3]), rows=(LONG, HOSTILE[0], "中文" * 30), notes=(LONG * 9,), title=LONG * 9),
        by_layer(),
        many_prompts(3),
        many_prompts(40),
    ],
    ids=["hostile", "lens", "long", "long parts", "by layer", "few prompts", "many prompts"],
)
def test_no_text_leaves_the_picture_or_runs_into_another(grid: Grid) -> None:
    scene = scene_of(grid)
    spans: dict[float, list[tuple[float, float]]] = {}
    for shape in scene.shapes:
        if isinstance(shape, Words):
            width = ImageFont.truetype("DejaVuSans.ttf", shape.size).getlength(shape.text)
            assert width <= breadth(shape.text, shape.size) + 1, shape.text
            start = shape.x - {"start": 0.0, "middle": width / 2, "end": width}[shape.anchor]
            spans.setdefault(shape.y, []).append((start, start + width))
    for line in spans.values():
        line.sort()
        assert line[0][0] >= 0 and line[-1][1] <= scene.width
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(line))


@pytest.mark.parametrize("grid", [parts([1.0, -2.0] * 3000), by_layer()], ids=["bars", "by layer"])
def test_a_picture_is_small_and_has_the_colors_of_both_themes(grid: Grid) -> None:
    drawn = preview_svg(grid)
    minidom.parseString(drawn)
    for theme in ("light", "dark"):
        assert colors(theme)["muted"] in drawn
    picture, width, _ = preview_png(grid)
    assert len(picture) < 60_000
    image = Image.open(io.BytesIO(picture))
    assert image.width >= width


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_bitmap_has_every_color_of_its_scale_also_one_of_a_single_cell(theme: Theme, tmp_path: Path) -> None:
    values = np.full((9, 9), 0.1, dtype=np.float32)
    values[3, 3] = -9
    grid = parts(values, view="heatmap", excluded=(0,))
    image = Image.open(grid.to_png(tmp_path / "one.png", theme=theme, dpi=96.0)).convert("RGB")
    seen = {tuple(color) for color in np.asarray(image).reshape(-1, 3).tolist()}
    wanted = {box.fill for box in scene_of(grid).shapes if isinstance(box, Box)}
    assert {"d0", "excluded"} <= wanted
    assert {tuple(bytes.fromhex(colors(theme)[name][1:])) for name in wanted} <= seen


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_bitmap_of_few_colors_is_what_all_colors_would_draw(theme: Theme) -> None:
    """Every pixel is within half a step of its ink, a fifth of the way from fill to ink, of what Pillow draws in RGB."""
    grid = replace(make_grid(7, 5), rows=("embed", *"ABCDEF"))
    scene, zoom, named = scene_of(grid), 1.5, colors(theme)
    image = Image.new("RGB", (round(scene.width * zoom), round(scene.height * zoom)))
    draw = ImageDraw.Draw(image)
    for shape in scene.shapes:
        if isinstance(shape, Words):
            font = ImageFont.truetype("DejaVuSans.ttf", shape.size * zoom)
            anchor = {"start": "ls", "middle": "ms", "end": "rs"}[shape.anchor]
            draw.text((shape.x * zoom, shape.y * zoom), shape.text, named[shape.ink], font, anchor)
        elif isinstance(shape, Line):
            for start, end in itertools.pairwise(shape.points):
                stretch = math.dist(start, end)
                steps = np.arange(0, stretch, 2 * shape.dash) if shape.dash else [0]
                for at in steps:
                    ends = at / stretch, min(1, (at + (shape.dash or stretch)) / stretch)
                    line = [tuple(zoom * (a + t * (b - a)) for a, b in zip(start, end)) for t in ends]
                    draw.line(line, named[shape.ink], max(1, round(shape.weight * zoom)), "curve")
        else:
            x, y = shape.x * zoom, shape.y * zoom
            box = (x, y, x + shape.width * zoom - 1, y + shape.height * zoom - 1)
            if isinstance(shape, Box):
                draw.rectangle(box, named[shape.fill])
            else:
                draw.rounded_rectangle(box, 2 * zoom, outline=named[shape.ink], width=round(2 * zoom))
    few = Image.open(io.BytesIO(png(scene, theme, zoom)))
    few.load()
    difference = np.abs(np.asarray(few.convert("RGB")).astype(int) - np.asarray(image).astype(int))
    assert difference.max() <= 255 / 10 + 1


def told(leaders: list[list[int]], **changes: object) -> Grid:
    """Three rows, read by a lens, in which these tokens lead, with 0.8."""
    rows, columns = np.shape(leaders)
    grid = make_grid(rows, columns)
    assert grid.candidates is not None
    ids = np.array(leaders, dtype=np.int32)[..., None]
    differs = ids[:, :, 0] != ids[-1, :, 0]
    whole = {
        "quantities": {
            "probability": Quantity("probability", np.full((rows, columns), 0.8, np.float32), domain=(0.0, 1.0))
        },
        "candidates": replace(grid.candidates, ids=ids, log_probability=np.full(ids.shape, np.log2(0.8), np.float32)),
        "decision": np.where(differs.any(0), rows - np.argmax(differs[::-1], axis=0), 0).astype(np.int32),
        "row_quantities": (),
        "excluded": (),
        "texts": {i: f" t{i}" for i in range(60)},
        "targets": (),
        "following": np.array([*grid.columns[1:], NO_TOKEN], dtype=np.int32),
    }
    return replace(grid, **{**whole, **changes})  # type: ignore[arg-type]


def test_ink_is_probability_times_belief_unless_a_color_is_asked_for() -> None:
    kl = np.array([[6.0], [3.0], [0.0]], dtype=np.float32)
    quantities = told([[1], [2], [3]]).quantities | {"KL to the output": Quantity("KL to the output", kl, unit="bits")}
    grid = told([[1], [2], [3]], quantities=quantities)

    def inks(color: str = "") -> list[str]:
        return [shape.fill for shape in scene_of(grid, color).shapes if isinstance(shape, Box) and shape.width == 61]

    assert inks() == ["c3", "c6", "c13"]  # 0.8 of 17 steps, a quarter, half and all of it
    assert inks("probability") == ["c13"] * 3
    assert any("ink = probability" in words for words in said(scene_of(grid)))
    assert not any("ink = probability" in words for words in said(scene_of(grid, "probability")))


def test_a_token_is_said_once_and_the_output_always() -> None:
    words = [word for word in said(scene_of(told([[1, 2], [1, 3], [1, 3]]))) if re.fullmatch(r"t\d", word)]
    assert sorted(words) == ["t1", "t1", "t2", "t3", "t3"]
    dots = [shape for shape in scene_of(told([[1], [1], [1]])).shapes if isinstance(shape, Box) and shape.width == 2]
    assert len(dots) == 1


def test_an_outline_goes_round_a_run_and_a_dotted_line_under_a_decision() -> None:
    targets = (Target(" t3", (3,)), Target(" t4", (4,)))
    scene = scene_of(told([[9, 4, 3], [3, 4, 2], [3, 5, 2], [3, 5, 2]], targets=targets))
    (ring,) = [shape for shape in scene.shapes if isinstance(shape, Ring)]
    assert ring.height == 3 * 20 - 3 and ring.ink == "pin0"
    broken = [shape for shape in scene.shapes if isinstance(shape, Line) and len(shape.points) == 5]
    assert [(shape.ink, shape.dash > 0, shape.points[2][1] - shape.points[0][1]) for shape in broken] == [
        ("pin1", True, 37),
        ("pin0", True, 17),
    ]
    dotted = [shape for shape in scene.shapes if isinstance(shape, Line) and shape.dash and len(shape.points) == 2]
    assert len(dotted) == 2, "where an outline begins with the decision it says so already"
    assert any("broken: it led here" in words for words in said(scene))


def test_the_headline_has_the_answer_and_its_probability() -> None:
    assert f"{told([[1]]).title} → ␣t1 80 %" in said(scene_of(told([[1]])))
    inside = told([[1, 2]], following=np.array([3, 4], dtype=np.int32))
    assert inside.title in said(scene_of(inside)), "not the end of the prompt, so nothing is its answer"


def test_every_kind_of_picture_can_be_written(tmp_path: Path) -> None:
    grid = parts([1, -2], spread=[0.5, 0.1])
    assert grid.to_pdf(tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    assert "sum" in grid.to_svg(tmp_path / "a.svg", theme="dark").read_text()


@pytest.mark.parametrize("domain", [None, (0.0, 1000.0)])
def test_a_zero_on_a_logarithmic_scale_is_drawn_at_its_low_end(domain: tuple[float, float] | None) -> None:
    values = np.array([[0.0, 1.0, 10.0, -5.0], [100.0, 1000.0, np.nan, 1.0]], dtype=np.float32)
    grid = replace(make_grid(2, 4), excluded=(), candidates=None, trajectories=None)
    grid = replace(grid, quantities={"size": Quantity("size", values, scale="log", domain=domain)})
    scene = scene_of(grid)
    cells = [shape.fill for shape in scene.shapes if isinstance(shape, Box) and shape.width == 61]
    assert cells == ["c0", "c0", "c5", "c0", "c11", "c16", "odd", "c0"]
    assert {"1", "1\u202f000"} <= {shape.text for shape in scene.shapes if isinstance(shape, Words)}
    nothing = replace(grid.quantities["size"], values=np.zeros((2, 4), dtype=np.float32), domain=None)
    assert scene_of(replace(grid, quantities={"size": nothing})).shapes


@pytest.mark.parametrize("figure", [hostile_grid(), compare(make_grid(), make_grid(seed=1, title="é – “b”"))])
def test_every_file_says_where_it_came_from(figure: Grid | Comparison, tmp_path: Path) -> None:
    grids = figure.grids if isinstance(figure, Comparison) else (figure,)
    wanted = [provenance_of(grid) for grid in grids]
    drawn = minidom.parse(str(figure.to_svg(tmp_path / "a.svg")))
    (metadata,) = drawn.getElementsByTagName("metadata")
    page = figure.to_html(tmp_path / "a.html").read_text("utf-8")
    (content,) = re.findall(r'<meta name="lenswidget" content="([^"]*)">', page)
    found = [
        "".join(node.data for node in metadata.childNodes),
        Image.open(figure.to_png(tmp_path / "a.png")).text["lenswidget"],
        PdfReader(figure.to_pdf(tmp_path / "a.pdf")).metadata["/Subject"],
        unescape(content),
    ]
    for text in found:
        said = json.loads(text)
        assert (said if isinstance(said, list) else [said]) == wanted
    for value in wanted[0].values():
        assert f"<dd>{escape(spaced(value))}</dd>" in page


# --- several Grids ---------------------------------------------------------------------------------------------


def test_a_comparison_is_a_picture_of_its_grids_under_their_names(tmp_path: Path) -> None:
    one, other = make_grid(title="one prompt"), make_grid(seed=1, title="another prompt")
    comparison = compare(one, other, names=["first", "second"])
    drawn = comparison.to_svg(tmp_path / "a.svg", color="entropy", width=6.0).read_text("utf-8")
    assert "first · one prompt" in drawn and "second · another prompt" in drawn
    assert drawn.count("entropy (bits)") == 2
    image = Image.open(comparison.to_png(tmp_path / "a.png", dpi=96.0))
    scene = scene_of(comparison)
    assert image.size == (scene.width, scene.height) and scene.height > 2 * scene_of(one).height - 20
    assert comparison.to_pdf(tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    with pytest.raises(ValueError, match="This Comparison has no quantity 'warmth' to color by; it has probability"):
        comparison.to_png(tmp_path / "b.png", color="warmth")


def test_what_each_grid_follows_colors_it_where_the_first_names_its_own(tmp_path: Path) -> None:
    comparison = compare(make_grid(), make_grid(seed=1))
    names = [next(q.name for q in grid.quantities.values() if q.measure == "rank") for grid in comparison.grids]
    assert names[0] != names[1]
    drawn = comparison.to_svg(tmp_path / "a.svg", color=names[0]).read_text("utf-8")
    assert drawn.count("rank of") == 2


def test_the_colors_are_those_that_the_front_end_is_held_to() -> None:
    assert json.loads((Path(__file__).parent / "golden" / "colors.json").read_text()) == json.loads(
        json.dumps(scales())
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read_on_every_color_that_it_stands_on(theme: Theme) -> None:
    named = colors(theme)

    def rgb(color: str) -> np.ndarray:
        return np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255

    for name in named:
        if name.startswith("on "):
            assert contrast(rgb(named[name]), rgb(named[name[3:]])) >= 4.5, name


def test_no_color_is_written_anywhere_else() -> None:
    """The list of colors is the only place: also not in the stylesheet, a page or the curve of a fit."""
    root = Path(__file__).parents[1]
    kept = subprocess.run(
        ["git", "ls-files", "lenswidget", "js/src"], cwd=root, capture_output=True, text=True, check=False
    ).stdout.split()
    found = [
        f"{name}: {color}"
        for name in kept
        if name.endswith((".py", ".ts", ".tsx", ".css"))
        for color in re.findall(r"#(?:[0-9a-fA-F]{3}){1,2}\b(?!;?\w)", (root / name).read_text("utf-8"))
        if not color[1:].isdigit()  # an issue's number
    ]
    assert found == []


def test_a_picture_of_an_edited_grid_outlines_what_the_edit_can_reach() -> None:
    grid = make_grid(rows=6, columns=5)
    moved = np.zeros(grid.shape, dtype=np.float32)
    moved[2, 1] = 0.8
    moved[3:, 1:] = 0.1
    moved[1, 3] = 0.5  # another edit, at a later token and a lower row
    grid = replace(grid, quantities={MOVED: Quantity(MOVED, moved, domain=(0.0, 1.0))}, targets=())
    assert edited_cells(grid) == [(1, 3), (2, 1)]
    shapes = scene_of(grid).shapes
    rings = [shape for shape in shapes if isinstance(shape, Ring) and shape.ink == "ink"]
    cones = [shape for shape in shapes if isinstance(shape, Line) and len(shape.points) == 5 and shape.ink == "ink"]
    assert len(rings) == len(cones) == 2
    for ring, cone in zip(rings, cones):
        (left, foot), (_, top), (right, _) = cone.points[:3]
        assert (left, foot) == (ring.x, ring.y) and top < foot and right >= ring.x + ring.width and cone.dash
    assert not edited_cells(make_grid())


def test_bars_under_edits_have_what_they_were_dashed() -> None:
    values, before = np.array([2.0, 0.0, -1.0]), np.array([2.0, 4.0, -3.0])
    grid = parts(values)
    old = Quantity(BEFORE, before[:, None].astype(np.float32), "logits", center=0.0)
    grid = replace(grid, quantities={**grid.quantities, BEFORE: old})
    scene = scene_of(grid)
    assert [word for word in said(scene) if word in grid.rows] == [grid.rows[i] for i in (1, 2, 0)]
    boxes_before = [shape for shape in scene.shapes if isinstance(shape, Line) and len(shape.points) == 5]
    widths = [max(x for x, _ in line.points) - min(x for x, _ in line.points) for line in boxes_before]
    assert widths == pytest.approx([2 * widths[2], 1.5 * widths[2], widths[2]]) and all(
        line.dash for line in boxes_before
    )
