"""Descent of the KL, each row a problem of its own, in coordinates where a step in any direction weighs the same."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from lenswidget.lenses.fitting.parallel import Workers
from lenswidget.lenses.fitting.sampled_kl import Sample

RATES: dict[str, float] = {"adam": 0.02, "sgd": 0.1, "lbfgs": 1.0}
WARM_UP = 5
"""Steps in which the learning rate grows to its peak."""


class Translator:
    """One row's affine map: a start that is kept, and a change of it that is learnt.

    The change acts on `(h - mean) @ basis`. With a basis that whitens the row, its directions weigh the same although
    their sizes differ by orders of magnitude, and Adam needs a tenth of the steps.
    """

    def __init__(
        self,
        weight: Float[Tensor, "d d"],
        bias: Float[Tensor, "d"],
        mean: Float[Tensor, "d"],
        basis: Float[Tensor, "d d"] | None,
        optimizer: str,
        rate: float,
    ) -> None:
        self.weight, self.bias, self.mean, self.basis = weight, bias, mean, basis
        self.change = torch.zeros_like(weight, requires_grad=True)
        self.shift = torch.zeros_like(bias, requires_grad=True)
        self.clip = optimizer == "sgd"
        parameters = [self.change, self.shift]
        self.optimizer: torch.optim.Optimizer
        if optimizer == "adam":
            self.optimizer = torch.optim.Adam(parameters, rate, betas=(0.9, 0.99))
        elif optimizer == "sgd":
            # as the tuned-lens library does by default
            self.optimizer = torch.optim.SGD(parameters, rate, momentum=0.9, nesterov=True, weight_decay=1e-3)
        else:
            self.optimizer = torch.optim.LBFGS(
                parameters, rate, max_iter=8, history_size=6, line_search_fn="strong_wolfe"
            )

    def move(self, h: Float[Tensor, "positions d"]) -> Float[Tensor, "positions d"]:
        x = h - self.mean
        return (
            h + h @ self.weight.T + self.bias + (x if self.basis is None else x @ self.basis) @ self.change + self.shift
        )

    def step(self, h: Float[Tensor, "positions d"], sample: Sample, workers: Workers) -> None:
        """One step of the optimizer on a batch."""

        def closure() -> Tensor:
            self.optimizer.zero_grad()
            loss = sample.kl(self.move(h))
            loss.backward()
            gradients = [p.grad for p in (self.change, self.shift) if p.grad is not None]
            total = loss.detach()
            workers.add([*gradients, total])
            for gradient in gradients:
                gradient.div_(sample.positions)
            if self.clip:
                torch.nn.utils.clip_grad_norm_([self.change, self.shift], 1.0)
            return total / sample.positions

        self.optimizer.step(closure)  # type: ignore[arg-type]  # it takes a tensor of one number as well

    def at_rate(self, factor: float, peak: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = peak * factor

    @torch.no_grad()
    def result(self) -> tuple[Float[Tensor, "d d"], Float[Tensor, "d"]]:
        """Weight and bias of `h + W h + b`."""
        change = self.change if self.basis is None else self.basis @ self.change
        return self.weight + change.T, self.bias + self.shift - self.mean @ change

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        kept = {name: getattr(self, name).detach() for name in ("weight", "bias", "mean", "change", "shift")}
        return kept | {"basis": self.basis, "optimizer": self.optimizer.state_dict()}

    @torch.no_grad()
    def restore(self, state: dict[str, Any]) -> None:
        self.change.copy_(state["change"])
        self.shift.copy_(state["shift"])
        self.optimizer.load_state_dict(state["optimizer"])


def whitening(covariance: Float[Tensor, "d d"], spread: float, damping: float = 1e-3) -> Float[Tensor, "d d"]:
    """Coordinates of a row that vary alike, but for those that hardly vary at all, scaled to the spread of the output.

    So one rate suits any model: a step that changes every entry of a change by 1 would move rows by about the spread.
    """
    sizes, directions = torch.linalg.eigh(covariance)
    whitened: Tensor = directions / (sizes.clamp(min=0) + damping * sizes.mean()).sqrt()
    return whitened.mul(spread / len(sizes) ** 0.5).float()
