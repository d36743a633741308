"""Weights that accelerate keeps in another place, on a disk for one, and brings when their module runs."""

from __future__ import annotations

import copy

import torch


def fetches(module: torch.nn.Module) -> bool:
    """Whether accelerate brings what a module needs when it runs."""
    return hasattr(module, "_hf_hook")


def brought(module: torch.nn.Module) -> torch.nn.Module:
    """A module with its weights: itself, or a copy that has those that accelerate keeps elsewhere."""
    if not any(weight.is_meta for weight in module.parameters()):
        return module
    from accelerate.utils import align_module_device  # type: ignore[import-untyped]

    if list(module.children()):
        return module  # it fetches what it needs when it runs
    here = copy.copy(module)
    for name in ("forward", "_old_forward", "_hf_hook"):
        vars(here).pop(name, None)
    with align_module_device(module):
        vars(here)["_parameters"] = dict(module._parameters)
        vars(here)["_buffers"] = dict(module._buffers)
    return here
