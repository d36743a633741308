"""What surrounds our arithmetic: the caller's torch settings, on which no figure depends, and what a device can do."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

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
        stack.enter_context(full_precision())
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
    with torch.inference_mode(False), torch.no_grad(), on_cpu(), full_precision():
        yield


@contextlib.contextmanager
def full_precision() -> Iterator[None]:
    """Products of float32 multiplied in float32, also where the caller lets a GPU round them to TF32, with 10 bits of 23, or a
    processor to bfloat16, with 7. A float32 model is run so, too: what it says is what is read, whatever is allowed elsewhere."""
    makers = [maker for maker in _makers() if maker.fp32_precision != "ieee"]
    before = [maker.fp32_precision for maker in makers]
    legacy = "highest" if _makers() else torch.get_float32_matmul_precision()
    try:
        for maker in makers:
            maker.fp32_precision = "ieee"
        if legacy != "highest":
            torch.set_float32_matmul_precision("highest")
        yield
    finally:
        for maker, precision in zip(makers, before):
            maker.fp32_precision = precision
        if legacy != "highest":
            torch.set_float32_matmul_precision(legacy)


def multiplied_in(device: torch.device) -> torch.dtype:
    """The type whose rounding products of float32 have on a device now: float16 for TF32, which has as many bits."""
    makers = _makers()
    if makers:
        precision = makers[0 if device.type == "cuda" else 1].fp32_precision
    else:
        precision = {"high": "tf32", "medium": "bf16"}.get(torch.get_float32_matmul_precision(), "ieee")
    if device.type == "cuda":
        return torch.float16 if precision in ("tf32", "bf16") else torch.float32
    return torch.bfloat16 if precision == "bf16" else torch.float32


def _makers() -> tuple[Any, ...]:
    """What of torch makes products on a GPU and on a processor, each with its own setting; nothing before torch 2.9, which has
    one for all."""
    makers = torch.backends.cuda.matmul, getattr(torch.backends.mkldnn, "matmul", None)
    return makers if all(hasattr(maker, "fp32_precision") for maker in makers) else ()


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
