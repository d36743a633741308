"""What fits share: the residual rows that a model writes on windows of text, and how far a lens is from the output."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.lenses.fitting.mixture import Mixture
from lenswidget.lenses.fitting.parallel import Workers
from lenswidget.lenses.fitting.sampled_kl import kl_to_output
from lenswidget.lenses.fitting.text import Text
from lenswidget.model.backend import Backend
from lenswidget.model.run import Run
from lenswidget.model.run_prompt import run

BATCH = 4096
"""Tokens in a forward pass."""


@dataclass
class Residuals:
    """The residual rows of a model on windows of text, with what was left out on the way counted.

    Position 0 is left out, its norm being hundreds of times the rest, and so are positions where a row isn't finite.
    Where several processes fit together, each runs its share of the windows.
    """

    backend: Backend
    workers: Workers = field(default_factory=Workers)
    positions: int = 0
    skipped: int = 0

    def __call__(
        self, windows: Int[Tensor, "windows window"], parts: int = 1
    ) -> tuple[Float[Tensor, "rows positions d"], ...]:
        """Every row at every position but the first, in float32 on the model's device, windows one after another.

        In so many parts, each of every so manieth position, for neighbours are alike.
        """
        sites, device = self.backend.rows, self.backend.device
        windows = self.workers.share(windows)
        if not len(windows):  # fewer windows than processes
            nothing = torch.zeros(len(sites), 0, self.backend.facts.width, device=device)
            return (nothing,) * parts
        # no fit needs the logits of the whole text, a fifth of a small model's work
        kept = self.backend.forward(windows, keep=dict.fromkeys(sites, _but_the_first), stop=sites[-1]).kept
        residual = torch.stack([kept[site].to(device) for site in sites])
        finite = residual.isfinite().all(-1).all(0)
        self._count(finite.numel(), int((~finite).sum()))
        return tuple(residual[:, :, part::parts][:, finite[:, part::parts]] for part in range(parts))

    def _count(self, positions: int, bad: int) -> None:
        self.positions += positions
        if bad and not self.skipped:
            warnings.warn(
                "The residual stream is not finite at some positions; they are left out of the fit and counted in its card.",
                stacklevel=5,
            )
        self.skipped += bad
        if self.skipped > self.positions / 2:
            raise ValueError(
                f"{self.skipped:,} of {self.positions:,} residual vectors hold values that are not finite: nothing can be "
                "fitted to them. Load the model in float32 or bfloat16; half precision overflows on some models."
            )


def _but_the_first(row: Float[Tensor, "windows window d"]) -> Float[Tensor, "windows rest d"]:
    return row.detach()[:, 1:].float()


def again(text: Text | Mixture) -> Iterator[Int[Tensor, "windows window"]]:
    """The text from its beginning, as often as is asked for; nothing where an iterator is used up."""
    while not text.is_used_up:
        yield from text.again().batches(at_once(text), mixed=True)


def at_once(text: Text | Mixture) -> int:
    """Windows in a forward pass."""
    return max(1, BATCH // text.window)


def checked_run(backend: Backend, windows: Int[Tensor, "windows window"]) -> Run:
    """A short run, which checks that the last row is this model."""
    return run(backend, windows[0, :16])


def kl_by_row(one: Run, moved: Float[Tensor, "rows positions d"], workers: Workers) -> tuple[float, ...]:
    """KL(output ‖ row) in bits for each row but the last, mean over the positions of all processes."""
    total = torch.cat([kl_to_output(one.readout, moved), torch.tensor([float(moved.shape[1])], device=moved.device)])
    workers.add([total])
    return tuple((total[:-1] / total[-1]).tolist())
