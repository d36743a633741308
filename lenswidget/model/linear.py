"""The matrix of a linear module, however it is stored: its own weight where that is what it computes, else the map, tried.

A LoRA beside a weight, a weight in eight or four bits: what such a module keeps under `weight` is not what it computes.
What it makes of one unit vector after another is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import torch
from jaxtyping import Float, Int64
from torch import Tensor

Stored = Literal["out, in", "in, out", "elsewhere"]
"""Which way round `weight` is, `"out, in"` in torch's own Linear; `"elsewhere"` where the map has to be tried."""
WIDENED = 2**24
"""Bytes of a matrix that are made, or widened to float32, at a time."""
SOME = 1024
"""Outputs that are compared: an unembedding has a hundred thousand."""
STEP = 256.0
"""The length of the vectors on which a map is tried: a bias, added and taken off again, costs that much less rounding."""


def rounding(dtype: torch.dtype) -> float:
    """What two ways to compute one product may differ by, relative to the largest number in it."""
    if dtype in (torch.float16, torch.bfloat16):
        return 2 * torch.finfo(dtype).eps  # summed in float32, and rounded once
    return 64 * torch.finfo(torch.float32).eps  # in which double precision is compared, too


def stored(module: torch.nn.Module | None, z: Float[Tensor, "t n"], out: Float[Tensor, "t d"]) -> Stored | None:
    """How a module that made `out` of `z` keeps its matrix; None where it is no linear map of each position."""
    if module is None or not len(z):
        return None
    close = rounding(out.dtype) * float(out.abs().max())
    weight: Any = getattr(module, "weight", None)
    bias: Tensor | None = getattr(module, "bias", None)
    # a subclass of Tensor may call itself float and hold four bits
    if type(weight) in (Tensor, torch.nn.Parameter) and weight.ndim == 2 and weight.is_floating_point():
        ways: list[Stored] = ["out, in", "in, out"]
        some = torch.linspace(0, out.shape[1] - 1, min(SOME, out.shape[1]), device=weight.device).long()
        for way in ways:
            W = (weight.T if way == "out, in" else weight).detach()
            if W.shape == (z.shape[1], out.shape[1]):
                ours = z.to(W.device).float() @ W[:, some].float()
                ours = ours if bias is None else ours + bias.detach()[some].float()
                if float((ours - out.to(W.device)[:, some].float()).abs().max()) <= close:
                    return way
    return "elsewhere" if _is_linear(module, z, out, close) else None


def stored_of(module: torch.nn.Module, z: Float[Tensor, "t n"]) -> Stored | None:
    """The same for a module whose output isn't at hand: it is asked for it."""
    try:
        return stored(module, z, _apply(module, z))
    except Exception:  # a module that takes something else, or more than that
        return None


def bias_of(module: torch.nn.Module, way: Stored, n: int) -> Float[Tensor, "d"] | None:
    """What a linear module of `n` inputs adds, whatever it is given."""
    if way == "elsewhere":
        at_nothing = _apply(module, torch.zeros(1, n, device=_device(module)))[0]
        return at_nothing if bool(at_nothing.any()) else None
    bias = getattr(module, "bias", None)
    return None if bias is None else bias.detach()


def weight_of(module: torch.nn.Module, way: Stored, n: int) -> Float[Tensor, "n d"]:
    """The matrix of a linear module of `n` inputs: a view of its weight, or made anew where that is stored elsewhere."""
    if way == "elsewhere":
        return torch.cat(list(pieces(module, way, n)))
    weight: Tensor = module.get_parameter("weight").detach()
    return weight.T if way == "out, in" else weight


def pieces(module: torch.nn.Module, way: Stored, n: int) -> Iterator[Float[Tensor, "some d"]]:
    """The rows of the matrix, so many at a time as are no burden when they are widened to float32."""
    if way == "elsewhere":
        device = _device(module)
        nothing = _apply(module, torch.zeros(1, n, device=device))
        step = max(1, WIDENED // (4 * max(n, nothing.shape[1])))
        for start in range(0, n, step):
            units = torch.zeros(min(step, n - start), n, device=device)
            units[torch.arange(len(units)), start + torch.arange(len(units))] = STEP
            yield (_apply(module, units) - nothing) / STEP
        return
    W = weight_of(module, way, n)
    yield from torch.split(W, len(W) if W.dtype == torch.float32 else max(1, WIDENED // (4 * W.shape[1])))


def spread_of(matrix: Float[Tensor, "n d"]) -> float:
    """The standard deviation of all entries of a matrix, of which no whole copy is made in a wider type."""
    some = max(1, WIDENED // (4 * matrix.shape[1]))
    mean = sum(float(rows.float().sum()) for rows in matrix.split(some)) / matrix.numel()
    squares = sum(float((rows.float() - mean).square().sum()) for rows in matrix.split(some))
    return float((squares / max(1, matrix.numel() - 1)) ** 0.5)


def entries(
    module: torch.nn.Module, way: Stored, n: int, rows: Int64[Tensor, "n"], columns: Int64[Tensor, "n"]
) -> Float[Tensor, "n"]:
    """A few entries of the matrix, in float32 on the CPU: only what they take is read or made."""
    if way == "elsewhere":
        units = torch.zeros(len(rows) + 1, n, device=_device(module))
        units[torch.arange(len(rows)), rows.to(units.device)] = STEP
        *made, nothing = _apply(module, units)
        found = (torch.stack(made) - nothing)[torch.arange(len(rows)), columns.to(nothing.device)] / STEP
    else:
        W = weight_of(module, way, n)
        found = W[rows.to(W.device), columns.to(W.device)]
    on_cpu: Tensor = found.float().cpu()
    return on_cpu


def is_packed(module: torch.nn.Module) -> bool:
    """Whether a module keeps its numbers in a few bits, or in a kind of tensor of its own, and rounds what it computes."""
    return any(type(x) not in (Tensor, torch.nn.Parameter) or not _is_plain(x.dtype) for x in _tensors(module))


def stored_bytes(module: torch.nn.Module, count: int) -> bytes:
    """Some of what a module keeps, as it is stored: so many bytes of each of its tensors."""
    found = []
    for x in _tensors(module):
        for held in _plain_tensors(x):
            raw = held.detach().reshape(-1).view(torch.uint8)
            places = torch.linspace(0, len(raw) - 1, min(count, len(raw)), dtype=torch.float64).long()
            found.append(bytes(raw[places.to(raw.device)].tolist()))
    return b"".join(found)


def _plain_tensors(x: Tensor) -> Iterator[Tensor]:
    """The tensors that a tensor is made of: itself, or those that one of its own kind keeps its numbers in."""
    if hasattr(x, "__tensor_flatten__"):
        for name in x.__tensor_flatten__()[0]:
            yield from _plain_tensors(getattr(x, name))
    elif not x.is_meta and x.numel():
        yield x


def _is_plain(dtype: torch.dtype) -> bool:
    return dtype in (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def _is_linear(module: torch.nn.Module, z: Tensor, out: Tensor, close: float) -> bool:
    """Whether a module makes the sum of two inputs into the sum of their outputs, each position by itself."""
    try:
        at = torch.cat([z[:1], z[-1:], z[:1] + z[-1:], -3 * z[:1], torch.zeros_like(z[:1])]).float()
        one, other, both, thrice, nothing = _apply(module, at)
        alone = _apply(module, at[1:2])[0]
    except Exception:  # a module that takes something else, or more than that
        return False
    if one.shape != out.shape[1:]:
        return False
    away = (
        one - out[0].float(),
        other - out[-1].float(),
        alone - other,
        both + nothing - one - other,
        thrice - nothing + 3 * (one - nothing),
    )
    return all(float(rest.abs().max()) <= 4 * close for rest in away)


@torch.no_grad()
def _apply(module: torch.nn.Module, x: Float[Tensor, "m n"]) -> Float[Tensor, "m d"]:
    # not as a call, which would set off the hooks that users hang on modules
    made: Tensor = module.forward(x.to(_dtype(module)).unsqueeze(0))
    return made[0].float()


def _tensors(module: torch.nn.Module) -> Iterator[Tensor]:
    yield from module.parameters()
    yield from module.buffers()


def _device(module: torch.nn.Module) -> torch.device:
    return next((x.device for x in _tensors(module) if not x.is_meta), torch.device("cpu"))


def _dtype(module: torch.nn.Module) -> torch.dtype:
    """What the module computes in, so far as its tensors tell."""
    return next((x.dtype for x in _tensors(module) if x.is_floating_point()), torch.float32)
