"""Rules find the cells that a question asks for, in any Grid; held to plain loops over its values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lenswidget.grids.grid import Grid
from lenswidget.grids.parts import Candidates
from lenswidget.lessons.rules import biggest_jump, cells_of, first_lead, greatest, least
from tests.grids import HOSTILE, make_grid

SEEDS = range(12)


def leaders(grid: Grid, column: int) -> list[str]:
    assert grid.candidates is not None
    return [grid.text(grid.candidates.ids[row, column, 0]) for row in range(len(grid.rows))]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_row_from_which_a_token_leads(seed: int) -> None:
    grid = make_grid(rows=9, columns=4, vocabulary=6, seed=seed)
    for column in range(4):
        led = leaders(grid, column)
        row = len(led) - 1
        while row > 0 and led[row - 1] == led[-1]:
            row -= 1
        assert first_lead(led[-1], position=column)(grid) == [(row, column)]
        assert grid.decision is None or grid.decision[column] == row
        for token in set(led):
            assert first_lead(token, position=column - 4, stays=False)(grid) == [(led.index(token), column)]


def test_tokens_that_count_as_one_lead_together() -> None:
    grid = make_grid(rows=9, columns=4, vocabulary=6, seed=3)
    led = leaders(grid, 2)
    pair = {led[-1], next(one for one in reversed(led) if one != led[-1])}
    row = len(led) - 1
    while row > 0 and led[row - 1] in pair:
        row -= 1
    assert first_lead(sorted(pair), position=2)(grid) == [(row, 2)]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_row_of_the_largest_rise(seed: int) -> None:
    grid = make_grid(rows=9, columns=4, seed=seed)
    (target,) = (t for t in grid.targets)
    values = grid.values("probability", target=target.ids[0])
    best, most = -1, -1.0
    for row in range(1, 9):
        rise = float(values[row, 1]) - float(values[row - 1, 1])
        if rise > most:
            best, most = row, rise
    rule = biggest_jump(target.ids[0], position=1)
    if most > 0:
        assert rule(grid) == [(best, 1)]
    else:
        with pytest.raises(ValueError, match="rises in none of its rows"):
            rule(grid)


def test_a_token_that_is_no_target_rises_by_what_the_candidates_say() -> None:
    grid = make_grid(rows=9, columns=4, seed=5)
    assert grid.trajectories is not None
    span = grid.trajectories.of(2)
    for token, bits in zip(grid.trajectories.ids[span], grid.trajectories.log_probability[span]):
        chances = [2.0 ** float(one) for one in bits]
        rises = [chances[row] - chances[row - 1] for row in range(1, 9)]
        if max(rises) > 0:
            assert biggest_jump(int(token), position=2)(grid) == [(rises.index(max(rises)) + 1, 2)]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_cells_with_the_ends_of_a_quantity(seed: int) -> None:
    grid = replace(make_grid(rows=9, columns=4, seed=seed), excluded=(0,))
    values = grid.quantities["entropy"].values.copy()
    values[3, 2] = np.nan
    grid = replace(grid, quantities=grid.quantities | {"entropy": replace(grid.quantities["entropy"], values=values)})
    inside = [(float(values[r, c]), r, c) for r in range(9) for c in range(1, 4) if not np.isnan(values[r, c])]
    _, row, column = max(inside)
    assert greatest("entropy", position=None)(grid) == [(row, column)]
    _, row, column = min(inside)
    assert least("entropy", position=None)(grid) == [(row, column)]
    at = [(float(values[r, 2]), r) for r in range(9) if r != 3]
    assert greatest("entropy", position=2)(grid) == [(max(at)[1], 2)]
    assert least("entropy", position=2)(grid) == [(min(at)[1], 2)]


def test_cells_that_tie_are_all_right() -> None:
    grid = make_grid(rows=4, columns=2)
    flat = replace(grid.quantities["entropy"], values=np.zeros((4, 2), np.float32))
    assert greatest("entropy", position=0)(replace(grid, quantities={"entropy": flat})) == [(i, 0) for i in range(4)]


def test_cells_by_label_index_set_and_function() -> None:
    grid = make_grid(rows=7, columns=5)
    assert cells_of(("L5", -1), grid) == cells_of([6, 4], grid) == cells_of(lambda g: (6, 4), grid) == [(6, 4)]
    assert cells_of({("L5", 0), ("embed", 1)}, grid) == [(0, 1), (6, 0)]
    assert cells_of(lambda g: np.argwhere(g.values("entropy") >= 0).tolist(), grid) == [
        (row, column) for row in range(7) for column in range(5)
    ]
    assert cells_of("L2", replace(grid, view="bars")) == [(3, 4)]


@pytest.mark.parametrize(
    ("right", "error", "sentence"),
    [
        (("L70", -1), KeyError, r"'L70' is no row of this Grid; it has embed to L5"),
        (("L5", 9), IndexError, "position 9 is out of range"),
        ((True, 1), TypeError, "True is no cell"),
        (7, TypeError, "right is 7; give a cell"),
        (None, TypeError, "right is None"),
        ("L5", ValueError, "the label of one bar, and this Grid is drawn as cells"),
        (set(), ValueError, "right is no cell at all"),
        ({"a": 1}, TypeError, "give a cell"),
        ([("L5", 1, 0)], TypeError, "is no cell; a cell is a row and a position"),
        (lambda grid: [], ValueError, "gave no cell at all"),
        (first_lead(" nowhere"), ValueError, "No token of this Grid reads ' nowhere'.*lw.logit_lens"),
        (biggest_jump(" nowhere"), ValueError, "No token of this Grid reads"),
        (greatest("beauty"), ValueError, "This Grid has no 'beauty'; it has 'probability'"),
        (greatest("entropy", position=12), IndexError, "out of range"),
    ],
)
def test_what_gives_no_cell_is_said(right: Any, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        cells_of(right, make_grid())


def test_a_token_that_lost_its_lead_is_said() -> None:
    grid = make_grid(rows=9, columns=4, vocabulary=6, seed=3)
    led = leaders(grid, 3)
    lost = next(one for one in led if one != led[-1])
    where = ", ".join(label for label, one in zip(grid.rows, led) if one == lost)
    with pytest.raises(ValueError, match=f"doesn't lead in its last row at position 3; it led in {where} and lost"):
        first_lead(lost, position=3)(grid)


def test_a_grid_of_one_row_and_one_of_numbers() -> None:
    grid = make_grid(rows=7, columns=3)
    one = grid[-1:]
    led = leaders(one, -1)[0]
    assert first_lead(led)(one) == [(0, 2)]
    with pytest.raises(ValueError, match="it has one row"):
        biggest_jump(led)(one)
    with pytest.raises(ValueError, match="no tokens in its cells"):
        first_lead(led)(replace(grid, candidates=None))


@pytest.mark.parametrize("text", [text for text in HOSTILE if text])
def test_hostile_texts_are_found_as_any_other(text: str) -> None:
    grid = make_grid(rows=5, columns=2)
    assert grid.candidates is not None
    leader = int(grid.candidates.ids[-1, -1, 0])
    grid = replace(grid, texts={**grid.texts, leader: text})
    assert first_lead(text)(grid) == first_lead(leader)(grid)
    twice = replace(grid, texts={**grid.texts, max(grid.texts) + 1: text})
    with pytest.raises(ValueError, match="is the text of 2 tokens"):
        first_lead(text)(twice)


def test_what_no_number_is_known_of_is_said() -> None:
    grid = make_grid(rows=4, columns=2)
    none = replace(grid.quantities["entropy"], values=np.full((4, 2), np.nan, np.float32))
    with pytest.raises(ValueError, match="has no number of 'entropy' there"):
        greatest("entropy")(replace(grid, quantities={"entropy": none}))


def test_a_rule_says_what_it_is() -> None:
    rules: list[tuple[Callable[..., Any], str]] = [
        (first_lead(" Au"), "first_lead(' Au', position=-1, stays=True)"),
        (biggest_jump(7, position=2), "biggest_jump(7, position=2)"),
        (least("rank", position=None, target=" Au"), "least('rank', position=None, target=' Au')"),
    ]
    for rule, said in rules:
        assert repr(rule) == said


def test_candidates_are_what_leads() -> None:
    """Not the trajectories: in a tie, what leads is what is shown to lead."""
    grid = make_grid(rows=3, columns=1, vocabulary=6)
    ids = np.full((3, 1, 4), -1, np.int32)
    ids[:, 0, 0] = [1, 2, 2]
    grid = replace(grid, candidates=Candidates(ids, np.zeros((3, 1, 4), np.float32)))
    assert first_lead(2)(grid) == [(1, 0)]
