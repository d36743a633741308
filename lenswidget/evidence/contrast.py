"""DoLa's contrast of rows: what the output says over and above an early row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lenswidget.grids.grid import Grid
from lenswidget.grids.row_names import named_row


@dataclass(frozen=True)
class Contrasted:
    """What leads in one prompt when an early row is taken from the output: token ids, best first, and by how many bits.

    `output` is what leads in the output itself.
    """

    tokens: tuple[int, ...]
    bits: tuple[float, ...]
    output: int


def contrast(grid: Grid, row: int | str, alpha: float = 0.1) -> list[Contrasted]:
    """Of each prompt, the tokens by log p(output) − log p(row), of those whose probability is at least `alpha` of the highest.

    The early row is one for all prompts: what the paper calls static. Raises ValueError where a Grid keeps too few candidates to
    know all such tokens, with the number to ask for, for an `alpha` that is no share, and for the last row.

    Source: Chuang et al. 2023, arXiv 2309.03883.

        contrast(lw.trajectories(model, prompts, k=20), "L15")
    """
    if not 0 < alpha <= 1:
        raise ValueError(f"alpha is a share of the highest probability, above 0 and up to 1; got {alpha}.")
    early = named_row(grid.rows, row)
    if early == len(grid.rows) - 1:
        raise ValueError(f"{grid.rows[early]!r} is the output itself, from which nothing differs; name an earlier row.")
    if grid.candidates is None or grid.trajectories is None:
        raise ValueError("This Grid has no candidates; read the prompts with lw.trajectories.")
    ids, bits = grid.candidates.ids[-1], grid.candidates.log_probability[-1]
    found = []
    for column, (tokens, last) in enumerate(zip(ids, bits)):
        enough = last >= last[0] + np.log2(alpha)
        if enough.all() and len(tokens) < len(grid.texts):
            raise ValueError(
                f"All {len(tokens)} candidates of prompt {column} have at least {alpha:g} of the highest probability; there may "
                f"be more; ask for them, lw.trajectories(…, k={4 * len(tokens)}), or raise alpha."
            )
        entries = grid.trajectories.of(column)
        early_bits = dict(
            zip(grid.trajectories.ids[entries].tolist(), grid.trajectories.log_probability[entries, early].tolist())
        )
        gain = np.array([last[i] - early_bits[int(token)] for i, token in enumerate(tokens) if enough[i]])
        order = np.argsort(-gain, kind="stable")
        kept = tokens[enough]
        found.append(Contrasted(tuple(kept[order].tolist()), tuple(gain[order].tolist()), int(tokens[0])))
    return found
