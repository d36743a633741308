"""What a row is called in an argument: by its label, or by the number in it. (An index counts from the embedding, which is 0.)"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import SupportsIndex


def named_row(rows: Sequence[str], row: str | SupportsIndex) -> int:
    """The index of the row of a name: "L26", or 26 for the same, or "embed".

    Raises ValueError, with the names that there are, for a row that is not among `rows`, TypeError for what names none.
    """
    try:
        label = row if isinstance(row, str) else f"L{operator.index(row)}"
    except TypeError:
        raise TypeError(f"A row is named by its label or the number in it, as in 'L5' or 5; got {row!r}.") from None
    if isinstance(row, bool):
        raise TypeError(f"A row is named by its label or the number in it, as in 'L5' or 5; got {row!r}.")
    if label in rows:
        return list(rows).index(label)
    there = f"the rows are {rows[0]} to {rows[-1]}" if rows else "there are none"
    called = repr(label) if isinstance(row, str) else f"{label!r}, which {row!r} names"
    raise ValueError(f"There is no row {called}: name one by its label or the number in it; {there}.")


def blocks_below(label: str) -> int:
    """How many blocks ran before a row of a lens: 0 for "embed", 6 for "L5"."""
    return 0 if label == "embed" else int(label.removeprefix("L")) + 1
