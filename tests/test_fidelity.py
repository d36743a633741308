"""How far a lens can be believed: every figure against Hugging Face's own model, with its later blocks cut off."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import lenswidget as lw
from lenswidget.lenses import causal
from lenswidget.lenses.causal import Responses, Trial
from lenswidget.lenses.files.card import Card
from lenswidget.lenses.fitted import FittedLens
from lenswidget.lenses.intervals import spearman
from lenswidget.model.backends import backend_of
from tests import architectures

TEXTS = ["The quick brown fox", "jumps over", "a lazy dog"]
ARCHITECTURES = ["LlamaForCausalLM", "GPT2LMHeadModel", "Gemma2ForCausalLM", "GPTNeoXForCausalLM", "CohereForCausalLM"]


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("llama")
    architectures.save("LlamaForCausalLM", folder)
    return folder


@pytest.fixture(scope="module")
def model(folder: Path) -> Any:
    return architectures.boot(folder)


@pytest.fixture
def changeable(folder: Path) -> Any:
    """A model of one test's own, which may add hooks to it."""
    return architectures.boot(folder)


def cut_off(oracle: Any, model: Any, ids: Tensor) -> Tensor:
    """Log-probabilities [rows, positions, vocabulary] that the model has when all blocks after a row are taken away."""
    holder, _, name = model.adapter.component_mapping["blocks"].name.rpartition(".")
    parent = oracle.get_submodule(holder)
    blocks = getattr(parent, name)
    rows = []
    for kept in range(len(blocks) + 1):
        setattr(parent, name, blocks[:kept])
        with torch.inference_mode():
            rows.append(oracle(ids[None], use_cache=False).logits[0].float().log_softmax(-1))
    setattr(parent, name, blocks)
    return torch.stack(rows)


def evaluated(oracle: Any, model: Any) -> dict[str, Tensor]:
    """The five lines that a reader would write, position 0 of each text left out."""
    said = [cut_off(oracle, model, model.to_tokens(text)[0]) for text in TEXTS]
    follows = torch.cat([model.to_tokens(text)[0, 2:] for text in TEXTS])
    before_last = torch.cat([one[:, 1:-1] for one in said], 1)
    log_p = torch.cat([one[:, 1:] for one in said], 1)
    p, q = log_p.exp(), log_p[-1].exp()
    mean = p.mean(1)
    bits = np.log(2)
    return {
        "kl": (q * (log_p[-1] - log_p)).sum(-1).mean(1) / bits,
        "agreement": (log_p.argmax(-1) == q.argmax(-1)).float().mean(1),
        "cross_entropy": -before_last[:, torch.arange(len(follows)), follows].mean(1) / bits,
        "bias": (mean[-1] * (mean[-1].log() - mean.log())).sum(-1) / bits,
        "blind": (q * (log_p[-1] - mean[-1].log())).sum(-1).mean() / bits,
    }


@pytest.mark.parametrize(
    ("architecture", "dtype"),
    [*((name, torch.float32) for name in ARCHITECTURES), ("LlamaForCausalLM", torch.bfloat16)],
    ids=str,
)
def test_every_figure_is_what_hugging_faces_model_says(architecture: str, dtype: torch.dtype, tmp_path: Path) -> None:
    architectures.save(architecture, tmp_path)
    model, oracle = architectures.boot(tmp_path, dtype), architectures.oracle(architecture, tmp_path, dtype)
    measured = lw.fidelity(model, lw.LogitLens(), TEXTS, tokens=10_000)
    assert measured.tokens == sum(len(model.to_tokens(text)[0]) - 1 for text in TEXTS) and measured.left_out == (0,)
    # the oracle's norm and unembedding are rounded to half precision, ours aren't
    exact = dtype == torch.float32
    for name, expected in evaluated(oracle, model).items():
        figures = np.atleast_2d(getattr(measured, name)).T.squeeze()
        close = {"rtol": 1e-4, "atol": 1e-4} if exact else {"rtol": 0.1, "atol": 0.08}
        np.testing.assert_allclose(figures, expected.numpy(), **close, err_msg=name)


def test_a_moved_row_is_what_is_measured(model: Any) -> None:
    """Several lenses at once, each by its own name, as a Grid and as a table."""

    def doubled(residual: Tensor, row: int) -> Tensor:
        return 2 * residual + row

    measured = lw.fidelity(model, [lw.LogitLens(), doubled], TEXTS)
    runs = [lw.run(model, text) for text in TEXTS]
    log_p, q = (
        torch.cat([one.readout.logits(residual(one))[1:] for one in runs]).log_softmax(-1)
        for residual in (lambda one: 2 * one.residual[2] + 2, lambda one: one.residual[-1])
    )
    assert measured.kl[2, 1] == pytest.approx(float((q.exp() * (q - log_p)).sum(-1).mean() / np.log(2)), rel=1e-4)

    grid = measured.grid()
    assert grid.shape == (4, 2) and grid.column_labels == measured.lenses == ("Logit lens", "doubled")
    np.testing.assert_array_equal(grid.quantities["KL to the output"].values, measured.kl)
    table = measured.to_dataframe().set_index(["lens", "layer"])
    assert table.loc[("doubled", "L1"), "KL to the output"] == measured.kl[2, 1]
    assert table.loc[("doubled", "L2"), "excess cross-entropy"] == 0
    assert "doubled" in repr(measured)


def test_the_first_position_of_a_window_counts_for_nothing(model: Any) -> None:
    def spoiled(residual: Tensor, row: int) -> Tensor:
        return torch.cat([residual[:1] * float("nan"), residual[1:]])

    measured = lw.fidelity(model, [lw.LogitLens(), spoiled], TEXTS)
    np.testing.assert_array_equal(measured.kl[:, 0], measured.kl[:, 1])
    assert measured.left_out == (0, 0)


def test_what_is_not_finite_is_left_out_and_counted(model: Any) -> None:
    def broken(residual: Tensor, row: int) -> Tensor:
        residual = residual.clone()
        residual[3] = residual[3] * (float("nan") if row == 1 else 1)
        return residual

    whole, measured = (lw.fidelity(model, lens, TEXTS[:1]) for lens in (lw.LogitLens(), broken))
    assert measured.left_out == (1,)
    kept = [i for i in range(len(TEXTS[0]) + 1) if i not in (0, 3)]
    grid = lw.read(lw.run(model, TEXTS[0]), lw.LogitLens())
    assert measured.kl[1, 0] == pytest.approx(grid.quantities["KL to the output"].values[1, kept].mean(), rel=1e-5)
    for name in ("kl", "agreement", "cross_entropy", "bias"):
        np.testing.assert_array_equal(np.delete(getattr(measured, name), 1, 0), np.delete(getattr(whole, name), 1, 0))
        assert np.isfinite(getattr(measured, name)).all()
    assert any("1 cells of the broken" in note for note in measured.grid().notes)


def test_text_comes_from_anywhere_and_no_more_is_taken_than_asked(model: Any) -> None:
    endless = itertools.repeat(TEXTS[0])
    assert lw.fidelity(model, lw.LogitLens(), endless, tokens=50).tokens == 50
    assert lw.fidelity(model, lw.LogitLens(), [{"text": TEXTS[0]}], tokens=50).tokens == len(TEXTS[0])
    written = lw.fidelity(model, lw.LogitLens(), tokens=40, seed=1)
    assert written.tokens == 40 and "wrote itself" in written.data
    # a document longer than a window is read in several, each behind a BOS token, so that no token is lost to the first place
    assert lw.fidelity(model, lw.LogitLens(), ["word " * 30], tokens=10_000).tokens == 150


def make_identity(model: Any, first: int) -> None:
    """From block `first` on, nothing is added to the stream."""
    for block in list(model.blocks)[first:]:
        for part in (block.attn, block.mlp):
            part.hook_out.add_perma_hook(lambda x, hook: torch.zeros_like(x))


def test_where_nothing_comes_after_a_row_the_lens_is_the_model(changeable: Any) -> None:
    make_identity(changeable, first=1)
    measured = lw.fidelity(changeable, [lw.LogitLens(), lw.NegativeLens()], ["The quick brown fox " * 4], directions=12)
    np.testing.assert_allclose(measured.influence[1:, 0], 1, atol=1e-6)
    np.testing.assert_allclose(measured.alignment[1:, 0], 1, atol=1e-4)
    assert measured.influence[0, 0] < 0.99 and measured.alignment[0, 0] < 0.9
    # turned round, a row answers as strongly, and the other way
    assert measured.alignment[1, 1] < -0.5 and measured.alignment[-1, 1] == pytest.approx(1, abs=1e-4)


def test_a_lens_that_reads_noise_has_no_causal_fidelity(model: Any) -> None:
    generator = torch.Generator().manual_seed(0)

    def noise(residual: Tensor, row: int) -> Tensor:
        return torch.randn(residual.shape, generator=generator)

    runs = [lw.run(model, "The quick brown fox jumps over a lazy dog")]
    found = [respond(model, causal_lens(noise), runs, row, directions=30) for row in range(4)]
    assert all(abs(one.influence[0]) < 0.5 and abs(one.alignment[0]) < 0.1 for one in found[:-1])
    constant = causal_lens(lambda residual, row: torch.ones_like(residual))
    found = [respond(model, constant, runs, row, directions=30) for row in range(4)]
    assert all(np.isnan(one.influence[0]) for one in found[:-1])
    assert found[-1].influence[0] == pytest.approx(1, abs=1e-6)


def respond(model: Any, lens: lw.Lens, runs: list[lw.Run], row: int, directions: int, **settings: Any) -> Responses:
    return Trial.of(backend_of(model), runs, directions).respond([lens], row, directions, **settings)


def causal_lens(function: Any) -> lw.Lens:
    from lenswidget.lenses.lens import as_lens

    return as_lens(function)


@pytest.mark.parametrize("architecture", ["GPT2LMHeadModel", "Gemma2ForCausalLM", "GPTNeoXForCausalLM"])
def test_causal_fidelity_is_what_changed_rows_do_to_hugging_faces_model(architecture: str, tmp_path: Path) -> None:
    architectures.save(architecture, tmp_path)
    model, oracle = architectures.boot(tmp_path), architectures.oracle(architecture, tmp_path)
    runs = [lw.run(model, "The quick brown fox jumps over a lazy dog")]
    row = 1
    found = respond(model, lw.LogitLens(), runs, row, directions=6)
    steps = principal_steps(runs[0].residual[row, 1:], 6)
    ids = runs[0].tokens[: causal.CONTEXT]
    name = model.adapter.component_mapping["blocks"].name

    def say(step: Tensor, blocks: slice) -> Tensor:
        """The oracle's log-probabilities when `step` is added to what enters block `row`, only some blocks being left."""
        holder, _, last = name.rpartition(".")
        parent = oracle.get_submodule(holder)
        all_blocks = getattr(parent, last)

        def add(module: Any, arguments: Any, keywords: Any) -> Any:
            h = (arguments[0] if arguments else keywords["hidden_states"]).clone()
            h[:, 1:] += step
            return ((h, *arguments[1:]), keywords) if arguments else ((), {**keywords, "hidden_states": h})

        def add_after(module: Any, arguments: Any, out: Any) -> Any:
            h = (out if isinstance(out, Tensor) else out[0]).clone()
            h[:, 1:] += step
            return h if isinstance(out, Tensor) else (h, *out[1:])

        setattr(parent, last, all_blocks[blocks])
        if blocks.stop is None:
            handle = all_blocks[row].register_forward_pre_hook(add, with_kwargs=True)
        else:
            handle = all_blocks[row - 1].register_forward_hook(add_after)
        with torch.inference_mode():
            said = oracle(ids[None], use_cache=False).logits[0, 1:].log_softmax(-1)
        handle.remove()
        setattr(parent, last, all_blocks)
        return said

    rows = []
    similar = []
    weights = say(0 * steps[0], slice(None)).exp()
    for step in steps:
        changes = []
        for blocks in (slice(row), slice(None)):
            before, after = say(0 * step, blocks), say(step, blocks)
            rows.append(float((before.exp() * (before - after)).sum(-1).mean()))
            change = after - before
            changes.append(change - (weights * change).sum(-1, keepdim=True))
        inner = [[(weights * a * b).sum(-1) for a in changes] for b in changes]
        similar.append(float((inner[0][1] / (inner[0][0] * inner[1][1]).sqrt()).mean()))
    of_lens, of_model = torch.tensor(rows[::2]), torch.tensor(rows[1::2])
    assert found.influence[0] == pytest.approx(ranks_agree(of_lens, of_model), abs=1e-6)
    assert found.alignment[0] == pytest.approx(np.mean(similar), abs=1e-3)


def test_directions_are_at_right_angles_and_steps_of_one_length(model: Any) -> None:
    states = torch.randn(50, 32) * torch.linspace(0.01, 10, 32)
    steps = principal_steps(states, 20)
    deviation = (states - states.mean(0)).norm(dim=-1).median()
    torch.testing.assert_close(steps @ steps.T, torch.eye(20) * (causal.STEP * deviation) ** 2, rtol=1e-3, atol=1e-3)


def principal_steps(states: Tensor, directions: int) -> Tensor:
    found = causal.principal_directions(states, directions, seed=0)
    return causal.stepped(states, found)(torch.zeros(1, states.shape[1]))[:, 0]


def ranks_agree(one: Tensor, other: Tensor) -> float:
    return float(np.corrcoef(one.argsort().argsort(), other.argsort().argsort())[0, 1])


def test_spearman_is_the_correlation_of_ranks_and_ties_share_theirs() -> None:
    one, other = np.array([0.1, 5.0, 2.0, 90.0]), np.array([2.0, 1.0, 4.0, 8.0])
    # ranks 1 3 2 4 and 2 1 3 4: 1 - 6 Σ d² / n(n² - 1), with differences 1, 2, 1, 0
    assert spearman(one, other) == pytest.approx(1 - 6 * 6 / (4 * 15))
    # ranks 1½ 1½ 3 and 1 2 3
    assert spearman(np.array([7.0, 7.0, 8.0]), np.array([1.0, 2.0, 3.0])) == pytest.approx(np.sqrt(3) / 2)
    assert np.isnan(spearman(np.array([7.0, 7.0, 7.0]), np.array([1.0, 2.0, 3.0])))
    assert np.isnan(spearman(np.array([7.0, np.nan, 8.0]), np.array([1.0, 2.0, 3.0])))


def test_the_rows_of_a_grid_carry_how_far_they_can_be_believed(model: Any) -> None:
    run = lw.run(model, "The quick")
    assert lw.read(run, lw.LogitLens()).row_quantities == ()
    measured = lw.fidelity(model, {"raw": lw.LogitLens(), "turned": lw.NegativeLens()}, TEXTS)
    (trust,) = lw.read(run, lw.NegativeLens(), fidelity=measured_as(measured, "Negative lens")).row_quantities
    np.testing.assert_array_equal(trust.values, measured.kl[:, 1])
    assert trust.domain == (0.0, measured.blind) and trust.strong == "low"

    fitted = FittedLens(
        torch.zeros(3, 32, 32), torch.zeros(3, 32), Card("m", "d", 9, kl=(3.0, 2.0, 1.0)), run.weights.sample
    )
    (trust,) = lw.read(run, fitted).row_quantities
    assert trust.values.tolist() == [3, 2, 1, 0] and "held-out" in trust.says


def measured_as(measured: lw.Fidelity, name: str) -> lw.Fidelity:
    from dataclasses import replace

    return replace(measured, lenses=("raw", name))


@pytest.mark.parametrize(
    ("arguments", "settings", "sentence"),
    [
        ((lw.LogitLens(), []), {}, "nothing to measure: the texts have no token after their first"),
        ((lw.LogitLens(), ["", ""]), {}, "nothing to measure"),
        (([lw.LogitLens(), lw.LogitLens()], TEXTS), {}, r"2 of the lenses are called 'Logit lens'; name them yourself"),
        (([], TEXTS), {}, "There is no lens to measure"),
        ((lw.LogitLens, TEXTS), {}, "LogitLens is a kind of lens, not a lens"),
        ((lw.LogitLens(), [1]), {}, "Item 0 of the texts is a int; expected a text"),
        ((lw.LogitLens(), TEXTS), {"tokens": 0}, "tokens is how many to measure, 1 or more; got 0"),
        ((lw.LogitLens(), TEXTS), {"directions": 2}, "needs 3 directions or more, or 0 for none; got 2"),
        ((lw.LogitLens(), TEXTS), {"tokens": 2.5}, r"how many to measure, a whole number, 1 or more; got 2\.5"),
        ((lw.LogitLens(), TEXTS), {"directions": 12.0}, r"directions is a whole number, 0 or more; got 12\.0"),
        ((lw.LogitLens(), TEXTS), {"seed": -1}, "seed is a whole number, 0 or more; got -1"),
        ((lw.LogitLens(), {}), {}, "an empty dictionary of texts; give each style its texts"),
        ((lw.LogitLens(), TEXTS), {"directions": 99}, "which vary in 32 directions; ask for no more than those"),
        ((lw.LogitLens(), TEXTS[1:2]), {"directions": 12}, "vary in 9 directions"),
    ],
)
def test_what_can_not_be_measured_is_refused(model: Any, arguments: Any, settings: Any, sentence: str) -> None:
    unchecked = inspect.unwrap(lw.fidelity)  # without the types that are checked while tests run
    with pytest.raises((TypeError, ValueError), match=sentence):
        unchecked(model, *arguments, **settings)


def test_a_lens_of_another_model_is_refused_and_one_not_measured_is_named(model: Any) -> None:
    other = FittedLens(torch.zeros(3, 8, 8), torch.zeros(3, 8), Card("another", "d", 9), torch.zeros(3))
    with pytest.raises(ValueError, match="was fitted to another, with 3 blocks of width 8"):
        lw.fidelity(model, other, TEXTS)
    measured = lw.fidelity(model, lw.LogitLens(), TEXTS)
    with pytest.raises(
        ValueError, match=r"speaks of 'Logit lens', not of 'Negative lens'; measure it with lw.fidelity"
    ):
        lw.read(lw.run(model, "The"), lw.NegativeLens(), fidelity=measured)
