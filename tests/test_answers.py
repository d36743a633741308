"""Many prompts at once: what each answers, from which layer on, and whether it is right."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import lenswidget as lw
from lenswidget.grids.answers import BELIEF, RIGHT, answers_of
from lenswidget.grids.belief import beliefs
from lenswidget.grids.grid import Grid
from lenswidget.grids.overview import overview_of
from lenswidget.grids.parts import Candidates, Quantity, RowQuantity, Target
from lenswidget.view.picture.draw import first_seen, scene_of
from lenswidget.view.picture.overview_scene import places_of
from lenswidget.view.picture.scene import Words
from tests.grids import HOSTILE, make_grid

CASES = json.loads((Path(__file__).parent / "golden" / "answers.json").read_text())
LEAD = [0.1, 0.4, 0.5, 0.8]


def prompt(leaders: list[int], right: list[int], title: str = "a prompt") -> Grid:
    """One position of four rows, in which `leaders` lead."""
    share = np.array(LEAD, dtype=np.float32)[: len(leaders), None]
    followed = () if not right else (Target("right", tuple(right)),)
    quantities = {"probability": Quantity("probability", share, domain=(0.0, 1.0))}
    if right:
        quantities["of right"] = Quantity("of right", share / 2, target=0, measure="probability", domain=(0.0, 1.0))
    return Grid(
        title=title,
        kind="Logit lens",
        rows=("embed", "L0", "L1", "L2")[: len(leaders)],
        columns=np.array([0], dtype=np.int32),
        positions=np.array([0], dtype=np.int32),
        quantities=quantities,
        texts={i: f" tok{i}" for i in range(4)},
        candidates=Candidates(np.array(leaders, dtype=np.int32)[:, None, None], np.log2(share)[..., None]),
        targets=followed,
        row_quantities=(
            RowQuantity("held-out KL", np.array([6, 3, 1.5, 0], dtype=np.float32), "bits", "low", (0.0, 6.0)),
        ),
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["is"])
def test_a_line_says_what_is_answered_from_where_on_and_what_was_lost(case: dict) -> None:
    grid = prompt([leader if leader >= 0 else 0 for leader in case["leaders"]], case["right"])
    rows = np.array([[i if leader >= 0 else -1] for i, leader in enumerate(case["leaders"])], dtype=np.int32)
    whole = prompt([0, 0, 0, 0], [], "another prompt")
    overview = overview_of([grid, whole], ["a", "b"], np.hstack([rows, np.arange(4, dtype=np.int32)[:, None]]))
    assert overview is not None and overview.view == "overview"
    answer, _ = answers_of(overview)
    assert (answer.decided, answer.right, answer.led_until) == (case["decided"], case["isRight"], case["ledUntil"])
    assert answer.token == case["leaders"][-1] and answer.probability == pytest.approx(0.8)
    assert answer.right_probability == pytest.approx(0.4 if case["right"] else np.nan, nan_ok=True)


def test_a_headline_counts_and_a_sentence_says_what_was_lost() -> None:
    grids = [
        prompt(leaders, right, title)
        for leaders, right, title in (
            ([0, 1, 1, 1], [1], "a"), ([0, 1, 1, 2], [1], "b"), ([0, 0, 0, 3], [1], "c"), ([0, 0, 0, 3], [], "d"),
        )
    ]  # fmt: skip
    overview = lw.compare(*grids).overview
    assert overview is not None and overview.rows == ("a", "b", "c", "d")
    assert overview.title == "4 prompts: 1 right, 2 not, 1 without a known answer"
    assert overview.notes == (
        "in 1 of the 2 that are not right, the right answer led in an earlier layer and was lost",
        "no answer leads for good before L0",
    )
    assert overview.quantities[RIGHT].values[:, -1].tolist() == pytest.approx([0.4] * 3 + [np.nan], nan_ok=True)
    np.testing.assert_allclose(overview.quantities[BELIEF].values, [[0.25, 0.5, 2**-0.5, 1]] * 4, rtol=1e-6)


def test_which_of_several_that_all_prompts_follow_is_right_is_not_known() -> None:
    both = (Target("one", (1,)), Target("two", (2,)))
    same = [replace(prompt([0, 0, 1, 1], [1], title), targets=both) for title in "ab"]
    overview = lw.compare(*same).overview
    assert overview is not None and overview.targets == () and overview.title == "2 prompts"
    own = [same[0], replace(same[1], targets=both[::-1])]
    assert lw.compare(*own).overview.targets == (both[0], both[1])  # type: ignore[union-attr]
    followed = [replace(one, targets=both[:1]) for one in same]
    assert lw.compare(*followed).overview.targets == ()  # type: ignore[union-attr]
    lenses = [replace(followed[0], kind=kind) for kind in ("Logit lens", "Tuned lens")]
    assert [answer.right for answer in answers_of(lw.compare(*lenses).overview)] == [True, True]  # type: ignore[arg-type]


def test_lenses_of_one_prompt_go_by_their_names() -> None:
    one, other = prompt([0, 0, 1, 1], []), replace(prompt([0, 1, 1, 1], []), kind="Tuned lens")
    overview = lw.compare(one, other).overview
    assert overview is not None and overview.rows == ("Logit lens", "Tuned lens") and overview.title == "2 grids"


def test_what_can_be_believed_has_more_room_and_the_decision_is_never_beyond_the_last_layer() -> None:
    grids = [make_grid(seed=seed, title=f"prompt {seed}") for seed in range(6)]
    grids = [replace(grid, texts=grids[0].texts) for grid in grids]
    overview = lw.compare(*grids).overview
    assert overview is not None
    for grid, row, answer in zip(grids, overview.quantities[BELIEF].values, answers_of(overview)):
        np.testing.assert_allclose(row, beliefs(grid)[:, -1], rtol=1e-6)
        assert grid.decision is not None and answer.decided == grid.decision[-1] < overview.shape[1]
    shares = np.diff(places_of(overview))
    assert shares.sum() == pytest.approx(1)
    np.testing.assert_array_equal(
        np.argsort(shares, kind="stable")[-1], np.argmax(overview.quantities[BELIEF].values.mean(0))
    )


def test_the_picture_says_the_same_and_stands_for_many_grids() -> None:
    grids = [prompt([0, 1, 1, 2], [0] if i == 4 else [1], f"prompt {i}") for i in range(5)]
    comparison = lw.compare(*grids)
    (seen,) = first_seen(comparison)
    assert seen is comparison.overview
    assert first_seen(lw.compare(*grids[:2])) == tuple(grids[:2])
    words = [shape.text for shape in scene_of(seen).shapes if isinstance(shape, Words)]
    assert {"5 prompts: 0 right, 5 not", "right: tok1 40%, led until L1", "tok2", "80%", "prompt 4", "L2"} <= set(words)
    assert not any("decision layer" in word for word in words)


def test_hostile_prompts_and_tokens_are_only_text(tmp_path: Path) -> None:
    grids = [
        replace(prompt([0, 1, 2, 3], [1], text), texts={i: HOSTILE[(n + i) % len(HOSTILE)] for i in range(4)})
        for n, text in enumerate(HOSTILE)
    ]
    grids = [replace(grid, texts=grids[0].texts) for grid in grids]
    overview = lw.compare(*grids, names=[f"{i}" for i in range(len(grids))]).overview
    assert overview is not None and max(map(len, overview.rows)) <= 200
    for kind in ("svg", "png"):
        assert getattr(overview, f"to_{kind}")(tmp_path / f"a.{kind}").stat().st_size
    assert "<script" not in (tmp_path / "a.svg").read_text() and "<img" not in (tmp_path / "a.svg").read_text()
    assert Grid.load(overview.save(tmp_path / "a.npz")) == overview
