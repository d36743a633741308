"""A Grid is plain data: equal by value, sliced by layer and position, saved and loaded whole."""

from __future__ import annotations

import copy
import json
import pickle
import pydoc
import re
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from lenswidget.grids.comparison import Comparison, compare
from lenswidget.grids.diagnosis import Diagnosis
from lenswidget.grids.grid import Grid
from lenswidget.grids.grid_file import FILE_VERSION, flatten
from lenswidget.grids.parts import NO_TOKEN, Candidates, Check, Jumps, RowQuantity, Target, Trajectories
from lenswidget.grids.showable import Viewer, Widget
from lenswidget.view import viewer
from lenswidget.view.widget import LensWidget
from tests.golden.write import saved_grid
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


@pytest.mark.parametrize("version", [1, 2])
def test_a_file_of_an_older_version_still_loads(version: int) -> None:
    """It has older names for some fields. Its floats were computed on another machine: exp2 differs in the last place."""
    (header, arrays), (expected, known) = (
        flatten(vars(grid)) for grid in (Grid.load(SAVED / f"grid-{version}.npz"), saved_grid())
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


# --- numbers by what they measure ----------------------------------------------------------------------------


def followed() -> Grid:
    """A Grid that follows two tokens and one set, of all of which it has ranks."""
    grid = make_grid()
    rank = next(q for q in grid.quantities.values() if q.measure == "rank")
    targets = (Target(" tok1", (1,)), Target(" tok2", (2,)), Target(" tok3 + tok4", (3, 4)))
    ranks = [
        replace(rank, name=f"rank of {one.label!r}", values=rank.values + i, target=i) for i, one in enumerate(targets)
    ]
    probability, entropy = grid.quantities["probability"], grid.quantities["entropy"]
    return replace(grid, targets=targets, quantities={q.name: q for q in (probability, entropy, *ranks)})


@pytest.mark.parametrize(
    ("target", "which"),
    [
        (" tok1", 0), (2, 1), (np.int64(2), 1), ((" tok3", 4), 2), ({4, 3}, 2), ([" tok4", " tok3"], 2),
        (" tok3 + tok4", 2), ((" tok2",), 1),
    ],
)  # fmt: skip
def test_numbers_are_found_by_measure_and_target(target: object, which: int) -> None:
    grid = followed()
    name = list(grid.quantities)[2 + which]
    np.testing.assert_array_equal(grid.values("rank", target=target), grid.quantities[name].values)
    np.testing.assert_array_equal(grid.values(name), grid.quantities[name].values)


def test_without_a_target_the_numbers_are_those_of_the_cells_or_the_only_ones() -> None:
    grid = make_grid()
    assert grid.values("probability") is grid.quantities["probability"].values
    assert grid.values("rank") is next(q for q in grid.quantities.values() if q.measure == "rank").values


@pytest.mark.parametrize(
    ("measure", "target", "says"),
    [
        ("warmth", None, "has no 'warmth'; it has 'probability', 'entropy', 'rank'"),
        (
            "rank",
            " tok9",
            r"no 'rank' of ' tok9'; it has \"rank of ' tok1'\" \(target=' tok1', id 1\), .*targets=\[' tok9'\]",
        ),
        ("rank", {3}, r"no 'rank' of \{3\}"),
        ("rank", (), r"no 'rank' of \(\)"),
        ("probability", " tok1", "no 'probability' of ' tok1'; it has 'probability'"),
        ("rank", None, "Several quantities of this Grid are 'rank'; name one with target="),
    ],
)
def test_numbers_that_are_not_there_are_refused_with_those_that_are(measure: str, target: object, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        followed().values(measure, target=target)


def test_two_targets_of_one_text_are_told_apart_by_their_ids() -> None:
    grid = followed()
    grid = replace(grid, texts={**grid.texts, 2: " tok1"}, targets=(*grid.targets[:1], Target(" tok1", (2,))),
                   quantities=dict(list(grid.quantities.items())[:4]))  # fmt: skip
    with pytest.raises(ValueError, match=r"are 'rank' of ' tok1'; name the token by its id\. .*id 1\), .*id 2\)"):
        grid.values("rank", target=" tok1")
    assert grid.values("rank", target=2)[0, 0] == grid.values("rank", target=1)[0, 0] + 1


# --- parts in odd orders ---------------------------------------------------------------------------------------


def test_a_mask_picks_the_rows_where_it_is_true_as_in_numpy() -> None:
    grid = make_grid()
    for mask in ([True, False, False, True, False, False, True], np.arange(7) % 3 == 0):
        assert grid[mask].rows == ("embed", "L2", "L5")
    assert grid[:, np.isin(grid.positions, [1, 4])].positions.tolist() == [1, 4]
    assert grid[[False] * 7].shape == (0, 5)
    with pytest.raises(IndexError, match="A mask of rows has a bool for each, 7 in this Grid; got 3"):
        grid[[True, False, True]]
    with pytest.raises(TypeError, match="a number or a label; got True"):
        grid[True]


def test_rows_in_another_order_claim_nothing_of_the_last_one() -> None:
    grid = make_grid()
    turned = grid[::-1]
    assert turned.rows == tuple(reversed(grid.rows)) and turned.decision is None
    assert "L5 is the model, off by 2e-6" in repr(turned) and "  embed, after" in repr(turned)
    assert turned[::-1].check == turned.check and turned[::-1].decision is None
    mixed = grid[[6, 2, 4]]
    assert mixed.decision is None and str(mixed.check).startswith("L5 is the model")
    last = grid[[2, 0, 6]]
    assert last.decision is None and str(last.check).startswith("last row is the model")
    assert (grid[[2, 4, 6]].decision is not None) and repr(grid).splitlines()[3].startswith("  after")
    np.testing.assert_array_equal(turned.quantities["entropy"].values, grid.quantities["entropy"].values[::-1])


def test_a_sum_over_rows_holds_in_any_order_but_not_when_one_is_there_twice() -> None:
    grid = replace(make_grid(), check=Check(1e-6, 1e-3, "rows sum to the logit"))
    assert grid[::-1].check == grid.check
    assert grid[[0, 0, 1, 2, 3, 4, 5]].check is None and grid[1:].check is None


# --- tables and copies -----------------------------------------------------------------------------------------


def test_a_table_of_columns_that_are_no_tokens_has_their_labels() -> None:
    grid = make_grid()
    heads = replace(grid, columns=np.full(5, NO_TOKEN, dtype=np.int32), column_labels=("H0", "H1", "H2", "H3", "mlp"))
    table = heads.to_dataframe()
    assert list(table.columns[:6]) == ["row", "layer", "column", "position", "token_id", "token"]
    line = table[(table.layer == "L3") & (table.column == "mlp")].iloc[0]
    assert line["entropy"] == grid.quantities["entropy"].values[4, 4]
    assert line["row"] == 4 and line["token"] is None
    assert "column" not in grid.to_dataframe()


def test_a_table_holds_texts_with_half_of_a_surrogate_pair(tmp_path: Path) -> None:
    """pandas keeps texts as UTF-8, which has no halves: the whole table failed for one label."""
    half = "h\ud83dalf"
    grid = make_grid()
    odd = replace(
        grid,
        rows=(half, *grid.rows[1:]),
        columns=np.full(5, NO_TOKEN, dtype=np.int32),
        column_labels=(half, "b", "c", "d", "\U0001f600"),
        groups=(half,) * 5,
        texts=dict.fromkeys(grid.texts, half),
    )
    table = odd.to_dataframe()
    table.to_csv(tmp_path / "table.csv")
    assert table["column"].tolist()[:5] == ["h\ufffdalf", "b", "c", "d", "\U0001f600"]
    assert table["layer"][0] == table["group"][0] == table["top"][0] == "h\ufffdalf"


def test_a_grid_is_pickled_without_its_model_and_copied_with_it() -> None:
    def explain(column: int, token: int, row: int) -> Grid:
        raise AssertionError

    grid = replace(make_grid(), explain=explain)
    again = pickle.loads(pickle.dumps(grid))
    assert again == grid and again.explain is None
    for copied in (copy.copy(grid), copy.deepcopy(grid)):
        assert copied == grid and copied.explain is explain
    assert copy.deepcopy(grid).columns is not grid.columns
    comparison = compare(grid, make_grid(seed=1))
    for other in (pickle.loads(pickle.dumps(comparison)), copy.deepcopy(comparison)):
        assert other.names == comparison.names and other.grids[1] == comparison.grids[1]
        assert other.differences == comparison.differences


@pytest.mark.parametrize("noun", [Grid, Comparison, Diagnosis, RowQuantity, Candidates, Trajectories, Target, Jumps])
def test_help_says_what_every_field_is(noun: type) -> None:
    said = pydoc.render_doc(noun)
    assert not {f.name for f in fields(noun) if f"`{f.name}" not in said} - {"name", "unit"}
