"""How far a cell can be believed: one formula, which both languages have."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lenswidget.grids.belief import BLIND, belief, beliefs, row_belief
from lenswidget.grids.parts import RowQuantity
from tests.grids import make_grid

CASES = json.loads((Path(__file__).parent / "golden" / "belief.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['kl']} of {case['blind']} bits")
def test_belief_falls_from_the_output_to_a_blind_guess(case: dict) -> None:
    kl = np.array([float(case["kl"])], dtype=np.float32)
    assert belief(kl, float(case["blind"]))[0] == pytest.approx(float(case["belief"]), abs=1e-6, nan_ok=True)
    fidelity = RowQuantity("held-out KL", kl, unit="bits", strong="low", domain=(0.0, float(case["blind"])))
    assert row_belief(fidelity)[0] == pytest.approx(float(case["belief"]), abs=1e-6, nan_ok=True)


def test_a_row_that_was_measured_speaks_for_its_cells_and_else_each_for_itself() -> None:
    grid = make_grid(4, 3)
    kl = np.array([[9, 9, 9], [1, 3, 6], [np.nan, 0, 12], [0, 0, 0]], dtype=np.float32)
    own = {**grid.quantities, "KL to the output": replace(grid.quantities["KL to the output"], values=kl)}
    fidelity = RowQuantity(
        "held-out KL", np.array([4, np.nan, np.nan, 0], dtype=np.float32), unit="bits", strong="low", domain=(0.0, 8.0)
    )
    worse = replace(fidelity, values=np.array([6, np.nan, np.nan, 0], dtype=np.float32))
    other = RowQuantity("decision layer", np.array([0, 0, 0, 0], dtype=np.float32), strong="low")
    grid = replace(grid, quantities=own, row_quantities=(fidelity, worse, other))
    by_itself = [[2 ** (-2 * bits / BLIND) for bits in some] for some in ([1, 3, 6], [np.nan, 0, 12])]
    np.testing.assert_allclose(beliefs(grid), [[2 ** (-2 * 6 / 8)] * 3, *by_itself, [1] * 3], rtol=1e-6)
    assert np.isnan(beliefs(replace(grid, candidates=None))).all()
    without = replace(grid, quantities={"entropy": grid.quantities["entropy"]}, row_quantities=())
    assert np.isnan(beliefs(without)).all()
