"""Edits that a reader makes in a widget: what is run, what is refused, and what stays."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest
import torch
import traitlets

import lenswidget as lw
from lenswidget.view.widget import LensWidget
from tests.architectures import boot, save

PROMPTS = ["A first one and another", "A third one and another"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("model")
    save("GPT2LMHeadModel", folder)
    return boot(folder)


@pytest.fixture
def shown(model: Any) -> tuple[list[lw.Run], LensWidget]:
    runs = lw.runs(model, PROMPTS)
    return runs, LensWidget(lw.compare(*(lw.logit_lens(run) for run in runs)))


def edit(**changes: Any) -> dict[str, Any]:
    return {"grid": 1, "site": "L0", "position": 3, "to": [0, 3], "on": True, **changes}


def test_an_edit_is_a_third_grid_that_says_what_moved(shown: tuple[list[lw.Run], LensWidget], model: Any) -> None:
    (source, base), widget = shown
    widget.edits = [edit()]
    assert widget.wait(60.0)
    assert widget.failure is None and widget.progress == {"state": "idle"}
    assert widget.comparison is not None and len(widget.comparison.grids) == 3
    edited = widget.comparison.grids[2]
    # the same by hand
    run = lw.run(model, PROMPTS[1], edits=[lw.Edit("L0", to=source, position=3)])
    by_hand = lw.logit_lens(run)
    np.testing.assert_array_equal(edited.quantities["probability"].values, by_hand.quantities["probability"].values)
    moved = edited.quantities["change of the state"].values
    torch.testing.assert_close(
        torch.from_numpy(moved),
        (run.residual - base.residual).norm(dim=-1) / base.residual.norm(dim=-1),
        rtol=1e-5,
        atol=0,
    )
    inside = np.zeros(moved.shape, dtype=bool)
    inside[1, 3] = inside[2:, 3:] = True
    assert (moved[~inside] == 0).all() and (moved[inside] > 0).all()
    assert "edits=[lw.Edit('L0', to=lw.run(model, 'A first one and another'), position=3" in edited.provenance["call"]


def test_edits_stack_are_switched_off_and_kept_in_the_state(shown: tuple[list[lw.Run], LensWidget]) -> None:
    _, widget = shown
    own = widget.comparison
    widget.edits = [edit(), edit(site="L1", position=4, to=[])]
    widget.wait(60.0)
    assert widget.comparison is not None
    assert widget.comparison.grids[2].provenance["edits"].count("\n") == 1
    state = widget.state()
    assert state["edits"] == widget.edits
    again = LensWidget(own, state=state)
    again.wait(60.0)
    assert again.comparison is not None and len(again.comparison.grids) == 3
    widget.edits = [{**one, "on": False} for one in widget.edits]
    widget.wait(60.0)
    assert widget.comparison is own


def test_another_grid_lets_go_of_the_edits_of_the_one_before(shown: tuple[list[lw.Run], LensWidget]) -> None:
    (source, _), widget = shown
    widget.edits = [edit()]
    widget.grid = lw.logit_lens(source)
    widget.wait(60.0)
    assert widget.edits == [] and widget.comparison is None


def test_what_fails_is_a_sentence_and_the_picture_stays(shown: tuple[list[lw.Run], LensWidget]) -> None:
    _, widget = shown
    before = widget.comparison
    widget.edits = [edit(site="L99")]
    widget.wait(60.0)
    assert widget.progress["state"] == "failed" and "has no site 'L99'" in widget.progress["message"]
    assert widget.comparison is before
    widget.edits = []
    widget.wait(60.0)
    assert widget.progress == {"state": "idle"}


def test_a_model_that_is_gone_is_told(model: Any, tmp_path: Any) -> None:
    save("GPT2LMHeadModel", tmp_path)
    own = boot(tmp_path)
    widget = LensWidget([lw.logit_lens(run) for run in lw.runs(own, PROMPTS)])
    del own
    gc.collect()  # modules that name each other keep the model until then
    widget.edits = [edit()]
    assert widget.wait(60.0)
    assert widget.progress["state"] == "failed" and "was deleted" in widget.progress["message"]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"grid": 2}, "There is no Grid 2: there are 2"),
        ({"grid": True}, "There is no Grid True"),
        ({"site": ""}, "A site is a label"),
        ({"site": "<img src=x>\u202e", "position": -1}, "no position -1"),
        ({"position": 99}, "no position 99; it has 0 to"),
        ({"to": [0]}, r"to is \[grid, position\]"),
        ({"to": [5, 0]}, "no Grid 5 to take a value from"),
        ({"to": [0, "1"]}, "no position '1'"),
        ({"on": 1}, "on is True or False"),
    ],
)
def test_a_bad_edit_is_refused_in_a_sentence(
    shown: tuple[list[lw.Run], LensWidget], wrong: dict[str, Any], says: str
) -> None:
    _, widget = shown
    with pytest.raises(traitlets.TraitError, match=says):
        widget.edits = [edit(**wrong)]
    assert widget.edits == []


def test_the_output_another_grid_and_one_without_its_model_are_refused(
    shown: tuple[list[lw.Run], LensWidget], model: Any
) -> None:
    runs, widget = shown
    with pytest.raises(traitlets.TraitError, match="is the output, after which nothing runs"):
        widget.edits = [edit(site=widget.grid.rows[-1])]
    with pytest.raises(traitlets.TraitError, match="these are in several"):
        widget.edits = [edit(), edit(grid=0, to=[1, 3])]
    with pytest.raises(traitlets.TraitError, match="keys grid, site, position, to, on"):
        widget.edits = [{"grid": 1}]
    without = LensWidget([lw.logit_lens(run.detach()) for run in runs])
    with pytest.raises(traitlets.TraitError, match="came without a model"):
        without.edits = [edit()]
