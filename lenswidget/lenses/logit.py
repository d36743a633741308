"""The logit lens: read every residual row as if it were the last. And its negative: what a state speaks against."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from lenswidget.grids.parts import RowQuantity
from lenswidget.lenses.lens import Lens
from lenswidget.lenses.measured_logit import measured_of
from lenswidget.model.run import Run


class LogitLens(Lens):
    """Every row as it is.

    How far its rows can be believed is known for the embedded model, on which it was measured; `lw.fidelity` measures it
    for any other.

    Source: nostalgebraist, "interpreting GPT: the logit lens", 2020.
    """

    name = "Logit lens"

    @property
    def notes(self) -> tuple[str, ...]:
        return ("raw, unadjusted",)

    def row_quantities(self, run: Run) -> tuple[RowQuantity, ...]:
        return measured_of(run)

    def move(self, residual: Float[Tensor, "positions d"], row: int) -> Float[Tensor, "positions d"]:
        return residual


class NegativeLens(Lens):
    """Every row turned round: its leading tokens are those that the state suppresses most."""

    name = "Negative lens"

    @property
    def notes(self) -> tuple[str, ...]:
        return ("what each row suppresses; the last row is the model’s own output, as it is",)

    def move(self, residual: Float[Tensor, "positions d"], row: int) -> Float[Tensor, "positions d"]:
        return -residual
