"""A model that nnsight wraps, with its weights here: every figure is that of the model within."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import lenswidget as lw
from tests import architectures
from tests.test_architectures import TOKENS, distance, one_thread, says

nnsight = pytest.importorskip("nnsight", reason="pip install lenswidget[nnsight]", exc_type=ImportError)

assert one_thread  # models this small are slower on two


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    architectures.save("LlamaForCausalLM", tmp_path)
    return tmp_path


def wrapped(folder: Path) -> Any:
    """The saved model as nnsight opens it: without its weights, until they are needed."""
    return nnsight.TransformersModel(str(folder), task="text-generation", tokenizer=architectures.tokenizer())


def test_weights_are_loaded_and_the_tokenizer_is_its_own(folder: Path) -> None:
    model = wrapped(folder)
    assert not model.dispatched
    run = lw.run(model, "hello")
    assert model.dispatched and run.texts[int(run.tokens[-1])] == "o"
    assert distance(run.readout.logits(run.residual[-1]), _own(folder, run.tokens)) < 1e-4


def _own(folder: Path, tokens: torch.Tensor) -> torch.Tensor:
    oracle = architectures.oracle("LlamaForCausalLM", folder)
    with torch.inference_mode():
        return oracle(tokens[None], use_cache=False).logits[0].float()


def test_what_is_read_is_what_a_trace_of_nnsight_gives(folder: Path) -> None:
    model = wrapped(folder)
    run = lw.run(model, TOKENS)
    with model.trace(torch.tensor([TOKENS])):
        first = model.model.layers[0].input.save()
        middle = model.model.layers[1].output.save()
        logits = model.output.logits.save()
    assert torch.equal(run.residual[0], first[0])
    assert torch.allclose(
        run.residual[2], (middle[0] if isinstance(middle, tuple) else middle).view(len(TOKENS), -1), atol=1e-6
    )
    assert distance(run.readout.logits(run.residual[-1]), logits[0]) < 1e-4


def test_attribution_sweeps_and_edits_are_those_of_the_model_within(folder: Path) -> None:
    oracle = architectures.oracle("LlamaForCausalLM", folder)
    within = nnsight.NNsight(architectures.oracle("LlamaForCausalLM", folder))
    runs = [lw.run(model, TOKENS, edits=[lw.Edit("L1", to=0, position=2)]) for model in (oracle, within)]
    target = int(says(oracle)[-1].argmax())
    for ours, theirs in (
        [lw.logit_lens(run) for run in runs],
        [lw.attribute(run, target) for run in runs],
        [lw.attribute(run, target, unit="head") for run in runs],
        [
            lw.patch(lw.run(model, TOKENS), lw.run(model, [*TOKENS[:-3], 7, 9, 11]), target)
            for model in (oracle, within)
        ],
    ):
        assert list(ours.quantities) == list(theirs.quantities)
        for name in ours.quantities:
            assert np.array_equal(ours.values(name), theirs.values(name), equal_nan=True), name


def test_edits_of_nnsight_s_own_are_refused_with_what_to_call(folder: Path) -> None:
    model: Any = wrapped(folder)
    with model.edit() as (_, edited):
        edited.model.layers[1].output[:] = 0
    with pytest.raises(ValueError, match=r"1 edit of its own.*clear_edits\(\).*edits=\[lw\.Edit"):
        lw.run(edited, TOKENS)
    lw.run(model, TOKENS)


def test_a_part_of_a_model_is_refused_by_name(folder: Path) -> None:
    model: Any = wrapped(folder)
    with pytest.raises(TypeError, match=r"needs a model of transformers.* and got LlamaDecoderLayer"):
        lw.run(model.model.layers[0], TOKENS)


def test_lenswidget_alone_imports_no_nnsight() -> None:
    code = "import sys, lenswidget as lw; lw.run; assert 'nnsight' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
