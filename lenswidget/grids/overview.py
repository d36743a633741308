"""Many Grids at a glance: one line each, and the mean and spread of those that have one shape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Int32

from lenswidget.grids.alignment import NONE, on_slots, one_model, one_tokenizer
from lenswidget.grids.answers import BELIEF, RIGHT, told
from lenswidget.grids.belief import beliefs
from lenswidget.grids.grid import Grid
from lenswidget.grids.parts import NO_TOKEN, Candidates, Quantity, Target

VARIOUS = "≠"
"""Stands where the tokens of several Grids differ."""
TAIL = 200
"""Letters of a prompt that an overview keeps."""


def overview_of(
    grids: Sequence[Grid], names: Sequence[str], rows: Int32[np.ndarray, "row_slots grids"], position: int = -1
) -> Grid | None:
    """A row for each Grid and a column for each layer, read at the index `position` of its columns: the last by default.

    Its cells hold what leads there, with the `beliefs` in it as a quantity; `targets` are the right answer of each row, where
    that is known: the first target that its Grid follows, where each of several prompts has its own. A token that all of them
    follow is looked at, and need be nobody's answer. `answers_of` reads it.
    None for Grids without a quantity in common, and for those that have no layers.
    """
    columns = [np.array([range(grid.shape[1])[position]], dtype=np.int32) for grid in grids]

    def lines(parts: Sequence[np.ndarray]) -> np.ndarray:
        return np.stack([on_slots(part, rows[:, g], columns[g])[:, 0] for g, part in enumerate(parts)])

    quantities = [
        replace(quantity, values=lines([match.values for match in matches]))
        for quantity, matches in _shared_quantities(grids)
    ]
    if not quantities or any(grid.view != "heatmap" for grid in grids):
        return None
    titles = [grid.title for grid in grids]
    are_prompts = len(set(titles)) == len(titles)
    overview = Grid(
        title=f"{len(grids)} {'prompts' if are_prompts else 'grids'}",
        kind="Overview",
        model=grids[0].model if one_model(grids) else "",
        rows=tuple(map(_tail, titles)) if are_prompts else tuple(names),
        columns=np.full(len(rows), NO_TOKEN, dtype=np.int32),
        positions=np.arange(len(rows), dtype=np.int32),
        column_labels=row_labels(grids, rows),
        quantities={q.name: q for q in quantities},
        texts={},
    )
    if not all(grid.candidates is not None and one_tokenizer(grids[0], grid) for grid in grids):
        return overview
    k = min(grid.candidates.ids.shape[2] for grid in grids if grid.candidates is not None)
    ids = np.full((len(grids), len(rows), k), NO_TOKEN, dtype=np.int32)
    bits = np.full(ids.shape, np.nan, dtype=np.float32)
    for g, grid in enumerate(grids):
        there = rows[:, g] != NONE
        ids[g, there] = grid.candidates.ids[rows[there, g], columns[g][0], :k]  # type: ignore[union-attr]
        bits[g, there] = grid.candidates.log_probability[rows[there, g], columns[g][0], :k]  # type: ignore[union-attr]
    right = _right_answers(grids)
    known = {*ids.ravel().tolist(), *(i for target in right for i in target.ids)}
    texts = {i: text for grid in grids for i, text in grid.texts.items() if i in known}
    more = [Quantity(BELIEF, lines([beliefs(grid).astype(np.float32) for grid in grids]), domain=(0.0, 1.0))]
    if right:
        followed = [_probability_of_first(grid) for grid in grids]
        more.append(Quantity(RIGHT, lines(followed), domain=(0.0, 1.0), measure="probability"))
    overview = replace(
        overview,
        view="overview",
        quantities={**overview.quantities, **{q.name: q for q in more}},
        texts=texts,
        special=tuple(sorted({i for grid in grids for i in grid.special} & texts.keys())),
        candidates=Candidates(ids, bits),
        targets=right,
    )
    return told(overview)


def _right_answers(grids: Sequence[Grid]) -> tuple[Target, ...]:
    """One for each Grid, without ids where none is known; nothing at all if that holds for every Grid."""
    follow_the_same = len({grid.targets for grid in grids}) == 1
    several_prompts = len({grid.title for grid in grids}) > 1
    if not any(grid.targets for grid in grids) or (follow_the_same and (several_prompts or len(grids[0].targets) > 1)):
        return ()
    return tuple(grid.targets[0] if grid.targets else Target("", ()) for grid in grids)


def _probability_of_first(grid: Grid) -> np.ndarray:
    """The probability of what a Grid follows first, NaN where it follows nothing."""
    found = (q.values for q in grid.quantities.values() if (q.measure, q.target) == ("probability", 0))
    return next(found, np.full(grid.shape, np.nan, dtype=np.float32))


def _tail(prompt: str) -> str:
    """A prompt is answered at its end."""
    return prompt if len(prompt) <= TAIL else "…" + prompt[1 - TAIL :]


def mean_of(
    grids: Sequence[Grid],
    rows: Int32[np.ndarray, "row_slots grids"],
    columns: Int32[np.ndarray, "column_slots grids"],
) -> Grid | None:
    """Mean and spread over prompts of one shape; None for Grids of several lenses, models or shapes, or of one prompt.

    The spread is the standard deviation. Ranks have a geometric mean, and a spread in doublings. A cell holds the token
    that leads in all of the Grids, none where they differ; a column without a token of its own is VARIOUS.
    """
    first = grids[0]
    alike = len({grid.kind for grid in grids}) == 1 and one_model(grids) and len({grid.title for grid in grids}) > 1
    if not alike or (rows == NONE).any() or (columns == NONE).any():
        return None
    quantities: list[Quantity] = []
    for quantity, matches in _shared_quantities(grids):
        values = np.stack([match.values for match in matches])
        log = quantity.scale == "log"
        with np.errstate(invalid="ignore"):
            over = np.log2(values) if log else values
            mean, spread = over.mean(0), over.std(0)
        quantities += [
            replace(quantity, name=f"mean {quantity.name}", values=np.exp2(mean) if log else mean),
            replace(
                quantity,
                name=f"spread of {quantity.name}",
                values=spread,
                unit="doublings" if log else quantity.unit,
                scale="linear",
                strong="high",
                domain=None,
                center=None,
            ),
        ]
    if not quantities:
        return None
    tokens = np.stack([grid.columns for grid in grids])
    agree = (tokens == tokens[0]).all(0)
    labels = tuple(_one(_labels(grid)[c] for grid in grids) or VARIOUS for c in range(first.shape[1]))
    candidates, texts = None, {int(i): first.texts[int(i)] for i in tokens[0, agree] if int(i) in first.texts}
    if all(grid.candidates is not None for grid in grids):
        leaders = np.stack([grid.candidates.ids[..., :1] for grid in grids])  # type: ignore[union-attr]
        leader = np.where((leaders == leaders[0]).all(0), leaders[0], NO_TOKEN)
        bits = np.stack([grid.candidates.log_probability[..., :1] for grid in grids])  # type: ignore[union-attr]
        candidates = Candidates(leader, np.log2(np.exp2(bits).mean(0)))
        texts |= {i: first.texts[i] for i in set(leader.ravel().tolist()) - {NO_TOKEN}}
    return Grid(
        title=f"mean of {len(grids)} prompts",
        kind=first.kind,
        model=first.model,
        rows=first.rows,
        columns=np.where(agree, tokens[0], NO_TOKEN).astype(np.int32),
        positions=first.positions,
        column_labels=None if agree.all() and first.column_labels is None else labels,
        quantities={q.name: q for q in quantities},
        texts=texts,
        special=tuple(i for i in first.special if i in texts),
        candidates=candidates,
        excluded=first.excluded,
        view=first.view,
        notes=(f"mean and standard deviation over {len(grids)} prompts; “{VARIOUS}” where their tokens differ",),
    )


def row_labels(grids: Sequence[Grid], rows: Int32[np.ndarray, "row_slots grids"]) -> tuple[str, ...]:
    """What each slot of rows is called: as the deepest Grid that has it calls it."""
    deepest = sorted(range(len(grids)), key=lambda g: -len(grids[g].rows))
    return tuple(next(grids[g].rows[slot[g]] for g in deepest if slot[g] != NONE) for slot in rows.tolist())


def _shared_quantities(grids: Sequence[Grid]) -> Iterator[tuple[Quantity, list[Quantity]]]:
    """What all Grids measure, described once: by name, or of what each of them follows in the same place."""
    for quantity in grids[0].quantities.values():
        matches = [counterpart(quantity, grid) for grid in grids]
        found = [match for match in matches if match is not None]
        if len(found) == len(grids):
            name = _one(match.name for match in found)
            place = f" ({quantity.target + 1})" if quantity.target else ""
            yield replace(quantity, name=name or f"{quantity.measure} of what is followed{place}", target=None), found


def counterpart(quantity: Quantity, grid: Grid) -> Quantity | None:
    """What a Grid measures as another measures `quantity`: by name, or of what both follow in the same place."""
    for other in grid.quantities.values():
        alike = (other.measure, other.target) == (quantity.measure, quantity.target)
        if alike and (other.name == quantity.name or quantity.target is not None):
            return other
    return None


def _labels(grid: Grid) -> Sequence[str]:
    return grid.column_labels or [grid.text(token) for token in grid.columns]


def _one(words: Iterator[str]) -> str:
    """The word that all of them are, or nothing."""
    first, *others = words
    return first if all(word == first for word in others) else ""
