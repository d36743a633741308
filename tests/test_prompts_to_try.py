"""Prompts: those that are prepared, and those that are typed where something reads them."""

from __future__ import annotations

import json
from typing import Any

import pytest
import traitlets

from lenswidget.grids.grid import Grid
from lenswidget.lessons.prompts_to_try import MOST, Prompts
from lenswidget.view.wire import encode
from tests.grids import HOSTILE, make_grid

GRIDS = {"one": make_grid(seed=1), "two": make_grid(seed=2)}


def read(prompt: str) -> Grid:
    if prompt == "bad":
        raise ValueError("This prompt is bad; write another.")
    return make_grid(seed=len(prompt), title=prompt)


def test_one_of_those_that_are_prepared_is_shown() -> None:
    prompts = Prompts(GRIDS)
    assert prompts.grid is GRIDS["one"] and bytes(prompts.grids) == encode(list(GRIDS.values()))
    prompts.answer = "two"
    assert prompts.grid is GRIDS["two"] and prompts.correct is None
    assert "'two' of 2 prompts" in repr(prompts)
    assert Prompts(GRIDS, state=prompts.state()).grid is GRIDS["two"]
    with pytest.raises(traitlets.TraitError, match="'three' is none of these prompts, and without read="):
        prompts.answer = "three"


def test_what_is_typed_is_read_once() -> None:
    asked: list[str] = []
    prompts = Prompts(GRIDS, lambda prompt: asked.append(prompt) or read(prompt))  # type: ignore[func-returns-value]
    prompts.answer = "three"
    assert prompts.part["prompts"] == ["one", "two", "three"] and prompts.part["types"] is True
    assert prompts.grid == read("three") and prompts.part["problem"] == ""
    assert bytes(prompts.grids) == encode([*GRIDS.values(), read("three")])
    prompts.answer = "one"
    prompts.answer = "three"
    assert asked == ["three"]


def test_what_can_not_be_read_is_said_and_the_rest_stays() -> None:
    prompts = Prompts(GRIDS, read)
    prompts.answer = "bad"
    assert prompts.part["problem"] == "This prompt is bad; write another." and prompts.part["prompts"] == ["one", "two"]
    assert prompts.grid is GRIDS["one"]
    prompts.answer = "three"
    assert prompts.part["problem"] == "" and prompts.grid == read("three")
    none = Prompts(GRIDS, lambda prompt: None)  # type: ignore[arg-type, return-value]
    none.answer = "three"
    assert "has no Grid but a NoneType" in none.part["problem"]


def test_no_more_are_kept_than_a_page_holds() -> None:
    prompts = Prompts(GRIDS, read)
    for i in range(MOST + 5):
        prompts.answer = f"typed {i}"
    assert len(prompts.part["prompts"]) == MOST
    assert prompts.part["prompts"][:2] == ["one", "two"] and prompts.part["prompts"][-1] == f"typed {MOST + 4}"


@pytest.mark.parametrize(
    ("grids", "error", "sentence"),
    [
        ({}, TypeError, "Prompts takes a mapping from each prompt to its Grid"),
        ({" ": GRIDS["one"]}, TypeError, "A prompt is a text; got ' '"),
        ({"one": GRIDS["one"][:0]}, ValueError, "the Grid is empty"),
    ],
)
def test_what_are_no_prompts_is_said(grids: Any, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        Prompts(grids)


@pytest.mark.parametrize("answer", [3, "", "  ", ["one"], {"a": 1}])
def test_what_is_no_prompt_is_refused(answer: Any) -> None:
    prompts = Prompts(GRIDS, read)
    with pytest.raises(traitlets.TraitError, match="A prompt is a text"):
        prompts.answer = answer


def test_hostile_prompts_cross_as_text() -> None:
    texts = [text for text in HOSTILE if text.strip()]
    prompts = Prompts({text: make_grid(2, 2) for text in texts})
    assert json.loads(json.dumps(prompts.part))["prompts"] == texts
