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
