"""What follows from many prompts, each against a loop by hand over the same Grid or the model itself."""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import lenswidget as lw
from lenswidget.evidence.contrast import contrast
from lenswidget.evidence.early_exit import early_exit
from lenswidget.evidence.facts import where_enters
from lenswidget.evidence.lost_answers import answered, lost_answers
from lenswidget.evidence.output import require_output
from lenswidget.evidence.overthinking import accuracy_by_row
from lenswidget.evidence.prediction_depth import link, prediction_depth
from lenswidget.evidence.stable_rows import stable_rows
from lenswidget.grids.grid import Grid
from lenswidget.grids.row_names import named_row
from tests.test_hugging_face import saved
from tests.test_trajectories import PROMPTS

TARGETS = [7, None, 8, 9, 33, 90, 7, 100, 41]
GROUPS = ["a"] * 5 + ["b"] * 4
MIDDLE = torch.tensor([1, -0.5, -0.5], dtype=torch.float64)
"""A Jensen–Shannon divergence is the entropy of the middle, less the mean of the two."""


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return saved("LlamaForCausalLM", tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def grid(llama: Any) -> Grid:
    plain = lw.trajectories(llama, PROMPTS)
    assert plain.candidates is not None
    # some targets are what the model says, one is what it says in an earlier row alone
    top = plain.candidates.ids[:, :, 0]
    said, early = top[-1].tolist(), top[-2].tolist()
    lost = next(column for column in (3, 4, 5, 6, 7) if early[column] != said[column])
    targets = [said[0], None, said[2], *TARGETS[3:8], said[8]]
    targets[lost] = early[lost]
    return lw.trajectories(llama, PROMPTS, target=targets, groups=GROUPS, k=20)


def tops(grid: Grid) -> list[list[int]]:
    assert grid.candidates is not None
    return grid.candidates.ids[:, :, 0].tolist()


def test_prediction_depth_is_the_first_row_from_which_nothing_changes(grid: Grid) -> None:
    leading = np.array(tops(grid))
    for column, depth in enumerate(prediction_depth(grid).tolist()):
        by_hand = len(leading) - 1
        while by_hand > 0 and leading[by_hand - 1, column] == leading[-1, column]:
            by_hand -= 1
        assert depth == by_hand
    with pytest.raises(ValueError, match="ends with L0 and not with the model's output"):
        prediction_depth(grid[:2])


def test_its_link_to_difficulty_is_spearmans(grid: Grid) -> None:
    pandas = pytest.importorskip("pandas")
    random = np.random.default_rng(0)
    deep = replace(grid, decision=random.integers(0, 4, 9).astype(np.int32))
    difficulty = random.integers(0, 3, 9).astype(float)
    difficulty[4] = np.nan
    found = link(deep, difficulty)
    frame = pandas.DataFrame({"depth": deep.decision, "difficulty": difficulty}).dropna()
    assert found.correlation == pytest.approx(frame.rank().corr().iloc[0, 1]) and found.prompts == 8
    assert found.low <= found.correlation <= found.high
    with pytest.raises(ValueError, match="at least three"):
        link(grid, np.full(9, np.nan))
    with pytest.raises(ValueError, match="one number for each of the 9"):
        link(grid, np.zeros(3))


def test_accuracy_by_row_counts_where_the_target_leads(grid: Grid) -> None:
    rank = grid.values("rank of the target")
    one, other = accuracy_by_row(grid)
    assert (one.group, one.prompts, other.prompts) == ("a", 4, 4)
    np.testing.assert_allclose(one.share, (rank[:, [0, 2, 3, 4]] == 1).mean(1))
    assert (one.low <= one.share).all() and (one.share <= one.high).all()
    assert one.lost == pytest.approx(one.share.max() - one.share[-1])
    assert one.share[grid.rows.index(one.best)] == one.share.max()


def test_a_compared_target_is_right_where_it_is_ahead(llama: Any) -> None:
    compared = lw.trajectories(llama, PROMPTS, target=[7] * 9, against=[11] * 9)
    (found,) = accuracy_by_row(compared)
    ahead = [
        [lw.logit_lens(lw.run(llama, p), targets=[7, 11]).values("logit", target=t)[:, -1] for t in (7, 11)]
        for p in PROMPTS
    ]
    np.testing.assert_allclose(found.share, np.mean([a > b for a, b in ahead], axis=0))
    with pytest.raises(ValueError, match=r"no rank of a target; give each prompt its answer"):
        accuracy_by_row(lw.trajectories(llama, PROMPTS))


def test_rows_are_stable_where_enough_prompts_have_settled(grid: Grid) -> None:
    for one in stable_rows(grid, 0.75):
        members = [i for i, group in enumerate(GROUPS) if group == one.group]
        depth = prediction_depth(grid)[members]
        shares = [float(np.mean(depth <= row)) for row in range(len(grid.rows))]
        assert one.share.tolist() == shares
        assert one.row == grid.rows[next(i for i, share in enumerate(shares) if share >= 0.75)]
    with pytest.raises(ValueError, match=r"above 0 and up to 1; got 2\.0"):
        stable_rows(grid, 2.0)


def test_a_fact_enters_where_its_answer_gains_most(llama: Any, grid: Grid) -> None:
    token = tops(grid)[-1][0]
    entry = where_enters(grid, 0, token)
    bits = grid.values("log-probability of the target")[:, 0]
    steps = [bits[i + 1] - bits[i] for i in range(len(bits) - 1)]
    assert entry.row == grid.rows[int(np.argmax(steps)) + 1] and entry.bits == pytest.approx(max(steps))
    by_hand = lw.explain(lw.run(llama, PROMPTS[0]), token, entry.row).to_dataframe().set_index("layer")["contribution"]
    assert entry.part == by_hand.idxmax() and entry.mlp == pytest.approx(by_hand[f"{entry.row}.mlp"], abs=1e-5)
    assert where_enters(grid, 0).part == entry.part, "the target that is followed needs no name"
    part = where_enters(grid[1:, [4, 0]], 1)
    assert (part.row, part.part) == (entry.row, entry.part)
    for given, says in (
        ((1,), "Prompt 1 has no target"),
        ((0, token + 1), f"The target of prompt 0 is {token}; token={token + 1} isn't of it"),
        ((9,), "prompt 9 is out of range"),
        ((0.5,), r"A prompt is a number or a label; got 0\.5"),
    ):
        with pytest.raises((ValueError, IndexError, TypeError), match=says):
            inspect.unwrap(where_enters)(grid, *given)
    with pytest.raises(ValueError, match="has no model to ask"):
        where_enters(replace(grid, explain=None), 0, token)
    with pytest.raises(ValueError, match="One row alone shows no jump"):
        where_enters(grid[-1:], 0)
    several = lw.trajectories(llama, PROMPTS[:2], target=(token, token + 1))
    with pytest.raises(ValueError, match=f"is {token} or {token + 1}; it has several tokens, so name one"):
        where_enters(several, 0)
    assert where_enters(several, 0, token + 1).moved.shape[0] > 1


@torch.no_grad()
def test_a_contrast_is_dolas_on_the_whole_vocabulary(llama: Any) -> None:
    whole = lw.trajectories(llama, PROMPTS, k=288)
    for prompt, found in zip(PROMPTS, contrast(whole, "L0", 0.5)):
        states = llama(torch.tensor([prompt]), output_hidden_states=True)
        last = states.logits[0, -1].double().log_softmax(-1)
        early = llama.lm_head(llama.model.norm(states.hidden_states[1][0, -1])).double().log_softmax(-1)
        gain = torch.where(last >= last.max() + np.log(0.5), (last - early) / np.log(2), torch.tensor(-torch.inf))
        assert found.tokens[0] == int(gain.argmax()) and found.output == int(last.argmax())
        np.testing.assert_allclose(found.bits[0], float(gain.max()), atol=1e-3)
        assert len(found.tokens) == int(gain.isfinite().sum())
    few = lw.trajectories(llama, PROMPTS, k=1)
    with pytest.raises(
        ValueError, match=r"1 candidates have at least 0\.1 .* in 9 of 9 prompts, as in prompt 0"
    ) as refused:
        contrast(few, "L0")
    enough = int(str(refused.value).split("k=")[1].split(")")[0])
    assert contrast(lw.trajectories(llama, PROMPTS, k=enough), "L0") == contrast(whole, "L0")
    with pytest.raises(ValueError, match="is the output itself"):
        contrast(whole, 2)
    with pytest.raises(ValueError, match="alpha is a share"):
        contrast(whole, "L0", 0.0)


@torch.no_grad()
def test_a_contrast_takes_the_row_that_is_farthest_from_each_prompts_output(tmp_path: Path) -> None:
    """Against the definition on the whole vocabulary, in float64, on a model of seven rows."""
    model = saved("LlamaForCausalLM", tmp_path, num_hidden_layers=6, initializer_range=0.3)
    whole = lw.trajectories(model, PROMPTS, k=288, extra=["jensen_shannon"])
    rows = {"default": (None, [3, 5]), "named": (["L0", 2, "L4"], [1, 3, 5])}
    for given, candidates in rows.values():
        chosen = []
        for prompt, found in zip(PROMPTS, contrast(whole, given, 0.5)):
            states = model(torch.tensor([prompt]), output_hidden_states=True)
            q = states.logits[0, -1].double().softmax(-1)
            each = [
                model.lm_head(model.model.norm(states.hidden_states[i][0, -1])).double().softmax(-1) for i in candidates
            ]
            far = [float(torch.special.entr(torch.stack([(p + q) / 2, p, q])).sum(-1) @ MIDDLE) for p in each]
            best = int(np.argmax(far))
            assert found.row == whole.rows[candidates[best]]
            gain = torch.where(q >= 0.5 * q.max(), (q.log() - each[best].log()) / np.log(2), torch.tensor(-torch.inf))
            assert found.tokens[0] == int(gain.argmax())
            np.testing.assert_allclose(found.bits[0], float(gain.max()), atol=1e-3)
            chosen.append(found.row)
        assert len(set(chosen)) > 1, "prompts that all take one row say nothing of the choice"
    with pytest.raises(ValueError, match=r"extra=\['jensen_shannon'\]"):
        contrast(lw.trajectories(model, PROMPTS, k=288))
    with pytest.raises(ValueError, match="no rows to choose from"):
        contrast(whole, [])
    with pytest.raises(ValueError, match="got 'jensen'"):
        lw.trajectories(model, PROMPTS, extra=["jensen"])


def test_an_early_exit_is_the_first_row_that_is_sure(grid: Grid) -> None:
    leading, sure = np.array(tops(grid)), grid.values("probability")
    blocks, rank = len(grid.rows) - 1, grid.values("rank of the target")
    thresholds = (0.0, 0.02, 0.05, 0.3, 1.0)
    for found, threshold in zip(early_exit(grid, thresholds), thresholds):
        at = [next((r for r in range(1, blocks) if sure[r, c] >= threshold), blocks) for c in range(9)]
        assert found.saved == pytest.approx(1 - np.mean(at) / blocks)
        assert found.same == pytest.approx(np.mean([leading[r, c] == leading[-1, c] for c, r in enumerate(at)]))
        assert found.right == pytest.approx(np.mean([rank[r, c] == 1 for c, r in enumerate(at) if c != 1]))
    assert early_exit(grid, [1.0])[0].same == 1 and early_exit(grid, [1.0])[0].saved == 0
    assert np.isnan(early_exit(replace(grid, quantities={"probability": grid.quantities["probability"]}))[0].right)
    with pytest.raises(ValueError, match=r"a probability, 0 to 1; got 70\.0"):
        early_exit(grid, [70.0])


def test_an_early_exit_from_a_part_of_the_rows_saves_the_blocks_above_it(grid: Grid) -> None:
    part = grid[[1, 3]]  # L0 and the output, L2, of a model of three blocks
    sure = grid.values("probability")[1]
    for found, threshold in zip(early_exit(part, (0.0, 0.05, 1.0)), (0.0, 0.05, 1.0)):
        blocks = [1 if one >= threshold else 3 for one in sure]
        assert found.saved == pytest.approx(1 - np.mean(blocks) / 3)
    assert early_exit(grid[-1:], [0.0])[0].saved == 0


USES: dict[str, Any] = {
    "prediction_depth": prediction_depth,
    "stable_rows": stable_rows,
    "early_exit": early_exit,
    "accuracy_by_row": accuracy_by_row,
    "lost_answers": lost_answers,
    "contrast": contrast,
}


@pytest.mark.parametrize("use", USES)
def test_what_the_model_says_is_asked_of_no_other_row(grid: Grid, use: str) -> None:
    """The end of a part of a Grid was taken for the output."""
    for part, says in (
        (grid[:-1], "ends with L1 and not with the model's output"),
        (grid[::-1], "ends with embed and not"),
        (grid[:, :0], "has no prompts"),
        (grid[:0], "has no rows"),
    ):
        with pytest.raises(ValueError, match=says):
            USES[use](part)
    with pytest.raises(TypeError, match=r"takes a Grid of many prompts, .*; got list"):
        require_output([grid])


def test_a_prompt_whose_output_is_not_finite_says_nothing(tmp_path: Path) -> None:
    model = saved("LlamaForCausalLM", tmp_path, tie_word_embeddings=False)
    with torch.no_grad():
        model.model.embed_tokens.weight[5] = torch.nan
    grid = lw.trajectories(model, PROMPTS, target=7, k=20)
    assert [i for i, depth in enumerate(prediction_depth(grid)) if depth < 0] == [PROMPTS.index([5])] == [3]
    whole = grid[:, [0, 1, 2, *range(4, 9)]]
    assert [vars(one) for one in early_exit(grid)] == [vars(one) for one in early_exit(whole)]
    assert stable_rows(grid)[0].share.tolist() == stable_rows(whole)[0].share.tolist()
    assert contrast(grid, "L0")[3].tokens == () and contrast(grid, "L0")[3].output == -1
    assert accuracy_by_row(grid)[0].prompts == lost_answers(grid)[0].prompts == 8
    assert link(grid, np.arange(9)).prompts == 8
    with pytest.raises(ValueError, match="'entropy' of prompt 3 at embed is nan, as in 1 of 9 prompts"):
        lw.unusual(grid, normal=range(3), k=1)


@pytest.mark.parametrize(
    ("asks", "says"),
    [
        (lambda grid: inspect.unwrap(early_exit)(grid, 0.9), r"a list of probabilities, as in \[0\.9\]; got 0\.9"),
        (lambda grid: inspect.unwrap(early_exit)(grid, ["high"]), "A threshold is a probability, 0 to 1; got 'high'"),
        (
            lambda grid: inspect.unwrap(stable_rows)(grid, None),
            "share is a part of the prompts, above 0 and up to 1; got None",
        ),
        (lambda grid: contrast(grid, "L0", float("nan")), "alpha is a share of the highest probability, .*; got nan"),
        (lambda grid: inspect.unwrap(named_row)(grid.rows, 1.5), "its label or the number in it, .*; got 1.5"),
        (lambda grid: contrast(grid, True), "or the number in it, .*; got True"),
        (
            lambda grid: inspect.unwrap(link)(grid, range(9), resamples=0),
            "resamples is a whole number, 1 or more; got 0",
        ),
        (
            lambda grid: inspect.unwrap(accuracy_by_row)(grid, resamples=1.5),
            r"resamples is a whole number, 1 or more; got 1\.5",
        ),
        (
            lambda grid: inspect.unwrap(link)(grid, ["hard"] * 9),
            "difficulty is a number for each of the 9 prompts; got",
        ),
    ],
)
def test_numbers_that_are_none_are_named(grid: Grid, asks: Any, says: str) -> None:
    with pytest.raises((ValueError, TypeError), match=says):
        asks(grid)


def test_lost_answers_led_before_the_output_took_them(grid: Grid) -> None:
    rank = grid.values("rank of the target")
    each = answered(grid)
    assert [one.prompt for one in each] == [0, 2, 3, 4, 5, 6, 7, 8]
    for one in each:
        ranks = rank[:, one.prompt].tolist()
        assert one.right == (ranks[-1] == 1) and one.best == min(ranks)
        led = [grid.rows[i] for i, r in enumerate(ranks) if r == 1]
        assert one.lost == (led[-1] if led and not one.right else None)
    a, _ = lost_answers(grid)
    assert a.prompts == 4 and a.right + a.lost + a.never == 4 and sum(a.rows.values()) == a.lost
    assert any(one.lost == grid.rows[-2] for one in each)


def test_groups_are_drawn_as_means_and_bands(grid: Grid, tmp_path: Path) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    ax = grid.plot_groups("entropy")
    lines = ax.get_lines()
    np.testing.assert_allclose(lines[0].get_ydata(), grid.values("entropy")[:, :5].mean(1), rtol=1e-5)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a (5)", "b (4)"]
    assert ax.get_title(loc="left") == "Mean entropy (bits) by group, with its standard deviation"
    found = lw.unusual(grid, normal="a", k=2)
    dots = found.plot()
    assert [len(part.get_offsets()) for part in dots.collections] == [5, 4]
    np.testing.assert_allclose(np.sort(dots.collections[1].get_offsets()[:, 0]), np.sort(found.scores[5:]))
    assert dots.get_lines()[0].get_xdata()[0] == pytest.approx(found.line)
    words = [text.get_text() for text in dots.texts]
    assert words == ["normal, held out", found.groups[0].told, " 20 % of normal prompts"]
    apart = lw.unusual(grid[:, 5:], normal=grid[:, :5], k=2).plot()
    assert [len(part.get_offsets()) for part in apart.collections] == [5, 4]
    assert [text.get_text() for text in apart.get_yticklabels()] == ["normal, held out", "b"]
    with pytest.raises(ValueError, match="have no groups"):
        replace(grid, groups=None).plot_groups("entropy")
