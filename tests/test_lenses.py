"""A lens is anything that moves a row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import lenswidget as lw

PROMPT = "The capital of France is"


@pytest.fixture(scope="module")
def run(smollm: Any) -> lw.Run:
    return lw.run(smollm, PROMPT)


def test_a_function_of_ones_own_is_a_lens(run: lw.Run) -> None:
    def halfway(residual: Tensor, row: int) -> Tensor:
        return (residual + run.residual[-1]) / 2

    grid = lw.read(run, halfway, targets=[" Paris"])
    assert grid.kind == "halfway" and grid.notes[0] == "a function of your own"
    logits = run.readout.logits((run.residual[12] + run.residual[-1]) / 2)
    expected = torch.log_softmax(logits, -1)[:, grid.targets[0].ids[0]] / np.log(2)
    np.testing.assert_allclose(
        grid.quantities["log-probability of ' Paris'"].values[12], expected, rtol=1e-4, atol=1e-4
    )


def test_the_last_row_is_the_model_through_every_lens(run: lw.Run) -> None:
    plain = lw.logit_lens(run)
    for lens in (lw.NegativeLens(), lambda residual, row: residual * 0):
        grid = lw.read(run, lens)
        assert grid.check == run.check
        np.testing.assert_array_equal(grid.candidates.ids[-1], plain.candidates.ids[-1])


def test_the_negative_lens_leads_with_what_is_suppressed_most(run: lw.Run) -> None:
    grid = lw.read(run, lw.NegativeLens())
    # an RMSNorm without a bias, so turning a state round turns its logits round
    least = run.readout.logits(run.residual[20]).argmin(-1)
    assert grid.candidates.ids[20, :, 0].tolist() == least.tolist()


@pytest.mark.parametrize(
    ("lens", "sentence"),
    [
        (
            lambda residual, row: residual[:1],
            r"returned \(1, 576\) for row 0; a lens returns the row moved, \(5, 576\)",
        ),
        (lambda residual, row: None, r"returned NoneType for row 0"),
        (lw.LogitLens, r"LogitLens is a kind of lens, not a lens; make one first, as in LogitLens\(\)"),
        ("tuned", r"got str; for a saved one call lw.load_lens\(path\)"),
    ],
)
def test_what_is_no_lens_is_refused(run: lw.Run, lens: Any, sentence: str) -> None:
    with pytest.raises((TypeError, ValueError), match=sentence):
        lw.read(run, lens)
