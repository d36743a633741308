"""What is read is true: against Hugging Face's own output, and five-line loops over layers and positions."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

import lenswidget as lw
from lenswidget.model import readout as readout_module
from lenswidget.model.columns import largest, read_columns, without_gaps
from lenswidget.model.embedded import embedded_folder
from lenswidget.model.reading import on_cpu

PROMPT = "When Mary and John went to the store, John gave a drink to"
SETS = [[12366], [260, 1719], [0]]


@pytest.fixture(scope="module")
def hf(smollm: Any) -> Any:
    """The same weights in Hugging Face's own class: no TransformerLens, no lenswidget."""
    return AutoModelForCausalLM.from_pretrained(embedded_folder(), dtype=torch.float32).eval()


@pytest.fixture(scope="module")
def run(smollm: Any) -> lw.Run:
    return lw.run(smollm, PROMPT)


@pytest.fixture(scope="module")
def log_probabilities(hf: Any, run: lw.Run) -> torch.Tensor:
    """[rows, positions, vocabulary] in nats, by the loop that every tutorial writes."""
    with torch.no_grad():
        output = hf(run.tokens[None], output_hidden_states=True)
        # the last of Hugging Face's hidden states has had the final norm: the logits themselves stand for that row
        rows = [hf.lm_head(hf.model.norm(h))[0].log_softmax(-1) for h in output.hidden_states[:-1]]
        return torch.stack([*rows, output.logits[0].log_softmax(-1)])


@pytest.fixture(scope="module")
def reading(run: lw.Run) -> Any:
    return run.readout.read(run.residual, run.following, targets=SETS, jensen_shannon=True, total_variation=True)


def close(ours: torch.Tensor, theirs: torch.Tensor, tolerance: float = 2e-4) -> None:
    assert ours.shape == theirs.shape
    torch.testing.assert_close(ours.double(), theirs.double(), rtol=tolerance, atol=tolerance, equal_nan=True)


def test_the_last_row_is_the_model(hf: Any, run: lw.Run) -> None:
    with torch.no_grad():
        theirs = hf(run.tokens[None]).logits[0]
    assert run.check is not None and run.check.error <= 1e-4
    close(run.readout.logits(run.residual[-1]), theirs)


def test_candidates_and_their_probabilities(reading: Any, log_probabilities: torch.Tensor) -> None:
    top = log_probabilities.topk(10)
    close(reading.top_log_probability, top.values / math.log(2))
    agree = reading.top_ids == top.indices
    # ids may swap only where two candidates tie
    gap = (log_probabilities.gather(-1, reading.top_ids) - top.values).abs()
    assert bool((agree | (gap < 1e-3)).all())


def test_entropy_kl_and_surprisal(reading: Any, log_probabilities: torch.Tensor, run: lw.Run) -> None:
    p, q = log_probabilities.double(), log_probabilities[-1].double()
    close(reading.entropy, -(p.exp() * p).sum(-1) / math.log(2))
    close(reading.kl, (q.exp() * (q - p)).sum(-1) / math.log(2), 1e-3)
    following = run.tokens[1:]
    close(
        reading.surprisal[:, :-1], -p[:, :-1].gather(-1, following.expand(len(p), -1)[..., None])[..., 0] / math.log(2)
    )
    assert bool(reading.surprisal[:, -1].isnan().all())


def test_kl_is_exact_to_a_ten_thousandth_of_a_bit(smollm: Any) -> None:
    """Against float64, on the real weights; as the difference of two large sums it lost three digits."""
    run = lw.run(smollm, "The Eiffel Tower is located in the city of")
    shown = lw.logit_lens(run).values("KL to the output").astype(np.float64)
    norm, h = run.readout.norm, run.residual.double()
    x = h * (h.square().mean(-1, keepdim=True) + norm.eps).rsqrt() * norm.gain.double()
    log_p = torch.stack([(row @ run.readout.W_U.double()).log_softmax(-1) for row in x])
    exact = ((log_p[-1].exp() * (log_p[-1] - log_p)).sum(-1) / np.log(2)).numpy()
    few = exact < 10
    assert few.sum() > 30 and np.abs(shown - exact)[few].max() <= 1e-4
    assert np.abs(shown - exact).max() <= 5e-4


def test_jensen_shannon_and_total_variation(reading: Any, log_probabilities: torch.Tensor) -> None:
    p, q = log_probabilities.exp().double(), log_probabilities[-1].exp().double()
    m = (p + q) / 2
    kl = lambda a, b: torch.where(a > 0, a * (a / b).log2(), 0.0).sum(-1)  # noqa: E731
    close(reading.jensen_shannon, (kl(p, m) + kl(q.expand_as(p), m)) / 2, 1e-3)
    close(reading.total_variation, (p - q).abs().sum(-1) / 2, 1e-3)
    assert reading.jensen_shannon[-1].max() < 1e-5 and reading.total_variation[-1].max() < 1e-5


def test_ranks_count_the_entries_that_are_strictly_larger(
    reading: Any, log_probabilities: torch.Tensor, run: lw.Run
) -> None:
    p = log_probabilities
    for i, ids in enumerate(SETS):
        best = p[..., ids].amax(-1, keepdim=True)
        theirs = (p > best).sum(-1) + 1
        # two of 49,152 logits may be closer than rounding: a rank may be off by one in a few thousand
        assert ((reading.target_rank[i] - theirs).abs() / theirs).max() < 5e-3
    following = p[:, :-1].gather(-1, run.tokens[1:].expand(len(p), -1)[..., None])
    theirs = (p[:, :-1] > following).sum(-1) + 1
    assert ((reading.following_rank[:, :-1] - theirs).abs() / theirs).max() < 5e-3
    assert bool((reading.following_rank[:, -1] == 0).all())


def test_the_probabilities_of_a_set_add(reading: Any, log_probabilities: torch.Tensor) -> None:
    for i, ids in enumerate(SETS):
        close(reading.target_log_probability[i], log_probabilities[..., ids].double().exp().sum(-1).log2(), 1e-3)


def test_a_trajectory_follows_every_candidate_through_every_row(
    reading: Any, log_probabilities: torch.Tensor, run: lw.Run
) -> None:
    for position, (start, stop) in enumerate(zip(reading.offsets[:-1].tolist(), reading.offsets[1:].tolist())):
        ids = reading.trajectory_ids[start:stop]
        wanted = {*reading.top_ids[:, position].flatten().tolist(), *(i for ids in SETS for i in ids)}
        wanted |= {run.tokens[position + 1].item()} if position + 1 < len(run.tokens) else set()
        assert set(ids.tolist()) == wanted
        close(reading.trajectory_log_probability[start:stop], log_probabilities[:, position, ids].T / math.log(2), 1e-3)


def test_chunks_change_nothing(run: lw.Run, reading: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readout_module, "LOGITS_BUDGET", 1)  # one position at a time
    again = run.readout.read(run.residual, run.following, targets=SETS, jensen_shannon=True, total_variation=True)
    for name, value in vars(again).items():
        if value.is_floating_point():
            close(value, getattr(reading, name), 1e-4)
    assert torch.equal(again.offsets, reading.offsets) and torch.equal(again.trajectory_ids, reading.trajectory_ids)


def test_workers_change_nothing(run: lw.Run, reading: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = torch.get_num_threads()
    try:
        for count in (1, 3):
            torch.set_num_threads(count)
            monkeypatch.setattr(readout_module, "LOGITS_BUDGET", 48 * 2**20)
            monkeypatch.setattr(readout_module, "FEWEST", 31)
            assert run.readout._shares(31, 14) == ((8, 1) if count == 1 else (2, 3))
            again = run.readout.read(
                run.residual, run.following, targets=SETS, jensen_shannon=True, total_variation=True
            )
            for name, value in vars(again).items():
                if value.is_floating_point():
                    close(value, getattr(reading, name), 1e-4)
            assert torch.equal(again.top_ids, reading.top_ids) and torch.equal(again.offsets, reading.offsets)
    finally:
        torch.set_num_threads(threads)


def test_columns_read_together_are_those_read_one_by_one(run: lw.Run) -> None:
    """As a GPU reads them: many at a time, and brought to the CPU when all of them are there."""
    a = run.readout.logits(run.residual[:, 3:6].transpose(0, 1).contiguous())
    finite = torch.ones(3, 31, dtype=torch.bool)
    finite[1, 4] = False
    following, sets = run.following[3:6], [torch.tensor(ids) for ids in SETS]
    extra = {"jensen_shannon": True, "total_variation": True}

    def read(some: slice) -> dict[str, torch.Tensor]:
        return read_columns(
            a[some].clone(), torch.empty_like(a[some]), finite[some], following[some], 10, sets, extra, None
        )

    together = read(slice(None))
    brought = on_cpu(together)
    assert {
        name: torch.equal(value.nan_to_num(-9), together[name].nan_to_num(-9)) for name, value in brought.items()
    } == dict.fromkeys(together, True)
    one_by_one = [without_gaps(read(slice(i, i + 1))) for i in range(3)]
    for name, value in without_gaps(together).items():
        apart = torch.cat([one[name] for one in one_by_one])
        close(value, apart, 1e-5) if value.is_floating_point() else torch.testing.assert_close(value, apart)


def test_a_divergence_is_exact(run: lw.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against float64: of rows that agree, of rows that are as far apart as they can be, and in chunks of any size."""
    one, other = run.residual[[0, 9, 20, 29, 30]], run.residual[[30, 8, 21, 30, 30]]
    jensen_shannon, kl = run.readout.divergence(one, other)
    p, q = ((run.readout.norm(x).double() @ run.readout.W_U.double()).log_softmax(-1) for x in (one, other))
    middle = torch.logaddexp(p, q) - math.log(2)
    exact = (p.exp() * (p - q)).sum(-1) / math.log(2)
    halves = [(x.exp() * (x - middle)).sum(-1) / math.log(2) for x in (p, q)]
    assert exact.max() > 10 and ((kl - exact).abs() <= 1e-4 + 1e-5 * exact).all()
    assert (jensen_shannon - (halves[0] + halves[1]) / 2).abs().max() <= 1e-5
    assert jensen_shannon[-1].max() <= 1e-6 and kl[-1].max() == 0
    monkeypatch.setattr(readout_module, "LOGITS_BUDGET", 1)
    for ours, theirs in zip(run.readout.divergence(one, other), (jensen_shannon, kl)):
        close(ours, theirs, 1e-5)
    hurt = one.clone()
    hurt[1, 2, 0] = float("nan")
    jensen_shannon, kl = run.readout.divergence(hurt, other)
    assert bool(kl[1, 2].isnan() and jensen_shannon[1, 2].isnan()) and int(kl.isnan().sum()) == 1


def test_tokens_with_one_unembedding_column_have_one_rank(run: lw.Run) -> None:
    """Of an odd vocabulary, whose last slice is short: a few columns are there several times."""
    W_U = run.readout.W_U[:, :7003].clone()
    W_U[:, [5, 1500, 6999, 7002]] = W_U[:, [4000]]
    readout = replace(run.readout, W_U=W_U.T.contiguous().T)
    twins = [[5], [1500], [4000], [6999], [7002]]
    read = readout.read(run.residual, run.following.clamp(max=7002), targets=twins)
    logits = readout.logits(run.residual).double()
    exact = (run.readout.norm(run.residual).double() @ W_U.double()).log_softmax(-1)
    theirs = (exact > exact[..., 4000:4001] + 1e-9).sum(-1) + 1
    for i in range(len(twins)):
        assert torch.equal(read.target_rank[i], read.target_rank[0])
    assert ((read.target_rank[0] - theirs).abs() <= 1).all() and logits.shape[-1] == 7003
    close(read.target_log_probability[3], exact[..., 6999] / math.log(2))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_an_unembedding_in_half_precision_is_read_in_single(run: lw.Run, dtype: torch.dtype) -> None:
    half = replace(run.readout, W_U=run.readout.W_U.to(dtype))
    single = replace(run.readout, W_U=half.W_U.float())
    ours, theirs = (one.read(run.residual[:, :3], run.following[:3], targets=SETS) for one in (half, single))
    for name, value in vars(ours).items():
        if value is not None and value.is_floating_point():
            close(value, getattr(theirs, name), 1e-5)
    assert torch.equal(ours.target_rank, theirs.target_rank)


def test_a_vector_that_is_not_finite_is_shown_as_such_and_the_rest_stays(run: lw.Run, reading: Any) -> None:
    residual = run.residual.clone()
    residual[5, 3], residual[7, 4, 0] = float("nan"), float("inf")
    hurt = run.readout.read(residual, run.following, targets=SETS)
    for row, position in ((5, 3), (7, 4)):
        assert bool(hurt.entropy[row, position].isnan()) and bool(hurt.kl[row, position].isnan())
        assert hurt.top_ids[row, position].tolist() == [-1] * 10
        assert hurt.target_rank[:, row, position].tolist() == [0] * 3
    well = torch.ones(31, 14, dtype=torch.bool)
    well[5, 3] = well[7, 4] = False
    close(hurt.entropy[well], reading.entropy[well], 1e-6)
    assert torch.equal(hurt.top_ids[well], reading.top_ids[well])
    residual = run.residual.clone()
    residual[-1, 2] = float("nan")
    hurt = run.readout.read(residual, run.following)
    assert bool(hurt.kl[:, 2].isnan().all()) and bool(hurt.entropy[:-1, 2].isfinite().all())


def test_no_vocabulary_sized_array_leaves(reading: Any, run: lw.Run) -> None:
    assert all(run.readout.vocabulary not in value.shape for value in vars(reading).values())


@pytest.mark.parametrize("vocabulary", [100, 6000, 6144, 6271])
def test_the_largest_are_found_wherever_they_lie(vocabulary: int) -> None:
    generator = torch.Generator().manual_seed(vocabulary)
    logits = torch.randn(3, 5, vocabulary, generator=generator)
    logits[0, 0, -1] = 9.0  # beyond the last whole group
    logits[0, 1, 7:17] = 9.0 + torch.arange(10)  # all in one group
    values, places = largest(logits, 10)
    expected = logits.topk(10)
    assert torch.equal(values, expected.values) and torch.equal(places, expected.indices)
