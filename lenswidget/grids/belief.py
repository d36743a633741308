"""Belief: how far a cell can be believed, 0 to 1. One formula for all that is drawn as probability × belief.

What a lens reads off an early row looks as certain as what the model says, and is most often noise. So ink is weighed by how
near the row is to the output:

    belief = 2 ** (-2 · KL(output ‖ row) / blind)

with `blind` the KL of a guess that never looks at the prompt: the output itself is worth all, halfway to such a guess in
bits is half, such a guess a quarter, and twice as far a sixteenth. It falls as KL rises and never ends: a row a little worse
than a blind guess differs from one of a hundred bits, and shows it. js/src/data/belief.ts is its twin; tests/golden/belief.json
holds what both must say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from lenswidget.grids.parts import RowQuantity

if TYPE_CHECKING:
    from lenswidget.grids.grid import Grid

BLIND = 6.0
"""About as many bits from the output of a language model as a guess that never looks at the prompt, where that wasn't
measured; `lw.fidelity` measures it."""
KL = "KL to the output"
"""The quantity that a cell's own belief is taken from."""


def belief(kl: Float[np.ndarray, "*cells"], blind: float = BLIND) -> Float[np.ndarray, "*cells"]:
    """From KL to the output, in bits, to belief: 1 at the output, a quarter at `blind` bits, towards 0 beyond; NaN stays NaN."""
    return np.minimum(np.exp2(-2 * np.asarray(kl, dtype=np.float64) / blind), 1.0)


def row_belief(quantity: RowQuantity) -> Float[np.ndarray, "rows"]:
    """The belief in each row of a fidelity, whose scale ends at what its text gives a blind guess; NaN where it wasn't
    measured."""
    return belief(quantity.values, quantity.domain[1] if quantity.domain else BLIND)


def beliefs(grid: Grid) -> Float[np.ndarray, "rows columns"]:
    """The belief in every cell: that in its row, the least of them where several were measured; where none was, from the
    cell's own KL to the output. NaN where nothing is known, and in a Grid whose cells hold no tokens.

    A fidelity is a row quantity in bits; one in another unit says something else.
    """
    own = grid.quantities.get(KL)
    if grid.candidates is None:
        return np.full(grid.shape, np.nan)
    cells = np.full(grid.shape, np.nan) if own is None else belief(own.values)
    unknown = np.full(grid.shape[0], np.nan)
    rows = np.fmin.reduce([unknown, *(row_belief(one) for one in grid.row_quantities if is_fidelity(one))])[:, None]
    return np.where(np.isnan(rows), cells, rows)


def is_fidelity(quantity: RowQuantity) -> bool:
    return quantity.unit == "bits" and quantity.strong == "low"
