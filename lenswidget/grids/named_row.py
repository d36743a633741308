"""Rows as arguments name them: by label, or by the number that the label has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import SupportsIndex


def named_row(labels: Sequence[str], row: str | SupportsIndex) -> int:
    """The index of a row that an argument names: `"L26"` and 26 are one row, and `"embed"` is the embedding.

    Only named arguments count so. Indices and slices of a Grid count from the embedding, which is 0.
    Raises ValueError for a row that isn't there, naming those that are.
    """
    label = row if isinstance(row, str) else f"L{row.__index__()}"
    if label not in labels:
        there = f"{labels[0]} to {labels[-1]}" if labels else "none"
        count = "" if isinstance(row, str) else f" A number counts as the label does: {row} is {label}."
        raise ValueError(f"There is no row {label!r} here; the rows are {there}.{count}")
    return list(labels).index(label)
