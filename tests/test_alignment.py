"""Which columns and rows of several Grids answer to each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lenswidget.grids.alignment import NONE, align_by_position, align_columns, align_rows, one_tokenizer
from lenswidget.grids.grid import Grid
from tests.grids import make_grid


def prompt(words: str, *, model: str = "m", rows: int = 4) -> Grid:
    """A Grid whose columns are the pieces of a text, cut at "|"."""
    pieces = words.split("|")
    ids = {piece: sum(ord(letter) * 31**n for n, letter in enumerate(piece)) % 100_003 for piece in pieces}
    if model != "m":  # another vocabulary: the same id says another thing
        ids = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    grid = make_grid(rows, len(pieces))
    return replace(
        grid,
        model=model,
        title="".join(pieces),
        columns=np.array([ids[piece] for piece in pieces], dtype=np.int32),
        texts={**{i: f"{model} {i}" for i in range(5)}, **{i: piece for piece, i in ids.items()}},
        special=tuple(i for piece, i in ids.items() if piece.startswith("<")),
    )


def table(*grids: Grid) -> list[list[str]]:
    """The slots of some Grids, in words."""
    slots = align_columns(grids)
    return [[grid.text(grid.columns[i]) if i != NONE else "" for grid, i in zip(grids, slot)] for slot in slots]


def test_a_word_replaced_by_another_stands_in_its_place() -> None:
    france, spain = prompt("The| capital| of| France| is"), prompt("The| capital| of| Spain| is")
    assert table(france, spain) == [["The"] * 2, [" capital"] * 2, [" of"] * 2, [" France", " Spain"], [" is"] * 2]


def test_a_longer_name_stands_together_with_a_shorter_from_its_end() -> None:
    slots = table(prompt("of| France| is"), prompt("of| New| Zealand| is"))
    assert slots == [["of", "of"], ["", " New"], [" France", " Zealand"], [" is", " is"]]


def test_what_one_prompt_lacks_is_a_gap() -> None:
    assert table(prompt("a|b|c|d"), prompt("a|d")) == [["a", "a"], ["b", ""], ["c", ""], ["d", "d"]]
    assert table(prompt("b"), prompt("a|b|c")) == [["", "a"], ["b", "b"], ["", "c"]]


def test_text_between_is_found_where_it_moved() -> None:
    slots = table(prompt("x|the|quick|fox|y"), prompt("u|v|the|quick|fox|w"))
    assert ["the", "the"] in slots and ["quick", "quick"] in slots and ["fox", "fox"] in slots


def test_words_that_happen_to_be_in_both_pull_no_prompts_apart() -> None:
    one = prompt("|".join(["a", *(f"w{i}" for i in range(11))]))
    other = prompt("|".join([*(f"v{i}" for i in range(11)), "a", "v"]))
    assert align_columns([one, other]).tolist() == [[NONE, 0], *([i, i + 1] for i in range(12))]


def test_prompts_of_one_shape_stand_word_by_word() -> None:
    one, other = prompt("x|a|y|a|z"), prompt("a|a|u|a|v")
    assert align_columns([one, other]).tolist() == [[i, i] for i in range(5)]


def test_three_prompts_share_slots() -> None:
    assert table(prompt("a|z"), prompt("a|b|c|z"), prompt("a|b|z")) == [
        ["a"] * 3, ["", "b", ""], ["", "c", "b"], ["z"] * 3,
    ]  # fmt: skip


def test_tokenizers_that_cut_differently_meet_where_text_ends_together() -> None:
    one = prompt("<s>|un|believ|able| things")
    other = prompt("<bos>|unbe|liev|able| th|ings", model="other")
    assert table(one, other) == [
        ["<s>", "<bos>"], ["un", ""], ["", "unbe"], ["believ", "liev"], ["able", "able"], ["", " th"], [" things", "ings"],
    ]  # fmt: skip


def test_models_of_one_name_have_one_tokenizer_only_if_their_tokens_read_alike() -> None:
    one = prompt("of| France| is")
    assert one_tokenizer(one, one[:, 1:])
    other = prompt("of| Sp|ain| i|s", model="other")
    assert not one_tokenizer(one, replace(other, model=one.model))


def test_a_space_that_only_one_tokenizer_puts_first_does_not_matter() -> None:
    assert table(prompt("Hello| there"), prompt(" Hello| there", model="other"))[0] == ["Hello", " Hello"]


def test_tokenizers_that_cut_differently_meet_at_the_end_of_a_word_replaced() -> None:
    slots = table(prompt("of| France| is"), prompt("of| Sp|ain| i|s", model="other"))
    assert [" France", "ain"] in slots and [" is", "s"] in slots and ["", " Sp"] in slots


@pytest.mark.parametrize("seed", range(60))
def test_whatever_the_prompts_every_column_has_one_slot_and_keeps_its_order(seed: int) -> None:
    random = np.random.default_rng(seed)
    models = ["m", "m", "other", "third"] if seed % 2 else ["m"] * 4
    letters = [*"abcde", " a", " bc", "\n", " ", "<s>"]
    grids = [
        prompt("|".join(random.choice(letters, random.integers(1, 12))), model=model)
        for model in models[: random.integers(2, 5)]
    ]
    for slots in (align_columns(grids), align_by_position(grids)):
        assert (slots != NONE).any(1).all()
        for g, grid in enumerate(grids):
            there = slots[slots[:, g] != NONE, g]
            assert there.tolist() == list(range(len(grid.columns)))
    with_itself = align_columns([grids[0], grids[0]])
    assert (with_itself[:, 0] == with_itself[:, 1]).all()
    for other, shared in zip(grids[1:], align_columns(grids).T[1:]):
        alone = align_columns([grids[0], other])
        paired = [(i, j) for i, j in alone.tolist() if NONE not in (i, j)]
        assert set(paired) <= set(zip(align_columns(grids)[:, 0].tolist(), shared.tolist())), (
            "pairs stay when more come"
        )


def test_positions_stand_together_from_the_last_back() -> None:
    assert align_by_position([make_grid(3, 4), make_grid(3, 2)]).tolist() == [[0, -1], [1, -1], [2, 0], [3, 1]]


def test_rows_of_one_model_stand_together_by_label() -> None:
    whole = make_grid(6, 3)
    assert align_rows([whole, whole]).tolist() == [[i, i] for i in range(6)]
    assert align_rows([whole, whole[["L1", "L3", "L4"]]]).tolist() == [
        [0, -1], [1, -1], [2, 0], [3, -1], [4, 1], [5, 2],
    ]  # fmt: skip


@pytest.mark.parametrize(("shallow", "deep"), [(3, 5), (7, 13), (13, 31), (1, 4)])
def test_rows_of_models_of_different_depth_stand_together_by_relative_depth(shallow: int, deep: int) -> None:
    one, other = make_grid(shallow, 2), replace(make_grid(deep, 2), model="deeper")
    slots = align_rows([one, other])
    assert slots[:, 1].tolist() == list(range(deep))
    assert set(slots[:, 0].tolist()) == set(range(shallow))
    assert (np.diff(slots[:, 0]) >= 0).all()
    if shallow > 1:
        assert np.abs(slots[:, 0] / (shallow - 1) - slots[:, 1] / (deep - 1)).max() <= 0.5 / (shallow - 1) + 1e-9


def test_long_prompts_are_aligned_in_time() -> None:
    """Repeating tokens are what sequence matching is slow on."""
    random = np.random.default_rng(0)
    one, other = (replace(make_grid(2, 3000), columns=random.integers(0, 4, 3000).astype(np.int32)) for _ in range(2))
    assert align_columns([one, other]).shape[1] == 2
