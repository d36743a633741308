"""The norm before the unembedding."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from lenswidget.model.columns import normed


@dataclass(frozen=True, eq=False)  # tensors have no one answer to ==
class FinalNorm:
    """The norm before the unembedding, `(x - mean) / σ ⊙ gain + bias`, in float32.

    LayerNorm subtracts the mean, RMSNorm does not. `gain` is the factor that is multiplied in: a Gemma norm that
    stores `w` and multiplies by `1 + w` has the gain `1 + w`. `eps` None stands for no norm at all.
    """

    gain: Float[Tensor, "d"] | None
    bias: Float[Tensor, "d"] | None
    eps: float | None
    centered: bool

    def scale(self, x: Float[Tensor, "*rows d"]) -> Float[Tensor, "*rows 1"]:
        """σ: what the norm divides by."""
        if self.eps is None:
            return torch.ones_like(x[..., :1])
        if self.centered:
            x = x - x.mean(-1, keepdim=True)
        return (x.square().mean(-1, keepdim=True) + self.eps).sqrt()

    def __call__(self, x: Float[Tensor, "*rows d"]) -> Float[Tensor, "*rows d"]:
        return normed(x, self.gain, self.bias, self.eps, self.centered)

    def frozen(self, direction: Float[Tensor, "*rows d"]) -> Float[Tensor, "*rows d"]:
        """`P(gain ⊙ u)`: with σ held, the norm passes on `x · P(gain ⊙ u) / σ` of `x` along `u`, and its bias apart."""
        if self.gain is not None:
            direction = direction * self.gain
        return direction - direction.mean(-1, keepdim=True) if self.centered else direction
