"""What is added up of one lens over text: stretches of every figure, and each row's probabilities by groups of windows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from lenswidget.lenses.intervals import Stretches, drawn_means, ends, jackknife, means
from lenswidget.lenses.lens import Lens, moved
from lenswidget.model.run import Run
from lenswidget.model.surroundings import double

GROUPS = 6
"""Groups of windows, each of which is left out once for an interval of the bias."""
ADDED = ("kl", "agreement", "surprisal", "entropy")


class Sums:
    """Of one lens on one style of text, at some rows of which the last is the model's own."""

    def __init__(self, window: Run, rows: Sequence[int]) -> None:
        self.rows = rows
        shape = (GROUPS, len(rows), window.readout.vocabulary)
        self.probabilities = torch.zeros(shape, device=window.readout.W_U.device)
        self.stretches = Stretches()
        self.windows = self.positions = self.left_out = 0

    def add(self, window: Run, lens: Lens) -> None:
        group = self.probabilities[self.windows % GROUPS]
        reading = window.readout.read(
            moved(window, lens, rows=self.rows[:-1])[:, 1:], window.following[1:], k=1, totals=group
        )
        leading = reading.top_ids[..., 0]
        agrees = (leading == leading[-1]).float().masked_fill((leading < 0) | (leading[-1] < 0), float("nan"))
        read = (reading.kl, agrees, reading.surprisal, reading.entropy)
        self.stretches.add(torch.stack([one.cpu().float() for one in read]).numpy())
        self.windows += 1
        self.positions += leading.shape[1]
        self.left_out += int(reading.kl.isnan().sum())


def figures(texts: Sequence[Sums], seed: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Each figure of a lens on all of the texts, by row, and its interval `[2, rows]`."""
    stretches = [one.stretches for one in texts]
    mean = dict(zip(ADDED, means(stretches)))
    drawn = dict(zip(ADDED, drawn_means(stretches, seed).swapaxes(0, 1)))
    groups = torch.stack([double(one.probabilities) for one in texts]).sum(0)
    total = groups.sum(0)
    bias = _bias(total)
    # a group without a window says nothing of what is missing without it
    without = [_bias(total - group) for group in groups if group.any()]
    surprisal = drawn["surprisal"]
    values = {"kl": mean["kl"], "agreement": mean["agreement"], "cross_entropy": mean["surprisal"], "bias": bias}
    intervals = {
        "kl": ends(drawn["kl"]),
        "agreement": ends(drawn["agreement"]),
        "cross_entropy": ends(surprisal),
        # drawn together: where a text is hard for the model it is for the lens
        "excess": ends(surprisal - surprisal[:, -1:]),
        "bias": jackknife(bias, without),
    }
    return values, intervals


def blind_guess(texts: Sequence[Sums]) -> float:
    """KL(output ‖ mean output) = H(mean output) - mean H(output)."""
    total = torch.stack([double(one.probabilities[:, -1]).sum(0) for one in texts]).sum(0)
    output = total / total.sum()
    entropy = means([one.stretches for one in texts])[ADDED.index("entropy"), -1]
    return max(0.0, float(-(output * _bits(output)).sum() - entropy))


def _bias(total: Float[Tensor, "rows vocabulary"]) -> Float[np.ndarray, "rows"]:
    """KL(mean output ‖ mean of the row)."""
    p = total / total.sum(-1, keepdim=True)
    kl: np.ndarray = (p[-1] * (_bits(p[-1]) - _bits(p))).sum(-1).clamp(min=0.0).cpu().numpy()
    return kl


def _bits(p: Float[Tensor, "*rows vocabulary"]) -> Float[Tensor, "*rows vocabulary"]:
    # what underflowed to nothing is less likely than this
    return p.clamp(min=torch.finfo(torch.float32).tiny).log2()
