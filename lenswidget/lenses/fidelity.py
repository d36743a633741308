"""How far each lens can be believed: its rows beside the model's own output, on text of one style or of several."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
import torch
from tqdm.auto import tqdm

from lenswidget.grids.numbers import whole_number
from lenswidget.grids.parts import Check
from lenswidget.grids.row_names import named_row
from lenswidget.lenses.causal import How, Responses, Trial, how_of
from lenswidget.lenses.fidelity_figures import Fidelity
from lenswidget.lenses.fidelity_sums import Sums, blind_guess, figures
from lenswidget.lenses.fitting.mixture import styles_of
from lenswidget.lenses.fitting.progress import Stop, stoppable
from lenswidget.lenses.fitting.text import in_words, prefix_of, strings, written_by
from lenswidget.lenses.intervals import ENDS
from lenswidget.lenses.lens import Lens, as_lens
from lenswidget.model.backend import Backend
from lenswidget.model.backends import backend_of
from lenswidget.model.run import Run
from lenswidget.model.run_prompt import run
from lenswidget.model.surroundings import own_arithmetic

WINDOW = 128
"""Tokens that are run at once, where the context allows."""
STATES = 256
"""Whose directions causal fidelity tries."""


@own_arithmetic()
def fidelity(
    model: object,
    lenses: Any,
    texts: Any = None,
    *,
    rows: Iterable[int | str] | None = None,
    tokens: int = 1024,
    directions: int = 0,
    how: str = "step",
    seed: int = 0,
    tokenizer: Any = None,
) -> Fidelity:
    """Measure how far each row of each lens can be believed, on text.

    `lenses` is a lens, a list of them, or a dict of them by name; a function of `(residual, row)` counts as one. `texts`
    are a list or an iterator of texts, a dataset with a column "text", or None for text that the model writes itself from
    `seed`; or a dict of such by style, each of which is measured by itself, too: `{"story": […], "code": […]}`. Best none
    that a lens was fitted on. `tokens` of each style are read, in windows of up to 128. `rows` are those to measure, by label
    or the label's number, as in `["embed", "L5", 6]`; by default all. For each lens and row: KL to the output (bits), top-1
    agreement, cross-entropy beside the model's own, and bias, the KL of mean predictions; each with its 95 % interval.

    `directions`, 12 or more, measure causal fidelity: each row is changed along so many, and the model goes on from it. The
    alignment is the figure to look at first; `how="step"` takes steps of one length, `"erase"` erases each direction, as
    Belrose et al. do. `tokenizer` is `lw.run`'s.

    An interrupt ends it: what was measured stays, the rest is NaN, and `stopped` says what is missing. Memory does not grow
    with the number of tokens: beyond a window it holds six sums of predictions for each lens, row and style.

    Raises ValueError for texts without a token to measure, for lenses of one name, for rows that there are not, and for a
    lens of another model, TypeError for what is no number, no text and no lens. What reading the texts raises ends it.
    Source: Belrose et al. 2023, arXiv 2303.08112, sections 3 and 4.

        lw.fidelity(model, [lw.LogitLens(), lw.load_lens()], {"story": stories, "code": code}, directions=16)
    """
    given, backend = _named(lenses), backend_of(model, tokenizer=tokenizer)
    whole_number("tokens", tokens, 1, is_of="how many to measure")
    whole_number("seed", seed, 0)
    if whole_number("directions", directions, 0) in (1, 2):
        raise ValueError(f"A rank correlation needs 3 directions or more, or 0 for none; got {directions}.")
    way = how_of(how)
    chosen = _rows(rows, backend.facts.layers)
    styles = styles_of(texts)
    by_style = {"": texts} if styles is None else styles
    measuring = {
        style: _Style(windows_of(backend, some, tokens, seed), in_words(backend.facts.name, some))
        for style, some in by_style.items()
    }
    readable = [as_lens(lens) for lens in given.values()]
    with stoppable() as stop:
        _read(measuring, readable, chosen, tokens, directions, stop)
        missing = _said_missing(measuring, tokens, directions) if stop.asked else ""
        if directions and not stop.asked:
            missing = _try(backend, measuring, readable, chosen, directions, way, seed, stop)
    read = {style: one for style, one in measuring.items() if one.sums}
    facts = {"how": how if directions else "", "directions": directions, "stopped": missing}
    parts = {style: _figures([one], given, one.words, seed, **facts) for style, one in read.items()}
    if styles is None:
        return parts[""]
    words = ", ".join(f"{style} ({one.words})" for style, one in read.items())
    return _figures(list(read.values()), given, words, seed, styles=parts, **facts)


@dataclass
class _Style:
    """Text of one style, and what was measured on it."""

    windows: Iterator[Run]
    words: str
    sums: list[Sums] = field(default_factory=list)
    """One for each lens."""
    kept: list[Run] = field(default_factory=list)
    """Whose states causal fidelity tries."""
    checks: list[Check] = field(default_factory=list)
    """The worst one yet."""
    first: Run | None = None
    responses: dict[int, Responses] = field(default_factory=dict)
    """By row, those that were measured."""
    rows: tuple[int, ...] = ()


def _read(
    measuring: Mapping[str, _Style],
    lenses: Sequence[Lens],
    rows: tuple[int, ...],
    tokens: int,
    directions: int,
    stop: Stop,
) -> None:
    """Read the texts, a window of each style in turn, so that whoever stops has all of them."""
    ahead = dict(measuring)
    with tqdm(total=tokens * len(measuring), desc="Fidelity", unit="token", leave=False) as bar:
        while ahead and not stop.asked:
            for style, one in list(ahead.items()):
                window = None if stop.asked else _next(style, one.windows)
                if window is None:
                    del ahead[style]
                    continue
                one.rows = one.rows or (*rows, len(window.labels) - 1)
                one.first = one.first or window
                one.sums = one.sums or [Sums(window, one.rows) for _ in lenses]
                for lens, total in zip(lenses, one.sums):
                    total.add(window, lens)
                checks = [*one.checks, *([] if window.check is None else [window.check])]
                one.checks = sorted(checks, key=lambda check: check.error / check.tolerance)[-1:]
                if directions and sum(len(run.tokens) - 1 for run in one.kept) < max(STATES, directions + 1):
                    one.kept.append(window)
                bar.update(len(window.tokens) - 1)
    if stop.asked and not any(one.sums for one in measuring.values()):
        raise KeyboardInterrupt  # stopped before anything was read
    for style, one in measuring.items():
        if not one.sums and not stop.asked:
            which = f"the texts {style!r}" if style else "the texts"
            raise ValueError(
                f"There is nothing to measure: {which} have no token after their first. Pass a few paragraphs, "
                "lw.fidelity(model, lens, texts)."
            )


def _next(style: str, windows: Iterator[Run]) -> Run | None:
    """The next window, None where there is none. What can't be text is said with its style."""
    try:
        return next(windows, None)
    except (TypeError, ValueError) as reason:
        if not style:
            raise
        raise type(reason)(f"Of the texts {style!r}: {reason}") from None


def _said_missing(measuring: Mapping[str, _Style], tokens: int, directions: int) -> str:
    read = sum(one.sums[0].positions for one in measuring.values() if one.sums)
    causal = ", before causal fidelity, which is NaN" if directions else ""
    return f"stopped after {read:,} of {tokens * len(measuring):,} tokens{causal}"


def _try(
    backend: Backend,
    measuring: Mapping[str, _Style],
    lenses: Sequence[Lens],
    rows: tuple[int, ...],
    directions: int,
    how: How,
    seed: int,
    stop: Stop,
) -> str:
    """Measure causal fidelity, row after row. Returns what is missing where it was stopped, in words."""
    trials = [(one, Trial.of(backend, one.kept, directions)) for one in measuring.values()]
    ahead = list(product(_spread((*rows, backend.facts.layers)), trials))
    for done, (row, (one, trial)) in enumerate(tqdm(ahead, desc="Causal fidelity", unit=" rows", leave=False)):
        if stop.asked:
            return f"stopped after {done} of {len(ahead)} rows of causal fidelity; the others are NaN"
        one.responses[row] = trial.respond(lenses, row, directions, how, seed)
    return ""


def _spread(rows: Sequence[int]) -> list[int]:
    """Rows in an order in which the first of them lie all over, from the last down."""
    bits = max(1, (len(rows) - 1).bit_length())
    return [rows[-1 - place] for place in sorted(range(len(rows)), key=lambda i: f"{i:0{bits}b}"[::-1])]


def _figures(texts: Sequence[_Style], given: Mapping[str, Any], words: str, seed: int, **facts: Any) -> Fidelity:
    """What comes of one style, or of several together."""
    names, first, rows = tuple(given), texts[0].first, texts[0].rows
    assert first is not None
    columns = [figures([one.sums[lens] for one in texts], seed) for lens in range(len(names))]
    values = {name: np.stack([column[0][name] for column in columns], axis=1) for name in columns[0][0]}
    intervals = {name: np.stack([column[1][name] for column in columns], axis=2) for name in columns[0][1]}
    causal, around = _causal(texts, len(names), seed)
    worst = max((check for one in texts for check in one.checks), key=lambda check: check.error / check.tolerance)
    return Fidelity(
        model=first.model,
        rows=tuple(first.labels[row] for row in rows),
        lenses=names,
        blind=blind_guess([one.sums[0] for one in texts]),
        data=words,
        tokens=sum(one.sums[0].positions for one in texts),
        left_out=tuple(sum(one.sums[lens].left_out for one in texts) for lens in range(len(names))),
        check=worst,
        given=tuple(given.values()),
        every_row=first.labels,
        intervals=_single({**intervals, **around}),
        **_single({**values, **causal}),
        **facts,
    )


def _single(values: Mapping[str, np.ndarray]) -> dict[str, Any]:
    return {name: value.astype(np.float32) for name, value in values.items()}


def _causal(texts: Sequence[_Style], lenses: int, seed: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Alignment and influence by row, means over styles, and their intervals."""
    rows = texts[0].rows
    values = {name: np.full((len(rows), lenses), np.nan) for name in ("alignment", "influence")}
    intervals = {name: np.full((2, len(rows), lenses), np.nan) for name in values}
    for place, row in enumerate(rows):
        found = [one.responses[row] for one in texts if row in one.responses]
        if len(found) < len(texts):
            continue
        for name, value in values.items():
            value[place] = np.mean([getattr(one, name) for one in found], axis=0)
        drawn = [one.drawn(seed) for one in found]
        for name, draws in zip(("influence", "alignment"), zip(*drawn)):
            mean = np.mean(draws, axis=0)
            known = ~np.isnan(mean).all(0)
            # of few directions, a draw may hold one alone, whose ranks say nothing
            intervals[name][:, place, known] = np.nanpercentile(mean[:, known], ENDS, axis=0)
    return values, intervals


def _rows(rows: Iterable[int | str] | None, layers: int) -> tuple[int, ...]:
    """The indices of the rows to measure but the last, counted from the embedding."""
    labels = ("embed", *(f"L{layer}" for layer in range(layers)))
    if rows is None:
        return tuple(range(layers))
    if isinstance(rows, (str, int)):
        rows = [rows]
    try:
        chosen = sorted({named_row(labels, row) for row in rows})
    except ValueError as reason:
        raise ValueError(f"rows are rows to measure. {reason}") from None
    if not chosen:
        raise ValueError(f"rows are rows to measure, {labels[0]!r} to {labels[-1]!r}; got none.")
    return tuple(row for row in chosen if row < layers)


def _named(lenses: Any) -> dict[str, Any]:
    """The lenses as they were given, by name."""
    if isinstance(lenses, Mapping):
        named = {str(name): lens for name, lens in lenses.items()}
    else:
        several = list(lenses) if isinstance(lenses, (list, tuple)) else [lenses]
        names = [as_lens(lens).name for lens in several]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(
                f"{names.count(twice)} of the lenses are called {twice!r}; name them yourself, lw.fidelity(model, "
                "{'one': a, 'other': b}, texts)."
            )
        named = dict(zip(names, several))
    if not named:
        raise ValueError("There is no lens to measure; pass one, as in lw.fidelity(model, lw.LogitLens(), texts).")
    return named


def windows_of(backend: Backend, texts: Any, tokens: int, seed: int) -> Iterator[Run]:
    """Runs of the texts, a window at a time, until `tokens` positions after the first are read."""
    length = min(WINDOW, backend.facts.context or WINDOW)
    prefix = torch.tensor(prefix_of(backend), dtype=torch.int64)  # before each window, as a fit has it
    documents: Iterable[Any] = (
        written_by(backend, length, seed)
        if texts is None
        else (backend.encode(text)[len(prefix) :] for text in strings(texts))
    )
    for document in documents:
        for part in torch.split(torch.as_tensor(document), length - len(prefix)):
            window = torch.cat([prefix, part])
            if len(window) < 2:
                continue
            yield run(backend, window[: tokens + 1])
            tokens -= min(len(window) - 1, tokens)
            if not tokens:
                return
