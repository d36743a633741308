"""Alignment: which columns, and which rows, of several Grids answer to each other.

The answer is a table of slots, `[slots, grids]`: the index that each Grid has in a slot, NONE where it has a gap. Slots
keep the order of every Grid's own columns.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from difflib import SequenceMatcher
from itertools import pairwise

import numpy as np
from jaxtyping import Float32, Int32

from lenswidget.grids.grid import Grid

NONE = -1
PHRASE = 3
"""So many tokens in a row are text in common; fewer may happen to be in any two prompts."""
Pairs = list[tuple[int, int]]
Axis = Int32[np.ndarray, "slots grids"]


def one_model(grids: Sequence[Grid]) -> bool:
    """Whether Grids are of one model: of one name, and of the same weights where a Grid knows them."""
    weights = {grid.provenance.get("weights", "") for grid in grids} - {""}
    return len({grid.model for grid in grids}) == 1 and len(weights) < 2


def align_columns(grids: Sequence[Grid]) -> Axis:
    """Slots of columns: by common beginning and end and by text between; by characters where tokenizers differ.

    Where a stretch was replaced ("France" by "Great Britain") its tokens stand together from the end, where a causal
    model has read all of it. Where two Grids share no token at all, all of their columns stand together from the end.
    """
    first, *more = grids
    return _merge(len(first.columns), [(len(grid.columns), _column_pairs(first, grid)) for grid in more])


def align_by_position(grids: Sequence[Grid]) -> Axis:
    """Slots of columns whatever they say: the last with the last, the one before with the one before."""
    first, *more = (len(grid.columns) for grid in grids)
    return _merge(first, [(length, _from_the_end(range(first), range(length))) for length in more])


def align_rows(grids: Sequence[Grid]) -> Axis:
    """Slots of rows: by label within a model, by relative depth where models differ in depth."""
    first, *more = grids
    counts = [len(grid.rows) for grid in grids]
    if all(grid.rows == first.rows for grid in more):
        return np.repeat(np.arange(counts[0], dtype=np.int32)[:, None], len(grids), axis=1)
    if not one_model(grids):
        depth = np.linspace(0.0, 1.0, max(counts))
        return np.stack([np.rint(depth * (count - 1)) for count in counts], axis=1).astype(np.int32)
    pairs = [(len(grid.rows), pairs_of(first.rows, grid.rows, equal=True)) for grid in more]
    return _merge(counts[0], pairs)


def one_tokenizer(one: Grid, other: Grid) -> bool:
    """Whether a token id says the same in two Grids."""
    shared = one.texts.keys() & other.texts.keys()
    # models of one name, as two folders called checkpoint-500, may still differ
    return (bool(shared) or one.model == other.model) and all(one.texts[i] == other.texts[i] for i in shared)


def shared_columns(one: Grid, other: Grid) -> bool:
    """Whether any text stands in a column of both."""
    return not _words(one).isdisjoint(_words(other))


def _words(grid: Grid) -> set[str]:
    if grid.column_labels is not None:
        return set(grid.column_labels)
    return {word.strip() for word in _split(_text(grid)[0])} - {""}


def _column_pairs(one: Grid, other: Grid) -> Pairs:
    if one.column_labels is not None or other.column_labels is not None:
        labelled = one.column_labels is not None and other.column_labels is not None
        return pairs_of(one.column_labels or (), other.column_labels or (), equal=True) if labelled else []
    if one_tokenizer(one, other):
        return pairs_of(one.columns.tolist(), other.columns.tolist())
    return _pairs_by_character(one, other)


def pairs_of(one: Sequence[Hashable], other: Sequence[Hashable], *, equal: bool = False) -> Pairs:
    """Indices that stand together, rising in both: what is equal, and unless `equal` the ends of what was replaced."""
    start = 0
    shorter = min(len(one), len(other))
    while start < shorter and one[start] == other[start]:
        start += 1
    end = 0
    while end < shorter - start and one[-1 - end] == other[-1 - end]:
        end += 1
    pairs = [(i, i) for i in range(start)]
    left, right = one[start : len(one) - end], other[start : len(other) - end]
    middle = SequenceMatcher(None, left, right)
    sizes = [block.size for block in middle.get_matching_blocks()]
    same = sum(sizes)
    if not equal and max(sizes) < PHRASE and 4 * same < min(len(left), len(right)):
        between = _from_the_end(range(start, len(one) - end), range(start, len(other) - end))
        return pairs + between + [(len(one) - n, len(other) - n) for n in range(end, 0, -1)]
    if not equal and len(left) == len(right) and same <= sum(a == b for a, b in zip(left, right)):
        # prompts of one shape, a word or two changed in each
        return list(zip(range(len(one)), range(len(other))))
    for tag, *span in middle.get_opcodes():
        i, i_end, j, j_end = (start + place for place in span)
        if tag == "equal" or (tag == "replace" and not equal):
            pairs += _from_the_end(range(i, i_end), range(j, j_end))
    return pairs + [(len(one) - n, len(other) - n) for n in range(end, 0, -1)]


def _from_the_end(one: Sequence[int], other: Sequence[int]) -> Pairs:
    size = min(len(one), len(other))
    return list(zip(one[len(one) - size :], other[len(other) - size :]))


def _pairs_by_character(one: Grid, other: Grid) -> Pairs:
    """Columns that stand together where tokens are cut differently: those that end at the same character."""
    (ours, our_ends), (theirs, their_ends) = _text(one), _text(other)
    ends = {0: 0}  # places after which the two texts have said the same, or replaced the same
    our_words, their_words = _split(ours), _split(theirs)
    our_starts, their_starts = (np.cumsum([0, *map(len, words)]).tolist() for words in (our_words, their_words))
    for i, j in pairs_of(our_words, their_words):
        if our_words[i] == their_words[j]:
            ends |= {our_starts[i] + n: their_starts[j] + n for n in range(1, len(our_words[i]))}
        ends[our_starts[i + 1]] = their_starts[j + 1]
    pairs = []
    where: dict[int, list[int]] = {}
    for column, end in enumerate(their_ends):
        where.setdefault(end, []).append(column)
    # several tokens may end at one place: those before the text, those without text
    for column, end in enumerate(our_ends):
        if end in ends and where.get(ends[end]):
            pairs.append((column, where[ends[end]].pop(0)))
    return pairs


def _text(grid: Grid) -> tuple[str, list[int]]:
    """The text of all columns and where each of them ends in it; a special token, and a space at the start, has no text."""
    said, ends = "", []
    for token in grid.columns.tolist():
        text = "" if token in grid.special else grid.text(token)
        said = (said + text).lstrip() if not said.strip() else said + text
        ends.append(len(said))
    return said, ends


def _split(text: str) -> list[str]:
    """Words with the space before them; together they are the text."""
    return re.findall(r"\s*\S+|\s+$", text)


def _merge(length: int, others: Sequence[tuple[int, Pairs]]) -> Axis:
    """Slots from what each further Grid shares with the first, whose `length` columns come in order.

    What the first lacks stands before the next column that it shares, from there backwards.
    """
    table = np.full((length, len(others) + 1), NONE, dtype=np.int32)
    table[:, 0] = np.arange(length)
    lacking: list[dict[int, range]] = []
    for g, (count, pairs) in enumerate(others, 1):
        stretches = {}
        for (_, before), (i, j) in pairwise([(NONE, NONE), *pairs, (length, count)]):
            stretches[i] = range(before + 1, j)
            if i < length:
                table[i, g] = j
        lacking.append(stretches)
    slots = []
    for i in range(length + 1):
        here = [stretches.get(i, range(0)) for stretches in lacking]
        new = np.full((max(map(len, here), default=0), table.shape[1]), NONE, dtype=np.int32)
        for g, stretch in enumerate(here, 1):
            new[len(new) - len(stretch) :, g] = stretch
        slots += [new, table[i : i + 1]]
    return np.concatenate(slots)


def on_slots(
    values: Float32[np.ndarray, "rows columns"],
    rows: Int32[np.ndarray, "row_slots"],
    columns: Int32[np.ndarray, "column_slots"],
) -> Float32[np.ndarray, "row_slots column_slots"]:
    """Values of a Grid where its slots have them, NaN in its gaps."""
    cells: np.ndarray = values[np.ix_(rows, columns)]  # NONE takes the last, which is written over
    cells[rows == NONE] = np.nan
    cells[:, columns == NONE] = np.nan
    return cells
