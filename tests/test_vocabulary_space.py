"""What weights promote, without a prompt, is what the model's own last step makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import lenswidget as lw
from tests import architectures


def test_a_neuron_promotes_what_its_output_vector_does(smollm: Any) -> None:
    layer = smollm.blocks[25]
    vector = layer.mlp.out.original_component.weight[:, 100].detach()
    logits = (vector * smollm.ln_final.original_component.weight.detach()) @ smollm.unembed.W_U.detach()
    logits = (logits - logits.mean()).double()
    for grid in (lw.promotes(smollm, "L25N100"), lw.promotes(smollm, vector)):
        assert grid.candidates is not None and grid.shape == (1, 20)
        assert grid.candidates.ids[0, :10, 0].tolist() == logits.topk(10).indices.tolist()
        assert grid.candidates.ids[0, 10:, 0].tolist() == logits.topk(10, largest=False).indices.tolist()
        best = grid.quantities["logit added"].values[0]
        np.testing.assert_allclose(best[[0, 10]], [logits.max(), logits.min()], rtol=1e-4)
    assert grid.column_labels is not None and (grid.column_labels[0], grid.column_labels[10]) == ("+1", "−1")
    assert "1 rows (direction 0 … direction 0) × 20 columns" in repr(grid) and "after" not in repr(grid)


def test_a_direction_is_read_with_the_models_scale_and_without_its_biases(tmp_path: Path) -> None:
    for architecture in ("CohereForCausalLM", "PhiForCausalLM", "Gemma2ForCausalLM"):
        architectures.save(architecture, tmp_path / architecture)
        model = architectures.boot(tmp_path / architecture)
        readout = lw.run(model, [1, 40, 70]).readout
        w = torch.randn(32, generator=torch.Generator().manual_seed(0))
        norm = readout.norm
        # what the norm passes on of w, as the difference that w makes to a stream whose scale is held
        passed = (w - w.mean() if norm.centered else w) * norm.gain
        logits = readout.scale * passed @ readout.W_U
        best = lw.promotes(model, w, k=3).quantities["logit added"].values[0, 0]
        assert best == pytest.approx(float((logits - logits.mean()).max()), rel=1e-4), architecture


@pytest.mark.parametrize("architecture", ["LlamaForCausalLM", "GPT2LMHeadModel", "Gemma2ForCausalLM"])
def test_a_heads_singular_directions_are_those_of_its_whole_matrix(architecture: str, tmp_path: Path) -> None:
    architectures.save(architecture, tmp_path)
    model = architectures.boot(tmp_path)
    attention = model.blocks[1].attn
    with torch.no_grad():
        eye = torch.eye(32)[None]
        values = (attention.v.original_component(eye) - attention.v.original_component(0 * eye))[0].reshape(32, -1, 8)
        heads = values.shape[1]
        # what head 3 moves of every coordinate, by the model's own modules
        z = torch.zeros(32, 4, 8)
        z[:, 3] = values[:, 3 // (4 // heads)]
        written = attention.o.original_component(z.reshape(1, 32, 32)) - attention.o.original_component(0 * eye)
        norms = [model.ln_final.original_component.weight]
        if architecture == "Gemma2ForCausalLM":
            norms = [1 + norms[0]]
        _, s, vh = torch.linalg.svd(written[0])
        direction = s[0] * vh[0]
        if architecture == "Gemma2ForCausalLM":
            direction = direction * (1 + model.blocks[1].ln1_post.original_component.weight)
        if architecture == "GPT2LMHeadModel":
            direction = direction - direction.mean()
        logits = (direction * norms[0]) @ model.unembed.W_U
        logits = logits - logits.mean()
    grid = lw.promotes(model, "L1H3", k=5)
    ours = grid.quantities["logit added"].values[0]
    top = sorted([float(logits.max()), float(-logits.min())])
    assert sorted(np.abs(ours[[0, 5]]).tolist()) == pytest.approx(top, rel=1e-3)
    assert len(grid.rows) == 4 and any("sign is free" in note for note in grid.notes)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("L5", "names no neuron and no head"),
        ("L99H0", "has blocks L0 to L29"),
        ("L5H9", r"L5\.attn has H0 to H8; got 'L5H9'"),
        ("L5N1536", r"L5\.mlp has N0 to N1535"),
        (torch.ones(7), "has 576 numbers; got 7"),
        (torch.ones(2, 2, 576), r"got \(2, 2, 576\)"),
    ],
)
def test_what_is_not_there_is_refused(what: Any, said: str, smollm: Any) -> None:
    with pytest.raises(ValueError, match=said):
        lw.promotes(smollm, what)
    with pytest.raises(ValueError, match="tokens a side"):
        lw.promotes(smollm, "L5H3", k=0)
