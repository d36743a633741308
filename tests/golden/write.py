"""Writes the golden message that both languages read: `python -m tests.golden.write`."""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from lenswidget.grid import Grid
from lenswidget.wire import encode
from tests.grids import make_grid

HERE = Path(__file__).parent


def golden_grid() -> Grid:
    """Small, with odd values and odd texts among the plain ones."""
    grid = make_grid(5, 4, k=3, vocabulary=12, seed=1)
    values = grid.quantities["KL to the output"].values.copy()
    values[1, 2], values[2, 2], values[3, 2] = np.nan, np.inf, -np.inf
    texts = {**grid.texts, 1: "</script>", 2: "\u202eabc", 3: "\n", 4: " ", 5: "👩", 6: "<0xE2>"}
    kl = replace(grid.quantities["KL to the output"], values=values)
    return replace(grid, quantities={**grid.quantities, "KL to the output": kl}, texts=texts)


def header_of(message: bytes) -> dict:
    raw = zlib.decompress(message)
    (length,) = struct.unpack_from("<I", raw)
    return json.loads(raw[4 : 4 + length])


def expected(grid: Grid) -> dict:
    """What a decoder must find, as numbers that JSON can hold; those that it can't are words."""

    def plain(array: np.ndarray) -> list:
        return (
            [plain(row) for row in array]
            if array.ndim > 1
            else [x if np.isfinite(x) else str(x) for x in array.tolist()]
        )

    assert grid.candidates is not None and grid.trajectories is not None and grid.jumps is not None
    return {
        "quantities": {name: plain(q.values) for name, q in grid.quantities.items()},
        "strips": [plain(strip.values) for strip in grid.strips],
        "jumps": plain(grid.jumps.values),
        "candidateIds": grid.candidates.ids.tolist(),
        "candidateProbability": np.exp2(grid.candidates.log_probability).tolist(),
        "trajectoryIds": grid.trajectories.ids.tolist(),
        "trajectoryProbability": np.exp2(grid.trajectories.log_probability).tolist(),
    }


def main() -> None:
    message = encode([golden_grid()])
    (HERE / "grid.lens").write_bytes(message)
    (HERE / "grid.json").write_text(
        json.dumps({"header": header_of(message), "expected": expected(golden_grid())}, indent=1, ensure_ascii=True)
        + "\n"
    )


if __name__ == "__main__":
    main()
