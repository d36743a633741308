"""Which weights a model has: one checkpoint is one in every library and precision, and two of one name are two."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch

import lenswidget as lw
from lenswidget.lenses.files.card import Card
from lenswidget.model.weights import OF_UNEMBEDDING, Weights, same_blocks
from tests import architectures
from tests.test_hugging_face import Eight, in_place_of_linears, offloaded, peft

TOKENS = [1, 40, 70, 33, 120, 99, 70, 250, 41]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    architectures.save("LlamaForCausalLM", tmp_path / "checkpoint-500")
    return tmp_path / "checkpoint-500"


@pytest.fixture
def model(folder: Path) -> Any:
    return architectures.oracle("LlamaForCausalLM", folder)


def weights(model: Any) -> Weights:
    return lw.run(model, TOKENS).weights


def tuned(model: Any, *, rate: float = 1e-4, steps: int = 3) -> Any:
    """The same model, its blocks trained for a few steps on a few tokens."""
    model = copy.deepcopy(model)
    blocks = [weight for name, weight in model.named_parameters() if ".layers." in name and weight.ndim == 2]
    optimizer = torch.optim.AdamW(blocks, lr=rate, weight_decay=0.0)
    ids = torch.tensor([TOKENS])
    for _ in range(steps):
        optimizer.zero_grad()
        model(ids, labels=ids).loss.backward()
        optimizer.step()
    return model.requires_grad_(False)


def lens_of(model: Any) -> lw.TunedLens:
    return lw.TunedLens.identity(model)


@pytest.mark.parametrize(
    "architecture", ["LlamaForCausalLM", "GPT2LMHeadModel", "GPTNeoXForCausalLM", "Gemma2ForCausalLM"]
)
def test_one_checkpoint_is_one_in_every_library_and_precision(architecture: str, tmp_path: Path) -> None:
    architectures.save(architecture, tmp_path)
    alone = weights(architectures.oracle(architecture, tmp_path))
    bridge = weights(architectures.boot(tmp_path))
    assert alone.digest == bridge.digest and torch.equal(alone.sample, bridge.sample)
    assert bool(alone.sample.isfinite().all())
    half = weights(architectures.oracle(architecture, tmp_path, torch.bfloat16))
    assert half.digest == alone.digest and same_blocks(half.sample, alone.sample)


def test_entries_are_those_of_the_files(model: Any) -> None:
    """Every entry of a block is somewhere in the matrices that Hugging Face loaded, and a third in each kind of these."""
    sample = weights(model).sample[OF_UNEMBEDDING:].view(3, 3, -1)
    for number, block in enumerate(model.model.layers):
        matrices = (block.self_attn.v_proj, block.self_attn.o_proj, block.mlp.down_proj)
        for entries, matrix in zip(sample[number], matrices):
            assert bool(torch.isin(entries, matrix.weight).all())


def test_two_checkpoints_of_one_name_are_two(model: Any) -> None:
    other = tuned(model)
    runs = [lw.run(one, TOKENS) for one in (model, other)]
    one, two = (run.weights.digest for run in runs)
    assert one != two and len(one) == 12
    grids = [lw.logit_lens(run) for run in runs]
    comparison = lw.compare(*grids)
    assert comparison.names == (f"checkpoint-500 (weights {one[:6]})", f"checkpoint-500 (weights {two[:6]})")
    assert "the models called 'checkpoint-500' have different weights" in comparison.notes
    assert comparison.differences[0] is not None and comparison.differences[0].model == ""
    bars = [lw.attribute(run, 77) for run in runs]
    assert [grid.provenance["weights"] for grid in (*grids, *bars)] == [one, two, one, two]
    again = lw.compare(grids[0], lw.logit_lens(lw.run(model, TOKENS[::-1])))
    assert not any("weights" in text for text in (*again.names, *again.notes)), "shown only where two differ"
    assert again.mean is not None
    assert lw.compare(grids[0], lw.logit_lens(lw.run(other, TOKENS[::-1]))).mean is None


def test_a_weight_changed_in_place_is_another_model_to_a_comparison(model: Any) -> None:
    before = lw.logit_lens(lw.run(model, TOKENS))
    with torch.no_grad():
        model.model.layers[1].mlp.down_proj.weight.zero_()
    after = lw.logit_lens(lw.run(model, TOKENS))
    assert before.provenance["weights"] != after.provenance["weights"]


@pytest.mark.parametrize("kind", ["fine-tune", "adapter", "edited"])
def test_a_lens_is_not_for_another_fine_tune_of_the_same_unembedding(kind: str, model: Any, tmp_path: Path) -> None:
    lens = lw.load_lens(lens_of(model).save(tmp_path / "lens.safetensors"))
    lens.require(lw.run(model, TOKENS))
    lens.require(lw.run(copy.deepcopy(model).bfloat16(), TOKENS))
    if kind == "fine-tune":
        other = tuned(model)
    elif kind == "adapter":
        other = peft(copy.deepcopy(model), target_modules=["q_proj", "v_proj"])
    else:
        other = copy.deepcopy(model)
        with torch.no_grad():
            other.model.layers[1].mlp.down_proj.weight.add_(0.01)
    run = lw.run(other, TOKENS)
    assert torch.equal(run.readout.W_U, lw.run(model, TOKENS).readout.W_U)
    with pytest.raises(
        ValueError, match=r"fitted to checkpoint-500, and the weights in the blocks of .*lw\.read\(run, lens\.move\)"
    ):
        lw.read(run, lens)
    lw.read(run, lens.move)  # as the sentence says
    if kind == "adapter":
        with other.disable_adapter():
            lens.require(lw.run(other, TOKENS))
        with pytest.raises(ValueError, match="weights in the blocks"):
            lens.require(lw.run(other.merge_and_unload().eval(), TOKENS))


def test_a_lens_of_an_older_file_is_known_by_its_unembedding(model: Any) -> None:
    lens = lens_of(model)
    older = lw.TunedLens(lens.weight, lens.bias, lens.card, lens.sample[:OF_UNEMBEDDING])
    older.require(lw.run(tuned(model), TOKENS))
    with pytest.raises(ValueError, match="whose unembedding is not that of"):
        lw.TunedLens(lens.weight, lens.bias, lens.card, older.sample + 1).require(lw.run(model, TOKENS))
    nothing = lw.TunedLens(lens.weight, lens.bias, Card("m", "d", 9), torch.zeros(0))
    nothing.require(lw.run(model, TOKENS))


def test_a_quantised_model_is_read_through_the_lens_of_its_own_weights(model: Any) -> None:
    """Eight bits change more than a fine-tune does, so that entries can't tell one from the other."""
    lens, digest = lens_of(model), weights(model).digest
    eight = in_place_of_linears(copy.deepcopy(model), Eight)
    lens.require(lw.run(eight, TOKENS))
    other = in_place_of_linears(tuned(model, rate=1e-2), Eight)
    assert len({digest, weights(eight).digest, weights(other).digest}) == 3
    assert weights(eight).digest == weights(eight).digest


def test_torchao_has_weights_too(model: Any) -> None:
    library = pytest.importorskip("torchao.quantization")
    other = tuned(model, rate=1e-2)
    for one in (model, other):
        library.quantize_(one, library.Int8WeightOnlyConfig())
    assert weights(model).digest != weights(other).digest


def test_weights_kept_elsewhere_are_the_same(folder: Path, tmp_path: Path) -> None:
    here = weights(architectures.oracle("LlamaForCausalLM", folder))
    away = weights(offloaded(architectures.oracle("LlamaForCausalLM", folder), tmp_path / "elsewhere"))
    assert away.digest == here.digest and torch.equal(away.sample, here.sample)
