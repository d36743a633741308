"""The caller's torch settings: what we compute doesn't depend on them, and they are as they were afterwards."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch


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
