"""The raw lens of the embedded model says by itself how far its rows can be believed, and of no other model."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch

import lenswidget as lw
from lenswidget.grids.belief import beliefs
from lenswidget.lenses.measured_logit import FILE, MeasuredLogitLens
from lenswidget.model.embedded import embedded_folder
from tests.test_shipped_lens import TEXT

PROMPT = "The capital of France is"


@pytest.fixture(scope="module")
def plain() -> Any:
    """The embedded model as transformers loads it."""
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(embedded_folder())


def test_the_first_picture_warns_by_itself(smollm: Any) -> None:
    grid = lw.logit_lens(lw.run(smollm, PROMPT))
    (fidelity,) = grid.row_quantities
    card = MeasuredLogitLens.load(FILE)
    assert fidelity.values.shape == (31,) and fidelity.values[-1] == 0
    assert fidelity.says == f"this row was {{}} from the output on {card.tokens:,} tokens of held-out text"
    assert (
        card.model == "SmolLM2-135M-Instruct"
        and card.tokens >= 3_500
        and list(card.kl_by_style) == ["prose", "story", "chat", "code"]
    )
    believed = beliefs(grid)
    assert (believed[:20] < 0.1).all() and (believed[:27] < 0.25).all(), "what most rows of a raw lens say is noise"
    assert (believed[-1] == 1).all()


def test_what_was_measured_is_what_five_lines_find_on_a_story(smollm: Any) -> None:
    ids = smollm.to_tokens(TEXT)
    with torch.inference_mode():
        logits, cache = smollm.run_with_cache(ids)
        output = logits[0, 1:].log_softmax(-1)
        rows = [cache[f"blocks.{layer}.hook_resid_pre"][0, 1:] for layer in range(30)]
        read = [smollm.unembed(smollm.ln_final(row[None]))[0].log_softmax(-1) for row in rows]
        kl = [float((output.exp() * (output - row)).sum(-1).mean() / np.log(2)) for row in read]
    known = MeasuredLogitLens.load(FILE).kl_by_style["story"][:-1]
    assert np.corrcoef(known, kl)[0, 1] > 0.98
    assert (np.abs(np.log2(np.array(known) / kl)) < 0.5).all(), "another story"


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_is_known_whichever_library_runs_it_and_in_half_precision(plain: Any, dtype: torch.dtype) -> None:
    model = copy.deepcopy(plain).to(dtype)
    assert len(lw.logit_lens(lw.run(model, PROMPT)).row_quantities) == 1


def test_no_other_model_is_taken_for_it(plain: Any) -> None:
    """Of the same size and name, with the same unembedding, and one block that says something else."""
    other = copy.deepcopy(plain)
    with torch.no_grad():
        other.model.layers[7].mlp.down_proj.weight.mul_(1.5)
    assert lw.logit_lens(lw.run(other, PROMPT)).row_quantities == ()
    with torch.no_grad():
        other.model.layers[7].mlp.down_proj.weight.div_(1.5)
    assert len(lw.logit_lens(lw.run(other, PROMPT)).row_quantities) == 1, "it is tried again when it changed"


def test_a_run_of_a_model_that_changed_since_is_of_no_known_model(plain: Any) -> None:
    other = copy.deepcopy(plain)
    run = lw.run(other, PROMPT)
    with torch.no_grad():
        other.model.layers[7].mlp.down_proj.weight.mul_(1.0)
    assert lw.logit_lens(run).row_quantities == ()


def test_a_run_under_hooks_has_none_and_a_cache_if_it_was_made_under_some(smollm: Any, plain: Any) -> None:
    handle = plain.model.layers[3].register_forward_hook(lambda module, given, made: made)
    try:
        hooked = lw.run(plain, PROMPT)
    finally:
        handle.remove()
    assert lw.logit_lens(hooked).row_quantities == ()
    _, cache = smollm.run_with_cache(PROMPT)
    assert len(lw.logit_lens(cache).row_quantities) == 1
    with smollm.hooks(fwd_hooks=[("blocks.3.hook_resid_post", lambda x, hook: 1.5 * x)]):
        _, cache = smollm.run_with_cache(PROMPT)
    assert lw.logit_lens(cache).row_quantities == ()


def test_other_lenses_and_what_a_reader_measured_speak_for_themselves(smollm: Any) -> None:
    run = lw.run(smollm, PROMPT)
    assert lw.read(run, lw.NegativeLens()).row_quantities == ()
    measured = lw.fidelity(smollm, lw.LogitLens(), [TEXT], tokens=30)
    (mine,) = lw.read(run, lw.LogitLens(), fidelity=measured).row_quantities
    assert mine.name == "mean KL"
