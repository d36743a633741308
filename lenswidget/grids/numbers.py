"""Numbers as people give them in arguments: whole ones in a range, and shares."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np


def whole_number(name: str, given: Any, least: int, most: int | None = None, *, is_of: str = "") -> int:
    """A whole number of at least `least` and at most `most`; `is_of` says what it counts, for the error.

    Raises TypeError for what is no whole number, True and 2.0 too, and ValueError for one out of range.
    """
    reach = f"{least} to {most}" if most is not None else f"{least} or more"
    kind = f"{name} is {is_of}, {reach}" if is_of else f"{name} is a whole number, {reach}"
    no_number = f"{name} is {is_of}, a whole number, {reach}" if is_of else kind
    try:
        number = operator.index(given)
    except TypeError:
        raise TypeError(f"{no_number}; got {given!r}.") from None
    if isinstance(given, (bool, np.bool_)):
        raise TypeError(f"{no_number}; got {given!r}.")
    if number < least or (most is not None and number > most):
        raise ValueError(f"{kind}; got {given!r}.")
    return number


def share(name: str, given: Any, of: str, *, zero: bool = False) -> float:
    """A number above 0, or from 0 on, and up to 1: a part `of` something. Raises TypeError and ValueError."""
    reach = "0 to 1" if zero else "above 0 and up to 1"
    wrong = f"{name} is {of}, {reach}; got {given!r}."
    if isinstance(given, (bool, np.bool_, str)) or not hasattr(given, "__float__") or np.ndim(given):
        raise TypeError(wrong)
    number = float(given)
    if not (0 <= number <= 1 if zero else 0 < number <= 1):
        raise ValueError(wrong)
    return number
