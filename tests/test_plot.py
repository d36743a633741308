"""A Grid on a matplotlib Axes: the numbers, words and marks of the Grid, in the coordinates of its cells."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

import lenswidget as lw
from lenswidget.grids.belief import beliefs
from lenswidget.grids.grid import Grid
from lenswidget.view.picture.colors import colors, shade
from tests.grids import hostile_grid, make_grid
from tests.test_picture import parts

mpl.use("agg")
import matplotlib.pyplot as plt


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


def words(ax: Any) -> dict[tuple[float, float], str]:
    """What stands in the cells, by column and row."""
    return {(round(t.get_position()[0], 1), round(t.get_position()[1], 1)): t.get_text() for t in ax.texts}


def test_ink_is_probability_times_belief_and_an_excluded_column_has_none() -> None:
    grid = make_grid(7, 5)
    ax = grid.plot()
    (mesh,) = ax.collections
    ink = mesh.get_array().reshape(grid.shape)
    wanted = grid.quantities["probability"].values * beliefs(grid)
    np.testing.assert_allclose(ink[:, 1:], wanted[:, 1:], rtol=1e-6)
    assert np.ma.getmaskarray(ink)[:, 0].all() and (mesh.norm.vmin, mesh.norm.vmax) == (0.0, 1.0)
    assert mesh.cmap(0.0)[:3] == pytest.approx(mpl.colors.to_rgb(colors("light")["page"]))
    # a reader's own color is the quantity alone
    (mesh,) = grid.plot(color="entropy", theme="dark").collections
    np.testing.assert_allclose(mesh.get_array().reshape(grid.shape)[:, 1:], grid.values("entropy")[:, 1:], rtol=1e-6)
    assert mesh.cmap(1.0)[:3] == pytest.approx(mpl.colors.to_rgb(shade("dark", "c", 1.0)[0]), abs=1 / 255)


def test_a_cell_stands_at_its_column_and_row_and_says_its_token_once() -> None:
    grid = make_grid(7, 5)
    assert grid.candidates is not None
    ax = grid.plot(plt.subplots(figsize=(6, 4))[1])
    leading, said = grid.candidates.ids[:, :, 0], words(ax)
    for row in range(7):
        for column in range(5):
            repeated = row not in (0, 6) and leading[row, column] == leading[row - 1, column]
            token = grid.text(leading[row, column]).removeprefix(" ")
            assert said.get((column, row)) == (None if repeated else token)
    assert [t.get_text() for t in ax.get_yticklabels()] == list(grid.rows)
    assert [t.get_text() for t in ax.get_xticklabels()] == [grid.text(i).removeprefix(" ") for i in grid.columns]
    assert ax.get_xlim() == (-0.5, 4.5) and ax.get_ylim() == (-0.5, 6.5)


def test_what_is_followed_has_an_outline_and_the_decision_a_line() -> None:
    grid = make_grid(7, 5)
    assert grid.candidates is not None and grid.decision is not None
    ax = grid.plot()
    rings = np.isin(grid.candidates.ids[:, :, 0], grid.targets[0].ids)
    dashed = [line for line in ax.lines if line.get_color() == colors("light")["pin0"]]
    outlined = [patch for patch in ax.patches if not patch.get_fill()]
    changes = np.diff(np.pad(rings.astype(int), ((1, 1), (0, 0))), axis=0)
    assert len(dashed) + len(outlined) == (changes == 1).sum() > 0
    dotted = [line for line in ax.lines if line.get_color() == colors("light")["ink"] and len(line.get_xdata()) == 2]
    heights = {(round(float(np.mean(line.get_xdata()))), round(float(line.get_ydata()[0]) + 0.5)) for line in dotted}
    assert heights <= {(column, int(row)) for column, row in enumerate(grid.decision) if row}


@pytest.mark.parametrize("view", ["heatmap", "bars"])
def test_no_text_is_mathematics_or_markup(view: Any, tmp_path: Path) -> None:
    dollars = replace(
        make_grid(4, 4), texts=dict.fromkeys(range(60), r"$\frac{$"), title="$x$", rows=("$", "$$", r"\$", "_")
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph", UserWarning)  # a font has no letter for some of them
        for grid in (dollars, hostile_grid(view=view), parts([1.0, float("nan"), float("inf")], spread=[1, 2, 3])):
            grid.plot().figure.savefig(tmp_path / "a.png")


def test_parts_of_a_sum_are_bars_the_largest_on_top() -> None:
    ax = parts([0.5, -4, 2], spread=[0.1, 1, 0.5]).plot()
    assert [t.get_text() for t in ax.get_yticklabels()] == ["L1H3", "L2H3", "L0H3"]
    assert [bar.get_width() for bar in ax.patches] == [-4, 2, 0.5] and ax.yaxis_inverted()
    assert ax.get_xlabel() == "logits, sum −1.50"


def test_grids_that_are_compared_have_an_axes_each() -> None:
    comparison = lw.compare(make_grid(), make_grid(seed=1), names=["one", "other"])
    figure, axes = plt.subplots(1, 2)
    assert comparison.plot(axes, colorbar=False) == list(axes) and len(figure.axes) == 2
    assert [ax.get_title(loc="left").split(" · ")[0] for ax in axes] == ["one", "other"]
    with pytest.raises(
        ValueError, match=r"has 2 Grids, and 1 Axes were given; make one for each, as plt.subplots\(1, 2\)"
    ):
        comparison.plot(axes[0])


def test_words_that_have_no_room_are_left_out() -> None:
    grid = make_grid(30, 20)
    assert not grid.plot(plt.subplots(figsize=(1.5, 1.5))[1]).texts


@pytest.mark.parametrize(
    ("grid", "arguments", "error", "sentence"),
    [
        (make_grid(), {"color": "warmth"}, ValueError, "no quantity 'warmth' to color by; it has probability"),
        (
            make_grid(),
            {"ax": 3},
            TypeError,
            "ax is a matplotlib Axes, as plt.subplots.* gives, or None for a new one; got int",
        ),
        (make_grid()[:, :0], {}, ValueError, "columns has no cell to draw"),
    ],
)
def test_what_cant_be_drawn_is_a_sentence(grid: Grid, arguments: Any, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        grid.plot(**arguments)


def test_without_matplotlib_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'lenswidget\[plot\]', or choose grid.to_svg\(path\)"):
        make_grid().plot()
