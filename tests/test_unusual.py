"""Distances, shares and AUROCs against loops by hand; no model, no torch."""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lenswidget as lw
from lenswidget.evidence.auroc import auroc, auroc_interval
from lenswidget.grids.grid import Grid
from lenswidget.grids.parts import ColumnQuantity, Quantity
from tests.grids import HOSTILE, make_grid

GROUPS = ["plain"] * 12 + ["injected"] * 6 + ["harmless"] * 6


def prompts(*, seed: int = 0, shift: float = 3.0, groups: list[str] | None = GROUPS) -> Grid:
    """A Grid with a column a prompt, whose entropies lie apart by group."""
    count = len(GROUPS)
    grid = make_grid(columns=count, seed=seed)
    random = np.random.default_rng(seed)
    entropy = random.normal(size=(7, count)) + shift * np.array([group != "plain" for group in GROUPS])
    length = np.array([9.0] * 12 + [20.0] * 6 + [9.0] * 6, dtype=np.float32)
    return replace(
        grid,
        quantities={**grid.quantities, "entropy": Quantity("entropy", entropy.astype(np.float32), unit="bits")},
        groups=None if groups is None else tuple(groups),
        column_quantities=(ColumnQuantity("tokens", length),),
        provenance={"weights": "abc", "all begin with": "Q:"},
    )


def by_hand(points: np.ndarray, normal: list[int], k: int) -> list[float]:
    found = []
    for i, point in enumerate(points):
        distances = sorted(float(np.linalg.norm(point - points[j])) for j in normal if j != i)
        found.append(sum(distances[:k]) / k)
    return found


def pairs(higher: Any, lower: Any) -> float:
    return float(np.mean([(a > b) + (a == b) / 2 for a in higher for b in lower]))


def test_a_score_is_the_mean_distance_to_the_nearest_normal_prompts() -> None:
    grid = prompts()
    found = lw.unusual(grid, normal="plain", k=3)
    scores = by_hand(grid.values("entropy").T.astype(float), list(range(12)), 3)
    np.testing.assert_allclose(found.scores, scores, rtol=1e-12)
    for i, score in enumerate(scores):
        others = [scores[j] for j in range(12) if j != i]
        assert found.higher[i] == pytest.approx(np.mean([other > score for other in others]))
    for group in found.groups:
        these = [scores[i] for i, name in enumerate(GROUPS) if name == group.name]
        assert group.auroc == pytest.approx(pairs(these, scores[:12]))
        assert group.low <= group.auroc <= group.high
        assert group.flagged == np.mean([score >= found.line for score in these])
    assert np.mean([score >= found.line for score in scores[:12]]) == pytest.approx(1 / 12)


def test_scores_stand_below_the_columns_and_in_a_table() -> None:
    found = lw.unusual(prompts(), normal="plain")
    names = [one.name for one in found.grid.column_quantities]
    assert names == ["tokens", "unusual by entropy", "normal prompts that score higher"]
    below = found.grid.column_quantities[1]
    assert below.unit == "bits" and below.line == pytest.approx(found.line)
    np.testing.assert_array_equal(below.values, found.scores.astype(np.float32))
    table = found.to_dataframe()
    assert table["name"].tolist() == ["injected", "harmless"] and table["prompts"].tolist() == [6, 6]
    # scored again, it has its columns once
    again = lw.unusual(found.grid, normal="plain", k=2).grid
    assert [one.name for one in again.column_quantities] == names


def test_what_is_said_of_groups_stands_beside_their_scores(tmp_path: Path) -> None:
    grid = prompts()
    found = lw.unusual(grid, normal="plain")
    score = found.grid.column_quantities[1]
    injected, harmless = found.groups
    assert score.of_groups == {
        "plain": "normal, held out",
        "injected": f"AUROC {injected.auroc:.2f} ({injected.low:.2f} to {injected.high:.2f})",
        "harmless": f"AUROC {harmless.auroc:.2f} ({harmless.low:.2f} to {harmless.high:.2f})",
    }
    assert score.reach == "8 % of normal prompts" and not score.elsewhere
    again = Grid.load(found.grid.save(tmp_path / "found.lens"))
    assert again == found.grid and again.column_quantities[1].of_groups == score.of_groups
    # of some of a group's prompts it isn't known; in another order it is
    assert not found.grid[:, 1:].column_quantities[1].of_groups
    assert found.grid[:, ::-1].column_quantities[1].of_groups == score.of_groups


def test_normal_prompts_of_another_grid_are_drawn_too(tmp_path: Path) -> None:
    grid = prompts()
    found = lw.unusual(grid[:, 12:], normal=grid[:, :12])
    score = found.grid.column_quantities[1]
    np.testing.assert_array_equal(score.elsewhere["normal, held out"], found.held_out.astype(np.float32))
    assert list(score.of_groups) == ["injected", "harmless"]
    again = Grid.load(found.grid.save(tmp_path / "found.lens"))
    assert again == found.grid
    np.testing.assert_array_equal(again.column_quantities[1].elsewhere["normal, held out"], found.held_out.astype("f4"))


def test_groups_tell_normal_prompts_from_others() -> None:
    grid, normal = prompts(), [0, 1, 2, 3, 4, 5, 6, 12]
    assert lw.unusual(grid, normal="plain").grid.groups == tuple(GROUPS)
    mixed = lw.unusual(grid, normal=normal)
    counts = {name: (mixed.grid.groups or ()).count(name) for name in mixed.grid.groups or ()}
    assert counts == {"plain, normal": 7, "plain": 5, "injected, normal": 1, "injected": 5, "harmless": 6}
    assert [group.name for group in mixed.groups] == ["plain", "injected", "harmless"]
    bare = lw.unusual(replace(grid, groups=None), normal=normal)
    assert bare.grid.groups == ("normal",) * 7 + ("others",) * 5 + ("normal",) + ("others",) * 11
    assert list(bare.grid.column_quantities[1].of_groups) == ["normal", "others"]


def test_what_length_alone_tells_is_said() -> None:
    found = lw.unusual(prompts(), normal="plain")
    injected, harmless = found.groups
    assert (injected.by_length, harmless.by_length) == (1.0, 0.5)
    assert [note for note in found.notes if "'injected'" in note and "number of tokens" in note]
    assert not [note for note in found.notes if "'harmless'" in note]
    assert "unusual is not harmful" in found.notes[0] and "unusual is not harmful" in repr(found)


def test_normal_prompts_may_be_a_mask_indices_or_another_grid() -> None:
    grid = prompts()
    expected = lw.unusual(grid, normal="plain")
    mask = np.array(GROUPS) == "plain"
    for normal in (mask, mask.tolist(), list(range(12)), np.arange(-24, -12)):
        np.testing.assert_array_equal(lw.unusual(grid, normal=normal).scores, expected.scores)
    apart = lw.unusual(grid[:, 12:], normal=grid[:, :12])
    np.testing.assert_allclose(apart.scores, expected.scores[12:])
    assert apart.groups[0].auroc == expected.groups[0].auroc and not apart.normal.any()
    bare = lw.unusual(replace(grid, groups=None), normal=mask)
    assert [group.name for group in bare.groups] == ["others"]


def test_several_groups_may_be_normal() -> None:
    found = lw.unusual(prompts(), normal=["plain", "harmless"])
    assert found.normal.tolist() == [name != "injected" for name in GROUPS]
    assert [group.name for group in found.groups] == ["injected"]


def test_a_group_of_one_has_no_interval_and_few_normal_prompts_are_told() -> None:
    found = lw.unusual(prompts(groups=["plain"] * 12 + ["injected"] + ["harmless"] * 11), normal="plain")
    assert np.isnan(found.groups[0].low) and np.isfinite(found.groups[1].low)
    assert "injected: 1 prompt, AUROC" in repr(found) and "nan" not in repr(found)
    assert any("'injected' has one prompt" in note for note in found.notes)
    assert "8 % of held-out normal prompts score" in repr(found)
    assert any("of 12 normal prompts one is 8%" in note for note in found.notes)


def test_prompts_that_are_the_same_are_told() -> None:
    """Half of forty normal prompts are repeated, and every prompt of a group is a normal one."""
    grid = prompts()
    repeated = grid[:, [*range(12), *range(12), 12, 12]]
    found = lw.unusual(repeated, normal=range(24), k=1)
    assert found.scores[:24].max() == 0 and found.line == 0 and found.groups[0].flagged == 1
    assert any("24 of 24 normal prompts read just as a normal prompt does" in note for note in found.notes)
    assert any("100% of the held-out normal prompts are at the line" in note for note in found.notes)
    assert "100 % of held-out normal prompts score 0 or more" in repr(found)
    apart = lw.unusual(grid[:, :14], normal=grid[:, :12])
    assert any("12 of the others read just as a normal prompt does" in note for note in apart.notes)
    assert not any("read just as" in note for note in lw.unusual(grid, normal="plain").notes)


def test_scores_are_those_of_brute_force() -> None:
    """Far from the origin, where a distance made of products would lose what is near."""
    random = np.random.default_rng(5)
    grid = prompts()
    far = (1e3 + random.normal(size=(7, 24))).astype(np.float32)
    grid = replace(grid, quantities={"entropy": replace(grid.quantities["entropy"], values=far)})
    found = lw.unusual(grid, normal="plain", k=4)
    np.testing.assert_allclose(found.scores, by_hand(far.T.astype(float), list(range(12)), 4), rtol=1e-12)


def test_scores_and_aurocs_are_scikit_learns() -> None:
    """Beside the loops by hand above, which need no scikit-learn; ties are in it."""
    metrics, neighbors = pytest.importorskip("sklearn.metrics"), pytest.importorskip("sklearn.neighbors")
    grid = prompts(shift=0.5)
    rounded = np.round(grid.values("entropy"))
    grid = replace(grid, quantities={"entropy": replace(grid.quantities["entropy"], values=rounded)})
    found = lw.unusual(grid, normal="plain", k=4)
    points = rounded.T.astype(float)
    nearest = neighbors.NearestNeighbors(n_neighbors=4, algorithm="kd_tree").fit(points[:12])
    np.testing.assert_allclose(found.held_out, nearest.kneighbors()[0].mean(1), rtol=1e-9)
    np.testing.assert_allclose(found.scores[12:], nearest.kneighbors(points[12:])[0].mean(1), rtol=1e-9)
    for group in found.groups:
        these = found.scores[np.array(GROUPS) == group.name]
        area = metrics.roc_auc_score([1] * 6 + [0] * 12, np.concatenate([these, found.held_out]))
        assert group.auroc == pytest.approx(area)


def test_several_measures_weigh_alike() -> None:
    grid = prompts()
    large = replace(grid.quantities["entropy"], name="large", measure="large", values=grid.values("entropy") * 1e3)
    both = replace(grid, quantities={**grid.quantities, "large": large})
    one = lw.unusual(both, normal="plain").scores
    np.testing.assert_allclose(
        lw.unusual(both, normal="plain", by=["entropy", "large"]).scores / one,
        np.full(24, np.sqrt(2) / grid.values("entropy")[:, :12].astype(float).std()),
        rtol=1e-5,
    )


def test_auroc_is_the_share_of_pairs() -> None:
    random = np.random.default_rng(1)
    for _ in range(20):
        a, b = random.integers(0, 6, 13).astype(float), random.integers(0, 5, 7).astype(float)
        assert auroc(a, b) == pytest.approx(pairs(a, b), abs=1e-12)
    assert np.isnan(auroc(np.zeros(0), np.ones(3))) and np.isnan(auroc(np.array([np.nan]), np.ones(3)))


def test_auroc_of_a_group_is_the_share_of_its_pairs() -> None:
    found = lw.unusual(prompts(shift=0.5), normal="plain")
    injected, normal = found.scores[np.array(GROUPS) == "injected"], found.scores[found.normal]
    assert 0.5 < found.groups[0].auroc < 1.0, "scores that don't overlap would say nothing of the count"
    assert found.groups[0].auroc == pytest.approx(pairs(injected, normal), abs=1e-12)


def test_intervals_cover_what_they_claim() -> None:
    """Of many samples whose true AUROC is known, about 95 % of intervals hold it."""
    random = np.random.default_rng(2)
    true = 0.760249938906523  # P(X + 1 > Y) for two standard normals: Φ(1 / √2)
    held = 0
    for _ in range(200):
        low, high = auroc_interval(random.normal(1, 1, 60), random.normal(0, 1, 60), 200, random)
        held += low <= true <= high
    assert 0.88 <= held / 200 <= 0.99


def test_scores_of_hostile_groups_are_text() -> None:
    names = [HOSTILE[i % len(HOSTILE)] or "empty" for i in range(12, 24)]
    found = lw.unusual(prompts(groups=["plain"] * 12 + names), normal="plain")
    assert {group.name for group in found.groups} == set(names)


@pytest.mark.parametrize(
    ("known", "says"),
    [
        ({"normal": "simple"}, "has no group 'simple'; it has 'plain', 'injected', 'harmless'"),
        ({"normal": [0]}, "1 normal prompt can't say what is normal"),
        ({"normal": []}, "0 normal prompts can't"),
        ({"normal": [0, 1, 2]}, "k=5 nearest normal prompts of 3, one of which is held out: give k=1 to k=2"),
        ({"normal": "plain", "k": 0}, "k is a whole number, 1 or more; got 0"),
        ({"normal": [True, False]}, "a bool for each of the 24"),
        ({"normal": [0, 99]}, "There is no prompt 99"),
        ({"normal": "plain", "by": "surprise"}, "has no 'surprise'"),
        ({"normal": "plain", "by": []}, "Name what features are made of"),
        ({"normal": "plain", "by": None}, "by= is the name of a quantity, or a list of them, .*; got None"),
        ({"normal": ["plain", "simple"]}, "has no group 'simple'"),
        ({"normal": [None, 1]}, r"or a Grid; got \[None, 1\]"),
        ({"normal": [[0, 1], [2]]}, r"or a Grid; got \[\[0, 1\], \[2\]\]"),
        ({"normal": "plain", "k": 2.5}, r"k is a whole number, 1 or more; got 2\.5"),
        ({"normal": "plain", "resamples": 0}, "resamples is a whole number, 1 or more; got 0"),
        ({"normal": "plain", "seed": "a"}, "seed is a whole number, 0 or more; got 'a'"),
    ],
)
def test_what_can_be_no_normal_prompts_is_refused(known: dict[str, Any], says: str) -> None:
    unchecked = inspect.unwrap(lw.unusual)  # without the types that are checked while tests run
    with pytest.raises((ValueError, IndexError, TypeError), match=says):
        unchecked(prompts(), **known)


def test_features_that_are_not_known_are_named() -> None:
    grid = prompts()
    values = grid.values("entropy").copy()
    values[3, 7:9] = np.nan
    broken = replace(grid, quantities={"entropy": replace(grid.quantities["entropy"], values=values)})
    with pytest.raises(ValueError, match=rf"'entropy' of prompt 7 at {grid.rows[3]} is nan, as in 2 of 24 prompts"):
        lw.unusual(broken, normal="plain")
    with pytest.raises(ValueError, match="This Grid has no groups, so 'plain' is none"):
        lw.unusual(replace(grid, groups=None), normal="plain")


def test_normal_prompts_of_another_kind_are_refused_or_said() -> None:
    grid = prompts()
    normal = grid[:, :12]
    for known, says in (
        ({"provenance": {"weights": "other"}}, "another model"),
        ({"kind": "Tuned lens"}, "another lens"),
        ({"provenance": {"weights": "abc", "lens digest": "d"}}, "another fit of the lens"),
        ({"provenance": {"weights": "abc", "position": "2"}}, r"another position \(2 and -1\)"),
        ({"provenance": {"weights": "abc", "hooks": "blocks.3"}}, r"another set of hooks \(blocks\.3 and none\)"),
    ):
        with pytest.raises(ValueError, match=says):
            lw.unusual(grid, normal=replace(normal, **known))
    with pytest.raises(ValueError, match="another set of rows"):
        lw.unusual(grid, normal=normal[1:])
    begins = replace(normal, provenance={"weights": "abc", "all begin with": "Three examples first."})
    assert any("begin with other words" in note for note in lw.unusual(grid, normal=begins).notes)
    halved = replace(normal, notes=("residual stream in bfloat16",))
    assert any("another precision" in note for note in lw.unusual(grid, normal=halved).notes)
    with pytest.raises(ValueError, match=r"'entropy' of prompt 3 of the normal ones at"):
        values = normal.values("entropy").copy()
        values[2, 3] = np.inf
        lw.unusual(
            grid, normal=replace(normal, quantities={"entropy": replace(grid.quantities["entropy"], values=values)})
        )
    with pytest.raises(TypeError, match="takes a Grid of many prompts"):
        inspect.unwrap(lw.unusual)([grid], normal=[0, 1])  # type: ignore[arg-type]
