"""DoLa's contrast of rows: what the output says over and above an early row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import SupportsIndex

import numpy as np
from jaxtyping import Int

from lenswidget.evidence.output import require_output
from lenswidget.grids.grid import Grid
from lenswidget.grids.numbers import share
from lenswidget.grids.row_names import named_row

DISTANCE = "Jensen–Shannon"


@dataclass(frozen=True)
class Contrasted:
    """What leads in one prompt when an early row is taken from the output: token ids, best first, and by how many bits.

    `row` is that early row, `output` what leads in the output itself. Where the output isn't finite there are none, and `output`
    is -1.
    """

    tokens: tuple[int, ...]
    bits: tuple[float, ...]
    row: str
    output: int


def contrast(
    grid: Grid, row: str | SupportsIndex | Sequence[str | SupportsIndex] | None = None, alpha: float = 0.1
) -> list[Contrasted]:
    """Of each prompt, the tokens by log p(output) − log p(row), of those whose probability is at least `alpha` of the highest.

    Of several rows, each prompt takes the one whose distribution is the farthest from its output's, by Jensen–Shannon
    divergence: what the paper does. By default they are every second row of the upper half; the paper chose the half by
    trying both. One row is one for all prompts: what the paper calls static.

    Raises ValueError where a Grid keeps too few candidates to know all such tokens, with the number to ask for; where several
    rows are given and it has no divergence; for an `alpha` that is no share, no rows, and the last row.

    Source: Chuang et al., "DoLa: Decoding by Contrasting Layers Improves Factuality in Large Language Models", 2023, arXiv
    2309.03883, section 2.

        contrast(lw.trajectories(model, prompts, k=20, extra=["jensen_shannon"]))
        contrast(lw.trajectories(model, prompts, k=20), "L15")
    """
    alpha = share("alpha", alpha, "a share of the highest probability")
    require_output(grid)
    assert grid.candidates is not None and grid.trajectories is not None
    ids, bits = grid.candidates.ids[-1], grid.candidates.log_probability[-1]
    _require_all(grid, alpha)
    found = []
    for column, (tokens, last, early) in enumerate(zip(ids, bits, _early_rows(grid, row).tolist())):
        enough = last >= last[0] + np.log2(alpha)
        entries = grid.trajectories.of(column)
        early_bits = dict(
            zip(grid.trajectories.ids[entries].tolist(), grid.trajectories.log_probability[entries, early].tolist())
        )
        gain = np.array([last[i] - early_bits[int(token)] for i, token in enumerate(tokens) if enough[i]])
        order = np.argsort(-gain, kind="stable")
        kept = tokens[enough]
        found.append(
            Contrasted(tuple(kept[order].tolist()), tuple(gain[order].tolist()), grid.rows[early], int(tokens[0]))
        )
    return found


def _require_all(grid: Grid, alpha: float) -> None:
    """Raises ValueError where more tokens may have at least `alpha` of the highest probability than candidates are kept."""
    assert grid.candidates is not None
    bits = grid.candidates.log_probability[-1]
    ends = [int(q.domain[1]) for q in grid.quantities.values() if q.measure.startswith("rank") and q.domain]
    vocabulary = max(ends, default=np.iinfo(np.int32).max)
    short = np.flatnonzero((bits >= bits[:, :1] + np.log2(alpha)).all(1))
    if len(short) and bits.shape[1] < vocabulary:
        # probabilities sum to 1, so that no more tokens can be so likely
        most = min(vocabulary, int(1 / (alpha * np.exp2(bits[short, 0].min()))) + 1)
        raise ValueError(
            f"All {bits.shape[1]} candidates have at least {alpha:g} of the highest probability in {len(short)} of {len(bits)} "
            f"prompts, as in prompt {short[0]}; there may be more. Ask for as many as there can be, "
            f"lw.trajectories(…, k={most}), or raise alpha."
        )


def _early_rows(
    grid: Grid, row: str | SupportsIndex | Sequence[str | SupportsIndex] | None
) -> Int[np.ndarray, "columns"]:
    """The row that each prompt's output is held against."""
    output = len(grid.rows) - 1
    if row is None:
        candidates = list(range(output // 2, output, 2))
    elif isinstance(row, Sequence) and not isinstance(row, str):
        candidates = [named_row(grid.rows, one) for one in row]
    else:
        candidates = [named_row(grid.rows, row)]
    if not candidates:
        raise ValueError("There are no rows to choose from; name one or several, or leave them out.")
    if output in candidates:
        raise ValueError(
            f"{grid.rows[output]!r} is the output itself, from which nothing differs; name an earlier row."
        )
    if len(candidates) == 1:
        return np.full(grid.shape[1], candidates[0])
    if DISTANCE not in grid.quantities:
        raise ValueError(
            "This Grid doesn't say how far rows are from the output, by which each prompt's row is chosen; read the prompts with "
            "lw.trajectories(…, extra=['jensen_shannon']), or name one row for all."
        )
    # a row that isn't finite is as far as none
    far = np.nan_to_num(grid.values(DISTANCE)[candidates], nan=-1.0)
    chosen: Int[np.ndarray, "columns"] = np.array(candidates)[far.argmax(0)]
    return chosen
