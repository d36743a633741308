"""The tokens that a reader asks to follow: sets of ids, from texts and ids as people write them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from lenswidget.grids.grid import Target
from lenswidget.model.run import Run

Token = str | int
Followed = Token | Iterable[Token | Iterable[Token]]


def followed_targets(run: Run, follow: Followed) -> tuple[Target, ...]:
    """The sets of token ids that `follow` names."""
    items = list(follow) if isinstance(follow, (list, tuple)) else [follow]
    targets = [followed_target(run, item) for item in items]
    if len({target.ids for target in targets}) < len(targets):
        raise ValueError("The same target is followed twice; name each once.")
    return tuple(targets)


def compared(run: Run, targets: tuple[Target, ...], against: Any) -> tuple[Target, ...]:
    """Targets, and last the one that each is compared with. Raises ValueError for one that is compared with itself."""
    if not targets:
        raise ValueError(
            "A logit difference needs a token to compare; name one, as in follow=' Paris', against=' London'."
        )
    last = followed_target(run, against)
    for target in targets:
        both = set(target.ids) & set(last.ids)
        if both:
            raise ValueError(
                f"{run.texts[min(both)]!r} is both the target and what it is compared with, and differs from itself by "
                "nothing; compare two tokens."
            )
    return (*targets, last)


def followed_target(run: Run, item: Any) -> Target:
    """One set of token ids: of a text, of an id, or of several."""
    group = item if isinstance(item, (tuple, set, frozenset, list)) else (item,)
    ids = tuple(dict.fromkeys(_token_id(run, token) for token in group))
    if not ids:
        raise ValueError("A followed target needs at least one token; got an empty set.")
    return Target(" + ".join(run.texts[i] for i in ids), ids)


def _token_id(run: Run, token: Any) -> int:
    if isinstance(token, str):
        ids = run.texts.ids(token)
        if len(ids) == 1:
            return ids[0]
        if not ids:
            raise ValueError(f"{token!r} is no token at all; follow a text of one token, as in follow=' Paris'.")
        split = ", ".join(repr(run.texts[i]) for i in ids)
        raise ValueError(
            f"{token!r} is {len(ids)} tokens ({split}), and a lens predicts one; follow the first, "
            f"follow={run.texts[ids[0]]!r}, or its id, follow={ids[0]}."
        )
    if isinstance(token, bool) or not hasattr(token, "__index__"):
        raise TypeError(f"A followed token is a text or a token id; got {token!r}.")
    token_id = int(token)
    if not 0 <= token_id < run.readout.vocabulary:
        raise ValueError(f"Token id {token_id} is outside the vocabulary, 0 to {run.readout.vocabulary - 1}.")
    return token_id


def named(targets: Sequence[Target]) -> str:
    """What is followed, in words: `' Paris'`, or `' Paris' − ' London'` where they are compared."""
    return " − ".join(repr(target.label) for target in targets)
