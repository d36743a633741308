"""A difference in words: what leads on either side, how far apart the two are, and what is equal to the last bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import lenswidget as lw
from lenswidget.grids.belief import beliefs
from lenswidget.grids.grid import Grid
from lenswidget.grids.parts import NO_TOKEN, Candidates
from lenswidget.grids.sides import APART, BELIEF, SEES_BACK, apart
from lenswidget.view.picture.draw import scene_of
from lenswidget.view.picture.scene import Box, Words
from lenswidget.view.picture.words_scene import weights_of
from tests.golden.write import golden_comparison
from tests.grids import HOSTILE, make_grid


def candidates_of(distribution: np.ndarray, k: int) -> Candidates:
    order = np.argsort(-distribution, axis=-1)[..., :k].astype(np.int32)
    return Candidates(order, np.log2(np.take_along_axis(distribution, order, -1)).astype(np.float32))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("k", [1, 3, 10, 40])
def test_how_far_apart_is_never_more_than_the_total_variation_and_all_of_it_where_all_is_known(
    seed: int, k: int
) -> None:
    random = np.random.default_rng(seed)
    p, q = random.dirichlet(np.full(40, 0.2), size=(2, 6, 5))
    exact = np.abs(p - q).sum(-1) / 2
    least = apart(candidates_of(p, k), candidates_of(q, k))
    assert (least <= exact + 1e-5).all() and (least >= 0).all()
    if k == 40:
        np.testing.assert_allclose(least, exact, atol=1e-5)
    # the leaders alone say that much: what one leads with, less the most that the other can give it
    best = np.maximum(p.max(-1) - np.take_along_axis(q, p.argmax(-1)[..., None], -1)[..., 0], 0)
    if k == 40:
        assert (least >= best - 1e-5).all()


def prompts() -> tuple[Grid, Grid]:
    """Two prompts that part at the third token: what comes before is the same, to the last bit."""
    one, other = make_grid(seed=1, title="one prompt"), make_grid(seed=2, title="another prompt")
    ids, bits = other.candidates.ids.copy(), other.candidates.log_probability.copy()  # type: ignore[union-attr]
    ids[:, :2], bits[:, :2] = one.candidates.ids[:, :2], one.candidates.log_probability[:, :2]  # type: ignore[union-attr]
    quantities = {}
    for name, quantity in other.quantities.items():
        values = quantity.values.copy()
        if name in one.quantities:
            values[:, :2] = one.quantities[name].values[:, :2]
        quantities[name] = replace(quantity, values=values)
    columns = np.concatenate([one.columns[:2], (one.columns[2:] + 7) % 60]).astype(np.int32)
    return one, replace(other, columns=columns, candidates=Candidates(ids, bits), quantities=quantities)


def test_what_begins_alike_is_equal_to_the_last_bit_and_it_is_said_why() -> None:
    one, other = prompts()
    (difference,) = lw.compare(one, other, align="position").differences
    assert difference is not None and difference.sides is not None
    assert (difference.sides.equal, difference.sides.why) == ((0, 1), SEES_BACK)
    bits = other.candidates.log_probability.copy()  # type: ignore[union-attr]
    bits[3, 1, 2] = np.nextafter(bits[3, 1, 2], np.float32(0))
    nearly = replace(other, candidates=Candidates(other.candidates.ids, bits))  # type: ignore[union-attr]
    (difference,) = lw.compare(one, nearly, align="position").differences
    assert difference is not None and difference.sides is not None and difference.sides.equal == (0,)
    # through two lenses, something else makes them equal
    (difference,) = lw.compare(one, replace(one, kind="Tuned lens")).differences
    assert difference is not None and difference.sides is not None
    assert (difference.sides.equal, difference.sides.why) == ((0, 1, 2, 3, 4), "")


def test_both_sides_are_what_leads_there_and_belief_is_the_lesser() -> None:
    one, other = prompts()
    comparison = lw.compare(one, other, align="position")
    (difference,) = comparison.differences
    assert difference is not None and difference.sides is not None and difference.sides.names == comparison.names
    for side, grid in enumerate((one, other)):
        np.testing.assert_array_equal(difference.sides.leaders.ids[..., side], grid.candidates.ids[..., 0])  # type: ignore[union-attr]
    lesser = np.minimum(beliefs(one), beliefs(other))
    np.testing.assert_allclose(difference.quantities[BELIEF].values, lesser, rtol=1e-6)
    same = difference.sides.leaders.ids[..., 0] == difference.sides.leaders.ids[..., 1]
    np.testing.assert_array_equal(np.isnan(weights_of(difference)), same)
    told = difference.quantities[APART].values * lesser
    np.testing.assert_allclose(weights_of(difference)[~same], told[~same], rtol=1e-5)


def test_a_gap_says_nothing_and_a_part_is_a_part_of_both_sides(tmp_path: Path) -> None:
    comparison = golden_comparison()
    (difference,) = comparison.differences
    assert difference is not None and difference.sides is not None
    (gap,) = np.flatnonzero(comparison.columns[:, 0] == -1)
    assert (difference.sides.leaders.ids[:, gap, 0] == NO_TOKEN).all()
    assert np.isnan(difference.quantities[APART].values[:, gap]).all() and gap not in difference.sides.equal
    part = difference[2:, [0, 2]]
    assert part.sides is not None
    np.testing.assert_array_equal(part.sides.leaders.ids, difference.sides.leaders.ids[2:][:, [0, 2]])
    assert Grid.load(difference.save(tmp_path / "a.npz")) == difference
    without = replace(difference, sides=None)
    assert Grid.load(without.save(tmp_path / "b.npz")) == without


def test_tokens_of_two_vocabularies_are_not_told_in_words() -> None:
    one = make_grid(5, 4)
    other = replace(
        make_grid(5, 4), model="another", columns=one.columns,
        texts={**{i: f"unlike {i}" for i in range(60)}, **{int(i): one.texts[int(i)] for i in one.columns}},
    )  # fmt: skip
    (difference,) = lw.compare(one, other).differences
    assert difference is not None and difference.sides is None and APART not in difference.quantities


def test_the_picture_has_the_same_words_and_numbers_where_they_are_asked_for() -> None:
    one, other = prompts()
    (difference,) = lw.compare(one, other, align="position", names=["France", "Spain"]).differences
    assert difference is not None
    shapes = scene_of(difference).shapes
    words = [shape.text for shape in shapes if isinstance(shape, Words)]
    assert "France → Spain where the leading token differs; size: total variation × belief, at least" in words
    assert " ".join(words).count("see what") == 1 and sum(word == "→" for word in words) > 5
    assert sum(isinstance(shape, Box) and shape.fill == "excluded" for shape in shapes) == 1
    numbers = scene_of(difference, "probability").shapes
    assert not any(isinstance(shape, Words) and shape.text == "→" for shape in numbers)


def test_hostile_texts_are_only_text(tmp_path: Path) -> None:
    one, other = prompts()
    texts = {i: HOSTILE[i % len(HOSTILE)] for i in range(60)}
    pair = [replace(grid, texts=texts, title=HOSTILE[n]) for n, grid in enumerate((one, other))]
    (difference,) = lw.compare(*pair, names=HOSTILE[:2], align="position").differences
    assert difference is not None
    svg = difference.to_svg(tmp_path / "a.svg").read_text()
    assert "<script" not in svg and "<img" not in svg
    assert difference.to_png(tmp_path / "a.png").stat().st_size
