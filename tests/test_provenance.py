"""A Grid says where it came from, and the call that makes it again does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import lenswidget as lw
from lenswidget.grids.grid import Grid
from tests.test_hugging_face import saved

PROMPT = "The capital of France is"


@pytest.mark.parametrize(
    "make",
    [
        lambda run, lens: lw.logit_lens(run),
        lambda run, lens: lw.logit_lens(run, targets=[" Paris", (" London", 7042)], against=" the", k=3),
        lambda run, lens: lw.read(run, lens, targets=" Paris", extra=["total_variation", "jensen_shannon"]),
        lambda run, lens: lw.read(run, lw.NegativeLens()),
        lambda run, lens: lw.attribute(run, " Paris", " London", unit="head", top=5),
        lambda run, lens: lw.attribute(run, (" Paris", "Paris"), position=[2, 3]),
        lambda run, lens: lw.attribute(run, " Paris", by_layer=True, unit="head"),
        lambda run, lens: lw.divergence(run, lw.LogitLens(), lens),
    ],
)
@pytest.mark.parametrize("prompt", [PROMPT, [504, 3575, 282, 1, 2], "a\n\"quoted\" 'text'\\"])
def test_the_call_makes_the_same_grid_again(smollm: Any, make: Callable[..., Grid], prompt: Any) -> None:
    lens = lw.load_lens()
    edit = lw.Edit("L3.attn", to=0, position=1)
    for edits in ([], [edit]):
        grid = make(lw.run(smollm, prompt, edits=edits), lens)
        again = eval(grid.provenance["call"], {"lw": lw, "model": smollm, "lens": lens})
        assert again == grid


def test_a_grid_says_model_weights_lens_edits_and_hooks(smollm: Any) -> None:
    lens = lw.load_lens()
    run = lw.run(smollm, PROMPT, edits=[lw.Edit("L3.attn", to=0)])
    said = lw.read(run, lens).provenance
    assert said["lens"] == "Tuned lens" and said["lens digest"] == lens.digest
    assert said["weights"] == run.weights.digest and said["edits"] == "L3.attn ← 0"
    other = type(lens)(lens.weight, lens.bias * (1 + 1e-6), lens.card, lens.sample)
    assert other.digest != lens.digest and len(lens.digest) == 12
    with smollm.hooks(fwd_hooks=[("blocks.3.hook_resid_post", lambda x, hook: x)]):
        hooked = lw.logit_lens(lw.run(smollm, PROMPT)).provenance
    assert "blocks.3" in hooked["hooks"]


def test_ids_that_no_text_makes_are_given_as_ids(smollm: Any) -> None:
    split = torch.tensor([smollm.tokenizer.convert_tokens_to_ids(one) for one in ("a", "n", "d")])
    assert lw.logit_lens(lw.run(smollm, split)).provenance["call"] == f"lw.logit_lens(lw.run(model, {split.tolist()}))"


@pytest.mark.parametrize(
    "make",
    [
        lambda base, source: lw.patch(base, source, 7, against=9, at=-1),
        lambda base, source: lw.patch(source, 0, 7, unit="mlp", window=2, at=[1, 2]),
        lambda base, source: lw.causal_trace(source, [1, 2], samples=2, seed=3, unit="attn"),
    ],
)
def test_the_call_makes_the_same_sweep_again(tmp_path: Path, make: Callable[..., Grid]) -> None:
    model = saved("LlamaForCausalLM", tmp_path)
    base, source = (lw.run(model, ids) for ids in ([1, 40, 71, 33, 121, 99], [1, 40, 72, 34, 121, 99]))
    grid = make(base, source)
    assert eval(grid.provenance["call"], {"lw": lw, "model": model}) == grid
    assert grid.provenance["weights"] == base.weights.digest and "edits" not in grid.provenance
