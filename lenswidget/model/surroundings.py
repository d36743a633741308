"""What surrounds our arithmetic: the caller's torch settings, on which no figure depends, and what a device can do."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator

import torch
from torch import Tensor


@contextlib.contextmanager
def own_arithmetic() -> Iterator[None]:
    """Float32 by default and no autocast, whatever the caller has set. A model's own forward pass runs outside of it.

    Under autocast a readout would be rounded to half precision, and with float64 as the default dtype its buffers would not
    fit each other. Works as a decorator, too.
    """
    dtype = torch.get_default_dtype()
    with contextlib.ExitStack() as stack:
        for kind in ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",):
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        if dtype != torch.float32:
            stack.callback(torch.set_default_dtype, dtype)
            torch.set_default_dtype(torch.float32)
        yield


@contextlib.contextmanager
def plain_mode() -> Iterator[None]:
    """No gradients, and none of inference mode: what is made in it can't enter autograd later."""
    with torch.inference_mode(False), torch.no_grad():
        yield


def double(x: Tensor) -> Tensor:
    """A tensor in float64: where it is, or on the CPU where its device has no such numbers, as Apple's."""
    return x.double() if has_float64(x.device) else x.cpu().double()


@functools.cache
def has_float64(device: torch.device) -> bool:
    """Whether a device computes in float64, found by trying."""
    try:
        torch.zeros(1, dtype=torch.float64, device=device)
    except (TypeError, RuntimeError):
        return False
    return True
