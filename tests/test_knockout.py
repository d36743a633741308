"""Parts that are taken out of an attribution: what was predicted, what happened, and who reacted."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest
import torch
import traitlets

import lenswidget as lw
from lenswidget.attribution.under_edits import said
from lenswidget.view.widget import LensWidget
from tests.architectures import boot, save

PROMPT = "A first one and another"
JOHN = "When John and Mary went to the shop, John gave a bottle of milk to"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("model")
    save("GPT2LMHeadModel", folder)
    return boot(folder)


def out(run: lw.Run, *sites: str, **changes: Any) -> list[dict[str, Any]]:
    last = len(run.tokens) - 1
    return [{"grid": 0, "site": site, "position": last, "to": [], "on": True, **changes} for site in sites]


def under(widget: LensWidget, edits: list[dict[str, Any]]) -> lw.Grid:
    widget.edits = edits
    assert widget.wait(60.0)
    assert widget.failure is None, widget.progress
    return widget.grid


def values(grid: lw.Grid, name: str) -> dict[str, float]:
    return dict(zip(grid.rows, grid.quantities[name].values[:, 0].tolist()))


@pytest.mark.parametrize(
    ("unit", "sites"), [("head", ["L0H1", "L1H0"]), ("component", ["L0.attn", "L1.mlp"]), ("neuron", ["L0N3"])]
)
def test_bars_under_edits_are_those_of_a_run_that_was_edited_by_hand(model: Any, unit: str, sites: list[str]) -> None:
    run = lw.run(model, PROMPT)
    base = lw.attribute(run, 5, against=7, unit=unit, top=10_000)
    edited = under(LensWidget(base), out(run, *sites))
    with_edits = lw.run(model, PROMPT, edits=[lw.Edit(site, to=0, position=-1) for site in sites])
    by_hand = lw.attribute(with_edits, 5, against=7, unit=unit, top=10_000)
    now, was, predicted = (values(edited, n) for n in ("contribution", "contribution before", "predicted change"))
    assert set(base.rows) <= set(edited.rows)
    for row, value in values(by_hand, "contribution").items():
        assert now[row] == value
    for row, value in values(base, "contribution").items():
        assert was[row] == value
    assert {row for row, value in predicted.items() if value} <= set(sites)
    for site in sites:
        assert now[site] == 0 and predicted[site] == -was[site]
    # what they sum to is what the model itself says
    for one, total in ((run, was), (with_edits, now)):
        logits = one.readout.logits(one.residual[-1, -1:].float())[0]
        assert sum(total.values()) == pytest.approx(float(logits[5] - logits[7]), abs=1e-4)


def test_the_largest_before_and_the_largest_now_have_a_bar(model: Any) -> None:
    run = lw.run(model, PROMPT)
    edited = under(LensWidget(lw.attribute(run, 5, unit="neuron", top=4)), out(run, "L0.attn"))
    whole = under(LensWidget(lw.attribute(run, 5, unit="neuron", top=10_000)), out(run, "L0.attn"))
    for name in ("contribution", "contribution before"):
        every = values(whole, name)
        largest = sorted(every, key=lambda row: -abs(every[row]))[:4]
        assert set(largest) <= set(edited.rows)
        assert sum(values(edited, name).values()) == pytest.approx(sum(every.values()), abs=1e-4)


def test_two_heads_that_vote_for_a_name_are_made_up_for() -> None:
    run = lw.run(lw.load(), JOHN)
    widget = LensWidget(lw.attribute(run, " Mary", against=" John", unit="head"))
    edited = under(widget, out(run, "L23H2", "L23H7"))
    assert edited.notes[-1].startswith(
        "Attribution predicts −1.85; it costs 0.05: L24H4 +0.66, L29H0 +0.40, L28.mlp +0.26, "
    )
    assert edited.notes[-1].endswith(" make up for it.")
    # one alone, and back
    one = under(widget, out(run, "L23H2"))
    assert one.notes[-1].startswith("Attribution predicts −0.96; it adds 0.21: ")
    own = under(widget, out(run, "L23H2", on=False))
    assert list(own.quantities) == ["contribution", "running total"]


@pytest.mark.parametrize(
    ("happened", "predicted", "others", "says"),
    [
        (-0.5, -0.5, {"L1H0": 0.001}, "Attribution predicts −0.50; it costs 0.50."),
        (
            0.001,
            -1.0,
            {"L1H0": 1.001},
            "Attribution predicts −1.00; nothing changes: L1H0 +1.00 and all others 0.00 make up for it.",
        ),
        (
            -3.0,
            -4.0,
            {"L1H0": 1.5, "L2H0": -0.75, "L3H1": 0.25},
            "Attribution predicts −4.00; it costs 3.00: L1H0 +1.50, L3H1 +0.25 and all others −0.75 make up for part of it.",
        ),
        (
            0.75,
            0.5,
            {"L1H0": 0.25},
            "Attribution predicts +0.50; it adds 0.75: L1H0 +0.25 and all others 0.00 add to it.",
        ),
        (-0.25, None, {}, "With these edits, it costs 0.25."),
    ],
)
def test_the_sentence_says_what_the_numbers_say(
    happened: float, predicted: float | None, others: dict[str, float], says: str
) -> None:
    assert said(happened, predicted, others) == says


def test_what_no_attribution_predicts_has_no_prediction(model: Any) -> None:
    run = lw.run(model, PROMPT)
    widget = LensWidget(lw.attribute(run, 5, unit="block"))
    for edits in (out(run, "L0"), out(run, "L0.mlp")):
        edited = under(widget, edits)
        assert "predicted change" not in edited.quantities
        assert edited.notes[-1].startswith("With these edits, ")


def test_bars_stand_in_their_own_place_beside_others(model: Any) -> None:
    run = lw.run(model, PROMPT)
    base = lw.attribute(run, 5, unit="head")
    widget = LensWidget(lw.compare(lw.logit_lens(run), base))
    widget.edits = out(run, "L0H1", grid=1)
    assert widget.wait(60.0) and widget.comparison is not None
    first, second = widget.comparison.grids
    assert first.view == "heatmap" and "contribution before" in second.quantities


def test_it_keeps_no_run_and_no_model_and_says_when_they_are_gone(tmp_path: Any) -> None:
    save("GPT2LMHeadModel", tmp_path)
    own = boot(tmp_path)
    run = lw.run(own, PROMPT)
    widget = LensWidget(lw.attribute(run, 5, unit="head"))
    edits = out(run, "L0H1")
    living = weakref.ref(run)
    del run
    gc.collect()
    assert living() is None
    assert "contribution before" in under(widget, edits).quantities  # the model lives, and runs again
    widget.edits = []
    widget.wait(60.0)
    gone = weakref.ref(own)
    del own
    gc.collect()
    assert gone() is None
    widget.edits = edits
    widget.wait(60.0)
    assert widget.progress["state"] == "failed" and "was deleted" in widget.progress["message"]


def test_weights_that_changed_since_are_told(tmp_path: Any) -> None:
    save("GPT2LMHeadModel", tmp_path)
    own = boot(tmp_path)
    run = lw.run(own, PROMPT)
    widget = LensWidget(lw.attribute(run, 5, unit="head"))
    edits = out(run, "L0H1")
    del run
    gc.collect()
    with torch.no_grad():
        for weight in own.parameters():
            weight.mul_(1.5)
    widget.edits = edits
    widget.wait(60.0)
    assert widget.progress["state"] == "failed" and "its weights were changed since" in widget.progress["message"]


@pytest.mark.parametrize("made", ["mean", "by layer", "detached", "several positions"])
def test_what_can_not_be_asked_again_is_refused_in_a_sentence(model: Any, made: str) -> None:
    run = lw.run(model, PROMPT)
    grid = {
        "mean": lambda: lw.attribute([run, run], 5, unit="head"),
        "by layer": lambda: lw.attribute(run, 5, unit="head", by_layer=True),
        "detached": lambda: lw.attribute(run.detach(), 5, unit="block"),
        "several positions": lambda: lw.attribute(run, 5, position=None),
    }[made]()
    widget = LensWidget(grid)
    position = int(grid.positions[0])
    with pytest.raises(traitlets.TraitError, match=r"came without a model|is the output"):
        widget.edits = [{"grid": 0, "site": grid.rows[1], "position": position, "to": [], "on": True}]


def test_a_head_that_is_not_there_is_a_sentence_and_the_bars_stay(model: Any) -> None:
    run = lw.run(model, PROMPT)
    widget = LensWidget(lw.attribute(run, 5, unit="head"))
    before = widget.grid
    widget.edits = out(run, "L99H0")
    widget.wait(60.0)
    assert widget.progress["state"] == "failed" and "has no site 'L99H0'" in widget.progress["message"]
    assert widget.grid is before
    np.testing.assert_array_equal(
        widget.grid.quantities["contribution"].values, before.quantities["contribution"].values
    )
