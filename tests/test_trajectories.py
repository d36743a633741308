"""Many prompts at one position each are what each of them is alone, however they run together."""

from __future__ import annotations

import inspect
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import lenswidget as lw
from lenswidget.evidence import passes as ways
from lenswidget.evidence.batches import batches_of
from lenswidget.evidence.passes import WAYS, passes, way_of
from lenswidget.model.backends import backend_of
from tests import architectures
from tests.grids import HOSTILE
from tests.test_hugging_face import saved
from tests.test_patch import FEW

SHARED = list(range(20, 60))
PROMPTS = [
    [1, 40, 70, 33],
    [1, 41, 70],
    [1, 40, 71, 33],
    [5],
    *([*SHARED, 90 + i, 100, 7 + i] for i in range(4)),
    [*SHARED, 9],
]
"""Some of one length, one of one token, some that begin alike."""
GROUPS = ["a", "b", "a", "b", "c", "c", "c", "c", "c"]


@pytest.fixture
def llama(tmp_path: Path) -> Any:
    return saved("LlamaForCausalLM", tmp_path)


def oracle(model: Any, prompt: list[int], position: int = -1) -> tuple[torch.Tensor, torch.Tensor]:
    """Entropy in bits and leading token of every row at one position of a Llama: its own rows, norm and unembedding."""
    states = model(torch.tensor([prompt]), output_hidden_states=True).hidden_states
    kept: list[torch.Tensor] = []
    with model.model.layers[-1].register_forward_hook(
        lambda _, __, out: kept.append(out if torch.is_tensor(out) else out[0])
    ):
        model(torch.tensor([prompt]))
    rows = torch.stack([*(state[0, position] for state in states[:-1]), kept[0][0, position]])
    logits = model.lm_head(model.model.norm(rows)).double()
    return torch.distributions.Categorical(logits=logits).entropy() / np.log(2), logits.argmax(-1)


@torch.no_grad()
def test_each_column_is_what_its_prompt_says_alone(llama: Any) -> None:
    grid = lw.trajectories(llama, PROMPTS, groups=GROUPS)
    for column, prompt in enumerate(PROMPTS):
        entropy, leading = oracle(llama, prompt)
        np.testing.assert_allclose(grid.values("entropy")[:, column], entropy, atol=2e-4)
        assert grid.candidates is not None
        assert grid.candidates.ids[:, column, 0].tolist() == leading.tolist()
    assert grid.columns.tolist() == [prompt[-1] for prompt in PROMPTS]
    assert grid.groups == tuple(GROUPS) and grid.title == "9 prompts"
    assert grid.check is not None and grid.check.holds
    assert grid.column_quantities[0].values.tolist() == [len(prompt) for prompt in PROMPTS]


def test_features_are_a_line_for_each_prompt(llama: Any) -> None:
    grid = lw.trajectories(llama, PROMPTS)
    by_hand = np.stack([oracle(llama, prompt)[0].detach().numpy() for prompt in PROMPTS])
    np.testing.assert_allclose(grid.features("entropy"), by_hand, atol=2e-4)
    both = grid.features("entropy", "probability")
    assert both.shape == (9, 2 * len(grid.rows))
    np.testing.assert_array_equal(both[:, len(grid.rows) :], grid.values("probability").T)
    with pytest.raises(ValueError, match=r"features\('entropy'\)"):
        grid.features()


@torch.no_grad()
def test_a_position_within_prompts_is_read_with_what_follows_it(llama: Any) -> None:
    prompts = [prompt for prompt in PROMPTS if len(prompt) > 2]
    grid = lw.trajectories(llama, prompts, position=2)
    assert grid.following is not None
    for column, prompt in enumerate(prompts):
        np.testing.assert_allclose(grid.values("entropy")[:, column], oracle(llama, prompt, 2)[0], atol=2e-4)
        assert grid.following[column] == (prompt[3] if len(prompt) > 3 else -1)
    whole = lw.read(lw.run(llama, prompts[0]), lw.LogitLens(), k=5)
    np.testing.assert_allclose(grid.values("surprisal")[:, 0], whole.values("surprisal")[:, 2], atol=2e-4)


@pytest.mark.parametrize("architecture", [*FEW, "RecurrentGemmaForCausalLM", "OPTForCausalLM", "MixtralForCausalLM"])
def test_whichever_way_a_model_takes_is_right(architecture: str, tmp_path: Path) -> None:
    architectures.require(architecture)
    model = saved(architecture, tmp_path)
    prompts = [[one % 250 + 3 for one in prompt] for prompt in PROMPTS[2:7]]
    grid = lw.trajectories(model, prompts, k=1)
    for column, prompt in enumerate(prompts):
        alone = lw.read(lw.run(model, prompt), lw.LogitLens(), k=1)
        for name in ("entropy", "logit"):
            ours, theirs = grid.values(name)[:, column], alone.values(name)[:, -1]
            np.testing.assert_allclose(ours, theirs, atol=2e-3 * max(1.0, float(np.abs(theirs).max())))


def test_a_llama_takes_the_cheapest_way_and_every_way_agrees(llama: Any) -> None:
    backend = backend_of(llama)
    assert way_of(backend) == WAYS[0]
    ids = [torch.tensor(prompt) for prompt in PROMPTS]
    at = [len(prompt) - 1 for prompt in PROMPTS]
    plain = {
        i: ends.rows[:, j] for ends in passes(backend, ids, at, {}, way=WAYS[-1]) for j, i in enumerate(ends.members)
    }
    for way in WAYS[:-1]:
        for ends in passes(backend, ids, at, {}, way=way):
            for j, i in enumerate(ends.members):
                torch.testing.assert_close(ends.rows[:, j], plain[i], atol=1e-4, rtol=1e-4)


def test_what_prompts_share_runs_once(llama: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[int, ...]] = []
    forward = type(backend_of(llama)).forward

    def counted(self: Any, tokens: torch.Tensor, **known: Any) -> Any:
        ran.append(tuple(tokens.shape))
        return forward(self, tokens, **known)

    way_of(backend_of(llama))
    lw.run(llama, PROMPTS[0])
    monkeypatch.setattr(type(backend_of(llama)), "forward", counted)
    lw.trajectories(llama, PROMPTS)
    # the first prompt alone, then three lengths, the shared beginning, and two lengths behind it
    assert sorted(ran) == sorted([(1, 4), (1, 1), (1, 3), (2, 4), (1, 40), (1, 1), (4, 3)])


def test_every_prompt_is_in_one_batch() -> None:
    nested = [[7] * n + [n] for n in range(1, 300)]
    random = np.random.default_rng(0)
    mixed = [random.integers(0, 3, random.integers(1, 9)).tolist() for _ in range(200)]
    for prompts in (nested, mixed, [[1]] * 50, PROMPTS):
        for sharing in (True, False):
            batches = batches_of(prompts, 64, sharing=sharing)
            assert sorted(i for batch in batches for i in batch.members) == list(range(len(prompts)))
            for batch in batches:
                (length,) = {len(prompts[i]) for i in batch.members}
                assert batch.shared < length
                assert len({tuple(prompts[i][: batch.shared]) for i in batch.members}) == 1
                assert len(batch.members) == 1 or len(batch.members) * (length - batch.shared) <= 64


def test_each_prompt_may_have_its_own_target(llama: Any) -> None:
    targets = [7, (8, 9), None, 7, 7, 8, 9, None, 200]
    against = [11, 12, 5, 11, None, 11, 11, 11, 11]
    grid = lw.trajectories(llama, PROMPTS, target=targets, against=against, targets=[33])
    for column, (prompt, target) in enumerate(zip(PROMPTS, targets)):
        rank = grid.values("rank of the target")[:, column]
        if target is None:
            assert np.isnan(rank).all() and np.isnan(grid.values("logit of the target")[:, column]).all()
            continue
        alone = lw.read(lw.run(llama, prompt), lw.LogitLens(), targets=[target], against=against[column])
        assert rank.tolist() == alone.values("rank", target=alone.targets[0].ids)[:, -1].tolist()
        for name in ("probability", "log-probability"):
            theirs = alone.values(name, target=alone.targets[0].ids)[:, -1]
            np.testing.assert_allclose(grid.values(f"{name} of the target")[:, column], theirs, atol=1e-4)
        difference = grid.values("logit difference of the target")[:, column]
        if against[column] is None:
            assert np.isnan(difference).all()
        else:
            np.testing.assert_allclose(difference, alone.values("logit difference")[:, -1], atol=1e-3)
        everywhere = lw.read(lw.run(llama, prompt), lw.LogitLens(), targets=[33])
        np.testing.assert_array_equal(
            grid.values("rank", target=33)[:, column], everywhere.values("rank", target=33)[:, -1]
        )


def test_prompts_and_answers_may_be_columns_of_a_table(llama: Any) -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"ids": PROMPTS, "kind": GROUPS, "answer": [7, None, 8, 7, 7, 8, 9, None, 200]})
    targets = [7, None, 8, 7, 7, 8, 9, None, 200]
    expected = lw.trajectories(llama, PROMPTS, target=targets, groups=GROUPS)
    grid = lw.trajectories(llama, table["ids"], target=table["answer"], groups=table["kind"])
    assert grid == expected and np.isnan(grid.values("rank of the target")[0]).sum() == 2
    assert lw.trajectories(llama, iter(PROMPTS), groups=iter(GROUPS)).groups == tuple(GROUPS)
    ids = torch.tensor([[1, 2], [3, 4]])
    two = lw.trajectories(llama, ids, target=torch.tensor([7, 8]))
    assert two == lw.trajectories(llama, [*ids], target=np.array([7, 8])) and two.columns.tolist() == [2, 4]


def test_groups_that_begin_with_other_words_are_told(llama: Any) -> None:
    """Where a group stands behind other demonstrations; a sentence that is slipped in behind the same ones is no such thing."""
    shots, others = list(range(20, 40)), [*range(20, 30), *range(50, 60)]
    prompts = [[*shots, 7 + i, 90] for i in range(3)]
    groups = ["plain"] * 3 + ["attack"] * 3
    slipped = lw.trajectories(
        llama, [*prompts, *([*one[:-1], 60, 61, 62, 63, 64, 90] for one in prompts)], groups=groups
    )
    assert not any("begin with other words" in note for note in slipped.notes)
    apart = lw.trajectories(llama, [*prompts, *([*others, *one[20:]] for one in prompts)], groups=groups)
    assert "prompts of 'attack' begin with other words than those of 'plain'" in apart.notes
    found = lw.unusual(apart, normal="plain", k=1)
    assert sum("begin with other words" in note for note in found.notes) == 1 and "begin with other words" in repr(
        found
    )
    again = lw.unusual(found.grid, normal="plain", k=1)
    assert sum("begin with other words" in note for note in again.notes) == 1


def test_one_target_for_all_is_followed_as_a_lens_follows_it(llama: Any) -> None:
    grid = lw.trajectories(llama, PROMPTS, target=7, against=11)
    alone = lw.logit_lens(lw.run(llama, PROMPTS[0]), targets=[7], against=11)
    np.testing.assert_allclose(
        grid.values("logit difference")[:, 0], alone.values("logit difference")[:, -1], atol=1e-4
    )
    assert [target.ids for target in grid.targets] == [(7,), (11,)]


def test_a_column_opens_into_its_prompt(llama: Any) -> None:
    grid = lw.trajectories(llama, PROMPTS, target=[7, None, *[8] * 7], position=-1)
    whole = grid.open(4)
    assert whole.columns.tolist() == PROMPTS[4] and whole.targets[0].ids == (8,)
    np.testing.assert_allclose(whole.values("entropy")[:, -1], grid.values("entropy")[:, 4], atol=1e-4)
    assert grid[1:, 3:].open(1) == whole  # whichever part of the Grid is asked
    assert grid.open(1).targets == ()
    moved = grid.explain(4, 8, 2)  # type: ignore[misc]
    by_hand = lw.explain(lw.run(llama, PROMPTS[4]), 8, "L1").values("contribution")
    np.testing.assert_allclose(moved.values("contribution"), by_hand, atol=1e-5)
    with pytest.raises(IndexError, match="column 9 is out of range"):
        grid.open(9)


def test_what_was_saved_opens_nothing(llama: Any, tmp_path: Path) -> None:
    grid = lw.trajectories(llama, PROMPTS, groups=GROUPS, labels=[f"{i} {HOSTILE[-i - 8]}" for i in range(9)])
    again = lw.Grid.load(grid.save(tmp_path / "grid.npz"))
    assert again == grid and again.groups == tuple(GROUPS) and again.column_quantities[0].name == "tokens"
    with pytest.raises(ValueError, match="it was saved"):
        again.open(0)
    part = grid[:, [8, 0]]
    assert part.groups == ("c", "a") and part.column_quantities[0].values.tolist() == [41, 4]
    table = grid.to_dataframe()
    assert table["group"].tolist()[:9] == GROUPS and table["tokens"].tolist()[9:18] == [len(p) for p in PROMPTS]


def test_a_lens_reads_many_prompts_as_it_reads_one(smollm: Any) -> None:
    lens = lw.load_lens()
    prompts = ["The capital of France is", "The capital of Italy is", "Once upon a time"]
    for one in (lens, lambda residual, row: residual * 0.5, lw.Patchscope()):
        grid = lw.trajectories(smollm, prompts, one)
        for column, prompt in enumerate(prompts):
            alone = lw.read(lw.run(smollm, prompt), one)
            np.testing.assert_allclose(grid.values("entropy")[:, column], alone.values("entropy")[:, -1], atol=2e-3)
    raw = lw.trajectories(smollm, prompts)
    (ours,), (theirs,) = raw.row_quantities, lw.logit_lens(lw.run(smollm, prompts[0])).row_quantities
    assert ours.says == theirs.says and ours.values.tolist() == theirs.values.tolist()
    assert "all begin with" not in raw.provenance
    assert lw.trajectories(smollm, prompts[:2]).provenance["all begin with"] == "The capital of"


def test_under_hooks_each_prompt_runs_alone_and_under_them(llama: Any) -> None:
    seen: list[int] = []

    def first_alone(module: Any, given: Any, out: Any) -> Any:
        seen.append(len(out))
        return out * 0.5

    plain = lw.trajectories(llama, PROMPTS)
    with llama.model.layers[1].mlp.register_forward_hook(first_alone):
        grid = lw.trajectories(llama, PROMPTS)
        alone = lw.logit_lens(lw.run(llama, PROMPTS[5]))
    assert set(seen) == {1}
    np.testing.assert_allclose(grid.values("entropy")[:, 5], alone.values("entropy")[:, -1], atol=1e-4)
    assert np.abs(grid.values("entropy") - plain.values("entropy")).max() > 0.01
    np.testing.assert_allclose(grid.open(5).values("entropy")[:, -1], alone.values("entropy")[:, -1], atol=1e-4)


def test_an_interrupt_keeps_what_was_read(llama: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ways.TOKENS, "cpu", 8)
    fractions: list[float] = []

    def interrupt(progress: Any) -> None:
        fractions.append(progress.fraction)
        if len(fractions) == 3:
            os.kill(os.getpid(), signal.SIGINT)

    grid = lw.trajectories(llama, PROMPTS, groups=GROUPS, labels=[*"stuvwxyz", "ä"], watch=interrupt)
    count = grid.shape[1]
    assert 0 < count < 9 and f"stopped after {count} of 9 prompts" in grid.notes and grid.title == f"{count} prompts"
    whole = lw.trajectories(llama, PROMPTS, groups=GROUPS, labels=[*"stuvwxyz", "ä"])
    assert grid.column_labels is not None and whole.column_labels is not None
    for column, label in enumerate(grid.column_labels):
        there = whole.column_labels.index(label)
        np.testing.assert_allclose(grid.values("entropy")[:, column], whole.values("entropy")[:, there], atol=1e-4)
        assert grid.open(column).columns.tolist() == PROMPTS[there]
    assert list(grid.column_labels) == sorted(grid.column_labels)


@pytest.mark.parametrize(
    ("prompts", "known", "says"),
    [
        ("The", {}, "are a list of prompts, or a column of a table; got str"),
        ([], {}, "There are no prompts"),
        ([[1, 2], []], {}, "Of prompt 1: The prompt has no tokens"),
        ([[1, 2], [1, 999]], {}, "Of prompt 1: Token id 999 is outside"),
        ([[1, 2], [1] * 99], {}, "Of prompt 1: The prompt has 99 tokens"),
        ([[1, 2, 3], [1]], {"position": 2}, "Prompt 1 has 1 tokens and no position 2"),
        ([[1, 2]], {"position": True}, "position is a whole number"),
        ([[1, 2], [3]], {"groups": ["a"]}, "groups= has 1 texts, and there are 2 prompts"),
        ([[1, 2], [3]], {"groups": ["a", " "]}, "The group of prompt 1 is empty"),
        ([[1, 2], [3]], {"groups": "ab"}, "groups= is a list"),
        ([[1, 2], [3]], {"groups": ["a", 3]}, "The group of prompt 1 is a text; got 3"),
        ([[1, 2], [3]], {"labels": ["a"]}, "labels= has 1 texts"),
        ([[1, 2], [3]], {"target": [7]}, "target= is a list of 1, and there are 2 prompts"),
        ([[1, 2], [3]], {"target": [None, None]}, "None of the prompts has a target"),
        ([[1, 2], [3]], {"target": [7, 999]}, "Of prompt 1: Token id 999"),
        ([[1, 2], [3]], {"target": [7, 8], "against": [7, 8]}, "Of prompt 0: .* both the target"),
        ([[1, 2], [3]], {"against": 7}, "there is none; name one"),
        ([[1, 2], [3]], {"against": [7, 8]}, "there is no target to compare"),
        ([[1, 2]], {"k": 0}, "k is the number of candidates"),
        ([[1, 2]], {"lens": 3}, "A lens is a Lens or a function"),
        ([[1, 2]], {"k": 2.5}, "k is the number of candidates a cell, a whole number, 1 to 288; got 2.5"),
        ({"a": [1, 2]}, {}, "are a list of prompts, or a column of a table; got dict"),
        ([[1, 2], torch.tensor(float("nan"))], {}, "Of prompt 1: A prompt is a text, .*; got the number nan"),
        ([[1, 2], [3]], {"groups": 3}, "groups= is a list with a text for each of the 2 prompts; got 3"),
        ([[1, 2], [3]], {"groups": {"a": 1, "b": 2}}, "groups= is a list with a text for each"),
    ],
)
def test_what_is_no_such_list_is_refused(llama: Any, prompts: Any, known: dict[str, Any], says: str) -> None:
    unchecked = inspect.unwrap(lw.trajectories)  # without the types that are checked while tests run
    with pytest.raises((TypeError, ValueError), match=says):
        unchecked(llama, prompts, **known)
