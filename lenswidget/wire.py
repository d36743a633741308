"""Grid → bytes for the browser. Twin of js/src/wire.ts; no other file in either language knows this layout.

A message is zlib-compressed. Inside: the header's length (u32, little-endian), the header as UTF-8 JSON, and arrays,
each starting on a multiple of eight bytes from the first. The header refers to an array as
`{dtype, shape, offset}`, offset in bytes from the start of the arrays. Numbers lose only what the eye can't see:

- quantities and candidates are half precision (whole numbers stay whole, as i4), but for what is added up: the parts of a
  sum in bars and jumps are single precision, so that what is drawn has the sum that it is said to have
- trajectories are one byte: `probability ≈ (code / 255)⁴`, within 0.8 percentage points everywhere and 10 % of
  itself down to 2e-5; code 255 is a probability of 1. Each entry is stored as differences between rows (modulo 256),
  which compress. A cell that is not finite has code 0; its quantities say what it is.
- token ids occur once, in a string table; everywhere else a token is its index there, or -1
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from lenswidget.comparison import Comparison
from lenswidget.grid import Check, Grid, Quantity, Strip, Trajectories

VERSION = 1


def encode(grids: Sequence[Grid], comparison: Comparison | None = None) -> bytes:
    """Grids as one message, with how they compare where they do."""
    arrays = _Arrays()
    header = {
        "version": VERSION,
        "grids": [_header(grid, arrays) for grid in grids],
        "comparison": comparison and _comparison(comparison, arrays),
    }
    # half of a surrogate pair, which UTF-8 can't carry, is written as the escape that JSON has for it
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
    return zlib.compress(struct.pack("<I", len(text)) + text + arrays.bytes(), level=6)


class _Arrays:
    """Arrays laid one after another, each on a multiple of eight bytes."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def put(self, array: np.ndarray, dtype: str) -> dict[str, Any]:
        data = np.ascontiguousarray(array, dtype=np.dtype("<" + dtype)).tobytes()
        reference = {"dtype": dtype, "shape": list(array.shape), "offset": self._size}
        padded = data + bytes(-len(data) % 8)
        self._parts.append(padded)
        self._size += len(padded)
        return reference

    def bytes(self) -> bytes:
        return b"".join(self._parts)


def _comparison(comparison: Comparison, arrays: _Arrays) -> dict[str, Any]:
    def header(grid: Grid | None) -> dict[str, Any] | None:
        return None if grid is None else _header(grid, arrays)

    return {
        "names": list(comparison.names),
        "rows": arrays.put(comparison.rows, "i4"),
        "columns": arrays.put(comparison.columns, "i4"),
        "differences": [header(difference) for difference in comparison.differences],
        "overview": header(comparison.overview),
        "mean": header(comparison.mean),
        "notes": list(comparison.notes),
    }


def _header(grid: Grid, arrays: _Arrays) -> dict[str, Any]:
    ids = sorted(grid.texts)
    index = {token: i for i, token in enumerate(ids)}

    def tokens(array: np.ndarray) -> np.ndarray:
        known, inverse = np.unique(array, return_inverse=True)
        return np.array([index.get(int(t), -1) for t in known], dtype=np.int32)[inverse].reshape(array.shape)

    candidates, trajectories, jumps = grid.candidates, grid.trajectories, grid.jumps
    places = "u2" if len(ids) < 0xFFFF else "i4"  # 0xFFFF, like -1, is no token
    return {
        "title": grid.title,
        "kind": grid.kind,
        "model": grid.model,
        "notes": list(grid.notes),
        "check": None if grid.check is None else _check(grid.check),
        "rows": list(grid.rows),
        "tokens": {
            "ids": ids,
            "texts": [grid.texts[i] for i in ids],
            "special": [index[i] for i in grid.special],
        },
        "columns": arrays.put(tokens(grid.columns), "i4"),
        "columnLabels": grid.column_labels and list(grid.column_labels),
        "view": grid.view,
        "positions": arrays.put(grid.positions, "i4"),
        "aside": [i for i, p in enumerate(grid.positions.tolist()) if p in grid.aside],
        "following": None if grid.following is None else arrays.put(tokens(grid.following), "i4"),
        "decision": None if grid.decision is None else arrays.put(grid.decision, "i4"),
        "targets": [{"label": t.label, "tokens": [index[i] for i in t.ids]} for t in grid.targets],
        "quantities": [_quantity(q, arrays, exact=grid.view == "bars") for q in grid.quantities.values()],
        "strips": [_strip(strip, arrays) for strip in grid.strips],
        "jumps": None
        if jumps is None
        else {
            "columns": arrays.put(jumps.columns, "i4"),
            "tokens": arrays.put(tokens(jumps.tokens), "i4"),
            "parts": list(jumps.parts),
            "values": arrays.put(jumps.values, "f4"),
            "check": _check(jumps.check),
        },
        "candidates": None
        if candidates is None
        else {
            "tokens": arrays.put(tokens(candidates.ids), places),
            "logProbability": arrays.put(candidates.log_probability, "f2"),
        },
        "trajectories": None
        if trajectories is None
        else {
            "offsets": arrays.put(trajectories.offsets, "i4"),
            "tokens": arrays.put(tokens(trajectories.ids), places),
            "probability": arrays.put(_codes(trajectories), "u1"),
        },
    }


def _quantity(quantity: Quantity, arrays: _Arrays, *, exact: bool) -> dict[str, Any]:
    values = quantity.values
    # ranks are counted, so they stay exact; NaN is written as 0, which no rank is
    whole = quantity.scale == "log" and not np.any(np.isinf(values) | (np.floor(values) < values))
    if whole:
        stored = arrays.put(np.nan_to_num(values), "i4")
    else:
        stored = arrays.put(values, "f4") if exact else arrays.put(_half(values), "f2")
    return {
        "name": quantity.name,
        "measure": quantity.measure,
        "unit": quantity.unit,
        "scale": quantity.scale,
        "strong": quantity.strong,
        "domain": quantity.domain and list(quantity.domain),
        "centre": quantity.centre,
        "target": quantity.target,
        "values": stored,
    }


def _strip(strip: Strip, arrays: _Arrays) -> dict[str, Any]:
    return {
        "name": strip.name,
        "unit": strip.unit,
        "strong": strip.strong,
        "domain": strip.domain and list(strip.domain),
        "says": strip.says,
        "values": arrays.put(_half(strip.values), "f2"),
    }


def _half(values: np.ndarray) -> np.ndarray:
    """Half precision; what is finite stays finite."""
    top = float(np.finfo(np.float16).max)
    return np.where(np.isfinite(values), np.clip(values, -top, top), values).astype(np.float16)


def _codes(trajectories: Trajectories) -> np.ndarray:
    """Probabilities as differences, row to row, of their one-byte codes."""
    bits = trajectories.log_probability.astype(np.float64)
    codes = np.rint(255 * np.exp2(np.where(np.isfinite(bits), bits, -np.inf) / 4)).astype(np.uint8)
    return np.diff(codes, axis=1, prepend=np.uint8(0))


def _check(check: Check) -> dict[str, Any]:
    error = check.error if np.isfinite(check.error) else None  # JSON has no NaN
    return {"error": error, "tolerance": check.tolerance, "claim": check.claim}
