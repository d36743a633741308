"""Fits: what they find where the answer is known, and what they refuse."""

from __future__ import annotations

import signal
import string
from pathlib import Path
from typing import Any

import jaxtyping
import numpy as np
import pytest
import torch
from torch import Tensor

import lenswidget as lw
from lenswidget.lenses.fitted import FittedLens
from lenswidget.lenses.fitting.parallel import Workers
from lenswidget.lenses.fitting.progress import Progress
from lenswidget.lenses.fitting.regression import Moments
from lenswidget.lenses.fitting.residuals import Residuals
from lenswidget.lenses.fitting.sampled_kl import Sample
from lenswidget.lenses.fitting.text import Text
from lenswidget.lenses.linear import LinearLens
from lenswidget.lenses.tuned import TunedLens
from lenswidget.model.backends import backend_of
from tests import architectures

WINDOW = 32


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


def letters(count: int, seed: int = 0) -> list[str]:
    """Documents of 100 random letters."""
    drawn = torch.randint(52, (count, 100), generator=torch.Generator().manual_seed(seed)).tolist()
    return ["".join(string.ascii_letters[i] for i in line) for line in drawn]


def make_linear(model: Any) -> None:
    """From now on every block multiplies by a matrix and adds a vector."""
    generator = torch.Generator().manual_seed(3)
    for block in model.blocks:
        matrix = torch.eye(32) + 0.1 * torch.randn(32, 32, generator=generator)
        vector = torch.randn(32, generator=generator)
        entered: list[Tensor] = []

        def enter(x: Tensor, hook: Any, entered: list[Tensor] = entered) -> None:
            entered[:] = [x]

        def leave(
            x: Tensor, hook: Any, entered: list[Tensor] = entered, matrix: Tensor = matrix, vector: Tensor = vector
        ) -> Tensor:
            return entered[0] @ matrix + vector

        block.hook_in.add_perma_hook(enter)
        block.hook_out.add_perma_hook(leave)


def test_the_linear_lens_of_a_linear_model_is_exact(changeable: Any) -> None:
    make_linear(changeable)
    lens = LinearLens.fit(changeable, letters(60), tokens=4000, ridge=1e-9, window=WINDOW)
    assert max(lens.card.kl) < 1e-6
    run = lw.run(changeable, "never seen before")
    for row in range(3):
        torch.testing.assert_close(lens.move(run.residual[row], row), run.residual[-1], rtol=1e-4, atol=1e-4)


def test_the_linear_lens_is_ridge_regression(model: Any) -> None:
    """Against the formula, on all residuals at once."""
    texts = letters(40)
    lens = LinearLens.fit(model, texts, tokens=10**9, ridge=1e-3, window=WINDOW, held_out=64)
    windows = torch.cat(list(Text(backend_of(model), texts, window=WINDOW, held_out=64).batches(8)))
    with torch.no_grad():
        _, cache = model.run_with_cache(windows)
    last = cache["blocks.2.hook_resid_post"][:, 1:].flatten(0, 1).double()
    assert lens.card.tokens == len(last)
    for row in range(3):
        x = cache[f"blocks.{row}.hook_resid_pre"][:, 1:].flatten(0, 1).double()
        centred, centred_last = x - x.mean(0), last - last.mean(0)
        own = centred.T @ centred
        own += 1e-3 * own.diagonal().mean() * torch.eye(32)
        expected = last.mean(0) + centred @ torch.linalg.solve(own, centred.T @ centred_last)
        torch.testing.assert_close(lens.move(x.float(), row), expected.float(), rtol=1e-4, atol=1e-4)


def test_the_card_says_what_an_independent_reading_says(model: Any) -> None:
    texts = letters(60)
    lens = LinearLens.fit(model, texts, tokens=2000, window=WINDOW, held_out=128)
    held_out = Text(backend_of(model), texts, window=WINDOW, held_out=128).held_out
    total = torch.zeros(3)
    with torch.no_grad():
        logits, cache = model.run_with_cache(held_out)
        for row in range(3):
            x = cache[f"blocks.{row}.hook_resid_pre"]
            moved = x + x @ lens.weight[row].T + lens.bias[row]
            p = model.unembed(model.ln_final(moved)).log_softmax(-1)
            q = logits.log_softmax(-1)
            total[row] = ((q.exp() * (q - p)).sum(-1)[:, 1:].mean()) / torch.log(torch.tensor(2.0))
    torch.testing.assert_close(torch.tensor(lens.card.kl), total, rtol=1e-3, atol=1e-4)
    assert lens.card.held_out == held_out.numel() - len(held_out)


def test_second_moments_are_those_of_all_batches() -> None:
    x = torch.randn(3, 5000, 8, generator=torch.Generator().manual_seed(0)) * 50 + 300
    moments = Moments(x[:, :100])
    for part in x.split(700, 1):
        moments.add(part)
    torch.testing.assert_close(moments.covariance(1), torch.cov(x[1].T.double(), correction=0), rtol=1e-5, atol=1e-2)
    torch.testing.assert_close(moments.mean, x.double().mean(1), rtol=1e-6, atol=1e-4)


def test_text_comes_in_many_forms(model: Any) -> None:
    texts = letters(30)
    forms = [texts, iter(texts), [{"text": text, "id": 1} for text in texts], (text for text in texts)]
    fits = [LinearLens.fit(model, form, tokens=1000, window=WINDOW, held_out=64) for form in forms]
    for fit in fits[1:]:
        torch.testing.assert_close(fit.weight, fits[0].weight, rtol=0, atol=0)
    assert [fit.card.data for fit in fits] == [
        "30 texts",
        "texts from an iterator",
        "30 texts",
        "texts from an iterator",
    ]


def test_without_text_the_model_writes_its_own(model: Any) -> None:
    fits = [LinearLens.fit(model, tokens=600, window=WINDOW, held_out=64, seed=seed) for seed in (5, 5, 6)]
    assert "wrote itself" in fits[0].card.data
    torch.testing.assert_close(fits[0].weight, fits[1].weight, rtol=0, atol=0)
    assert not torch.equal(fits[0].weight, fits[2].weight)


def test_held_out_text_is_no_text_of_the_fit(model: Any) -> None:
    text = Text(backend_of(model), letters(100), window=WINDOW, held_out=256)

    def passages(windows: Tensor) -> set[tuple[int, ...]]:
        # within one document, since both sides have the token between documents
        runs = {tuple(run) for window in windows.tolist() for run in zip(*(window[i:] for i in range(1, 9)))}
        return {run for run in runs if model.tokenizer.eos_token_id not in run}

    assert text.held_out.numel() >= 256
    fitted = [passages(batch) for batch in text.batches(8)]
    assert len(set().union(*fitted)) > 4000
    assert not passages(text.held_out) & set().union(*fitted)


def test_positions_that_are_not_finite_are_left_out_and_counted(changeable: Any) -> None:
    texts = letters(40)

    def spoil(x: Tensor, hook: Any) -> Tensor:
        x = x.clone()
        x[0, 5:9] = float("nan")
        return x

    calls: list[int] = []

    def sometimes(x: Tensor, hook: Any) -> Tensor | None:
        calls.append(1)
        return spoil(x, hook) if len(calls) == 3 else None

    changeable.blocks[1].hook_out.add_perma_hook(sometimes)
    with pytest.warns(UserWarning, match="not finite at some positions"):
        lens = LinearLens.fit(changeable, texts, tokens=10**9, window=WINDOW, held_out=0)
    assert lens.weight.isfinite().all()
    assert lens.card.settings["skipped"] == WINDOW - 1  # attention carries it through its window


def test_a_model_that_is_mostly_not_finite_is_refused(changeable: Any) -> None:
    changeable.blocks[0].hook_out.add_perma_hook(lambda x, hook: x * float("inf"))
    with pytest.warns(UserWarning), pytest.raises(ValueError, match="are not finite: nothing can be fitted"):
        Residuals(backend_of(changeable))(torch.ones(2, 8, dtype=torch.int64))


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        ([], "There is no text to fit on: 0 texts without a token"),
        (["", ""], "There is no text to fit on: 2 texts without a token"),
        (["aaaa" * 500], "only the token .*, over and over"),
        (["abc"], "The texts are too short: they don't fill one window of 32 tokens"),
        (["abcdefgh" * 4], r"at least 32 tokens, and was given \d+"),
        ([3], "Item 0 of the texts is a int; expected a text"),
        ([{"content": "abc"}], "is a dict with the columns content; expected"),
        ({"train": ["abc"], "test": ["abc"]}, r"a dictionary of train, test: pass one of them"),
        (7, "texts are a list or an iterator of texts, or a dataset; got int"),
    ],
)
def test_text_that_nothing_can_be_fitted_on_is_refused(model: Any, texts: Any, sentence: str) -> None:
    with pytest.raises((TypeError, ValueError), match=sentence):
        LinearLens.fit(model, texts, window=WINDOW, held_out=0 if texts == ["abcdefgh" * 4] else 64)


def test_half_precision_fits_too(folder: Path, model: Any) -> None:
    texts = letters(60)
    exact = LinearLens.fit(model, texts, tokens=3000, window=WINDOW, held_out=128)
    for dtype in (torch.bfloat16, torch.float16):
        lens = LinearLens.fit(architectures.boot(folder, dtype), texts, tokens=3000, window=WINDOW, held_out=128)
        assert lens.weight.dtype == torch.float32
        torch.testing.assert_close(torch.tensor(lens.card.kl), torch.tensor(exact.card.kl), rtol=0.1, atol=0.02)


def tuned(model: Any, **settings: Any) -> TunedLens:
    given = {"steps": 12, "window": WINDOW, "held_out": 128, "watch": lambda progress: None, "rate": 0.01}
    return TunedLens.fit(model, letters(60), **{**given, **settings})


def same(one: FittedLens, other: FittedLens, **tolerance: float) -> None:
    tolerance = tolerance or {"rtol": 0.0, "atol": 0.0}
    torch.testing.assert_close(one.weight, other.weight, **tolerance)
    torch.testing.assert_close(one.bias, other.bias, **tolerance)


def test_a_fresh_tuned_lens_is_the_logit_lens_bit_for_bit(model: Any) -> None:
    run = lw.run(model, "anything")
    fresh, plain = lw.read(run, TunedLens.identity(model)), lw.logit_lens(run)
    for name, quantity in plain.quantities.items():
        np.testing.assert_array_equal(fresh.quantities[name].values, quantity.values)
    np.testing.assert_array_equal(fresh.candidates.ids, plain.candidates.ids)


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "lbfgs"])
def test_training_brings_every_row_nearer_to_the_output(model: Any, optimizer: Any) -> None:
    seen: list[tuple[float, ...]] = []
    start = "identity" if optimizer == "sgd" else "linear"
    lens = tuned(
        model,
        optimizer=optimizer,
        start=start,
        rate=None,
        steps=24,
        watch=lambda p: seen.append(p.kl[0][1] if p.kl else ()),
    )
    assert lens.card.held_out >= 120
    reached, began = lens.card.kl, seen[-1]
    assert sum(reached) < 0.95 * sum(began)
    # the row below the output is as near as a row of so small a model gets
    assert all(after < 1.05 * before for after, before in zip(reached, began)), (reached, began)


def test_the_gradient_on_a_sample_is_that_on_the_whole_vocabulary(model: Any) -> None:
    """On average over draws, nearly: 128 columns that lead and 64 that are drawn, of 288."""
    readout = lw.run(model, "abc").readout
    generator = torch.Generator().manual_seed(0)
    last, row = torch.randn(2, 40, 32, generator=generator)

    def gradient(leading: int, drawn: int) -> Tensor:
        x = row.clone().requires_grad_()
        Sample.of(readout, last, generator, Workers(), leading, drawn).kl(x).backward()
        assert x.grad is not None
        return x.grad

    whole = gradient(288, 0)
    q, p = readout.logits(last).log_softmax(-1), readout.logits(row).log_softmax(-1)
    expected = (q.exp() * (q - p)).sum()
    kl = Sample.of(readout, last, generator, Workers(), 288, 0).kl(row)
    torch.testing.assert_close(kl, expected, rtol=1e-4, atol=1e-4)
    mean = torch.stack([gradient(128, 64) for _ in range(200)]).mean(0)
    assert torch.cosine_similarity(mean.flatten(), whole.flatten(), 0) > 0.96
    assert mean.norm() / whole.norm() == pytest.approx(1, abs=0.1)


def test_one_seed_gives_one_lens(model: Any) -> None:
    same(tuned(model), tuned(model))


def test_a_resumed_fit_ends_where_the_uninterrupted_one_does(model: Any, tmp_path: Path) -> None:
    whole = tuned(model)
    path = tmp_path / "fit.pt"

    def stop_at_seven(progress: Progress) -> None:
        if progress.fraction >= 7 / 12:
            progress.stop()
            progress.stop()

    partial = tuned(model, checkpoint=path, watch=stop_at_seven)
    assert partial.card.settings["steps"] == 7
    resumed = tuned(model, resume=path)
    same(resumed, whole)
    assert resumed.card.kl == whole.card.kl and resumed.card.tokens == whole.card.tokens
    with pytest.raises(ValueError, match=r"is a checkpoint of a fit with seed=0; this one has 1"):
        tuned(model, resume=path, seed=1)
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(ValueError, match=r"is not a checkpoint of TunedLens\.fit"):
        tuned(model, resume=path)


def test_an_interrupt_keeps_what_is_reached_however_often_it_comes(model: Any) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.fraction > 0.2:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    lens = tuned(model, watch=interrupt)
    assert 0 < lens.card.settings["steps"] < 12
    assert lens.weight.isfinite().all() and len(lens.card.kl) == 3
    assert signal.getsignal(signal.SIGINT) is before, "afterwards an interrupt is one again"


def test_rows_that_are_not_chosen_stay_as_they_start(model: Any) -> None:
    some, all_rows = tuned(model, rows=["L0"]), tuned(model)
    start = tuned(model, rows=[1])
    torch.testing.assert_close(some.weight[1], all_rows.weight[1], rtol=0, atol=0)
    torch.testing.assert_close(some.weight[0], start.weight[0], rtol=0, atol=0)
    assert not torch.equal(some.weight[1], start.weight[1])


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"optimizer": "adamw"}, "optimizer is 'adam', 'sgd' or 'lbfgs'; got 'adamw'"),
        ({"start": "jacobian"}, "start is 'linear', 'identity' or a fitted lens; got 'jacobian'"),
        ({"rate": 0.0}, "above 0; got 0.0"),
        ({"steps": 0}, "A fit takes steps above 0; got 0"),
        ({"seconds": -1.0}, "A fit takes seconds above 0; got -1.0"),
        ({"rows": [3]}, "no row 'L3', which 3 names.*embed to L1.*The last row needs no translator"),
        ({"rows": []}, "got none"),
    ],
)
def test_settings_that_cannot_be_are_refused(model: Any, settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        tuned(model, **settings)


@pytest.mark.parametrize("start", [lw.LogitLens(), None, 3], ids=str)
def test_a_start_that_is_no_lens_is_named(model: Any, start: Any) -> None:
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        with pytest.raises(ValueError, match="start is 'linear', 'identity' or a fitted lens; got"):
            tuned(model, start=start)
    finally:
        jaxtyping.config.update("jaxtyping_disable", False)


def test_a_lens_is_read_on_weights_that_were_processed_as_those_it_was_fitted_to(model: Any, changeable: Any) -> None:
    changeable.enable_compatibility_mode(disable_warnings=True)
    of_raw, of_processed = (LinearLens.fit(one, letters(40), tokens=400, window=WINDOW) for one in (model, changeable))
    raw, processed = (lw.run(one, [1, 40, 70, 33]) for one in (model, changeable))
    assert (of_raw.card.processing, of_processed.card.processing) == ("", "norms folded, unembedding centred")
    lw.read(raw, of_raw)
    lw.read(processed, of_processed)
    with pytest.raises(
        ValueError, match=r"loaded with processed weights \(norms folded, .*Load the model as it is, lw\.load"
    ):
        lw.read(processed, of_raw)
    with pytest.raises(ValueError, match=r"fitted to .* with processed weights .* has them as they were trained"):
        lw.read(raw, of_processed)
