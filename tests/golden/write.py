"""Writes the golden message that both languages read: `python -m tests.golden.write`."""

from __future__ import annotations

import json
import math
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from lenswidget.grids.comparison import Comparison, compare
from lenswidget.grids.grid import Grid
from lenswidget.view.picture.colors import shade
from lenswidget.view.wire import encode, encode_columns, joined_pieces
from tests.grids import make_grid

HERE = Path(__file__).parent


def golden_grid() -> Grid:
    """Small, with odd values and odd texts among the plain ones, and numbers beyond what half precision holds."""
    grid = saved_grid()
    change = grid.quantities["change"]
    values = change.values.copy()
    values[1, 1], values[2, 1] = 371_832, 1e-9
    (fidelity,) = grid.row_quantities
    parts = {"prose": fidelity.values * np.float32(0.5), "</code>": fidelity.values * np.float32(1.5)}
    return replace(
        grid,
        quantities={**grid.quantities, "change": replace(change, values=values)},
        row_quantities=(replace(fidelity, parts=parts),),
    )


def saved_grid() -> Grid:
    """What the files in `saved` hold, which are never written again."""
    grid = make_grid(5, 4, k=3, vocabulary=12, seed=1)
    values = grid.quantities["KL to the output"].values.copy()
    values[1, 2], values[2, 2], values[3, 2] = np.nan, np.inf, -np.inf
    texts = {**grid.texts, 1: "</script>", 2: "\u202eabc", 3: "\n", 4: " ", 5: "👩", 6: "<0xE2>"}
    kl = replace(grid.quantities["KL to the output"], values=values)
    return replace(grid, quantities={**grid.quantities, "KL to the output": kl}, texts=texts)


def golden_pieces() -> bytes:
    """The golden grid as somebody typed it: its end, wrongly at first, then the end again, and at last what comes before."""
    grid = golden_grid()
    wrong = replace(grid, columns=grid.columns[[0, 1, 3, 2]], texts={**grid.texts, 99: "gone"})
    return joined_pieces([encode([wrong[:, 1:3]]), encode_columns(grid[:, 1:], 1, 3, 2), encode_columns(grid, 0, 1, 0)])


def header_of(message: bytes) -> dict:
    raw = zlib.decompress(message)
    (length,) = struct.unpack_from("<I", raw)
    return json.loads(raw[4 : 4 + length])


def plain(array: np.ndarray) -> list:
    if array.ndim > 1:
        return [plain(row) for row in array]
    return [x if np.isfinite(x) else str(x) for x in array.tolist()]


def expected(grid: Grid) -> dict:
    """What a decoder must find, as numbers that JSON can hold; those that it can't are words."""
    assert grid.candidates is not None and grid.trajectories is not None and grid.jumps is not None
    return {
        "quantities": {name: plain(q.values) for name, q in grid.quantities.items()},
        "rowQuantities": [plain(one.values) for one in grid.row_quantities],
        "jumps": plain(grid.jumps.values),
        "candidateIds": grid.candidates.ids.tolist(),
        "candidateProbability": np.exp2(grid.candidates.log_probability).tolist(),
        "trajectoryIds": grid.trajectories.ids.tolist(),
        "trajectoryProbability": np.exp2(grid.trajectories.log_probability).tolist(),
    }


def assert_alike(found: object, wanted: object, where: str = "") -> None:
    """The same shape and texts, whole numbers exactly, others within 1e-6: exp2 differs by processor in the last place."""
    if isinstance(wanted, dict):
        assert isinstance(found, dict) and found.keys() == wanted.keys(), where
        for key, value in wanted.items():
            assert_alike(found[key], value, f"{where}/{key}")
    elif isinstance(wanted, (list, tuple)):
        assert isinstance(found, (list, tuple)) and len(found) == len(wanted), where
        for i, value in enumerate(wanted):
            assert_alike(found[i], value, f"{where}/{i}")
    elif isinstance(wanted, float):
        assert isinstance(found, (int, float)) and math.isclose(found, wanted, rel_tol=1e-6, abs_tol=1e-9), where
    else:
        assert found == wanted, where


def golden_comparison() -> Comparison:
    """Two prompts of which one has a word more, and a NaN on one side."""
    one = golden_grid()
    other = make_grid(5, 5, k=3, vocabulary=12, seed=1, title="another")
    columns = np.insert(one.columns, 2, (one.columns[2] + 1) % 12).astype(np.int32)
    return compare(one, replace(other, columns=columns, texts=one.texts), names=["one", "other"])


def expected_comparison(comparison: Comparison) -> dict:
    return {
        "names": list(comparison.names),
        "rows": comparison.rows.tolist(),
        "columns": comparison.columns.tolist(),
        "differences": [
            difference and {name: plain(q.values) for name, q in difference.quantities.items()}
            for difference in comparison.differences
        ],
        "overview": comparison.overview
        and {name: plain(q.values) for name, q in comparison.overview.quantities.items()},
        "notes": list(comparison.notes),
    }


def scales() -> dict:
    """Every fifteenth of the 256 steps of all scales in both themes, as color and ink; palette.ts makes the same."""
    return {
        theme: {
            kind: [shade(theme, tone, i / 17) for i in range(18)]
            for kind, tone in (("sequential", "c"), ("diverging", "d"), ("patched", "s"))
        }
        for theme in ("light", "dark")
    }


def main() -> None:
    (HERE / "colors.json").write_text(json.dumps(scales(), indent=1) + "\n")
    grid, comparison = golden_grid(), golden_comparison()
    (HERE / "pieces.lens").write_bytes(golden_pieces())
    for name, message, found in (
        ("grid", encode([grid]), expected(grid)),
        ("comparison", encode(comparison.grids, comparison), expected_comparison(comparison)),
    ):
        (HERE / f"{name}.lens").write_bytes(message)
        known = {"header": header_of(message), "expected": found}
        (HERE / f"{name}.json").write_text(json.dumps(known, indent=1, ensure_ascii=True) + "\n")


if __name__ == "__main__":
    main()
