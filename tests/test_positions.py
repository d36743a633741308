"""Some positions of a run, read: what reading all of it says of them, and its cost for these alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import lenswidget as lw
from lenswidget.grids.grid import Grid
from lenswidget.grids.parts import NO_TOKEN
from lenswidget.model.positions import position_code, positions_of
from lenswidget.model.readout import Readout
from lenswidget.view.experiments import run_edits

PROMPT = "When Mary and John went to the store, John gave a drink to"
ASKED: dict[str, Any] = {"targets": [" Mary", (" John", " him")], "against": " the", "extra": ["jensen_shannon"]}
CLOSE: dict[str, Any] = {"rtol": 2e-5, "atol": 2e-4, "equal_nan": True}


@pytest.fixture(scope="module")
def run(smollm: Any) -> lw.Run:
    return lw.run(smollm, PROMPT)


@pytest.fixture(scope="module", params=[lw.LogitLens, lw.NegativeLens, lw.load_lens, lambda: lambda x, row: 0.5 * x])
def everywhere(request: pytest.FixtureRequest, run: lw.Run) -> tuple[Any, Grid]:
    """A lens, and what it reads of the whole run."""
    lens = request.param()
    return lens, lw.read(run, lens, **ASKED)


def same(ours: Grid, theirs: Grid, *, ranks: float = 5e-4) -> None:
    """That two Grids say the same, but for rounding; of what each knows of other columns, nothing is asked.

    Thousands of places down, neighbors are as near as rounding, and change places.
    """
    assert (ours.title, ours.kind, ours.model, ours.rows) == (theirs.title, theirs.kind, theirs.model, theirs.rows)
    assert (ours.targets, ours.check, ours.notes, ours.excluded) == (
        theirs.targets,
        theirs.check,
        theirs.notes,
        theirs.excluded,
    )
    for name in ("columns", "positions", "following", "decision"):
        assert np.array_equal(getattr(ours, name), getattr(theirs, name)), name
    assert list(ours.quantities) == list(theirs.quantities)
    for name, quantity in ours.quantities.items():
        if quantity.measure == "rank":
            np.testing.assert_allclose(quantity.values, theirs.quantities[name].values, rtol=ranks)
        else:
            np.testing.assert_allclose(quantity.values, theirs.quantities[name].values, **CLOSE)
    assert ours.candidates is not None and theirs.candidates is not None
    assert np.array_equal(ours.candidates.ids, theirs.candidates.ids)
    assert ours.trajectories is not None and theirs.trajectories is not None
    for name in ("offsets", "ids", "rank"):
        assert np.array_equal(getattr(ours.trajectories, name), getattr(theirs.trajectories, name)), name
    np.testing.assert_allclose(ours.trajectories.log_probability, theirs.trajectories.log_probability, **CLOSE)
    assert all(theirs.texts[i] == text for i, text in ours.texts.items())


@pytest.mark.parametrize("position", [-1, 0, 5, slice(3, 9), slice(None, None, 4), [7, 2, -1], range(2)])
def test_some_positions_are_what_all_of_them_are_there(
    run: lw.Run, everywhere: tuple[Any, Grid], position: Any
) -> None:
    lens, grid = everywhere
    whole = grid[:, positions_of(len(run.tokens), position).tolist()]
    part = lw.read(run, lens, position=position, **ASKED)
    same(part, whole)
    assert set(part.texts) == {
        *part.columns.tolist(),
        *part.trajectories.ids.tolist(),  # type: ignore[union-attr]
        *(i for target in part.targets for i in target.ids),
    }
    assert [one.values.tolist() for one in part.row_quantities] == [one.values.tolist() for one in whole.row_quantities]


def test_a_position_knows_what_really_follows_it(run: lw.Run) -> None:
    following = run.tokens[6]
    grid = lw.logit_lens(run, position=5)
    assert grid.following is not None and grid.following.tolist() == [following]
    with torch.no_grad():
        logits = run.readout.logits(run.residual[:, 5])
    bits = -logits.log_softmax(-1)[:, following] / np.log(2)
    np.testing.assert_allclose(grid.values("surprisal")[:, 0], bits, rtol=1e-4)
    last = lw.logit_lens(run, position=-1)
    assert last.following is not None and last.following.tolist() == [NO_TOKEN]
    assert np.isnan(last.values("surprisal")).all()


def test_only_these_positions_are_read(run: lw.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = []
    read = Readout.read

    def noted(self: Readout, residual: Any, *given: Any, **named: Any) -> Any:
        shapes.append(tuple(residual.shape[:2]))
        return read(self, residual, *given, **named)

    monkeypatch.setattr(Readout, "read", noted)
    moved = []

    def lens(x: Any, row: int) -> Any:
        moved.append(len(x))
        return x

    lw.read(run, lens, position=slice(-3, None))
    assert shapes == [(31, 3)] and set(moved) == {3}


@pytest.mark.parametrize("position", [-1, slice(2, 6), [4, 1]])
def test_the_call_says_which_positions(smollm: Any, run: lw.Run, position: Any) -> None:
    lens = lw.load_lens()
    for grid in (
        lw.logit_lens(run, position=position, targets=[" Mary"]),
        lw.read(run, lens, position=position),
        lw.divergence(run, lw.LogitLens(), lens, position=position),
    ):
        assert f"position={position!r}" in grid.provenance["call"]
        assert eval(grid.provenance["call"], {"lw": lw, "model": smollm, "lens": lens}) == grid


def test_what_moved_a_token_is_told_at_the_position_of_the_column(run: lw.Run) -> None:
    grid = lw.logit_lens(run, position=[4, -1, 7])
    assert grid.explain is not None and grid.jumps is not None
    assert grid.jumps.columns.tolist() == [1] * len(grid.jumps.tokens)
    token = int(grid.candidates.ids[-1, 2, 0])  # type: ignore[union-attr]
    told = grid.explain(2, token, 9)
    expected = lw.explain(run, token, 8, position=7)
    assert told.positions.tolist() == [7]
    np.testing.assert_allclose(*(one.values("contribution") for one in (told, expected)), atol=1e-6)
    whole = lw.logit_lens(run)
    assert whole.jumps is not None
    np.testing.assert_allclose(grid.jumps.values, whole.jumps.values, rtol=1e-4, atol=1e-4)
    assert lw.logit_lens(run, position=4).jumps is None


def test_an_edit_is_read_at_the_same_positions(run: lw.Run) -> None:
    grid = lw.logit_lens(run, position=[4, -1])
    shown = run_edits([{"grid": 0, "site": "L3", "position": 4, "to": [], "on": True}], grid, lambda *_: None)
    assert isinstance(shown, lw.Comparison)
    edited = shown.grids[1]
    assert edited.positions.tolist() == [4, 13]
    theirs = lw.logit_lens(lw.run(run.activations.backend.model, PROMPT, edits=[lw.Edit("L3", to=0, position=4)]))  # type: ignore[union-attr]
    np.testing.assert_allclose(edited.values("entropy"), theirs[:, [4, 13]].values("entropy"), **CLOSE)
    assert edited.values("change of the state")[4, 0] == 1.0


def test_lenses_are_compared_at_some_positions(run: lw.Run) -> None:
    lens = lw.load_lens()
    part, whole = (lw.compare_lenses(run, lw.LogitLens(), lens, position=p) for p in (slice(-4, None), None))
    for ours, theirs in zip(part.grids, whole.grids):
        same(ours, theirs[:, -4:])
    apart, all_apart = (
        lw.divergence(run, lw.LogitLens(), lens, position=p).values("Jensen–Shannon") for p in (slice(-4, None), None)
    )
    np.testing.assert_allclose(apart, all_apart[:, -4:], atol=1e-5)


def test_a_diagnosis_of_a_run_is_that_of_its_grid(run: lw.Run) -> None:
    assert str(lw.diagnose(run, " Mary", position=-3)) == str(
        lw.diagnose(lw.logit_lens(run, targets=[" Mary"]), " Mary", position=-3)
    )


@pytest.mark.parametrize(
    ("position", "error", "said"),
    [
        (14, ValueError, "Position 14 is not in this prompt, which has positions 0 to 13; -1 is the last."),
        (-15, ValueError, "Position -15 is not in this prompt"),
        ([], ValueError, "picks no position of this prompt, which has 0 to 13"),
        (slice(9, 3), ValueError, "picks no position of this prompt"),
        (1.5, TypeError, "A position is a whole number; got 1.5."),
        ("last", TypeError, "A position is a whole number; got 'l'."),
        (True, TypeError, "A position is a whole number; got True."),
        (torch.ones(14, dtype=torch.bool), TypeError, "A position is a whole number; got True."),
    ],
)
def test_a_position_that_is_none_is_refused(position: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        positions_of(14, position)


@pytest.mark.parametrize(
    ("position", "code"),
    [
        (None, "None"),
        (np.int64(3), "3"),
        (slice(np.int64(1), None), "slice(1, None, None)"),
        (range(2), "[0, 1]"),
        (torch.tensor([4, 5]), "[4, 5]"),
    ],
)
def test_positions_are_spelled_as_python_writes_them(position: Any, code: str) -> None:
    assert position_code(position) == code


def test_a_single_token_is_not_left_out(smollm: Any) -> None:
    one = lw.run(smollm, [504])
    assert lw.logit_lens(one, position=0).excluded == () and lw.logit_lens(one) == lw.logit_lens(one, position=None)
    two = lw.run(smollm, [504, 3575])
    first = lw.logit_lens(two, position=0)
    assert first.excluded == (0,) and first.quantities["KL to the output"].domain is None
    np.testing.assert_allclose(first.values("entropy"), lw.logit_lens(two)[:, 0].values("entropy"), **CLOSE)
