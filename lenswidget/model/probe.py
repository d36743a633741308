"""What a model does to its last residual stream, found by asking the model, or a refusal that says why there is no such thing.

Architectures differ in ways that their names don't tell: gains stored as `w` or as `w - 1`, means subtracted or not,
logits scaled or capped. So nothing is looked up by name. The final norm and what follows the unembedding are tried on
known inputs, and what they compute is believed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from lenswidget.model.backend import Backend
from lenswidget.model.final_norm import FinalNorm
from lenswidget.model.readout import Readout
from lenswidget.model.surroundings import double, own_arithmetic


@own_arithmetic()
def readout_of(backend: Backend) -> Readout:
    """The final norm, unembedding and what follows them. Raises ValueError, with the reason, where there is no such thing."""
    backend.require_readable()
    W_U, b_U = backend.unembedding()
    if W_U.dtype not in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        raise ValueError(
            f"The unembedding of {backend.facts.name} is stored as {W_U.dtype}: quantised weights can't be read out. Load the "
            "model in float32, bfloat16 or float16."
        )
    b_U = b_U.float() if b_U is not None and bool(b_U.any()) else None
    scale, cap = backend.remembered(
        "after the unembedding", lambda: scale_and_cap(backend.after_unembedding, backend.facts.architecture)
    )
    form = backend.remembered("final norm", lambda: _final_norm(backend, W_U.device))
    module = backend.module(None, "norm")
    norm = FinalNorm(None, None, None, centered=False) if form is None else form.read(module, W_U.device)
    return Readout(norm, W_U, b_U, scale, cap)


@dataclass(frozen=True)
class NormForm:
    """What a norm computes, apart from its weights, which are read when they are needed."""

    eps: float
    centered: bool
    """Whether it subtracts the mean, as LayerNorm does and RMSNorm does not."""
    offset: bool
    """Whether its gain is stored as `w - 1`."""

    def read(self, module: torch.nn.Module | None, device: torch.device | None = None) -> FinalNorm:
        """The norm as numbers, with the gain and bias that the module has now."""
        gain, bias = _weights(module, device)
        return FinalNorm(None if gain is None else gain + float(self.offset), bias, self.eps, self.centered)


def norm_form(
    module: torch.nn.Module, width: int, device: torch.device, *, eps: float = 1e-6
) -> tuple[NormForm | None, float]:
    """What a norm computes, found by trying: that is believed, not what it is called.

    Whether the mean is subtracted and whether the gain is stored as `w` or as `w - 1` differ from one implementation
    to the next; of the four readings, the one that reproduces the module on random vectors is the norm, and nothing
    where none does. Beside it, how far the nearest is off. `eps` is for a module that doesn't tell its own.
    """
    gain, bias = _weights(module, device)
    if any(vector is not None and vector.shape != (width,) for vector in (gain, bias)):
        return None, float("inf")
    names = ("eps", "variance_epsilon", "epsilon", "norm_eps", "layer_norm_epsilon")
    eps = next((float(getattr(module, n)) for n in names if getattr(module, n, None) is not None), eps)
    # vectors of three sizes, the smallest near √eps, so that a wrong eps shows too
    generator = torch.Generator().manual_seed(0)
    sizes = torch.tensor([10.0, 0.1, 3e-3]).repeat_interleave(4).unsqueeze(-1)
    x = (torch.randn(12, width, generator=generator) + 0.5) * sizes
    held = next(module.parameters(), x)
    dtype, there = held.dtype, device if held.is_meta else held.device
    with torch.no_grad():
        theirs = module(x.to(there, dtype).unsqueeze(0))[0].to(device, torch.float32)
    x = x.to(dtype).to(device, torch.float32)
    offsets = [False] if gain is None else [False, True]
    forms = [NormForm(eps, centered, offset) for offset in offsets for centered in (True, False)]
    size = theirs.abs().max().clamp(min=1e-12)
    errors = [float((form.read(module, device)(x) - theirs).abs().max() / size) for form in forms]
    best = min(range(len(forms)), key=lambda i: errors[i])
    close = errors[best] < (1e-4 if dtype == torch.float32 else 2e-2)
    return (forms[best] if close else None), errors[best]


def _weights(module: torch.nn.Module | None, device: torch.device | None) -> tuple[Tensor | None, Tensor | None]:
    """The gain and bias of a norm as they are stored, in float32."""
    gain, bias = (getattr(module, name, None) for name in ("weight", "bias"))
    return (
        None if gain is None else gain.detach().to(device, torch.float32),
        None if bias is None else bias.detach().to(device, torch.float32),
    )


def _final_norm(backend: Backend, device: torch.device) -> NormForm | None:
    """What the final norm computes; None where there is none."""
    module, facts = backend.module(None, "norm"), backend.facts
    if module is None or isinstance(module, torch.nn.Identity):
        return None
    form, error = norm_form(module, facts.width, device, eps=facts.eps)
    if form is None:
        raise ValueError(
            f"The final norm of {facts.architecture} ({type(module).__name__}) is neither a LayerNorm nor an RMSNorm: the "
            f"nearest of them is off by {error:.2g}. No lens here can read it."
        )
    return form


def scale_and_cap(after_unembedding: Callable[[Tensor], Tensor], architecture: str) -> tuple[float, float | None]:
    """A logit scale and a soft-cap, found by trying what the model does to its logits after the unembedding."""
    z = torch.tensor([-1e12, -60.0, -7.0, -0.5, -1e-6, 0.0, 1e-6, 0.5, 7.0, 60.0, 1e12], dtype=torch.float64)
    theirs = double(after_unembedding(z.clone())).cpu()
    scale = float(theirs[6] / z[6])
    cap = float(theirs[-1]) if float(theirs[-1]) < 0.5 * scale * 1e12 else None
    ours = scale * z if cap is None else cap * torch.tanh(scale * z / cap)
    if not torch.allclose(ours, theirs, rtol=1e-5, atol=1e-9):
        raise ValueError(f"{architecture} does something to its logits that is neither a scale nor a soft-cap.")
    # a scale is a short decimal in the model's config: take back the last bits that the probe lost
    return float(f"{scale:.12g}"), None if cap is None else float(f"{cap:.12g}")
