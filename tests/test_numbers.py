"""Numbers for eyes: one format in both languages."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lenswidget.view.picture.numbers import decimals_for, fixed, number, percent, tick, ticks

CASES = json.loads((Path(__file__).parent / "golden" / "numbers.json").read_text())


@pytest.mark.parametrize("value, said", CASES["alone"])
def test_a_number_alone(value: float | str, said: str) -> None:
    assert number(float(value)) == said


@pytest.mark.parametrize("values, said", CASES["beside"])
def test_numbers_beside_each_other_have_the_same_decimals(values: list[float | str], said: list[str]) -> None:
    row = np.array([float(value) for value in values])
    assert [fixed(float(value), decimals_for(row), signed=True) for value in row] == said


@pytest.mark.parametrize("value, said", CASES["axis"])
def test_a_number_on_an_axis(value: float | int, said: str) -> None:
    assert tick(float(value)) == said


@pytest.mark.parametrize("ends, numbers", CASES["ticks"])
def test_round_numbers_of_an_axis(ends: list[float | int], numbers: list[float | int]) -> None:
    low, high, count = ends
    assert ticks(float(low), float(high), int(count)) == pytest.approx(numbers, rel=1e-12)


@pytest.mark.parametrize(
    "probability, said", [(0.91, "91 %"), (0.0774, "7.7 %"), (0.0004, "< 0.1 %"), (0.9999, "> 99.9 %"), (1.0, "100 %")]
)
def test_a_probability(probability: float, said: str) -> None:
    assert percent(probability).replace("\u202f", " ") == said
