"""What a model writes, read as it is written. Hugging Face's own greedy text and a reading of the whole are the oracles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import lenswidget as lw
from lenswidget.lenses.growing_reading import GrowingReading
from lenswidget.lenses.reader import Asked
from lenswidget.model.backends import backend_of
from lenswidget.model.growing_run import GrowingRun
from lenswidget.model.readout import Readout
from lenswidget.model.writing import CONTEXT_FULL, ENDED
from tests import architectures
from tests.grids import assert_alike
from tests.test_growing_run import CACHED, UNCACHED, model_of, typed


def greedy(model: Any, ids: list[int], tokens: int, ends: tuple[int, ...] = (2, 0)) -> list[int]:
    """Five lines: the likeliest token, each time from the beginning."""
    found = list(ids)
    for _ in range(tokens):
        with torch.no_grad():
            new = int(model(input_ids=torch.tensor([found]), use_cache=False).logits[0, -1].argmax())
        if new in ends:
            break
        found.append(new)
    return found


@pytest.mark.parametrize("name", [*CACHED, *UNCACHED])
def test_a_grid_grown_token_by_token_is_the_grid_read_at_once(name: str, tmp_path: Path) -> None:
    model = model_of(name, tmp_path)
    start = [1, 40, 70, 33, 120]
    for every in (1, 4):
        grids = list(lw.generate(model, start, max_new_tokens=9, every=every, targets=[70, (40, 41)]))
        written = greedy(model, start, 9)
        last = grids[-1]
        assert last.columns.tolist() == written
        assert_alike(last, lw.logit_lens(lw.run(model, written), targets=[70, (40, 41)]))
        # each token's column is there as soon as the token that follows it is known
        assert [len(grid.columns) for grid in grids[:-1]] == [
            len(start) + count - 1 for count in range(every, len(written) - len(start) + 1, every)
        ]
        for grid in grids:
            assert grid.following is not None
            assert grid.following[:-1].tolist() == grid.columns[1:].tolist()
            assert np.array_equal(grid.columns, last.columns[: len(grid.columns)])


@pytest.mark.parametrize("name", ["LlamaForCausalLM", "Gemma2ForCausalLM", "GPT2LMHeadModel", "MambaForCausalLM"])
def test_what_is_typed_is_read_as_a_fresh_run_is(name: str, tmp_path: Path) -> None:
    model = model_of(name, tmp_path)
    growing = GrowingRun(backend_of(model))
    reading = GrowingReading(Asked(lw.LogitLens(), [70], 33, 5, ("jensen_shannon",)))
    before = None
    for ids in typed(seed=11, steps=16):
        growing.become(ids)
        new = reading.become(growing)
        fresh = lw.read(lw.run(model, ids), lw.LogitLens(), targets=[70], against=33, k=5, extra=["jensen_shannon"])
        assert_alike(new.grid, fresh)
        # what is said not to be new is what was there
        if before is not None:
            assert new.before is before and new.replaced == len(before.columns)
            for q in new.grid.quantities:
                ours, theirs = new.grid.quantities[q].values, before.quantities[q].values
                assert np.array_equal(ours[:, : new.start], theirs[:, : new.start], equal_nan=True)
        # answers are asked of the run as it is now
        column = len(ids) - 1
        answer, own = new.grid.explain(column, 40, 2), fresh.explain(column, 40, 2)  # type: ignore[misc]
        np.testing.assert_allclose(
            answer.values("contribution"), own.values("contribution"), atol=1e-3, err_msg=f"{ids.tolist()}"
        )
        before = new.grid


def test_only_columns_that_changed_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of("LlamaForCausalLM", tmp_path)
    growing = GrowingRun(backend_of(model))
    reading = GrowingReading(Asked(lw.LogitLens()))
    counted: list[int] = []
    read = Readout.read
    monkeypatch.setattr(
        Readout, "read", lambda self, rows, *a, **k: (counted.append(rows.shape[1]), read(self, rows, *a, **k))[1]
    )
    ids = torch.arange(5, 35)
    for tokens in (ids, torch.cat([ids, torch.tensor([7])]), ids, torch.cat([ids[:20], ids[21:]])):
        growing.become(tokens)
        reading.become(growing)
    # the last column that was there learns what follows it
    assert counted == [30, 2, 1, 10]


def test_long_prompts_are_read_from_their_end(tmp_path: Path) -> None:
    model = model_of("LlamaForCausalLM", tmp_path)
    growing = GrowingRun(backend_of(model))
    ids = torch.arange(5, 45)
    growing.become(ids)
    reading = GrowingReading(Asked(lw.LogitLens()))
    new = reading.become(growing, begin=30)
    assert new.grid.positions.tolist() == list(range(30, 40)) and new.grid.jumps is not None
    assert "position=slice(30, None" in new.grid.provenance["call"]
    earlier = reading.before(growing.run, 12)
    assert (earlier.start, earlier.stop, earlier.replaced) == (0, 18, 0)
    whole = reading.before(growing.run, 0).grid
    assert_alike(whole, lw.logit_lens(lw.run(model, ids)))
    assert whole.excluded == (0,)


def test_it_ends_where_the_text_does_and_says_so(smollm: Any) -> None:
    chat = [{"role": "user", "content": "Say only: yes"}]
    grids = list(lw.generate(smollm, chat, max_new_tokens=40, every=4))
    assert ENDED in grids[-1].notes and len(grids) < 40
    end = smollm.tokenizer.eos_token_id
    assert int(grids[-1].candidates.ids[-1, -1, 0]) == end  # type: ignore[union-attr]


def test_it_ends_where_the_context_is_full(tmp_path: Path) -> None:
    model = model_of("GPT2LMHeadModel", tmp_path)
    start = list(range(5, 5 + 61))
    grids = list(lw.generate(model, start, max_new_tokens=10, temperature=1.0, seed=3))
    if len(grids[-1].columns) == 64:
        assert CONTEXT_FULL.format(64) in grids[-1].notes
    else:
        assert ENDED in grids[-1].notes


def test_one_seed_gives_one_text_and_another_another(tmp_path: Path) -> None:
    model = model_of("LlamaForCausalLM", tmp_path)

    def written(seed: int, **how: Any) -> list[int]:
        return [*lw.generate(model, [1, 40], max_new_tokens=8, every=8, seed=seed, **how)][-1].columns.tolist()

    assert written(1, temperature=1.0) == written(1, temperature=1.0)
    assert len({tuple(written(seed, temperature=1.0)) for seed in range(4)}) > 1
    # the fewest tokens that have a thousandth of the probability are one
    assert written(1, temperature=1.0, top_p=1e-3) == written(2)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"max_new_tokens": -1}, "max_new_tokens is a whole number, 0 or more; got -1"),
        ({"max_new_tokens": True}, "max_new_tokens is a whole number, 0 or more; got True"),
        ({"every": 0}, "every is a whole number, 1 or more; got 0"),
        ({"temperature": -1.0}, "temperature >= 0"),
        ({"temperature": float("nan")}, "temperature >= 0"),
        ({"top_p": 0}, "0 < top_p <= 1"),
        ({"k": 0}, "k is the number of candidates"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_written(given: dict, says: str, tmp_path: Path) -> None:
    model = model_of("LlamaForCausalLM", tmp_path)
    with pytest.raises(ValueError, match=says):
        lw.generate(model, [1, 40], **given)
    with pytest.raises(ValueError, match="The prompt has no tokens"):
        lw.generate(model, [])


def test_nothing_to_write_is_the_prompt(tmp_path: Path) -> None:
    model = model_of("LlamaForCausalLM", tmp_path)
    (grid,) = lw.generate(model, [1, 40, 70], max_new_tokens=0)
    assert_alike(grid, lw.logit_lens(lw.run(model, [1, 40, 70])))


def test_a_bridge_writes_what_its_network_does(tmp_path: Path) -> None:
    architectures.save("LlamaForCausalLM", tmp_path)
    bridge = architectures.boot(tmp_path)
    *_, grid = lw.generate(bridge, [1, 40, 70, 33], max_new_tokens=8)
    assert grid.columns.tolist() == greedy(bridge.original_model, [1, 40, 70, 33], 8)
