"""The widget's Python half: what may be set, what is refused, and that nothing is left behind."""

from __future__ import annotations

import base64
import io
import json
import pydoc
import sys
from dataclasses import replace
from types import ModuleType, SimpleNamespace
from xml.dom import minidom

import numpy as np
import pytest
import traitlets
from PIL import Image

from lenswidget.grids.grid import Grid
from lenswidget.grids.parts import Check, Quantity
from lenswidget.view.picture.draw import preview_png, preview_svg
from lenswidget.view.widget import CHOICES, LensWidget, _showable
from lenswidget.view.wire import encode
from tests.golden.write import header_of
from tests.grids import HOSTILE, hostile_grid, make_grid


def test_settings_are_traits_that_can_be_observed() -> None:
    widget = LensWidget(make_grid(), color="entropy", pins=[" tok3"])
    seen = []
    widget.observe(lambda change: seen.append((change.name, change.new)), ["selected", "pins", "color"])
    widget.selected = [3, 2]
    widget.pins = [" tok3", [4, " tok5"]]
    widget.color = "change"
    assert seen == [("selected", [3, 2]), ("pins", [[3], [4, 5]]), ("color", "change")]


@pytest.mark.parametrize(
    ("where", "outputs"),
    [("Jupyter", 2), ("VSCODE_PID", 1), ("VSCODE_CWD", 1), ("google.colab", 1)],
)
def test_only_where_one_of_them_can_be_hidden_are_picture_and_widget_two_outputs(
    where: str, outputs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("VSCODE_PID", "VSCODE_CWD"):
        monkeypatch.delenv(name, raising=False)
    if where.isupper():
        monkeypatch.setenv(where, "1")
    elif "." in where:
        monkeypatch.setitem(sys.modules, where, ModuleType(where))
    kernel = SimpleNamespace(kernel=object())
    shown: list[set[str]] = []
    monkeypatch.setattr("IPython.get_ipython", lambda: kernel)
    monkeypatch.setattr("IPython.display.display", lambda data, **_: shown.append(set(data)))
    widget = LensWidget(make_grid())
    if outputs == 2:
        widget._ipython_display_()
        assert shown[0] == {"image/png"} and "image/png" not in shown[1]
    else:
        with pytest.raises(NotImplementedError):  # IPython asks for the mimebundle instead
            widget._ipython_display_()
    assert {"image/png", "text/plain"} < set(widget._repr_mimebundle_()[0])


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        ({"colour": "entropy"}, TypeError, "no setting 'colour'; it has edits, color"),
        ({"color": "warmth"}, traitlets.TraitError, "no quantity 'warmth'.*it has probability"),
        ({"jump": [0, 3, 0]}, traitlets.TraitError, r"no jump \[0, 3, 0\].*rows 1 to 6 that have a row below"),
        ({"selected": [99, 0]}, traitlets.TraitError, r"Cell \[99, 0\] is outside.*rows 0 to 6"),
        ({"pins": [" Paris"]}, traitlets.TraitError, "No candidate of this Grid reads ' Paris'"),
        ({"trajectory": "sideways"}, traitlets.TraitError, "sideways"),
        ({"stride": -1}, traitlets.TraitError, "stride"),
    ],
)
def test_what_it_cannot_show_is_refused_by_name(settings: dict, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        LensWidget(make_grid(), **settings)


@pytest.mark.parametrize(("thing", "got"), [({}, "dict"), ([], "an empty list"), ([{}], "dict")])
def test_only_grids_are_shown(thing: object, got: str) -> None:
    with pytest.raises(
        TypeError, match=rf"shows a Grid, a Comparison or a list of Grids and got {got}; make one with lw\.l"
    ):
        _showable(thing)


def test_two_tokens_that_look_alike_are_told_apart() -> None:
    grid = make_grid()
    alike = replace(grid, texts={**grid.texts, 3: "same", 4: "same"})
    with pytest.raises(traitlets.TraitError, match=r"the text of 2 tokens, \[3, 4\]; pin one by its id"):
        LensWidget(alike, pins=["same"])
    assert LensWidget(alike, pins=[4]).pins == [[4]]


def test_a_state_is_every_choice_as_plain_data_and_makes_the_same_view_again() -> None:
    grids = [make_grid(), make_grid(seed=1)]
    choices = {
        "color": "entropy", "pins": [[3], [4, 5]], "selected": [2, 1], "trajectory": "rank", "stride": 2, "height": 300,
        "view": "difference", "shown": 1, "links": ["hover"], "rows_compared": [2, 5], "filter": "look here", "jump": [1, 3, 2],
        "order": "waterfall", "edits": [],
    }  # fmt: skip
    widget = LensWidget(grids)
    assert set(widget.state()) == set(choices)
    for name, value in choices.items():
        setattr(widget, name, value)
    state = json.loads(json.dumps(widget.state()))
    assert state == choices
    assert LensWidget(grids, state=state).state() == choices
    assert LensWidget(grids, state=state, color="change").color == "change"


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ({"zoom": 2}, "state has 'zoom', which is no choice of a LensWidget; it has edits, color, pins"),
        ({"color": "warmth"}, r"state\['color'\] can't be shown here: This Grid has no quantity 'warmth'"),
        ({"selected": [7, 0]}, r"state\['selected'\].*rows 0 to 6"),
        ({"pins": 3}, r"state\['pins'\]"),
        ({"pins": [" Paris"]}, r"state\['pins'\].*No candidate"),
        ({"stride": "all"}, r"state\['stride'\]"),
        ({"shown": 1}, r"state\['shown'\].*no Grid 1 to show; this Grid has 1"),
        ({"rows_compared": [1]}, r"state\['rows_compared'\].*two rows, or none; got \[1\]"),
        ({"rows_compared": [1, 7]}, r"state\['rows_compared'\].*Row 7 is outside"),
        ({"links": ["thoughts"]}, r"state\['links'\]"),
    ],
)
def test_a_state_that_cannot_be_is_refused_by_its_key(state: dict, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        LensWidget(make_grid(), state=state)


def test_one_widget_shows_several_grids_and_is_asked_in_their_slots() -> None:
    widget = LensWidget([make_grid(7, 5), make_grid(7, 6, seed=1)], shown=1)
    assert widget.comparison is not None and widget.grid is widget.comparison.grids[1]
    rows, columns = widget.comparison.shape
    widget.selected = [rows - 1, columns - 1]
    with pytest.raises(traitlets.TraitError, match=f"columns 0 to {columns - 1}"):
        widget.selected = [0, columns]
    header = header_of(widget.grids)
    assert len(header["grids"]) == 2 and header["comparison"]["rows"]["shape"] == [rows, 2]
    widget.grid = make_grid(3, 3)
    assert (widget.shown, widget.selected, widget.comparison) == (0, None, None)


def explain(column: int, token: int, row: int) -> Grid:
    """Three parts that sum to 2.1, and say what they were asked."""
    if row == 2:
        raise ValueError("this cache has no heads")
    values = np.array([[3.0], [-1.0], [0.1]], dtype=np.float32)
    return Grid(
        title=f"{column} {token} {row}",
        kind="What moved it",
        rows=("L0H0", "L0.mlp", "norm rescale"),
        columns=np.array([token], dtype=np.int32),
        positions=np.array([column], dtype=np.int32),
        quantities={"contribution": Quantity("contribution", values, unit="logits", center=0.0)},
        texts={token: " it"},
        view="bars",
    )


def test_a_jump_is_answered_with_bars_or_a_sentence() -> None:
    widget = LensWidget(replace(make_grid(), explain=explain))
    assert widget.explains
    widget.jump = [4, 17, 3]
    assert widget.explained["jump"] == [4, 17, 3]
    header = header_of(widget.explained["grid"])["grids"][0]
    assert (header["title"], header["view"]) == ("4 17 3", "bars")
    assert header["quantities"][0]["values"]["dtype"] == "f4"  # what is added up is not rounded
    widget.jump = [4, 17, 2]
    assert widget.explained["error"] == "Failed while explaining this jump. this cache has no heads"
    widget.jump = [4, 17, 3]
    widget.grid = replace(make_grid(seed=1), explain=lambda *jump: explain(0, 1, 1))
    assert header_of(widget.explained["grid"])["grids"][0]["title"] == "0 1 1"  # what is open is asked of the new one
    widget.grid = make_grid()
    assert (widget.explained, widget.explains) == ({}, False)
    widget.jump = [4, 17, 3]
    assert widget.explained == {}  # nobody to ask


def test_a_jump_of_one_of_several_grids_is_asked_of_that_one_about_its_own_column() -> None:
    live = replace(make_grid(7, 5, seed=1), explain=explain)
    widget = LensWidget([make_grid(7, 8), live])
    assert widget.explains and widget.comparison is not None
    slot = int(np.flatnonzero(widget.comparison.columns[:, 1] == 4)[0])
    widget.jump = [slot, 17, 3, 1]
    assert widget.explained["jump"] == [slot, 17, 3, 1]
    assert header_of(widget.explained["grid"])["grids"][0]["title"] == "4 17 3"
    widget.jump = [0, 17, 3]
    assert "came without its model; make it again from a run" in widget.explained["error"]
    gap = int(np.flatnonzero(widget.comparison.columns[:, 1] < 0)[0])
    widget.jump = [gap, 17, 3, 1]
    assert "has no such token" in widget.explained["error"]
    with pytest.raises(traitlets.TraitError, match="no Grid 2 to open a jump of; this Comparison has 2"):
        widget.jump = [0, 17, 3, 2]
    assert not LensWidget([make_grid(), make_grid(seed=1)]).explains


def test_a_part_of_a_grid_asks_about_the_same_cells() -> None:
    part = replace(make_grid(), explain=explain)[3:, 2:]
    assert part.explain is not None
    assert part.explain(1, 17, 1).title == "3 17 4"
    thinned = replace(make_grid(), explain=explain)[::2]
    assert thinned.explain is not None
    with pytest.raises(ValueError, match="doesn't follow on the one below; ask the whole Grid"):
        thinned.explain(1, 17, 1)


def test_some_of_the_parts_of_a_sum_claim_no_sum() -> None:
    whole = replace(explain(0, 1, 3), check=Check(0.0, 1e-4, "rows sum to the jump"))
    assert whole[:, 0].check == whole.check
    assert whole[:2].check is None


@pytest.mark.skipif(traitlets.version_info < (5, 8), reason="this traitlets tells help() nothing of a trait")
def test_help_says_what_every_trait_is() -> None:
    said = pydoc.render_doc(LensWidget)
    own = {name for name in LensWidget.class_own_traits() if not name.startswith("_")}
    assert set(CHOICES) <= own
    for name in own:
        described = getattr(LensWidget, name).help
        assert described.endswith("."), name
        assert described in " ".join(said.replace("|", " ").split()), name


def test_another_grid_takes_the_place_of_the_first() -> None:
    widget = LensWidget(make_grid(), color="entropy", selected=[6, 4])
    smaller = make_grid(3, 2, seed=5)
    widget.grid = replace(smaller, quantities={"probability": smaller.quantities["probability"]})
    assert (widget.color, widget.selected) == ("", None)
    assert widget.grids == encode([widget.grid])


def test_a_grid_at_the_end_of_a_cell_shows_a_widget_and_a_picture() -> None:
    data, metadata = make_grid(31, 16)._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"]
    assert data["text/plain"].startswith("Grid: Logit lens")
    image = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    assert image.width >= metadata["image/png"]["width"]
    assert len(data["image/png"]) <= 64_000


@pytest.mark.parametrize(
    "grid", [hostile_grid(), make_grid(1, 1), make_grid(130, 60)], ids=["hostile", "one cell", "large"]
)
def test_the_picture_is_well_formed_and_every_text_in_it_is_only_text(grid: Grid) -> None:
    drawn = minidom.parseString(preview_svg(grid))
    assert {node.nodeName for node in drawn.getElementsByTagName("*")} <= {
        "svg",
        "title",
        "style",
        "rect",
        "text",
        "polyline",
        "polygon",
        "path",
    }
    assert len(preview_svg(grid)) < 120_000
    assert len(preview_png(grid)[0]) < 64_000


def test_the_picture_keeps_the_last_row() -> None:
    assert ">L128<" in preview_svg(make_grid(130, 4))


def test_hostile_texts_cross_as_they_are() -> None:
    grid = hostile_grid()
    header = header_of(LensWidget(grid).grids)["grids"][0]
    assert header["tokens"]["texts"] == HOSTILE
    assert (header["title"], header["kind"], header["rows"]) == (grid.title, grid.kind, list(grid.rows))
