"""What crosses to the browser: the golden message, what the eye loses, and how many bytes it takes."""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from lenswidget.grid import Trajectories
from lenswidget.wire import _codes, encode
from tests.golden.write import expected, golden_grid, header_of
from tests.grids import hostile_grid, make_grid

GOLDEN = Path(__file__).parent / "golden"


def test_the_golden_message_is_what_we_write_today() -> None:
    """The browser's tests decode this very file, so the two languages can't drift apart."""
    assert zlib.decompress(encode([golden_grid()])) == zlib.decompress((GOLDEN / "grid.lens").read_bytes()), (
        "the layout changed: raise VERSION in both twins if old messages can't be read, then python -m tests.golden.write"
    )
    assert json.loads((GOLDEN / "grid.json").read_text())["expected"] == json.loads(json.dumps(expected(golden_grid())))


def test_every_array_starts_on_a_multiple_of_eight() -> None:
    raw = zlib.decompress(encode([make_grid(), hostile_grid()]))
    (length,) = struct.unpack_from("<I", raw)
    header = json.loads(raw[4 : 4 + length])
    assert len(header["grids"]) == 2

    def offsets(node: object) -> list[int]:
        if isinstance(node, dict):
            return [node["offset"]] if "offset" in node else [o for v in node.values() for o in offsets(v)]
        return [o for v in node for o in offsets(v)] if isinstance(node, list) else []

    assert len(offsets(header)) > 20
    assert all(offset % 8 == 0 for offset in offsets(header))


def test_a_trajectory_loses_only_what_the_eye_cannot_see() -> None:
    probability = np.r_[1.0, 0.0, np.logspace(-4.6, 0, 400)].reshape(2, -1)
    with np.errstate(divide="ignore"):
        bits = np.log2(probability).astype(np.float32)
    none = np.zeros(2, dtype=np.int32)
    codes = np.cumsum(
        _codes(Trajectories(none, none, bits, np.zeros_like(bits, dtype=np.int32))), axis=1, dtype=np.uint8
    )
    read = (codes / 255.0) ** 4
    assert read[0, 0] == 1.0 and read[0, 1] == 0.0
    assert np.abs(read - probability).max() < 0.008
    assert (np.abs(read - probability)[probability > 2e-5] / probability[probability > 2e-5]).max() < 0.13


def test_half_of_a_surrogate_pair_crosses_as_valid_text() -> None:
    raw = zlib.decompress(encode([hostile_grid()]))
    (length,) = struct.unpack_from("<I", raw)
    assert "\ud83d" in json.loads(raw[4 : 4 + length].decode("utf-8"))["grids"][0]["tokens"]["texts"]


def test_ranks_are_exact_and_what_is_no_rank_is_kept() -> None:
    grid = make_grid()
    name = next(n for n in grid.quantities if n.startswith("rank"))
    ranks = grid.quantities[name].values.copy()
    ranks[0, 0], ranks[1, 1] = 70_001, np.nan
    for odd, dtype in ((3.0, "i4"), (np.inf, "f2")):
        ranks[2, 2] = odd
        changed = replace(grid, quantities={name: replace(grid.quantities[name], values=ranks)})
        values = header_of(encode([changed]))["grids"][0]["quantities"][0]["values"]
        assert values["dtype"] == dtype
