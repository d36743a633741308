"""Causal tracing is what Meng et al. describe, done by hand with hooks of torch's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import lenswidget as lw
from lenswidget.interventions.causal_tracing import span_of, spread_of_embeddings
from tests.test_hugging_face import saved

TOKENS = [1, 40, 71, 33, 121, 99]


@pytest.fixture
def llama(tmp_path: Path) -> Any:
    return saved("LlamaForCausalLM", tmp_path)


def test_noise_is_added_and_a_state_is_put_back(llama: Any) -> None:
    run = lw.run(llama, TOKENS)
    samples, target = 3, int(run.readout.logits(run.residual[-1, -1:])[0].argmax())
    grid = lw.causal_trace(run, [1, 2], samples=samples, seed=5)
    size = 3 * float(llama.model.embed_tokens.weight.std())
    generator = torch.Generator().manual_seed(5)
    effects: list[float] = []
    gaps: list[float] = []
    with torch.no_grad():
        clean = llama(torch.tensor([TOKENS])).logits[0, -1].softmax(-1)[target]
        for _ in range(samples):
            noise = size * torch.randn(2, 32, generator=generator)

            def noised(_: Any, args: Any, out: Tensor, noise: Tensor = noise) -> Tensor:
                out = out.clone()
                out[0, [1, 2]] += noise
                return out

            def restored(_: Any, args: Any) -> Any:
                row = args[0].clone()
                row[0, 2] = run.residual[1, 2]
                return (row, *args[1:])

            one = llama.model.embed_tokens.register_forward_hook(noised)
            corrupted = llama(torch.tensor([TOKENS])).logits[0, -1].softmax(-1)[target]
            other = llama.model.layers[1].register_forward_pre_hook(restored)
            back = llama(torch.tensor([TOKENS])).logits[0, -1].softmax(-1)[target]
            one.remove()
            other.remove()
            effects.append(float(back - corrupted))
            gaps.append(float(clean - corrupted))
    assert grid.values("effect")[1, 2] == pytest.approx(np.mean(effects), abs=1e-5)
    assert grid.values("recovered")[1, 2] == pytest.approx(np.mean(effects) / np.mean(gaps), abs=1e-3)
    assert grid.check is not None and grid.check.holds
    assert (grid.values("recovered")[:, 0] == 0).all()
    assert spread_of_embeddings(run) == pytest.approx(size / 3)


def test_the_same_seed_is_the_same_noise(llama: Any) -> None:
    run = lw.run(llama, TOKENS)
    one, again, other = (
        lw.causal_trace(run, 1, unit="mlp", samples=2, seed=seed).values("effect") for seed in (1, 1, 2)
    )
    assert np.array_equal(one, again) and not np.array_equal(one, other)


def test_a_subject_is_found_by_its_text(smollm: Any) -> None:
    run = lw.run(smollm, "The Eiffel Tower is located in the city of")
    assert span_of(run, "Eiffel Tower").tolist() == [1, 2, 3]
    assert span_of(run, " Eiffel").tolist() == [1, 2]
    with pytest.raises(ValueError, match=r"'Louvre' is not in the prompt .*subject=\[1, 2, 3\]"):
        lw.causal_trace(run, "Louvre")
    with pytest.raises(ValueError, match=r"'i' is \d times in"):
        lw.causal_trace(run, "i")


def test_what_can_not_be_traced_is_told(llama: Any) -> None:
    run = lw.run(llama, TOKENS)
    for options, says in [
        ({"samples": 0}, "samples is how often noise is drawn"),
        ({"noise": -1.0}, "noise is a number of standard deviations above 0"),
        ({"noise": float("nan")}, "noise is a number"),
        ({"unit": "layer"}, "unit is one of"),
    ]:
        with pytest.raises(ValueError, match=says):
            lw.causal_trace(run, 1, 7, **{"samples": 1, **options})
    with pytest.raises(ValueError, match="Position 9 is not in this prompt"):
        lw.causal_trace(run, [9], 7)
