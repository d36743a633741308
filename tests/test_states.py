"""The states of many prompts are those of each prompt's own run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from lenswidget.evidence.states import states
from tests.test_hugging_face import saved
from tests.test_trajectories import PROMPTS


@torch.no_grad()
def test_states_are_the_models_own(tmp_path: Path) -> None:
    llama = saved("LlamaForCausalLM", tmp_path)
    for row, layer in (("embed", 0), ("L0", 1), (1, 2)):
        found = states(llama, PROMPTS, row)
        for prompt, state in zip(PROMPTS, found):
            theirs = llama(torch.tensor([prompt]), output_hidden_states=True).hidden_states[layer][0, -1]
            np.testing.assert_allclose(state, theirs, atol=1e-4)
    within = states(llama, PROMPTS[4:], "L0", position=3)
    theirs = llama(torch.tensor([PROMPTS[4]]), output_hidden_states=True).hidden_states[1][0, 3]
    np.testing.assert_allclose(within[0], theirs, atol=1e-4)
    with pytest.raises(ValueError, match="Prompt 1 has 3 tokens and no position 3"):
        states(llama, PROMPTS, "L0", position=3)
    with pytest.raises((ValueError, KeyError), match="L9"):
        states(llama, PROMPTS, "L9")


@torch.no_grad()
def test_what_lies_above_the_row_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    llama = saved("LlamaForCausalLM", tmp_path)
    top, calls = llama.model.layers[-1], []
    forward = top.forward
    monkeypatch.setattr(top, "forward", lambda *given, **named: calls.append(1) or forward(*given, **named))
    ran = []
    for row in ("L0", "L0", f"L{len(llama.model.layers) - 1}"):  # the first time, how prompts can run is tried
        calls.clear()
        states(llama, PROMPTS, row)
        ran.append(len(calls))
    assert ran[1] < ran[2]
