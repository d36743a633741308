"""Bytes: what a Grid takes on its way to the browser, and the bundle that draws it.

The grid is 80 rows × 14 positions with five candidates and every candidate's trajectory. The embedded model has 31
rows, so the rows between are read from streams half-way (and so on) between its own: as many candidates as a deeper
model's rows bring, and no smoother than its own. JSON of the same numbers, gzipped, stands beside it; a peer's
published example of this size, with 1,410 tokens followed, takes 113,656 bytes gzipped.
"""

from __future__ import annotations

import dataclasses
import gzip
import json
from pathlib import Path

import numpy as np
import torch

import lenswidget as lw
from lenswidget.view.wire import encode

ROWS, PROMPT = 80, "When Mary and John went to the store, John gave a drink to"


def main() -> None:
    run = lw.run(lw.load(device="cpu"), PROMPT)
    place = torch.linspace(0, len(run.residual) - 1, ROWS)
    below = place.floor().long().clamp(max=len(run.residual) - 2)
    share = (place - below)[:, None, None]
    residual = run.residual[below] * (1 - share) + run.residual[below + 1] * share
    grid = lw.logit_lens(dataclasses.replace(run, residual=residual), k=5)
    assert grid.shape == (ROWS, 14) and grid.trajectories is not None and grid.candidates is not None
    ours = len(encode([grid]))
    plain = json.dumps(
        {
            "candidates": [grid.candidates.ids.tolist(), np.exp2(grid.candidates.log_probability).round(5).tolist()],
            "trajectories": [
                grid.trajectories.ids.tolist(),
                np.exp2(grid.trajectories.log_probability).round(5).tolist(),
            ],
            "texts": {str(i): text for i, text in grid.texts.items()},
        }
    ).encode()
    print(f"payload, {ROWS} rows × 14 positions, 5 candidates, {len(grid.trajectories.ids)} trajectories")
    print(f"  ours             {ours:9,} B")
    zipped = len(gzip.compress(plain))
    print(f"  as JSON          {len(plain):9,} B, gzipped {zipped:,} B ({zipped / ours:.1f} × ours)")
    static = Path(lw.__file__).parent / "static"
    for name in ("widget.js", "widget.css", "loader.js"):
        content = (static / name).read_bytes()
        print(f"  {name:16} {len(content):9,} B, gzipped {len(gzip.compress(content)):,} B")


if __name__ == "__main__":
    main()
