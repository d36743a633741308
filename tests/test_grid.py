"""A Grid is plain data: equal by value, sliced by layer and position, saved and loaded whole."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lenswidget.grids.comparison import Comparison
from lenswidget.grids.grid import Grid
from lenswidget.grids.grid_file import FILE_VERSION, flatten
from lenswidget.grids.parts import Check
from lenswidget.grids.showable import Viewer, Widget
from lenswidget.view import viewer
from lenswidget.view.widget import LensWidget
from tests.golden.write import golden_grid
from tests.grids import hostile_grid, make_grid

SAVED = Path(__file__).parent / "golden" / "saved"
"""Files as earlier versions wrote them; never written again."""
UNCHECKED = replace(make_grid(), check=Check(float("nan"), 1e-3))


@pytest.mark.parametrize(
    "grid",
    [make_grid(), hostile_grid(), make_grid(1, 1), UNCHECKED],
    ids=["plain", "hostile", "one cell", "not finite"],
)
def test_what_was_saved_is_what_is_loaded(grid: Grid, tmp_path: Path) -> None:
    assert Grid.load(grid.save(tmp_path / "a.npz")) == grid


def test_a_file_of_the_first_version_still_loads() -> None:
    """It has older names for some fields. Its floats were computed on another machine: exp2 differs in the last place."""
    (header, arrays), (expected, known) = (
        flatten(vars(grid)) for grid in (Grid.load(SAVED / "grid-1.npz"), golden_grid())
    )
    assert header == expected and arrays.keys() == known.keys()
    for name, values in known.items():
        np.testing.assert_allclose(arrays[name], values, rtol=1e-5, atol=1e-6, err_msg=name)
    comparison = Comparison.load(SAVED / "comparison-1.npz")
    assert comparison.names == ("one", "other") and comparison.overview is not None
    assert [one.name for one in comparison.overview.row_quantities] == ["decision layer"]
    assert [one.name for one in comparison.grids[1].row_quantities] == ["held-out KL"]
    assert comparison.grids[0].excluded == (0,)


def test_grids_differ_when_one_number_or_one_text_does() -> None:
    grid = make_grid()
    assert grid == make_grid()
    assert grid != make_grid(seed=1)
    assert grid != replace(grid, texts={**grid.texts, 3: "another"})
    assert grid != "a grid"


def test_a_slice_holds_the_same_cells() -> None:
    grid = make_grid(9, 6)
    part = grid[[2, 5, 8], 1:4]
    assert part.rows == ("L1", "L4", "L7")
    for name, quantity in part.quantities.items():
        assert np.array_equal(quantity.values, grid.quantities[name].values[[2, 5, 8]][:, 1:4], equal_nan=True)
    assert part.trajectories is not None and grid.trajectories is not None
    assert np.array_equal(
        part.trajectories.ids[part.trajectories.of(1)], grid.trajectories.ids[grid.trajectories.of(2)]
    )
    assert part.positions.tolist() == [1, 2, 3]
    assert grid["L2":"L4"].rows == ("L2", "L3", "L4")
    assert grid[-1].rows == ("L7",) and grid[-1].shape == (1, 6)


def test_the_decision_layer_of_a_slice_is_where_its_own_rows_agree() -> None:
    grid = make_grid(9, 6)
    rows = [1, 4, 7, 8]
    leading = grid.candidates.ids[:, :, 0][rows]  # type: ignore[union-attr]
    expected = [next(r for r in range(4) if (leading[r:, c] == leading[-1, c]).all()) for c in range(6)]
    assert grid[rows].decision.tolist() == expected  # type: ignore[union-attr]
    assert grid[:4].decision is None  # without the output's row there is no output to agree with


@pytest.mark.parametrize(
    ("key", "error", "says"),
    [("L99", KeyError, "L99"), (40, IndexError, "40 is out of range"), (("L1", 77), IndexError, "77 is out of range")],
)
def test_a_place_outside_the_grid_is_named(key: object, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        make_grid()[key]


@pytest.mark.parametrize("end", [np.nan, np.inf])
def test_a_scale_without_an_end_is_refused_by_name(end: float) -> None:
    grid = make_grid()
    odd = replace(grid.quantities["entropy"], domain=(0.0, end))
    with pytest.raises(
        ValueError, match=r"The scale of 'entropy' goes from 0.0 to (nan|inf); give domain two finite ends"
    ):
        replace(grid, quantities={"entropy": odd})


def test_a_truncated_file_is_a_sentence(tmp_path: Path) -> None:
    path = make_grid().save(tmp_path / "a.npz")
    whole = path.read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 30):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match="not a whole Grid file"):
            Grid.load(path)


def test_a_file_with_a_few_wrong_bytes_is_loaded_or_a_sentence(tmp_path: Path) -> None:
    path = make_grid().save(tmp_path / "a.npz")
    whole, random = path.read_bytes(), np.random.default_rng(0)
    sentences = 0
    for _ in range(200):
        damaged = bytearray(whole)
        for place in random.integers(0, len(whole), 3):
            damaged[place] = random.integers(0, 256)
        path.write_bytes(damaged)
        try:
            Grid.load(path)
        except ValueError as reason:
            assert "not a whole Grid file" in str(reason) and "save it again" in str(reason)
            sentences += 1
    assert sentences > 100


@pytest.mark.parametrize("value", [None, 7, "x", [], {}, [None], [["x"]]])
def test_a_file_whose_header_somebody_edited_is_loaded_or_a_sentence(value: object, tmp_path: Path) -> None:
    stored = dict(np.load(make_grid().save(tmp_path / "a.npz")))
    header = json.loads(stored["header"].tobytes())
    for name in header:
        edited = np.frombuffer(json.dumps({**header, name: value}).encode(), dtype=np.uint8)
        np.savez(tmp_path / "b.npz", **{**stored, "header": edited})
        try:
            grid = Grid.load(tmp_path / "b.npz")
        except ValueError as reason:
            assert re.search(r"b\.npz' (is not a whole Grid file|is a Grid file of version|holds a )", str(reason))
        else:
            assert repr(grid), "what is loaded can be shown"


def test_a_file_from_a_newer_version_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lenswidget.grids.grid_file.FILE_VERSION", FILE_VERSION + 1)
    path = make_grid().save(tmp_path / "a.npz")
    monkeypatch.undo()
    with pytest.raises(
        ValueError, match=rf"version {FILE_VERSION + 1}; this lenswidget reads up to {FILE_VERSION}.*pip install -U"
    ):
        Grid.load(path)


def test_a_missing_file_and_an_unwritable_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere\.npz"):
        Grid.load(tmp_path / "nowhere.npz")
    with pytest.raises(OSError, match=r"Can't write .*missing.*Choose a folder"):
        make_grid().save(tmp_path / "missing" / "a.npz")


def test_an_older_file_stays_whole_when_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_grid().save(tmp_path / "a.npz")

    def full(stream: object, **arrays: object) -> None:
        stream.write(b"half")  # type: ignore[attr-defined]
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(OSError, match="No space left"):
        make_grid(seed=1).save(path)
    assert Grid.load(path) == make_grid()
    assert list(tmp_path.iterdir()) == [path]


def test_a_dataframe_has_a_line_for_every_cell() -> None:
    grid = make_grid()
    table = grid.to_dataframe()
    assert len(table) == 35
    line = table[(table.layer == "L3") & (table.position == 2)].iloc[0]
    assert line["entropy"] == grid.quantities["entropy"].values[4, 2]
    assert line["top"] == grid.text(grid.candidates.ids[4, 2, 0])  # type: ignore[union-attr]


def test_repr_says_what_it_holds() -> None:
    words = repr(make_grid())
    assert "7 rows (embed … L5) × 5 tokens" in words
    assert "last row is the model, off by 2e-6" in words
    below = make_grid()[:-1]
    assert "last row, left out here, is the model, off by 2e-6" in repr(below)
    assert make_grid()[2:].check == make_grid().check


def test_what_is_registered_to_show_grids_has_all_that_they_ask_for() -> None:
    assert isinstance(viewer, Viewer)
    widget = make_grid().widget(color="entropy")
    assert isinstance(widget, LensWidget) and isinstance(widget, Widget) and widget.color == "entropy"


def test_the_view_needs_no_torch() -> None:
    """A Grid is loaded, shown and written as a page where torch can't be imported."""
    code = (
        "import sys; sys.modules['torch'] = None; sys.modules['transformer_lens'] = None\n"
        "import lenswidget as lw\n"
        "from tests.grids import make_grid\n"
        "lw.LensWidget(make_grid()); make_grid()._repr_mimebundle_(); import lenswidget.view.page, lenswidget.view.wire\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_compute_half_knows_no_widget() -> None:
    code = (
        "import sys; sys.modules['anywidget'] = None; sys.modules['ipywidgets'] = None\n"
        "import lenswidget as lw; lw.logit_lens; lw.run; lw.load\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
