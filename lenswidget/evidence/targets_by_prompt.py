"""What is followed in each of many prompts: the same in all of them, and an answer of each one's own."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any

from lenswidget.grids.parts import Target
from lenswidget.model.run import Run
from lenswidget.model.targets import target_of, targets_of, with_against


@dataclass(frozen=True)
class Followed:
    """`every` are followed in all prompts, the last of them as what the others are `compared` with; `own` are what is followed in
    one prompt alone, its answer and what that is compared with. None where a prompt has no answer."""

    every: tuple[Target, ...]
    compared: bool
    own: tuple[tuple[Target, ...] | None, ...] | None

    @property
    def has_own_against(self) -> bool:
        return any(len(one) > 1 for one in self.own or () if one)

    def of(self, prompt: int) -> tuple[Target, ...]:
        """What is followed in one prompt, in the order in which it is read."""
        own = self.own[prompt] if self.own is not None else None
        return (*self.every, *(own or ()))

    def answer(self, prompt: int) -> tuple[int, ...]:
        """The tokens of a prompt's target: its own, where there are such, else the first of all."""
        own = self.every[:1] if self.own is None else self.own[prompt] or ()
        return own[0].ids if own else ()

    def asked(self, prompt: int) -> tuple[list[tuple[int, ...]], tuple[int, ...] | None]:
        """The same as `targets` and `against` of `lw.read`."""
        own = self.own[prompt] if self.own is not None else None
        every = [target.ids for target in self.every]
        if self.compared:
            return every[:-1], every[-1]
        if own is None:
            return every, None
        rest = [ids for ids in every if ids not in {target.ids for target in own}]
        return [own[0].ids, *rest], own[1].ids if len(own) > 1 else None


def column_of(given: Any) -> Any:
    """A column of a table, an array or a tensor with an item for each prompt as a list; what else names targets as it is.

    What a table has for nothing, NaN, is None; beside it, ids are 7.0.
    """
    listed = given.tolist() if hasattr(given, "tolist") and not isinstance(given, str) else given
    if listed is given or not isinstance(listed, list):
        return given
    return [
        one if not isinstance(one, float) else None if math.isnan(one) else int(one) if one.is_integer() else one
        for one in listed
    ]


def followed_by(run: Run, count: int, target: Any, against: Any, targets: Any) -> Followed:
    """What a reader names. A list for `target` or `against` has an item for each prompt; anything else is one for all."""
    several = targets if isinstance(targets, list) else [] if targets == () else [targets]
    if target is None and against is not None and not several and not isinstance(against, list):
        raise ValueError(
            "against= is what a target is compared with, and there is none; name one, as in target=' Paris'."
        )
    if not isinstance(target, list) and not isinstance(against, list):
        every = targets_of(run, [*([] if target is None else [target]), *several])
        return Followed(with_against(run, every, against) if against is not None else every, against is not None, None)
    for name, given in (("target", target), ("against", against)):
        if isinstance(given, list) and len(given) != count:
            raise ValueError(
                f"{name}= is a list of {len(given)}, and there are {count} prompts; give an item for each, None where a prompt "
                "has none, or one target for all."
            )
    if target is None:
        raise ValueError(
            "against= has an item for each prompt, and there is no target to compare; give target= as a list, too."
        )
    answers = target if isinstance(target, list) else [target] * count
    others = against if isinstance(against, list) else [against] * count
    every = targets_of(run, several)
    own = tuple(_own(run, i, one, other) for i, (one, other) in enumerate(zip(answers, others)))
    if not any(own):
        raise ValueError("None of the prompts has a target; leave target= out, or name that of some.")
    return Followed(every, False, own)


def _own(run: Run, prompt: int, target: Any, against: Any) -> tuple[Target, ...] | None:
    if target is None:
        return None
    try:
        one = (target_of(run, target),)
        return one if against is None else with_against(run, one, against)
    except (TypeError, ValueError) as reason:
        raise type(reason)(f"Of prompt {prompt}: {reason}") from None


def named_prompts(count: int, given: Any, what: str) -> tuple[str, ...] | None:
    """A text for each prompt. Raises ValueError and TypeError for what is none."""
    if given is None:
        return None
    if isinstance(given, (str, Mapping, Set)) or not isinstance(given, Iterable):
        one = "one text, " if isinstance(given, str) else ""
        raise TypeError(f"{what}s= is a list with a text for each of the {count} prompts; got {one}{given!r:.80}.")
    found = tuple(given)
    if len(found) != count:
        raise ValueError(f"{what}s= has {len(found)} texts, and there are {count} prompts; give one for each.")
    for i, one in enumerate(found):
        if not isinstance(one, str):
            raise TypeError(f"The {what} of prompt {i} is a text; got {one!r}.")
        if not one.strip():
            raise ValueError(f"The {what} of prompt {i} is empty; give it a name, as in {what}s=['normal', …].")
    return found
