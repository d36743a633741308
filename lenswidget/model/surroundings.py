"""What surrounds our arithmetic: the caller's torch settings, on which no figure depends, and what a device can do."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from contextvars import ContextVar

import torch
from torch import Tensor

_default_device: ContextVar[torch.device | None] = ContextVar("default device", default=None)
"""The caller's, where `on_cpu` has put another in its place."""


@contextlib.contextmanager
def own_arithmetic() -> Iterator[None]:
    """Float32 and the CPU by default and no autocast, whatever the caller has set. A model's own forward pass runs outside of it.

    Under autocast a readout would be rounded to half precision, and with float64 as the default dtype its buffers would not
    fit each other. Works as a decorator, too.
    """
    dtype = torch.get_default_dtype()
    with contextlib.ExitStack() as stack:
        stack.enter_context(on_cpu())
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
    with torch.inference_mode(False), torch.no_grad(), on_cpu():
        yield


@contextlib.contextmanager
def on_cpu() -> Iterator[None]:
    """What is made is made on the CPU where nothing else is said, whatever the caller's default device is."""
    device = torch.get_default_device()
    if device.type == "cpu":
        yield
        return
    before = _default_device.set(device)
    try:
        with torch.device("cpu"):
            yield
    finally:
        _default_device.reset(before)


@contextlib.contextmanager
def as_called() -> Iterator[None]:
    """The caller's default device again, for a model that relies on it."""
    device = _default_device.get()
    with contextlib.nullcontext() if device is None else device:
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
