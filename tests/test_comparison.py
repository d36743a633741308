"""Grids side by side: what differs, many at a glance, layer against layer, and what became of an answer."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
import torch

import lenswidget as lw
from lenswidget.grids.answers import answers_of
from lenswidget.grids.comparison import require_comparable
from lenswidget.grids.diagnosis import diagnosis_of
from lenswidget.grids.grid import Grid
from lenswidget.grids.parts import Candidates, Quantity
from lenswidget.view.wire import encode
from tests.golden.write import assert_alike, expected_comparison, golden_comparison, header_of
from tests.grids import hostile_grid, make_grid

GOLDEN = Path(__file__).parent / "golden"


def another(grid: Grid, seed: int, **changes: Any) -> Grid:
    """The same prompt and targets, other numbers."""
    other = make_grid(*grid.shape, seed=seed)
    quantities = {
        name: replace(quantity, values=values.values)
        for (name, quantity), values in zip(grid.quantities.items(), other.quantities.values())
    }
    return replace(grid, quantities=quantities, candidates=other.candidates, **changes)


def test_a_difference_is_the_second_less_the_first_cell_by_cell() -> None:
    one = make_grid()
    other = another(one, 1, kind="Tuned lens")
    (difference,) = lw.compare(one, other).differences
    assert difference is not None and list(difference.quantities) == [*one.quantities, "total variation", "belief"]
    for name, quantity in list(difference.quantities.items())[:-2]:
        ours, theirs = one.quantities[name], other.quantities[name]
        expected = np.log2(theirs.values / ours.values) if ours.scale == "log" else theirs.values - ours.values
        np.testing.assert_allclose(quantity.values, expected, rtol=1e-5, atol=1e-6)
        assert (quantity.center, quantity.domain, quantity.measure) == (0.0, None, ours.measure)
    rank = next(q for q in difference.quantities.values() if q.measure == "rank")
    assert (rank.unit, rank.strong, rank.scale) == ("doublings", "low", "linear")


def test_what_is_missing_on_one_side_is_missing_in_the_difference() -> None:
    one = make_grid()
    values = one.quantities["entropy"].values.copy()
    values[2, 3], values[3, 3] = np.nan, np.inf
    other = replace(one, quantities={**one.quantities, "entropy": replace(one.quantities["entropy"], values=values)})
    for pair in ((one, other), (other, one)):
        (difference,) = lw.compare(*pair).differences
        assert difference is not None
        odd = ~np.isfinite(difference.quantities["entropy"].values)
        assert np.argwhere(odd).tolist() == [[2, 3], [3, 3]]
        assert np.isnan(difference.quantities["entropy"].values[2, 3])


def test_a_word_more_is_a_gap_that_says_nothing() -> None:
    comparison = golden_comparison()
    (difference,) = comparison.differences
    assert difference is not None
    (gap,) = np.flatnonzero(comparison.columns[:, 0] == -1)
    for quantity in difference.quantities.values():
        assert np.isnan(quantity.values[:, gap]).all()
    assert difference.column_labels is not None and difference.column_labels[gap].startswith("∅ → ")
    (without,) = lw.compare(make_grid(), make_grid()).differences
    assert without is not None and without.column_labels is None


def test_followed_tokens_are_told_apart_by_their_ids_not_their_names() -> None:
    one = make_grid()
    (target,) = one.targets
    renamed = replace(one, targets=(replace(target, label="the same"),))
    (same,) = lw.compare(one, renamed).differences
    assert same is not None and any(q.target == 0 for q in same.quantities.values())
    moved = replace(one, targets=(replace(target, ids=((target.ids[0] + 1) % 60,)),))
    (differs,) = lw.compare(one, moved).differences
    assert differs is not None and not any(q.target == 0 for q in differs.quantities.values())


def test_grids_with_nothing_in_common_stand_beside_each_other_and_it_is_said() -> None:
    one = make_grid(5, 4, vocabulary=20)
    unlike = replace(one, columns=one.columns + 100, texts={**one.texts, **{i + 100: f"other{i}" for i in range(20)}})
    numbers = Quantity("contribution", np.zeros((5, 4), dtype=np.float32))
    heads = replace(
        one,
        quantities={"contribution": numbers},
        column_labels=("H0", "H1", "H2", "H3"),
        candidates=None,
        decision=None,
    )
    for other, says in ((unlike, "no column of"), (heads, "no column of")):
        comparison = lw.compare(one, other)
        assert comparison.differences == (None,)
        assert len(comparison.notes) == 1
        assert comparison.notes[0].startswith("nothing in common") and says in comparison.notes[0]
        assert header_of(encode(comparison.grids, comparison))["comparison"]["differences"] == [None]
    same_words = replace(one, quantities={"contribution": numbers})
    assert "hold no quantity of one kind" in lw.compare(one, same_words).notes[0]


def test_models_with_different_vocabularies_compare_only_what_means_the_same() -> None:
    one = make_grid(5, 4)
    other = replace(
        make_grid(9, 4), model="another", columns=one.columns, title=one.title,
        texts={**{i: f"unlike {i}" for i in range(60)}, **{int(i): one.texts[int(i)] for i in one.columns}},
    )  # fmt: skip
    comparison = lw.compare(one, other)
    (difference,) = comparison.differences
    assert difference is not None and list(difference.quantities) == ["probability", "entropy"]
    assert difference.rows[0] == "embed" and difference.rows[-1] == "L3 / L7"
    assert any("different vocabularies" in note for note in comparison.notes)
    assert any("relative depth" in note for note in comparison.notes)
    assert comparison.overview is not None and comparison.overview.view == "heatmap"


@pytest.mark.parametrize(
    ("grids", "arguments", "error", "says"),
    [
        ([], {}, ValueError, "two or more Grids side by side and got 0"),
        ([make_grid()], {}, ValueError, r"got 1; one shows itself, or call grid\.widget"),
        ([[make_grid(), make_grid()]], {}, TypeError, r"got a list of them; call compare\(\*grids\)"),
        ([make_grid(), "b"], {}, TypeError, r"takes Grids and got str; make one with lw\.logit_lens"),
        ([make_grid(), make_grid()[:, []]], {}, ValueError, r"Grid 1 has the shape \(7, 0\)"),
        ([make_grid(), make_grid()], {"names": ["a"]}, ValueError, "1 names were given for 2 Grids"),
        ([make_grid(), make_grid()], {"names": ["a", "a"]}, ValueError, "'a' was given twice"),
        ([make_grid(), make_grid()], {"align": "sense"}, ValueError, "'text' or 'position'; got 'sense'"),
        ([make_grid(), make_grid()], {"divergences": [make_grid()] * 2}, ValueError, "2 divergences were given for 2"),
        ([make_grid(), make_grid()], {"position": 5}, ValueError, "Column 5 .* of 5 columns"),
    ],
)
def test_what_cannot_be_compared_is_refused(grids: list, arguments: dict, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        require_comparable(grids, **{"names": None, "align": "text", "position": -1, "divergences": (), **arguments})


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ([{"kind": "Logit lens"}, {"kind": "Tuned lens"}], ("Logit lens", "Tuned lens")),
        ([{"model": "small"}, {"model": "large"}], ("small", "large")),
        ([{"title": "The capital of France is"}, {"title": "The capital of Spain is"}], ("France", "Spain")),
        ([{"title": "a b", "kind": "x"}, {"title": "a c", "kind": "y"}], ("x · b", "y · c")),
        ([{}, {}, {}], ("Logit lens", "Logit lens (2)", "Logit lens (3)")),
        ([{"title": "same but longer"}, {"title": "same"}], ("but longer", "same")),
        ([{"title": "w" * 90}, {"title": "v"}], ("w" * 23 + "…", "v")),
    ],
)
def test_names_are_what_tells_grids_apart(changes: list[dict], names: tuple[str, ...]) -> None:
    assert lw.compare(*(replace(make_grid(), **one) for one in changes)).names == names


def test_the_overview_reads_every_grid_where_it_answers() -> None:
    grids = [make_grid(7, 5), make_grid(7, 4, seed=1), make_grid(7, 6, seed=2)]
    grids = [replace(grid, texts=grids[0].texts) for grid in grids]
    for at in (-1, 2):
        overview = lw.compare(*grids, position=at).overview
        assert overview is not None and overview.shape == (3, 7)
        assert overview.column_labels == grids[0].rows
        for row, grid in enumerate(grids):
            np.testing.assert_array_equal(
                overview.quantities["probability"].values[row], grid.quantities["probability"].values[:, at]
            )
            assert overview.candidates is not None and grid.candidates is not None and grid.decision is not None
            np.testing.assert_array_equal(overview.candidates.ids[row], grid.candidates.ids[:, at])
            assert answers_of(overview)[row].decided == grid.decision[at]


def test_each_prompt_follows_its_own_answer_and_the_overview_knows() -> None:
    one, other = make_grid(seed=1), make_grid(seed=2)
    assert one.targets != other.targets
    overview = lw.compare(one, other).overview
    assert overview is not None
    followed = overview.quantities["probability of the right answer"].values
    assert overview.targets == (one.targets[0], other.targets[0])
    for row, grid in enumerate((one, other)):
        own = next(q for q in grid.quantities.values() if (q.measure, q.target) == ("probability", 0))
        np.testing.assert_array_equal(followed[row], own.values[:, -1])


def test_prompts_of_one_shape_have_a_mean_and_a_spread() -> None:
    one = make_grid()
    grids = [replace(another(one, seed), title=f"prompt {seed}") for seed in range(4)]
    top = one.candidates.ids.copy()  # type: ignore[union-attr]
    for grid in grids:
        grid.candidates.ids[-1] = top[-1]  # type: ignore[union-attr]
    grids[1] = replace(grids[1], columns=np.append(one.columns[:2], (one.columns[2:] + 7) % 60).astype(np.int32))
    mean = lw.compare(*grids).mean
    assert mean is not None and mean.shape == one.shape
    values = np.stack([grid.quantities["entropy"].values for grid in grids])
    np.testing.assert_allclose(mean.quantities["mean entropy"].values, values.mean(0), rtol=1e-5)
    np.testing.assert_allclose(mean.quantities["spread of entropy"].values, values.std(0), rtol=1e-4, atol=1e-6)
    ranks = np.stack([next(q for q in grid.quantities.values() if q.measure == "rank").values for grid in grids])
    rank = next(q for q in mean.quantities.values() if q.measure == "rank" and q.name.startswith("mean"))
    np.testing.assert_allclose(rank.values, np.prod(ranks, axis=0) ** 0.25, rtol=1e-4)
    assert mean.column_labels == (*(one.text(i) for i in one.columns[:2]), "≠", "≠", "≠")
    assert mean.candidates is not None
    leaders = np.stack([grid.candidates.ids[..., 0] for grid in grids])  # type: ignore[union-attr]
    same = (leaders == leaders[0]).all(0)
    assert same.any() and not same.all()
    np.testing.assert_array_equal(mean.candidates.ids[..., 0], np.where(same, leaders[0], -1))


def test_there_is_no_mean_over_lenses_or_shapes() -> None:
    one = make_grid()
    assert lw.compare(one, replace(one, kind="Tuned lens")).mean is None
    assert lw.compare(one, one).mean is None, "one prompt twice"
    assert golden_comparison().mean is None
    assert lw.compare(*golden_comparison().grids, align="position").mean is None


def test_thirty_grids_are_compared_and_cross_in_one_message() -> None:
    comparison = lw.compare(*(make_grid(9, 4 + seed % 3, seed=seed) for seed in range(30)))
    assert len(set(comparison.names)) == 30 and len(comparison.differences) == 29
    header = header_of(encode(comparison.grids, comparison))
    assert len(header["grids"]) == 30 and header["comparison"]["columns"]["shape"][1] == 30


def test_the_golden_comparison_is_what_we_write_today() -> None:
    comparison = golden_comparison()
    written = (GOLDEN / "comparison.lens").read_bytes()
    assert zlib.decompress(encode(comparison.grids, comparison)) == zlib.decompress(written), (
        "python -m tests.golden.write"
    )
    known = json.loads((GOLDEN / "comparison.json").read_text())["expected"]
    assert_alike(known, expected_comparison(comparison))


def test_a_comparison_shows_itself_and_fills_a_page(tmp_path: Path) -> None:
    comparison = lw.compare(hostile_grid(), make_grid())
    data, _ = comparison._repr_mimebundle_()
    assert data["text/plain"].startswith("Comparison of 2 Grids") and data["image/png"]
    page = comparison.to_html(tmp_path / "page.html").read_text(errors="replace")
    assert "><svg" in page and "alert(1)</script>" not in page


@pytest.mark.parametrize("grids", [(make_grid(), hostile_grid()), [make_grid(seed=i) for i in range(3)]])
def test_a_comparison_that_was_saved_is_what_is_loaded(grids: Any, tmp_path: Path) -> None:
    comparison = lw.compare(*grids)
    loaded = lw.Comparison.load(comparison.save(tmp_path / "both.npz"))
    assert loaded.grids == comparison.grids and loaded.differences == comparison.differences
    assert (loaded.overview, loaded.mean) == (comparison.overview, comparison.mean)
    assert (loaded.names, loaded.notes) == (comparison.names, comparison.notes)
    assert encode(loaded.grids, loaded) == encode(comparison.grids, comparison)


def test_a_comparison_is_one_table_of_all_cells() -> None:
    one, other = make_grid(), make_grid(5, 4, seed=1)
    table = lw.compare(one, other, names=["a", "b"]).to_dataframe()
    assert len(table) == 35 + 20 and list(table.columns[:3]) == ["grid", "row", "layer"]
    pandas.testing.assert_frame_equal(
        table[table.grid == "b"][list(other.to_dataframe())].reset_index(drop=True), other.to_dataframe()
    )


def test_a_file_of_one_kind_is_not_read_as_the_other_nor_when_it_is_cut(tmp_path: Path) -> None:
    one, both = make_grid().save(tmp_path / "one.npz"), lw.compare(make_grid(), make_grid()).save(tmp_path / "both.npz")
    with pytest.raises(ValueError, match=r"one\.npz' holds a Grid; read it with lw\.Grid\.load"):
        lw.Comparison.load(one)
    with pytest.raises(ValueError, match=r"both\.npz' holds a Comparison; read it with lw\.Comparison\.load"):
        Grid.load(both)
    both.write_bytes(both.read_bytes()[:2000])
    with pytest.raises(ValueError, match="not a whole Comparison file"):
        lw.Comparison.load(both)


def test_a_page_opens_in_the_state_that_it_is_given(tmp_path: Path) -> None:
    comparison = lw.compare(make_grid(), make_grid(seed=1))

    def figure(**settings: Any) -> str:
        return comparison.to_html(tmp_path / "page.html", **settings).read_text().split("<svg")[0]

    (settings,) = re.findall('data-lens-settings="([^"]*)"', figure(state={"view": "difference", "pins": [" tok5"]}))
    state = json.loads(html.unescape(settings))
    assert state == comparison.widget(view="difference", pins=[[5]]).state()
    with pytest.raises(ValueError, match="state has 'colors'"):
        figure(state={"colors": "entropy"})
    assert "data-lens-settings" not in figure()


def test_comparing_needs_no_torch() -> None:
    code = (
        "import sys; sys.modules['torch'] = None; sys.modules['transformer_lens'] = None\n"
        "import lenswidget as lw; from tests.grids import make_grid\n"
        "lw.LensWidget(lw.compare(make_grid(), make_grid(seed=1)))\n"
        "lw.row_changes(make_grid(), 'L1', 'L3'); lw.diagnose(make_grid(), ' tok1')"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])


# --- layer against layer, and diagnosis ------------------------------------------------------------------------


def leading(leaders: list[str], *, also: str = " right") -> Grid:
    """A Grid of one column in which tokens lead as named, from the embedding up, each before all the others."""
    words = list(dict.fromkeys([*leaders, also, " other"]))
    ids = np.array([[words.index(word), *(i for i in range(len(words)) if words[i] != word)] for word in leaders])
    grid = make_grid(len(leaders), 1, vocabulary=len(words), k=len(words))
    bits = np.repeat(-np.arange(1.0, len(words) + 1)[None], len(leaders), 0)
    candidates = Candidates(ids[:, None].astype(np.int32), bits[:, None].astype(np.float32))
    return replace(
        grid, texts=dict(enumerate(words)), candidates=candidates, quantities=dict(list(grid.quantities.items())[:4])
    )


@pytest.mark.parametrize(
    ("leaders", "decided", "overwritten", "look_at", "says"),
    [
        ([" a", " b", " right", " right"], "L1", (), ("L0", "L1", "L2"), "' right' leads from L1 on."),
        ([" right"] * 3, "embed", (), ("embed", "L1"), "' right' leads in every row."),
        (
            [" a", " right", " right", " wrong", " wrong"], "L2", ("L0", "L1"), ("embed", "L0", "L1", "L2", "L3"),
            "' right' led in 2 rows from L0 to L1 and was overwritten in L2 by ' wrong'. The model says ' wrong', decided in L2.",
        ),
        (
            [" right", " a", " a", " wrong", " x"], "L3", ("embed",), ("embed", "L0", "L2", "L3"),
            "' right' led in embed and was overwritten in L0 by ' a'. The model says ' x', decided in L3.",
        ),
        (
            [" a", " b", " wrong", " wrong"], "L1", (), ("embed", "L0", "L1", "L2"),
            "' right' never leads; it comes nearest in embed, at rank 4. The model says ' wrong', decided in L1.",
        ),
    ],
)  # fmt: skip
def test_a_diagnosis_tells_what_became_of_an_answer(
    leaders: list[str], decided: str, overwritten: tuple, look_at: tuple, says: str
) -> None:
    diagnosis = diagnosis_of(leading(leaders), " right")
    assert (diagnosis.decided, diagnosis.overwritten, diagnosis.look_at) == (decided, overwritten, look_at)
    assert str(diagnosis) == diagnosis.sentence == says
    assert diagnosis.predicted == leaders[-1]


def test_a_diagnosis_refuses_what_it_cannot_know() -> None:
    grid = leading([" a", " right"])
    with pytest.raises(ValueError, match=r"holds no token ' Paris'; lw.logit_lens\(run, targets=\[' Paris'\]\) makes"):
        diagnosis_of(grid, " Paris")
    with pytest.raises(ValueError, match="2 tokens of this Grid read 'x'"):
        diagnosis_of(replace(grid, texts={**grid.texts, 98: "x", 99: "x"}), "x")
    with pytest.raises(ValueError, match="Column 1 is outside this Grid, which has 1"):
        diagnosis_of(grid, " right", position=1)
    with pytest.raises(ValueError, match="the last row here, 'embed', isn't its output"):
        diagnosis_of(grid[:-1], " right")
    with pytest.raises(ValueError, match="holds none"):
        diagnosis_of(replace(grid, candidates=None), " right")


def test_layer_against_layer_every_token_that_moved_is_told_with_its_ranks() -> None:
    grid = make_grid(9, 4, k=5)
    table = lw.row_changes(grid, "L2", 6)
    assert grid.candidates is not None
    expected = {}
    for c in range(4):
        old, new = grid.candidates.ids[3, c].tolist(), grid.candidates.ids[7, c].tolist()
        for token in {*old, *new}:
            before, after = (ids.index(token) + 1 if token in ids else None for ids in (old, new))
            if before != after:
                expected[c, token] = (before, after)
    found = {(r.position, r.token_id): (r.rank_before, r.rank_after) for r in table.astype(object).itertuples()}
    assert {k: tuple(None if pandas.isna(v) else int(v) for v in pair) for k, pair in found.items()} == expected
    words = table.set_index(["position", "token_id"])["change"].to_dict()
    for key, (before, after) in expected.items():
        wanted = "entered" if before is None else "left" if after is None else "rose" if after < before else "fell"
        assert words[key] == wanted
    one = table.iloc[0]
    assert (one.row_before, one.layer_before, one.row_after, one.layer_after) == (3, "L2", 7, "L6")
    assert one.prompt_token == grid.text(grid.columns[0])
    span = grid.trajectories.of(int(one.position))  # type: ignore[union-attr]
    entry = span.start + grid.trajectories.ids[span].tolist().index(one.token_id)  # type: ignore[union-attr]
    assert one.probability_after == pytest.approx(2 ** grid.trajectories.log_probability[entry, 7])  # type: ignore[union-attr]


def test_a_row_against_itself_or_against_none_is_refused() -> None:
    with pytest.raises(ValueError, match="A row against itself doesn't change; got L2 twice"):
        lw.row_changes(make_grid(), "L2", 2)
    with pytest.raises(ValueError, match=r"There is no row 'L99': .*embed to L5"):
        lw.row_changes(make_grid(), "L2", "L99")
    with pytest.raises(ValueError, match=r"There is no row 'L6', which 6 names: .*embed to L5"):
        lw.row_changes(make_grid(), 2, 6)
    with pytest.raises(ValueError, match="holds no candidate tokens"):
        lw.row_changes(replace(make_grid(), candidates=None), "embed", 1)


# --- in one run of a model -----------------------------------------------------------------------------------


def test_two_lenses_of_one_run_are_as_far_apart_as_their_whole_distributions(smollm: Any) -> None:
    run = lw.run(smollm, "The capital of France is")
    comparison = lw.compare_lenses(run, lw.LogitLens(), lambda residual, row: residual / 2 + run.residual[-1] / 2)
    (difference,) = comparison.differences
    assert difference is not None and list(difference.quantities)[:2] == ["Jensen–Shannon", "KL"]
    p, q = (
        torch.softmax(run.readout.logits(rows).double(), -1)
        for rows in (run.residual[20], (run.residual[20] + run.residual[-1]) / 2)
    )
    kl = (p * (p / q).log2()).sum(-1)
    m = (p + q) / 2
    js = ((p * (p / m).log2()).sum(-1) + (q * (q / m).log2()).sum(-1)) / 2
    np.testing.assert_allclose(difference.quantities["KL"].values[20], kl, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(difference.quantities["Jensen–Shannon"].values[20], js, rtol=1e-3, atol=1e-4)
    assert difference.quantities["KL"].values[-1].max() < 1e-5, "the last row is the model through every lens"
    with pytest.raises(ValueError, match="two or more lenses and got 1"):
        lw.compare_lenses(run, lw.LogitLens())


def test_a_right_answer_that_led_and_was_lost_is_found_in_a_real_model(smollm: Any) -> None:
    run = lw.run(smollm, "The capital of Australia is")
    told = lw.diagnose(run, " Canberra")
    grid = lw.logit_lens(run, targets=[" Canberra"])
    assert told == lw.diagnose(grid, " Canberra") == lw.diagnose(grid, grid.targets[0].ids[0])
    ranks = grid.quantities["rank of ' Canberra'"].values[:, -1]
    assert told.predicted == " Sydney" and told.rank == ranks.min()
    assert told.led == tuple(row for row, rank in zip(grid.rows, ranks) if rank == 1) == told.overwritten
