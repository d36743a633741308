"""Layer against layer: what each position's candidates were in one row of a Grid, and what became of them in another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lenswidget.grids.grid import Grid
from lenswidget.grids.row_names import named_row

if TYPE_CHECKING:
    import pandas


def row_changes(grid: Grid, before: str | int, after: str | int) -> pandas.DataFrame:
    """For every position, the tokens that entered, left, rose and fell among the candidates between two rows.

    Rows are named by label or by the number in it: "L26" or 26. One line a token that moved: position, the prompt's token
    there, the token that moved, the change, its rank and its probability in both rows; a rank is missing where the token
    is beyond the candidates, a probability where it was never one of them in that column. Each row has its index, counted
    from the embedding ("row_before", "row_after"), and its label ("layer_before", "layer_after").

    Raises ValueError for a row that the Grid lacks, for a Grid without candidates, and for a row against itself.
    """
    import pandas

    if grid.candidates is None:
        raise ValueError(
            f"This Grid ({grid.kind}) holds no candidate tokens; pass one of a lens, as lw.logit_lens(run) makes."
        )
    old_row, new_row = (named_row(grid.rows, row) for row in (before, after))
    if old_row == new_row:
        raise ValueError(f"A row against itself doesn't change; got {grid.rows[old_row]} twice.")
    pair = grid[[old_row, new_row]]
    assert pair.candidates is not None
    lines = []
    for c, position in enumerate(pair.positions.tolist()):
        old, new = (ids[ids >= 0].tolist() for ids in pair.candidates.ids[:, c])
        for token in dict.fromkeys([*new, *old]):
            ranks = [ids.index(token) + 1 if token in ids else None for ids in (old, new)]
            if ranks[0] == ranks[1]:
                continue
            probabilities = _probabilities(pair, c, token)
            lines.append(
                {
                    "position": position,
                    "row_before": old_row,
                    "layer_before": pair.rows[0],
                    "row_after": new_row,
                    "layer_after": pair.rows[1],
                    "prompt_token": pair.text(pair.columns[c]),
                    "token_id": token,
                    "token": pair.text(token),
                    "change": _change(*ranks),
                    "rank_before": ranks[0],
                    "rank_after": ranks[1],
                    "probability_before": probabilities[0],
                    "probability_after": probabilities[1],
                }
            )
    table = pandas.DataFrame(lines, columns=COLUMNS)
    return table.astype({"rank_before": "Int64", "rank_after": "Int64"})


COLUMNS = [
    "position", "row_before", "layer_before", "row_after", "layer_after", "prompt_token", "token_id", "token", "change",
    "rank_before", "rank_after", "probability_before", "probability_after",
]  # fmt: skip


def _change(before: int | None, after: int | None) -> str:
    if before is None:
        return "entered"
    if after is None:
        return "left"
    return "rose" if after < before else "fell"


def _probabilities(pair: Grid, column: int, token: int) -> np.ndarray:
    trajectories = pair.trajectories
    if trajectories is not None:
        span = trajectories.of(column)
        (entry,) = np.nonzero(trajectories.ids[span] == token)
        if len(entry):
            return np.asarray(np.exp2(trajectories.log_probability[span][entry[0]]))
    return np.full(2, np.nan)
