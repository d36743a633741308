"""Every cell of a sweep is what one forward pass with a hook written by hand says; and what must be exactly nothing is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import lenswidget as lw
from lenswidget.grids.grid import Grid
from lenswidget.interventions import continuations
from lenswidget.interventions.continuations import WAYS, Base, Cell, last_rows, way_of
from lenswidget.model.activations import Activations
from lenswidget.model.backend import keep_whole
from lenswidget.model.backends import backend_of
from lenswidget.model.edits import Written
from lenswidget.model.find_components import components_of
from lenswidget.model.places import place_of
from tests import architectures
from tests.test_architectures import NOT_BUILT, READ
from tests.test_hugging_face import saved

BASE = [1, 40, 70, 33, 120, 99]
SOURCE = [1, 40, 71, 33, 121, 99]
TARGET, AGAINST = 7, 11
FEW = [
    "LlamaForCausalLM",
    "GPT2LMHeadModel",
    "GPTNeoXForCausalLM",
    "Gemma2ForCausalLM",
    "BloomForCausalLM",
    "MambaForCausalLM",
]


@pytest.fixture
def llama(tmp_path: Path) -> Any:
    return saved("LlamaForCausalLM", tmp_path)


def says(run: lw.Run) -> Tensor:
    return run.readout.logits(run.residual[-1, -1:])[0]


def naive(model: Any, row: int, position: int, value: Tensor, tokens: list[int]) -> Tensor:
    """The last logits of one pass in which one position of one row is set, by the backend's own change alone."""
    backend = backend_of(model)

    def put(x: Tensor) -> Tensor:
        x = x.clone()
        x[0, position] = value
        return x

    done = backend.forward(torch.tensor([tokens]), keep={}, change={backend.rows[row]: put})
    assert done.logits is not None
    return done.logits[0, -1].float()


def difference(logits: Tensor) -> float:
    return float(logits[TARGET] - logits[AGAINST])


def assert_is_naive(grid: Grid, model: Any) -> None:
    base, source = lw.runs(model, [BASE, SOURCE])
    m_base, m_source = (difference(run.readout.logits(run.residual[-1, -1:])[0]) for run in (base, source))
    shares = grid.values("recovered")
    for row in range(len(grid.rows)):
        for position in range(len(BASE)):
            theirs = difference(naive(model, row, position, source.residual[row, position], BASE))
            assert shares[row, position] == pytest.approx((theirs - m_base) / (m_source - m_base), abs=2e-3)


@pytest.mark.parametrize("architecture", FEW)
def test_a_sweep_of_rows_is_a_pass_a_cell(architecture: str, tmp_path: Path) -> None:
    model = saved(architecture, tmp_path)
    base, source = lw.runs(model, [BASE, SOURCE])
    grid = lw.patch(base, source, TARGET, against=AGAINST)
    assert grid.rows == base.labels[:-1]
    assert_is_naive(grid, model)
    # before the first difference nothing is changed, and that is exact
    assert (grid.values("recovered")[:, :2] == 0).all()
    assert grid.check is not None and grid.check.holds and grid.check.claim == "patched everywhere, it is the source"


@pytest.mark.parametrize("architecture", [one for one in READ if one not in NOT_BUILT])
def test_every_architecture_is_swept_truly(architecture: str, tmp_path: Path) -> None:
    """Some cells of each: what the fast way says is what a pass for each says, and the run's own values change nothing."""
    architectures.save(architecture, tmp_path)
    model = architectures.boot(tmp_path)
    backend = backend_of(model)
    base, source = lw.runs(model, [BASE, SOURCE])
    own = Base(backend, base.tokens, base.residual[-1])
    rows = len(base.residual) - 1
    cells = [
        Cell((Written(place_of(backend, label), torch.tensor([p]), source.residual[i, p : p + 1]),))
        for i, label in enumerate(base.labels[:rows])
        for p in (2, 4, 5)
    ]
    ours = last_rows(own, cells, 5)
    for cell, found in zip(cells, ours):
        (write,) = cell.writes

        def put(x: Tensor, write: Written = write) -> Tensor:
            x = x.clone()
            x[0, write.positions] = write.values.to(x)
            return x

        last = backend.rows[-1]
        theirs = backend.forward(
            base.tokens[None], keep=keep_whole([last]), change={write.place.site: put}, stop=last
        ).kept[last]
        size = float(theirs.abs().max())
        torch.testing.assert_close(found, theirs[0, -1], atol=2e-4 * size, rtol=0)
    identical = [
        Cell(
            (
                Written(
                    cell.writes[0].place, cell.writes[0].positions, base.residual[cell.row, cell.writes[0].positions]
                ),
            )
        )
        for cell in cells
    ]
    same = last_rows(own, identical, 5)
    assert float((same - base.residual[-1, 5]).abs().max()) <= 1e-4 * float(base.residual[-1, 5].abs().max())
    assert torch.equal(last_rows(own, cells, 1), base.residual[-1, 1].expand(len(cells), -1))  # outside the cone


def test_a_bridge_that_flattens_its_activations_is_swept_by_parts(tmp_path: Path) -> None:
    architectures.save("OPTForCausalLM", tmp_path)
    model = architectures.boot(tmp_path)
    base, source = lw.runs(model, [BASE, SOURCE])
    moved = says(source) - says(base)
    target, against = int(moved.argmax()), int(moved.argmin())
    grid = lw.patch(base, source, target, against=against, unit="mlp")
    for row, position in ((0, 4), (1, 5), (2, 5)):
        theirs = says(lw.run(model, BASE, edits=[lw.Edit(grid.rows[row], to=source, position=position)])) - says(base)
        value = float(theirs[target] - theirs[against])
        assert grid.values("effect")[row, position] == pytest.approx(value, abs=1e-3)


@pytest.mark.parametrize("unit", ["attn", "mlp", "component", "head"])
@pytest.mark.parametrize(
    "architecture", ["LlamaForCausalLM", "GPTNeoXForCausalLM", "Gemma2ForCausalLM", "GraniteForCausalLM"]
)
def test_parts_and_heads_are_a_pass_a_cell(architecture: str, unit: str, tmp_path: Path) -> None:
    model = saved(architecture, tmp_path)
    base, source = lw.runs(model, [BASE, SOURCE])
    grid = lw.patch(base, source, TARGET, against=AGAINST, unit=unit, at=-1 if unit == "head" else None)
    m_base, m_source = (difference(run.readout.logits(run.residual[-1, -1:])[0]) for run in (base, source))
    for row, label in enumerate(grid.rows):
        for column in range(grid.shape[1]):
            site = f"{label}H{column}" if unit == "head" else label
            position = 5 if unit == "head" else column
            theirs = lw.run(model, BASE, edits=[lw.Edit(site, to=source, position=position)])
            share = (difference(theirs.readout.logits(theirs.residual[-1, -1:])[0]) - m_base) / (m_source - m_base)
            assert grid.values("recovered")[row, column] == pytest.approx(share, abs=2e-3), (site, position)


def test_what_each_cell_would_say_is_said(llama: Any) -> None:
    base, source = lw.runs(llama, [BASE, SOURCE])
    grid = lw.patch(base, source, TARGET, against=AGAINST, k=5)
    assert grid.candidates is not None
    logits = naive(llama, 1, 4, source.residual[1, 4], BASE)
    bits, ids = (logits.log_softmax(-1) / np.log(2)).topk(5)
    assert grid.candidates.ids[1, 4].tolist() == ids.tolist()
    np.testing.assert_allclose(grid.candidates.log_probability[1, 4], bits, atol=1e-3)
    sweep = grid.sweep
    assert sweep is not None
    with torch.no_grad():
        theirs = [(llama(torch.tensor([ids])).logits[0, -1].log_softmax(-1) / np.log(2)) for ids in (BASE, SOURCE)]
    np.testing.assert_allclose(sweep.said, torch.stack(theirs)[:, torch.from_numpy(sweep.tokens).long()], atol=1e-3)
    assert (sweep.columns.tolist(), sweep.first, sweep.position) == (SOURCE, 2, 5)
    assert sweep.base == pytest.approx(difference(theirs[0]) * np.log(2), abs=1e-3)


@pytest.mark.parametrize("metric", ["logit", "log-probability", "probability", "KL", "logit difference"])
def test_metrics_are_what_they_are_called(metric: str, llama: Any) -> None:
    base, source = lw.runs(llama, [BASE, SOURCE])
    target = int(source.readout.logits(source.residual[-1, -1:])[0].argmax())
    grid = lw.patch(base, source, target, against=AGAINST, metric=metric)

    def value(logits: Tensor) -> float:
        log_p = logits.double().log_softmax(-1)
        with torch.no_grad():
            log_q = llama(torch.tensor([SOURCE])).logits[0, -1].double().log_softmax(-1)
        return {
            "logit": float(logits[target]),
            "log-probability": float(log_p[target]) / np.log(2),
            "probability": float(log_p[target].exp()),
            "KL": -float((log_q.exp() * (log_q - log_p)).sum()) / np.log(2),
            "logit difference": float(logits[target] - logits[AGAINST]),
        }[metric]

    with torch.no_grad():
        m_base, m_source = (value(llama(torch.tensor([ids])).logits[0, -1]) for ids in (BASE, SOURCE))
    patched = value(naive(llama, 1, 4, source.residual[1, 4], BASE))
    assert grid.values("recovered")[1, 4] == pytest.approx((patched - m_base) / (m_source - m_base), abs=2e-3)


def test_taking_out_and_the_mean(llama: Any) -> None:
    base, *others = lw.runs(llama, [BASE, SOURCE, [1, 9, 9, 9, 9, 9]])
    out = lw.patch(base, 0, TARGET, unit="mlp", at=-1)
    assert out.kind == "MLPs taken out" and "recovered" not in out.quantities and out.check is None
    for row, label in enumerate(out.rows):
        theirs = lw.run(llama, BASE, edits=[lw.Edit(label, to=0, position=-1)])
        bits = theirs.readout.logits(theirs.residual[-1, -1:])[0].log_softmax(-1)[TARGET] / np.log(2)
        assert out.values("log-probability of " + repr(base.texts[TARGET]))[row, 0] == pytest.approx(
            float(bits), abs=1e-3
        )
    mean = lw.patch(base, others, TARGET, unit="head")
    theirs = lw.run(llama, BASE, edits=[lw.Edit("L1H2", to=others)])
    bits = theirs.readout.logits(theirs.residual[-1, -1:])[0].log_softmax(-1)[TARGET] / np.log(2)
    assert mean.values("log-probability of " + repr(base.texts[TARGET]))[1, 2] == pytest.approx(float(bits), abs=1e-3)


def test_windows_join_blocks(llama: Any) -> None:
    base, source = lw.runs(llama, [BASE, SOURCE])
    grid = lw.patch(base, source, TARGET, against=AGAINST, unit="mlp", window=2)
    both = [lw.Edit(site, to=source, position=4) for site in ("L0.mlp", "L1.mlp")]
    theirs = lw.run(llama, BASE, edits=both)
    effect = difference(theirs.readout.logits(theirs.residual[-1, -1:])[0]) - grid.sweep.base  # type: ignore[union-attr]
    assert grid.values("effect")[1, 4] == pytest.approx(effect, abs=1e-3)


def test_pairs_are_the_ratio_of_the_means(llama: Any) -> None:
    bases = lw.runs(llama, [BASE, [1, 41, 70, 33, 120, 98]])
    sources = lw.runs(llama, [SOURCE, [1, 41, 72, 33, 120, 97]])
    both = lw.patch(bases, sources, TARGET, against=AGAINST)
    single = [lw.patch(b, s, TARGET, against=AGAINST) for b, s in zip(bases, sources)]
    effect = np.mean([one.values("effect") for one in single], axis=0)
    gap = np.mean([one.sweep.target - one.sweep.base for one in single])  # type: ignore[union-attr]
    np.testing.assert_allclose(both.values("recovered"), effect / gap, atol=1e-4)
    other = lw.patch(bases, sources, [TARGET, 9], against=[AGAINST, 12])
    by_hand = [
        lw.patch(b, s, t, against=a).values("effect") for b, s, t, a in zip(bases, sources, (TARGET, 9), (AGAINST, 12))
    ]
    np.testing.assert_allclose(other.values("effect"), np.mean(by_hand, axis=0), atol=1e-4)
    with pytest.raises(ValueError, match="3 targets were given for 2 pairs"):
        lw.patch(bases, sources, [TARGET, 9, 9])
    one = lw.patch(bases[:1], sources[:1], TARGET, against=AGAINST)
    np.testing.assert_allclose(one.values("recovered"), single[0].values("recovered"), atol=1e-6)
    assert (one.values("spread") == 0).all()


def test_unequal_lengths_go_by_aligned_columns(llama: Any) -> None:
    base, source = lw.runs(llama, [[1, 40, 70, 33, 120, 99], [1, 40, 71, 72, 73, 120, 99]])
    grid = lw.patch(base, source, TARGET, against=AGAINST)
    assert grid.check is None and any("not every position" in note for note in grid.notes)
    sweep = grid.sweep
    assert sweep is not None
    assert sweep.columns.tolist() == [1, 40, 72, 73, 120, 99]
    theirs = lw.run(llama, base.tokens, edits=[lw.Edit("L1", to=source, position=4, source_position=5)])
    effect = difference(theirs.readout.logits(theirs.residual[-1, -1:])[0]) - sweep.base
    assert grid.values("effect")[2, 4] == pytest.approx(effect, abs=1e-3)
    longer = lw.patch(source, base, TARGET, against=AGAINST)
    assert np.isnan(longer.values("recovered")[:, 2]).all()


def test_a_base_is_patched_under_its_edits_and_hooks(llama: Any) -> None:
    def half(_: Any, args: Any, out: Tensor) -> Tensor:
        return out * 0.5

    edits = [lw.Edit("L1.mlp", to=0, position=3), lw.Edit("L0", add=torch.ones(32), position=1)]
    handle = llama.model.layers[2].mlp.register_forward_hook(half)
    base, source = lw.run(llama, BASE, edits=edits), lw.run(llama, SOURCE)
    grid = lw.patch(base, source, TARGET, against=AGAINST)
    theirs = lw.run(llama, BASE, edits=[*edits, lw.Edit("L0", to=source, position=4)])
    handle.remove()
    effect = difference(theirs.readout.logits(theirs.residual[-1, -1:])[0]) - grid.sweep.base  # type: ignore[union-attr]
    assert grid.values("effect")[1, 4] == pytest.approx(effect, abs=1e-3)
    assert grid.check is not None and not grid.check.holds  # the source was run without these edits
    plain = lw.patch(lw.run(llama, BASE), source, TARGET, against=AGAINST)
    assert not np.allclose(plain.values("effect")[1, 4], grid.values("effect")[1, 4], atol=1e-3)


def test_one_prompt_under_two_edits_is_a_pair(llama: Any) -> None:
    noise = torch.randn(32, generator=torch.Generator().manual_seed(0))
    base, source = lw.run(llama, BASE, edits=[lw.Edit("embed", add=noise, position=2)]), lw.run(llama, BASE)
    grid = lw.patch(base, source, TARGET, against=AGAINST)
    np.testing.assert_allclose(grid.values("recovered")[0, 2], 1.0, atol=1e-3)
    assert (grid.values("recovered")[:, :2] == 0).all()


def test_an_edit_before_the_first_token_that_differs_is_a_difference(llama: Any) -> None:
    """Nothing is taken to be alike because its tokens are."""
    base, source = lw.run(llama, BASE, edits=[lw.Edit("embed", add=torch.ones(32), position=0)]), lw.run(llama, SOURCE)
    assert BASE[1] == SOURCE[1]
    grid = lw.patch(base, source, TARGET, against=AGAINST)
    edits = [lw.Edit("embed", add=torch.ones(32), position=0), lw.Edit("L0", to=source, position=1)]
    edited = lw.run(llama, BASE, edits=edits)
    theirs = difference(edited.readout.logits(edited.residual[-1])[-1])
    ours = float(grid.values(grid.sweep.metric)[1, 1])
    assert ours == pytest.approx(theirs, abs=1e-4)
    assert grid.values("effect")[1, 1] != 0


@pytest.mark.parametrize("unit", ["mlp", "component", "head"])
def test_activations_are_brought_in_one_pass_a_run(unit: str, llama: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    base, source = lw.run(llama, BASE), lw.run(llama, SOURCE)
    passes: list[int] = []
    plain = Activations._run
    monkeypatch.setattr(Activations, "_run", lambda self, sites: passes.append(len(sites)) or plain(self, sites))
    lw.patch(base, source, TARGET, against=AGAINST, unit=unit, at=slice(None))
    assert len(passes) <= 2


def test_state_beside_the_stream_is_told(tmp_path: Path) -> None:
    model = saved("Gemma4ForCausalLM", tmp_path) if "Gemma4ForCausalLM" in READ else None
    if model is None:
        pytest.skip("this transformers has no Gemma-4")
    base, source = lw.runs(model, [BASE, SOURCE])
    grid = lw.patch(base, source, TARGET, against=AGAINST)
    assert grid.check is not None and not grid.check.holds
    assert any("carries something beside its stream" in note for note in grid.notes)


def test_what_can_not_be_swept_is_told(llama: Any, tmp_path: Path) -> None:
    base, source = lw.runs(llama, [BASE, SOURCE])
    for options, says in [
        ({"unit": "layer"}, r"unit is one of 'row', 'attn'"),
        ({"metric": "accuracy"}, r"metric is one of 'logit difference'"),
        ({"position": 6}, r"Position 6 is not in this prompt"),
        ({"at": 9}, r"Position 9 is not in this prompt"),
        ({"window": 0}, r"window is how many blocks"),
        ({"window": 3}, r"A window joins the attention or the MLPs"),
        ({"metric": "logit difference", "against": None}, r"name the second, as in against="),
        ({"against": TARGET}, r"is both the target and what it is compared with"),
    ]:
        with pytest.raises(ValueError, match=says):
            lw.patch(base, source, TARGET, **{"against": AGAINST, **options})
    with pytest.raises(ValueError, match=r"don't differ: both are"):
        lw.patch(base, lw.run(llama, BASE), TARGET)
    (tmp_path / "other").mkdir()
    with pytest.raises(ValueError, match=r"different model objects"):
        lw.patch(base, lw.run(saved("LlamaForCausalLM", tmp_path / "other"), SOURCE), TARGET)
    with pytest.raises(ValueError, match=r"3 bases and 1 sources|2 bases and 1 sources"):
        lw.patch([base, base], [source], TARGET)
    with pytest.raises(ValueError, match=r"no activations"):
        lw.patch(base.detach(), source, TARGET)
    with pytest.raises(ValueError, match=r"have the same logit difference .*: .* and "):
        lw.patch(
            base, lw.run(llama, BASE, edits=[lw.Edit("L2", add=torch.ones(32), position=1)]), TARGET, against=AGAINST
        )
    with pytest.raises(ValueError, match=r"metric='KL' counts from the source"):
        lw.patch(base, 0, TARGET, metric="KL")


def test_a_model_whose_parts_are_unknown_is_swept_by_rows(tmp_path: Path) -> None:
    model = saved("MambaForCausalLM", tmp_path)
    base, source = lw.runs(model, [BASE, SOURCE])
    with pytest.raises(ValueError, match="no attention whose heads can be told apart"):
        lw.patch(base, source, TARGET, unit="head")
    assert lw.patch(base, source, TARGET, against=AGAINST).shape == (len(components_of(backend_of(model)).blocks), 6)


def test_what_is_there_stays_when_a_sweep_is_stopped(llama: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    base, source = lw.runs(llama, [BASE, SOURCE])
    whole = lw.patch(base, source, TARGET, against=AGAINST)
    passes: list[int] = []
    run_pass = continuations.run_pass

    def stopped(*args: Any) -> Tensor:
        passes.append(1)
        if len(passes) == 2:
            raise KeyboardInterrupt
        return run_pass(*args)

    monkeypatch.setattr(continuations, "run_pass", stopped)
    monkeypatch.setattr(continuations, "TOKENS", 16)
    grid = lw.patch(base, source, TARGET, against=AGAINST)
    values = grid.values("recovered")
    there = ~np.isnan(values)
    assert 0 < there.sum() < there.size
    np.testing.assert_allclose(values[there], whole.values("recovered")[there], atol=1e-3)
    assert any("stopped after" in note for note in grid.notes)


def test_every_way_is_right_and_the_cheapest_is_taken(llama: Any) -> None:
    backend = backend_of(llama)
    base, source = lw.runs(llama, [BASE, SOURCE])
    own = Base(backend, base.tokens, base.residual[-1])
    cells = [
        Cell((Written(place_of(backend, "L0"), torch.tensor([p]), source.residual[1, p : p + 1]),)) for p in (2, 4)
    ]
    found = [last_rows(own, cells, 5, way=way) for way in WAYS]
    for one in found:
        torch.testing.assert_close(one, found[-1], atol=1e-4, rtol=1e-4)
    assert way_of(backend) == WAYS[0]


def test_the_embedded_model_shows_where_a_fact_lies(smollm: Any) -> None:
    base, source = lw.runs(
        smollm, ["The Colosseum is located in the city of", "The Eiffel Tower is located in the city of"]
    )
    grid = lw.patch(base, source, " Paris", against=" Rome")
    shares = grid.values("recovered")
    assert (shares[:24, 2] > 0.65).all() and (shares[24:, 2] < 0.05).all()  # `osse` up to L22
    assert (shares[24:, 9] > 0.8).all() and (np.abs(shares[:23, 9]) < 0.1).all()  # then the last token
    assert grid.check is not None and grid.check.error < 1e-3
    attention = lw.patch(base, source, " Paris", against=" Rome", unit="attn", at=-1)
    assert attention.values("recovered")[23, 0] == pytest.approx(0.79, abs=0.01)
    heads = lw.patch(base, source, " Paris", against=" Rome", unit="head").values("recovered")
    assert heads[23, [4, 5]] == pytest.approx([0.56, 0.28], abs=0.01)
    assert heads[29, 0] == pytest.approx(-0.30, abs=0.01)


def test_a_sweep_is_saved_and_sliced(llama: Any, tmp_path: Path) -> None:
    base, source = lw.runs(llama, [BASE, SOURCE])
    grid = lw.patch(base, source, TARGET, against=AGAINST)
    assert Grid.load(grid.save(tmp_path / "sweep.lens")) == grid
    assert grid[:, 2:].sweep.columns.tolist() == SOURCE[2:]  # type: ignore[union-attr]
    out = lw.patch(base, 0, TARGET, unit="mlp")
    assert Grid.load(out.save(tmp_path / "out.lens")) == out
