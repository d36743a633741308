"""What fits share: the residual rows that a model writes on windows of text, and how far a lens is from the output."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.cached_run import Run, residual_hooks, run
from lenswidget.lenses.lens import Lens


@dataclass
class Residuals:
    """The residual rows of a model on windows of text, with what was left out on the way counted.

    Position 0 is left out, its norm being hundreds of times the rest, and so are positions where a row isn't finite.
    """

    model: Any
    positions: int = 0
    skipped: int = 0

    def __call__(self, windows: Int[Tensor, "windows window"]) -> Float[Tensor, "rows positions d"]:
        """Every row at every position but the first, in float32 on the model's device, windows one after another."""
        from transformer_lens.model_bridge.exceptions import StopAtLayerException

        rows: list[Tensor] = []
        hooks = residual_hooks(self.model)[1:]

        def keep(row: Tensor, hook: Any, last: bool) -> None:
            rows.append(row[:, 1:].flatten(0, 1).float())
            if last:
                # no fit needs the logits of the whole text, a fifth of a small model's work
                raise StopAtLayerException(row)

        with torch.inference_mode():
            named = [(name, partial(keep, last=name == hooks[-1])) for name in hooks]
            self.model.run_with_hooks(windows, return_type=None, fwd_hooks=named)
            residual = torch.stack([row.to(rows[-1].device) for row in rows])
            finite = residual.isfinite().all(-1).all(0)
            self.positions += len(finite)
            bad = int((~finite).sum())
            if bad:
                self._skip(bad)
                residual = residual[:, finite]
        return residual

    def _skip(self, bad: int) -> None:
        if not self.skipped:
            warnings.warn(
                "The residual stream is not finite at some positions; they are left out of the fit and counted in its card.",
                stacklevel=4,
            )
        self.skipped += bad
        if self.skipped > self.positions / 2:
            raise ValueError(
                f"{self.skipped:,} of {self.positions:,} residual vectors hold values that are not finite: nothing can be "
                "fitted to them. Load the model in float32 or bfloat16; half precision overflows on some models."
            )


def specimen(model: Any, windows: Int[Tensor, "windows window"]) -> Run:
    """A short run, which checks that the last row is this model and that its weights are its own."""
    one = run(model, windows[0, :16])
    if one.processed:
        raise ValueError(
            f"{one.model} was loaded with processed weights, which write another residual stream than the model's own. Load "
            "it as it is, lw.load(name), without compatibility mode."
        )
    return one


def kl_by_row(run: Run, lens: Lens, residual: Float[Tensor, "rows positions d"]) -> tuple[float, ...]:
    """KL(output ‖ row) in bits for each row but the last, mean over positions. `run` has the model's readout."""
    nothing = torch.full((residual.shape[1],), -1)
    moved = torch.stack([*(lens.move(row, i) for i, row in enumerate(residual[:-1])), residual[-1]])
    return tuple(run.readout.read(moved, nothing, k=1).kl[:-1].mean(1).tolist())
