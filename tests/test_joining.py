"""A Grid that was read in pieces, or that grew with its text, is the Grid that is read at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import lenswidget as lw
from lenswidget.grids.grid import Grid
from lenswidget.grids.joining import joined
from lenswidget.grids.parts import Check
from lenswidget.lenses import reader as reader_module
from lenswidget.lenses.reader import Asked
from tests import architectures
from tests.grids import make_grid
from tests.test_architectures import TOKENS
from tests.test_positions import same

ARCHITECTURES = [
    "BloomForCausalLM",
    "FalconH1ForCausalLM",
    "GPT2LMHeadModel",
    "GPTNeoXForCausalLM",
    "Gemma2ForCausalLM",
    "Gemma3ForCausalLM",
    "GraniteForCausalLM",
    "JambaForCausalLM",
    "LlamaForCausalLM",
    "MambaForCausalLM",
    "OPTForCausalLM",
    "Olmo2ForCausalLM",
    "PhiForCausalLM",
    "Qwen3MoeForCausalLM",
]
ASKED = Asked(lw.LogitLens(), targets=[70, (40, 250)], against=33, extra=("total_variation",))


def booted(name: str, folder: Any) -> Any:
    architectures.save(name, folder)
    return architectures.boot(folder)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_pieces_are_the_grid_read_at_once(name: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "FEWEST", 2)
    model = booted(name, tmp_path)
    reader = ASKED.of(lw.run(model, TOKENS))
    whole = reader.read()
    pieces = list(reader.pieces())
    assert [one.positions.tolist() for one in pieces] == [[7, 8], [5, 6], [3, 4], [1, 2], [0]]
    for together in (reader.together(pieces), reader.together(pieces[::-1])):
        same(together, whole)
        assert together.provenance == whole.provenance and together.texts == whole.texts
        ends, expected = (one.quantities["surprisal"].domain or (0.0, 0.0) for one in (together, whole))
        np.testing.assert_allclose(ends, expected, rtol=1e-3)


def test_what_was_put_together_answers_for_all_of_it(smollm: Any) -> None:
    asked = Asked(lw.LogitLens())
    run = lw.run(smollm, "The capital of France is the city")
    reader = asked.of(run)
    grid = reader.together([reader.read(slice(4, None)), reader.read(slice(0, 4))])
    whole = lw.logit_lens(run)
    assert grid.explain is not None and whole.explain is not None
    for column in (2, -1):
        ours, theirs = (g.explain(column, 260, 9) for g in (grid, whole))  # type: ignore[misc]
        np.testing.assert_allclose(ours.values("contribution"), theirs.values("contribution"), atol=1e-4)
    assert grid.jumps is not None and grid.jumps.columns.tolist() == [6] * len(grid.jumps.tokens)
    assert eval(grid.provenance["call"], {"lw": lw, "model": smollm}).columns.tolist() == grid.columns.tolist()


def test_a_reading_that_was_stopped_says_what_it_has(smollm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "FEWEST", 3)
    reader = Asked(lw.LogitLens()).of(lw.run(smollm, "The capital of France is the city of"))
    pieces = reader.pieces()
    some = reader.together([next(pieces), next(pieces)])
    assert some.positions.tolist() == [2, 3, 4, 5, 6, 7]
    same(some, lw.logit_lens(reader.run)[:, 2:])
    assert "position=slice(2, None, None)" in some.provenance["call"]
    assert eval(some.provenance["call"], {"lw": lw, "model": smollm}).positions.tolist() == [2, 3, 4, 5, 6, 7]


def halves(grid: Grid) -> tuple[Grid, Grid]:
    return grid[:, :3], grid[:, 3:]


def test_any_grid_is_what_its_columns_make_in_any_order() -> None:
    grid = make_grid(4, 7)
    one, other = halves(grid)
    for pieces in ([one, other], [other, one], [grid[:, [5, 0, 3]], grid[:, [1, 6]], grid[:, [4, 2]]]):
        together = joined(pieces)
        assert together.positions.tolist() == grid.positions.tolist()
        assert together.candidates is not None and grid.candidates is not None
        assert np.array_equal(together.candidates.ids, grid.candidates.ids)
        assert together.trajectories is not None and grid.trajectories is not None
        for name, part in vars(grid.trajectories).items():
            assert np.array_equal(getattr(together.trajectories, name), part), name
        for name, quantity in grid.quantities.items():
            assert np.array_equal(together.quantities[name].values, quantity.values, equal_nan=True)


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ([(1e-6, 1e-4), (2e-6, 3e-4)], (2e-6, 3e-4)),
        ([(5.0, 1e-4), (2e-6, 10.0)], (5.0, 1e-4)),  # what failed is not forgiven by another's size
        ([(float("nan"), 1e-6), (2e-6, 3e-4)], (2e-6, 3e-4)),
    ],
)
def test_checks_become_one(errors: list[tuple[float, float]], expected: tuple[float, float]) -> None:
    pieces = [replace(half, check=Check(*error)) for half, error in zip(halves(make_grid(4, 7)), errors)]
    check = joined(pieces).check
    assert check is not None and (check.error, check.tolerance) == expected
    assert joined([pieces[0], replace(pieces[1], check=None)]).check is None


def test_what_does_not_belong_together_is_refused() -> None:
    grid = make_grid(4, 7)
    one, other = halves(grid)
    with pytest.raises(ValueError, match="no Grids to put together"):
        joined([])
    with pytest.raises(ValueError, match="Two of these Grids have position 2; give each position once"):
        joined([one, grid[:, 2:]])
    with pytest.raises(ValueError, match=r"differ in their rows: \("):
        joined([one[1:], other])
    with pytest.raises(ValueError, match="differ in their kind: 'Other'"):
        joined([replace(one, kind="Other"), other])
    with pytest.raises(ValueError, match="differ in their quantities"):
        joined([one, replace(other, quantities=dict(list(other.quantities.items())[:1]))])
    assert one.following is not None
    changed = one.following.copy()
    changed[-1] = -1
    with pytest.raises(
        ValueError, match=r"Position 2 was read when nothing followed it, and now .* does; read it again"
    ):
        joined([replace(one, following=changed), other])
