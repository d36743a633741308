"""Grid → bytes for the browser. Twin of js/src/data/wire.ts; no other file in either language knows this layout.

A message is zlib-compressed. Inside: the header's length (u32, little-endian), the header as UTF-8 JSON, and arrays.
The header refers to an array as `{dtype, shape, offset}`, offset in bytes from the start of the arrays. A packed array
holds its bits as differences between rows, modulo their size, all the lowest bytes first, then the next, which compress.
Numbers lose only what the eye can't see:

- quantities are half precision, f2, packed, where that holds the digits that are shown of them; f4 with no more digits
  where some are too near 0 for that, and exact f4 where some are so large that all of their digits are shown. Whole numbers on
  a logarithmic scale stay whole, as i4, in which 0 stands for NaN. One that is two to the power of another isn't written:
  its `values` are `{exponent}`, the other's place. Where they are added up, as bars, they are single precision, so that
  what is drawn has the sum that it is said to have; for the same reason jumps are, packed, to 1/4096
- trajectories are one byte, a place in PROBABILITIES, which has one for every percentage that a card can show: from 1 %
  up it shows what it would of the exact number. Below, a place is within a sixth of the exact number down to 1e-4, where
  they end, and 0 beyond. Row by row, they are differences from the row before, modulo 256, in three arrays: those from a
  place of 0, from one below 1 %, and from the others, each of which has habits of its own. A cell that is not finite has
  place 0; its quantities say what it is
- candidates are ranks, from 0, among the trajectories of their column, sorted by their places in the row, equal ones as they
  are numbered: most often 0, 1, 2 and so on. Where trajectories don't have them all, they are tokens, with
  log-probabilities packed as those of a quantity
- what is known of columns that are prompts, their groups and sentences, is in the header where there is any
- a prompt that is typed or written comes in pieces: a message that is whole, then some that hold columns alone, in place of some
  of those before them. Several are one message, each after its length (u32), and all after a byte of 0, which begins no zlib
  stream
- token ids, packed, occur once, in a string table; everywhere else a token is its index there, or -1. Places are u1, u2 or i4;
  the highest of the first two is -1
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from jaxtyping import Float

from lenswidget.grids.answers import Answer, answers_of
from lenswidget.grids.comparison import Comparison
from lenswidget.grids.grid import Grid
from lenswidget.grids.parts import NO_TOKEN, Check, ColumnQuantity, Quantity, RowQuantity, Sides, Sweep, Trajectories
from lenswidget.grids.provenance import provenance_of
from lenswidget.view.picture.heatmap_scale import ends_of_scale
from lenswidget.view.sweep_story import measured, story_of

VERSION = 6
PROBABILITIES = np.concatenate(
    [
        [0.0],
        np.geomspace(1e-4, 1e-2, 16, endpoint=False),
        np.arange(10, 100) / 1000,
        np.arange(10, 99) / 100,
        np.arange(990, 1000) / 1000,
        [0.9995, 1.0],
    ]
)
"""What a byte can say of a probability."""
ONE_PERCENT = 17
"""The place of 0.01 among them."""


def encode(
    grids: Sequence[Grid], comparison: Comparison | None = None, *, splice: tuple[int, int] | None = None
) -> bytes:
    """Grids as one message, with how they compare where they do. `splice` is that of a piece."""
    arrays = _Arrays()
    header = {
        "version": VERSION,
        "grids": [_header(grid, arrays) for grid in grids],
        "comparison": comparison and _comparison(comparison, arrays),
        **({} if splice is None else {"splice": splice}),
    }
    # half of a surrogate pair, which UTF-8 can't carry, is written as the escape that JSON has for it
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
    return _compressed([struct.pack("<I", len(text)) + text, *arrays.parts])


def encode_columns(grid: Grid, start: int, stop: int, replaced: int) -> bytes:
    """Columns `start` to `stop` of a Grid, as a piece: they take the place of columns `start` to `replaced` of what was sent
    before, of which the others are still the Grid's."""
    part = grid[:, start:stop]
    targets = [i for target in part.targets for i in target.ids]
    arrays = [part.columns, *(() if part.following is None else (part.following,)), np.array(targets, dtype=np.int64)]
    arrays += [] if part.trajectories is None else [part.trajectories.ids]
    arrays += [] if part.candidates is None else [part.candidates.ids.ravel()]
    arrays += [] if part.jumps is None else [part.jumps.tokens]
    used = [int(i) for i in np.unique(np.concatenate(arrays)) if int(i) in part.texts]
    special = tuple(i for i in part.special if i in set(used))
    part = replace(part, texts={i: part.texts[i] for i in used}, special=special)
    return encode([part], splice=(start, replaced))


def joined_pieces(pieces: Sequence[bytes]) -> bytes:
    """A message that is whole and those that go on from it, as one message."""
    if len(pieces) == 1:
        return pieces[0]
    return PIECES + b"".join(struct.pack("<I", len(piece)) + piece for piece in pieces)


PIECES = b"\0"
"""What begins a message of several pieces."""


@dataclass(frozen=True)
class Seen:
    """What colors the cells of a Grid in a message: its values, and their places on the scale, 0 to 1, or NaN."""

    values: Float[np.ndarray, "rows columns"]
    places: Float[np.ndarray, "rows columns"]
    has_center: bool
    is_bars: bool


def seen_first(message: bytes) -> Seen | None:
    """The first quantity of the first Grid in a message, to draw it small; None where there is none, or only pieces."""
    if message[:1] == PIECES:
        return None
    whole = zlib.decompress(message)
    (length,) = struct.unpack_from("<I", whole)
    grids = json.loads(whole[4 : 4 + length])["grids"]
    quantities = grids[0]["quantities"] if grids else []
    if not quantities:
        return None
    first, arrays = quantities[0], whole[4 + length :]
    power = first["values"].get("exponent")
    is_bars = grids[0]["view"] == "bars"
    stored = first["values"] if power is None else quantities[power]["values"]
    values = (_put if is_bars else _unpacked)(arrays, stored)
    values = values.astype(np.float64) if power is None else np.exp2(values.astype(np.float64))
    low, high = first["ends"]
    with np.errstate(divide="ignore", invalid="ignore"):
        is_log = first["scale"] == "log"
        at, low, high = (np.log(np.asarray(one, dtype=np.float64)) if is_log else one for one in (values, low, high))
        places = np.clip((at - low) / ((high - low) or 1.0), 0, 1)
    places = 1 - places if first["strong"] == "low" else places
    return Seen(values, places, first["center"] is not None, is_bars)


def _put(arrays: bytes, reference: dict[str, Any]) -> np.ndarray:
    count = int(np.prod(reference["shape"]))
    found: np.ndarray = np.frombuffer(arrays, "<" + reference["dtype"], count, reference["offset"])
    values: np.ndarray = found.reshape(reference["shape"])
    return values


def _unpacked(arrays: bytes, reference: dict[str, Any]) -> np.ndarray:
    """What `_Arrays.pack` packed."""
    size, shape = np.dtype(reference["dtype"]).itemsize, reference["shape"]
    count = int(np.prod(shape))
    planes = np.frombuffer(arrays, dtype=np.uint8, count=count * size, offset=reference["offset"]).reshape(size, count)
    differences = np.ascontiguousarray(planes.T).view(f"<u{size}").reshape(shape)
    bits = np.add.accumulate(differences, axis=0, dtype=f"<u{size}")
    values: np.ndarray = bits.view("<" + reference["dtype"])
    return values


def _compressed(parts: list[bytes]) -> bytes:
    """One zlib stream, in which each large part has a code of its own: they have little in common, and repeat little."""
    stream = zlib.compressobj(level=7, strategy=zlib.Z_FILTERED)
    compressed = bytearray()
    for part in parts:
        compressed += stream.compress(part)
        if len(part) > LARGE:
            compressed += stream.flush(zlib.Z_SYNC_FLUSH)
    return bytes(compressed + stream.flush())


LARGE = 1000
"""Bytes that are worth a code of their own."""


class _Arrays:
    """Arrays laid one after another."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self._size = 0

    def put(self, array: np.ndarray, dtype: str) -> dict[str, Any]:
        return self._append(np.ascontiguousarray(array, dtype=np.dtype("<" + dtype)).tobytes(), dtype, array.shape)

    def pack(self, array: np.ndarray, dtype: str) -> dict[str, Any]:
        """As differences between rows, all the lowest bytes first."""
        size = np.dtype(dtype).itemsize
        bits = np.ascontiguousarray(array, dtype=np.dtype("<" + dtype)).view(f"<u{size}")
        differences = np.diff(bits, axis=0, prepend=np.zeros_like(bits[:1]))
        planes = np.ascontiguousarray(differences).view(np.uint8).reshape(-1, size).T
        return self._append(planes.tobytes(), dtype, array.shape)

    def _append(self, data: bytes, dtype: str, shape: tuple[int, ...]) -> dict[str, Any]:
        reference = {"dtype": dtype, "shape": list(shape), "offset": self._size}
        self.parts.append(data)
        self._size += len(data)
        return reference


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

    trajectories, jumps = grid.trajectories, grid.jumps
    places = None if trajectories is None else _places(trajectories)
    return {
        "title": grid.title,
        "kind": grid.kind,
        "model": grid.model,
        "notes": list(grid.notes),
        "check": None if grid.check is None else _check(grid.check),
        "provenance": [[name, value] for name, value in provenance_of(grid).items()],
        "rows": list(grid.rows),
        "tokens": {
            "ids": arrays.pack(np.array(ids), "i4"),
            "texts": [grid.texts[i] for i in ids],
            "special": [index[i] for i in grid.special],
        },
        "columns": arrays.put(tokens(grid.columns), "i4"),
        "columnLabels": grid.column_labels and list(grid.column_labels),
        "view": grid.view,
        "positions": arrays.put(grid.positions, "i4"),
        "excluded": [i for i, p in enumerate(grid.positions.tolist()) if p in grid.excluded],
        "following": None if grid.following is None else arrays.put(tokens(grid.following), "i4"),
        "decision": None if grid.decision is None else arrays.put(grid.decision, "i4"),
        "targets": [{"label": t.label, "tokens": [index[i] for i in t.ids]} for t in grid.targets],
        "quantities": _quantities(grid, arrays),
        "rowQuantities": [_row_quantity(one, arrays) for one in grid.row_quantities],
        "sides": grid.sides and _sides(grid.sides, tokens, arrays),
        "jumps": None
        if jumps is None
        else {
            "columns": arrays.put(jumps.columns, "i4"),
            "tokens": arrays.put(tokens(jumps.tokens), "i4"),
            "parts": list(jumps.parts),
            "values": arrays.pack(np.round(jumps.values * 4096) / 4096, "f4"),
            "check": _check(jumps.check),
        },
        **({"below": _below(grid)} if grid.groups is not None or grid.column_quantities else {}),
        **({} if grid.sweep is None else {"sweep": _sweep(grid, grid.sweep, tokens, arrays)}),
        **({"canEdit": True} if _can_edit(grid) else {}),
        **({"answers": [_answer(one, index) for one in answers_of(grid)]} if grid.view == "overview" else {}),
        "candidates": grid.candidates and _candidates(grid, places, tokens, arrays),
        "trajectories": None
        if trajectories is None or places is None
        else {
            "offsets": arrays.put(trajectories.offsets, "i4"),
            "tokens": arrays.pack(tokens(trajectories.ids), "i4"),
            "steps": [arrays.put(steps, "u1") for steps in _steps(places)],
        },
    }


def _below(grid: Grid) -> dict[str, Any]:
    """What is said of each column, and the numbers of it: those of many prompts."""
    said = [
        [
            *([grid.groups[column]] if grid.groups else []),
            *(one.said(column) for one in grid.column_quantities if np.isfinite(one.values[column])),
        ]
        for column in range(grid.shape[1])
    ]
    return {
        "groups": grid.groups and list(grid.groups),
        "says": said,
        "quantities": [
            {
                "name": one.name,
                "unit": one.unit,
                "line": _line(one),
                "values": _plain(one.values),
                **({"reach": one.reach} if one.reach else {}),
                **({"ofGroups": [list(pair) for pair in one.of_groups.items()]} if one.of_groups else {}),
                **(
                    {"elsewhere": [[name, _plain(some)] for name, some in one.elsewhere.items()]}
                    if one.elsewhere
                    else {}
                ),
            }
            for one in grid.column_quantities
        ],
    }


def _line(below: ColumnQuantity) -> float | None:
    """As its values have it: rounded up, a value on the line would be below it."""
    return None if below.line is None else _plain(np.array([below.line], dtype=np.float32))[0]


def _plain(values: np.ndarray) -> list[float | None]:
    """Numbers as text has them, with the digits that tell single precision apart; None for what is not finite."""
    return [float(f"{value:.9g}") if np.isfinite(value) else None for value in values.tolist()]


def _can_edit(grid: Grid) -> bool:
    """Whether bars can be asked for again with some of them taken out."""
    return grid.view == "bars" and hasattr(grid.explain, "edited")


def _sweep(grid: Grid, sweep: Sweep, tokens: Callable[[np.ndarray], np.ndarray], arrays: _Arrays) -> dict[str, Any]:
    return {
        "source": sweep.source,
        "put": sweep.put,
        "columns": arrays.put(tokens(sweep.columns), "i4"),
        "metric": sweep.metric,
        "measured": measured(grid, sweep),
        "story": story_of(grid, sweep),
        "base": sweep.base,
        "target": sweep.target if np.isfinite(sweep.target) else None,
        "position": sweep.position,
        "first": sweep.first,
        "tokens": arrays.put(tokens(sweep.tokens), "i4"),
        "said": _seen(sweep.said, arrays),
    }


def _sides(sides: Sides, tokens: Callable[[np.ndarray], np.ndarray], arrays: _Arrays) -> dict[str, Any]:
    return {
        "names": list(sides.names),
        "tokens": _indices(tokens(sides.leaders.ids), arrays),
        "logProbability": _seen(sides.leaders.log_probability, arrays),
        "equal": list(sides.equal),
        "why": sides.why,
    }


def _quantities(grid: Grid, arrays: _Arrays) -> list[dict[str, Any]]:
    quantities = list(grid.quantities.values())
    exact = grid.view == "bars"
    return [{**_quantity(q, quantities, arrays, exact=exact), "ends": list(ends_of_scale(grid, q))} for q in quantities]


def _quantity(quantity: Quantity, all_of_them: list[Quantity], arrays: _Arrays, *, exact: bool) -> dict[str, Any]:
    values = quantity.values
    exponent = next((i for i, other in enumerate(all_of_them) if _is_power(values, other.values)), None)
    # ranks are counted, so they stay exact; NaN is written as 0, which no rank is
    known = values[~np.isnan(values)]
    whole = quantity.scale == "log" and bool(np.all((known >= 1) & (known < 2**31) & (np.floor(known) == known)))
    stored: dict[str, Any]
    if exponent is not None and not exact:
        stored = {"exponent": exponent}
    elif whole:
        stored = arrays.pack(np.nan_to_num(values), "i4")
    else:
        stored = arrays.put(values, "f4") if exact else _seen(values, arrays)
    return {
        "name": quantity.name,
        "measure": quantity.measure,
        "unit": quantity.unit,
        "scale": quantity.scale,
        "strong": quantity.strong,
        "domain": quantity.domain and list(quantity.domain),
        "center": quantity.center,
        "target": quantity.target,
        "values": stored,
    }


def _is_power(values: np.ndarray, exponents: np.ndarray) -> bool:
    """Whether values are two to the power of exponents that half precision suits: those of probabilities."""
    if not np.isfinite(exponents).any() or np.nanmax(exponents) > 1e-3:
        return False
    return np.allclose(values, np.exp2(exponents), rtol=1e-4, atol=1e-9, equal_nan=True)


def _candidates(
    grid: Grid, places: np.ndarray | None, tokens: Callable[[np.ndarray], np.ndarray], arrays: _Arrays
) -> dict[str, Any]:
    candidates = grid.candidates
    assert candidates is not None
    entries = _entries(grid)
    if entries is not None and places is not None and grid.trajectories is not None:
        return {"ranks": _indices(_ranks(entries, places, grid.trajectories.offsets), arrays)}
    return {
        "tokens": _indices(tokens(candidates.ids), arrays),
        "logProbability": _seen(candidates.log_probability, arrays),
    }


def _entries(grid: Grid) -> np.ndarray | None:
    """Each candidate's trajectory, -1 for none; None unless these know all about them."""
    candidates, trajectories = grid.candidates, grid.trajectories
    if candidates is None or trajectories is None or not len(trajectories.ids):
        return None
    rows, columns, _ = candidates.ids.shape
    column_of = np.repeat(np.arange(columns), np.diff(trajectories.offsets))
    span = int(max(candidates.ids.max(initial=0), trajectories.ids.max())) + 2
    keys = column_of * span + trajectories.ids
    order = np.argsort(keys, kind="stable")
    wanted = np.arange(columns)[None, :, None] * span + candidates.ids
    found = order[np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)]
    none = candidates.ids == NO_TOKEN
    known = trajectories.log_probability[found, np.arange(rows)[:, None, None]]
    same = (keys[found] == wanted) & np.isclose(known, candidates.log_probability, atol=1e-3, equal_nan=True)
    # a cell that is not finite has candidates of which nothing is known
    return np.where(none, -1, found) if np.all(none | same) else None


def _ranks(entries: np.ndarray, places: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Each entry's rank, from 0, among the places of its column in its row; -1 stays."""
    ranks = np.empty_like(entries)
    for column, (start, end) in enumerate(pairwise(offsets)):
        order = np.argsort(-places[:, start:end].astype(np.int16), axis=1, kind="stable")
        chosen = entries[:, column]
        none = chosen < 0
        rank = np.take_along_axis(np.argsort(order, axis=1), np.where(none, 0, chosen - start), axis=1)
        ranks[:, column] = np.where(none, -1, rank)
    return ranks


def _indices(indices: np.ndarray, arrays: _Arrays) -> dict[str, Any]:
    """In as few bytes as hold them; -1 is the highest number of the dtype."""
    top = int(indices.max(initial=0))
    return arrays.put(indices, "u1" if top < 0xFF else "u2" if top < 0xFFFF else "i4")


def _row_quantity(quantity: RowQuantity, arrays: _Arrays) -> dict[str, Any]:
    return {
        "name": quantity.name,
        "unit": quantity.unit,
        "strong": quantity.strong,
        "domain": quantity.domain and list(quantity.domain),
        "says": quantity.says,
        "values": arrays.put(quantity.values, "f4"),
        "parts": [{"name": name, "values": arrays.put(values, "f4")} for name, values in quantity.parts.items()],
    }


def _seen(values: np.ndarray, arrays: _Arrays) -> dict[str, Any]:
    """In the narrowest dtype that holds their range to the digits that are shown."""
    size = np.abs(values[np.isfinite(values) & (values != 0)])
    if size.max(initial=0) > LARGE_FOR_HALF:
        return arrays.pack(values, "f4")
    if size.min(initial=1) >= SMALL_FOR_HALF:
        return arrays.pack(values, "f2")
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    # the digits that half precision has; those left out are zeros, which compress to nothing
    rounded = np.where(np.isfinite(values), (bits + 0x1000) & 0xFFFFE000, bits).astype(np.uint32)
    return arrays.pack(rounded.view(np.float32), "f4")


LARGE_FOR_HALF = 2**11
"""Beyond it half precision skips whole numbers, which are shown."""
SMALL_FOR_HALF = 2**-20
"""Below it half precision has less than the one digit that is shown of such a number."""


def _places(trajectories: Trajectories) -> np.ndarray:
    """Probabilities as places in PROBABILITIES, a row of all trajectories after another."""
    bits = trajectories.log_probability.T.astype(np.float64)
    ends = (PROBABILITIES[1:] + PROBABILITIES[:-1]) / 2
    ends[-2:] = 0.999, 1  # "> 99.9 %", and what is really all
    probability = np.exp2(np.where(np.isfinite(bits), bits, -np.inf))
    return np.searchsorted(ends, probability, side="right").astype(np.uint8)


def _steps(places: np.ndarray) -> list[np.ndarray]:
    """Differences between rows: those from 0, those from below 1 %, and the others."""
    steps = np.diff(places, axis=0, prepend=np.zeros_like(places[:1]))
    start = places - steps
    return [steps[start == 0], steps[(start > 0) & (start < ONE_PERCENT)], steps[start >= ONE_PERCENT]]


def _check(check: Check) -> dict[str, Any]:
    error = check.error if np.isfinite(check.error) else None  # JSON has no NaN
    return {"error": error, "tolerance": check.tolerance, "claim": check.claim, "says": str(check)}


def _answer(answer: Answer, index: dict[int, int]) -> dict[str, Any]:
    likely = answer.right_probability
    return {
        "token": index.get(answer.token, -1),
        "probability": answer.probability,
        "decided": answer.decided,
        "right": answer.right,
        "rightProbability": None if np.isnan(likely) else likely,
        "ledUntil": answer.led_until,
    }
