"""The targets that a reader names: sets of token ids, from texts and ids as people write them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from lenswidget.grids.marks import visible
from lenswidget.grids.parts import Target
from lenswidget.model.run import Run

Token = str | int
TargetLike = Token | Iterable[Token]
"""A token, by its text or its id; or a tuple or set of tokens that count as one target."""
Targets = TargetLike | Sequence[TargetLike]
"""A list of targets, or one."""


def targets_of(run: Run, targets: Targets) -> tuple[Target, ...]:
    """The sets of token ids that `targets` names: each item of a list is a target, and anything else is one."""
    items = targets if isinstance(targets, list) else [] if targets == () else [targets]
    found = [target_of(run, item) for item in items]
    if len({target.ids for target in found}) < len(found):
        raise ValueError("The same target is named twice in targets; name each once.")
    return _told_apart(found)


def _told_apart(targets: Sequence[Target]) -> tuple[Target, ...]:
    """Targets whose labels differ: several tokens may have one text, and what is said of them goes by their labels."""
    labels = [target.label for target in targets]
    return tuple(
        target if labels.count(target.label) == 1 else replace(target, label=f"{target.label} ({_listed(target.ids)})")
        for target in targets
    )


def _listed(ids: Sequence[int]) -> str:
    return f"id {ids[0]}" if len(ids) == 1 else f"ids {', '.join(map(str, ids))}"


def with_against(run: Run, targets: tuple[Target, ...], against: Any) -> tuple[Target, ...]:
    """Targets, and last the one that each is compared with. Raises ValueError for one that is compared with itself."""
    if not targets:
        raise ValueError(
            "A logit difference needs a target to compare; name one, as in targets=[' Paris'], against=' London'."
        )
    last = target_of(run, against)
    for target in targets:
        both = set(target.ids) & set(last.ids)
        if both:
            raise ValueError(
                f"{run.texts[min(both)]!r} is both the target and what it is compared with, and differs from itself by "
                "nothing; compare two tokens."
            )
    return _told_apart([*targets, last])


def target_of(run: Run, target: Any) -> Target:
    """One set of token ids: of a text, of an id, or of several."""
    group = target if isinstance(target, (tuple, set, frozenset)) else (target,)
    ids = tuple(dict.fromkeys(_token_id(run, token) for token in group))
    if not ids:
        raise ValueError("A target needs at least one token; got an empty set.")
    return Target(" + ".join(run.texts[i] for i in ids), ids)


def _token_id(run: Run, token: Any) -> int:
    if isinstance(token, str):
        ids = run.texts.ids(token)
        if len(ids) == 1:
            return ids[0]
        if not ids:
            raise ValueError(f"{token!r} is no token at all; name a text of one token, as in ' Paris'.")
        split = ", ".join(repr(run.texts[i]) for i in ids)
        raise ValueError(
            f"{token!r} is {len(ids)} tokens ({split}), and a lens predicts one; name the first, {run.texts[ids[0]]!r}, or its "
            f"id, {ids[0]}."
        )
    if isinstance(token, bool) or not hasattr(token, "__index__"):
        raise TypeError(f"A target is a text or a token id, or a tuple of them that count as one; got {token!r}.")
    token_id = int(token)
    if not 0 <= token_id < run.readout.vocabulary:
        raise ValueError(f"Token id {token_id} is outside the vocabulary, 0 to {run.readout.vocabulary - 1}.")
    return token_id


def named(targets: Sequence[Target]) -> str:
    """What is followed, as Python writes it: `' Paris'`, or `' Paris' − ' London'` where they are compared."""
    return " − ".join(repr(target.label) for target in targets)


def seen(targets: Sequence[Target]) -> str:
    """The same as readers see tokens: `␣Paris − ␣London`."""
    return " − ".join(visible(target.label) for target in targets)
