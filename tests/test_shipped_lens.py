"""The tuned lens of the embedded model comes with the package, small, and says in its card how good it is."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch

import lenswidget as lw
from bench.styles import held_out_pages
from lenswidget.lenses.files.packing import unpack
from lenswidget.lenses.load_lens import SHIPPED
from lenswidget.model.weights import Weights
from scripts.pack_lens import rounded

TEXT = """When the storm had passed, the keeper of the lighthouse went down to the harbour to see what was left of the boats.
Two of them lay on their sides in the mud. The third, which belonged to his brother, was nowhere to be found. He asked the
men who were mending the nets whether they had seen it, and they told him that it had gone out before dawn, and that nobody
had thought it wise to follow. In the afternoon a letter arrived from the city, and the keeper read it twice before he sat."""


@pytest.fixture(scope="module")
def lens() -> lw.FittedLens:
    return lw.load_lens("smollm2-135m")


def test_it_is_a_tuned_lens_for_the_embedded_model_in_six_megabytes(smollm: Any, lens: lw.FittedLens) -> None:
    assert SHIPPED.stat().st_size <= 6_000_000
    assert repr(lens).startswith("Tuned lens of SmolLM2-135M-Instruct: 30 rows × 576, fitted on ")
    assert lens.name == "Tuned lens" and lens.card.model == "SmolLM2-135M-Instruct" and lens.card.tokens > 0
    grid = lw.read(lw.run(smollm, "The capital of France is"), lens, targets=[" Paris"])
    assert grid.check is not None and grid.check.error <= grid.check.tolerance
    assert grid.notes[0].startswith("fitted on ")


TO_REACH = {"prose": 2.5, "story": 2.2, "chat": 2.6, "code": 2.5}
"""Bits, mean of rows 0, 3, … 27, on the page of each style. A lens that had read neither chats nor code was at 2.59, 2.61, 3.56
and 4.22."""


@pytest.mark.parametrize("style", TO_REACH)
def test_the_card_says_what_five_lines_find_on_a_page_of_each_style(
    smollm: Any, lens: lw.FittedLens, style: str
) -> None:
    total, positions = torch.zeros(2), 0
    for text in held_out_pages(smollm.tokenizer)[style]:
        for ids in smollm.to_tokens(text)[0].split(128):
            with torch.inference_mode():
                logits, cache = smollm.run_with_cache(ids[None])
                q = logits[0, 1:].log_softmax(-1)
                for i, layer in enumerate((6, 21)):
                    h = cache[f"blocks.{layer}.hook_resid_pre"][0, 1:]
                    p = smollm.unembed(smollm.ln_final(lens.move(h, layer)[None]))[0].log_softmax(-1)
                    total[i] += (q.exp() * (q - p)).sum() / math.log(2)
            positions += len(q)
    said = lens.card.kl_by_style[style]
    assert (total / positions).tolist() == pytest.approx([said[6], said[21]], rel=2e-3)
    assert sum(said[:30:3]) / 10 <= TO_REACH[style]


def test_it_is_no_worse_on_a_story_than_on_what_it_was_fitted_on(smollm: Any, lens: lw.FittedLens) -> None:
    ids = smollm.to_tokens(TEXT)
    with torch.inference_mode():
        logits, cache = smollm.run_with_cache(ids)
    output = logits[0, 1:].log_softmax(-1)

    def divergence(residual: torch.Tensor) -> float:
        row = smollm.unembed(smollm.ln_final(residual.unsqueeze(0)))[0].log_softmax(-1)
        return float((output.exp() * (output - row)).sum(-1).mean()) / 0.6931

    with torch.inference_mode():
        rows = [cache[f"blocks.{layer}.hook_resid_pre"][0, 1:] for layer in range(30)]
        tuned = [divergence(lens.move(residual, row)) for row, residual in enumerate(rows)]
        raw = [divergence(residual) for residual in rows]
    assert all(ours < theirs for ours, theirs in zip(tuned, raw))
    assert sum(tuned) < 1.1 * sum(lens.card.kl)


def test_it_is_not_for_another_model(lens: lw.FittedLens, smollm: Any) -> None:
    run = lw.run(smollm, "Some text.")
    lens.require(run)
    unembedding = run.weights.sample.clone()
    unembedding[:1024] = unembedding[:1024].flip(0)
    blocks = run.weights.sample.clone()
    blocks[1024:] *= 1.02
    for sample, says in (
        (unembedding, "whose unembedding is not that of"),
        (blocks, "weights in the blocks of .* are others"),
    ):
        with pytest.raises(ValueError, match=says):
            lens.require(replace(run, weights=Weights(sample, "")))


def test_rounding_makes_up_for_what_it_did_before() -> None:
    """Seen by the readout and through the rows that occur, every entry is off by half a step at most."""
    generator = torch.Generator().manual_seed(0)
    weight, a, b = torch.randn(3, 2, 40, 40, generator=generator, dtype=torch.float64)
    covariance, fisher = a @ a.mT + torch.eye(40), b @ b.mT + torch.eye(40)
    packed = rounded(weight, covariance, fisher, torch.tensor([1.0, 4.0], dtype=torch.float64))
    error = unpack(packed).double() - weight

    def unit(matrix: torch.Tensor) -> torch.Tensor:
        lower = torch.linalg.cholesky(matrix)
        return lower / lower.diagonal(dim1=1, dim2=2).unsqueeze(1)

    seen = unit(fisher).mT @ error @ unit(covariance)
    step = packed["step_out"].double().unsqueeze(2) * packed["step_in"].double().unsqueeze(1)
    assert (seen.abs() <= step / 2 * 1.001).all()

    def loss(error: torch.Tensor) -> float:
        return float((fisher @ error * (error @ covariance)).sum())

    nearest = (weight / step).round() * step - weight
    assert loss(error) < loss(nearest) / 3
