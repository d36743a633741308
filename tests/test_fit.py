"""Fits: what they find where the answer is known, and what they refuse."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import lenswidget as lw
from lenswidget.lenses.fitting import Residuals
from lenswidget.lenses.linear import LinearLens, Moments
from lenswidget.lenses.text import Text
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
    windows = torch.cat(list(Text(model, texts, window=WINDOW, held_out=64).batches(8)))
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
    held_out = Text(model, texts, window=WINDOW, held_out=128).held_out
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
    text = Text(model, letters(100), window=WINDOW, held_out=256)

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
        Residuals(changeable)(torch.ones(2, 8, dtype=torch.int64))


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        ([], "There is no text to fit on: 0 texts without a token"),
        (["", ""], "There is no text to fit on: 2 texts without a token"),
        (["aaaa" * 500], "only the token .*, over and over"),
        (["abc"], "The texts are too short: they don't fill one window of 32 tokens"),
        (["abcdefgh" * 4], r"at least 32 tokens, and the texts give \d+"),
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
