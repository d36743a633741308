"""How far rows are from the output: exactly, and on a sample of the vocabulary, drawn anew for every batch, which fits descend.

Gradients over the whole vocabulary cost twenty times as much, and most of it on tokens that neither side expects.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from lenswidget.lenses.fitting.parallel import Workers
from lenswidget.model.columns import BITS
from lenswidget.model.readout import LOGITS_BUDGET, Readout

LEADING, DRAWN = 1024, 512
"""Columns of a sample that the output expects most, and those drawn from the rest."""


@torch.no_grad()
def kl_to_output(readout: Readout, moved: Float[Tensor, "rows positions d"]) -> Float[Tensor, "rows_but_the_last"]:
    """KL(output ‖ row) in bits on the whole vocabulary, summed over positions, for each row but the last."""
    total = torch.zeros(len(moved) - 1, device=moved.device)
    for part in moved.split(max(1, LOGITS_BUDGET // (8 * readout.vocabulary)), dim=1):
        log_q = readout.logits(part[-1]).log_softmax(-1)
        q = log_q.exp()
        for row, x in enumerate(part[:-1]):
            total[row] += (q * (log_q - readout.logits(x).log_softmax(-1))).sum() * BITS
    return total


@torch.no_grad()
def blind_guess(readout: Readout, last: Float[Tensor, "positions d"], workers: Workers) -> float:
    """KL(output ‖ mean output) in bits: what a guess that never looks at the prompt scores. H(mean) - mean H."""
    total = torch.zeros(readout.vocabulary, device=readout.W_U.device)
    sums = torch.zeros(2, device=total.device)  # of entropies and positions
    for part in last.split(max(1, LOGITS_BUDGET // (8 * readout.vocabulary))):
        log_q = readout.logits(part).log_softmax(-1)
        q = log_q.exp()
        total += q.sum(0)
        sums += torch.stack([-(q * log_q).sum(), torch.tensor(float(len(part)), device=total.device)])
    workers.add([total, sums])
    mean = total / sums[1]
    return float((torch.special.entr(mean).sum() - sums[0] / sums[1]) * BITS)


@dataclass(frozen=True, eq=False)  # tensors have no one answer to ==
class Sample:
    """Some columns of the unembedding, and the output's distribution over them.

    The columns are the tokens that the output expects most over the batch, each log_weight for itself, and others drawn
    with replacement in proportion to what it expects of them. A drawn column stands for as many as it was likely to be
    missed: `log_weight` is the logarithm of that, so that sums over the sample estimate sums over the vocabulary.
    """

    W_U: Float[Tensor, "d columns"]
    b_U: Float[Tensor, "columns"] | None
    log_weight: Float[Tensor, "columns"]
    output: Float[Tensor, "positions columns"]
    """log q over the sample, normalised there."""
    readout: Readout
    positions: int
    """Of all processes."""

    @classmethod
    def of(
        cls,
        readout: Readout,
        last: Float[Tensor, "positions d"],
        generator: torch.Generator,
        workers: Workers,
        leading: int = LEADING,
        drawn: int = DRAWN,
    ) -> Sample:
        """Draw columns for the positions of a batch, whose last rows are given. A small vocabulary is taken whole."""
        log_q = readout.logits(last).log_softmax(-1)
        positions = torch.tensor(float(len(last)), device=log_q.device)
        if readout.vocabulary <= leading + drawn:
            columns = torch.arange(readout.vocabulary, device=log_q.device)
            log_weight = torch.zeros(len(columns), device=log_q.device)
        else:
            expected = log_q.exp().sum(0)
            workers.add([expected])
            top = expected.topk(leading).indices
            # a tenth of the draws is spread evenly: a row may expect what the output does not
            chance = 0.9 * expected / expected.sum() + 0.1 / len(expected)
            chance[top] = 0.0
            chance /= chance.sum()
            # drawn on the CPU, so that a seed means the same on every device
            others = torch.multinomial(chance.cpu(), drawn, replacement=True, generator=generator).to(top.device)
            columns = torch.cat([top, others])
            log_weight = torch.cat([torch.zeros(leading, device=top.device), -(drawn * chance[others]).log()])
        workers.add([positions])
        output = (log_q[:, columns] + log_weight).log_softmax(-1)
        # a gather of rows, which is what columns are in memory
        W_U = readout.W_U.T[columns].float().T
        b_U = None if readout.b_U is None else readout.b_U[columns]
        return cls(W_U, b_U, log_weight, output, readout, int(positions))

    def kl(self, moved: Float[Tensor, "positions d"]) -> Float[Tensor, ""]:
        """KL(output ‖ row) in nats over the sample, summed over positions. Differentiable."""
        logits = self.readout.norm(moved) @ self.W_U
        if self.b_U is not None:
            logits = logits + self.b_U
        logits = logits * self.readout.scale
        if self.readout.cap is not None:
            logits = (logits / self.readout.cap).tanh() * self.readout.cap
        log_p = (logits + self.log_weight).log_softmax(-1)
        return torch.nn.functional.kl_div(log_p, self.output, log_target=True, reduction="sum")
