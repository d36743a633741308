"""Tour: stops are checked against the figure when they are made, and cross as plain data."""

from __future__ import annotations

import json
from typing import Any

import pytest
import traitlets

from lenswidget.grids.comparison import compare
from lenswidget.lessons.tour import Tour, stop_of
from tests.grids import HOSTILE, hostile_grid, make_grid

GRID = make_grid(seed=4)
STOPS: list[tuple[dict[str, Any], str]] = [({}, "First."), ({"selected": ("L2", -1), "pins": " tok3"}, "Then *this*.")]


def test_stops_cross_as_plain_data() -> None:
    tour = Tour(GRID, STOPS, title="Look.")
    assert json.loads(json.dumps(tour.part["stops"])) == [
        {"show": {}, "say": "First."},
        {"show": {"selected": [3, 4], "pins": [[3]]}, "say": "Then *this*."},
    ]
    assert "at stop 1 of 2" in repr(tour)
    tour.answer = 1
    assert "at stop 2 of 2" in repr(tour) and tour.correct is None
    assert Tour(GRID, STOPS, state=tour.state()).answer == 1
    assert tour._plain().splitlines() == ["Look.", "1. First.", "2. Then *this*."]


def test_a_state_of_the_widget_is_one_of_a_stop() -> None:
    from lenswidget.view.widget import LensWidget

    widget = LensWidget(GRID, selected=[3, 2], color="entropy")
    (stop,) = Tour(GRID, [(widget.state(), "Here.")]).part["stops"]
    assert stop["show"] == widget.state()


def test_another_figure_is_checked_before_it_is_shown() -> None:
    tour = Tour(GRID, STOPS)
    with pytest.raises(KeyError, match="'L2' is no row of this Grid"):
        tour.figure = GRID[:2]
    assert tour.figure is GRID
    both = compare(GRID, make_grid(seed=5))
    with pytest.raises(ValueError, match="There is no slot"):
        Tour(both, [({"selected": [99, 0]}, "There.")])
    assert Tour(both, [({"selected": [1, 0]}, "There.")]).part["stops"][0]["show"] == {"selected": [1, 0]}


@pytest.mark.parametrize(
    ("stops", "error", "sentence"),
    [
        ([], ValueError, "A Tour needs a stop"),
        ([({}, "First."), ({}, " ")], TypeError, "Stop 2 is a state and a caption"),
        (
            [({"colour": "entropy"}, "There.")],
            ValueError,
            "A figure has no choice 'colour' to show; it has edits, color",
        ),
        ([({"selected": ("L90", 0)}, "There.")], KeyError, "'L90' is no row"),
        ([({"pins": [" nowhere"]}, "There.")], ValueError, "No token of this Grid reads ' nowhere'"),
    ],
)
def test_what_is_no_stop_is_said(stops: Any, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        Tour(GRID, stops)


@pytest.mark.parametrize("stop", ["here", ({}, 3), ({},), (None, "There."), {"a": 1, "b": 2}])
def test_what_is_no_pair_is_said(stop: Any) -> None:
    with pytest.raises(TypeError, match="Stop 7 is a state and a caption"):
        stop_of(stop, 7)


@pytest.mark.parametrize("answer", [2, -1, "1", True, [0], 0.0])
def test_what_is_no_stop_can_not_be_gone_to(answer: Any) -> None:
    tour = Tour(GRID, STOPS)
    with pytest.raises(traitlets.TraitError, match="A Tour is at a stop from 0 to 1"):
        tour.answer = answer


@pytest.mark.parametrize("start", range(0, len(HOSTILE), 13))
def test_hostile_texts_cross_as_text(start: int) -> None:
    json.dumps(Tour(hostile_grid(start), [({}, f".{HOSTILE[start]}")], title=HOSTILE[start]).part)
