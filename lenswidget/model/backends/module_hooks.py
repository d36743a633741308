"""Hooks that give an activation to an act, and put what it makes of it in its place, in one thread alone."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lenswidget.model.backends.anatomy import input_of, pattern_of, tensor_of

Act = Callable[[Tensor], Tensor | None]


@dataclass
class Shape:
    """Prompts and positions of a pass; a change may add prompts."""

    batch: int
    positions: int


def _acting(act: Act, value: Tensor, shape: Shape) -> Tensor | None:
    """What an act makes of an activation, which some models flatten to `[batch × positions, …]`."""
    flat = value.ndim == 2 and value.is_floating_point() and value.shape[0] == shape.batch * shape.positions
    new = act(value.unflatten(0, (shape.batch, shape.positions)) if flat else value)
    if new is not None:
        shape.batch = len(new)
    return new.flatten(0, 1) if flat and new is not None else new


def _here() -> Callable[[], bool]:
    """Hooks are the model's and not the thread's: whether this is still the thread in which they were made."""
    mine = threading.get_ident()
    return lambda: threading.get_ident() == mine


def on_input(act: Act, shape: Shape) -> Callable[..., Any]:
    here = _here()

    def hook(module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        found = input_of(args, kwargs) if here() else None
        if found is None:
            return None
        holder, place = found
        new = _acting(act, holder[place], shape)
        if new is None:
            return None
        if holder is kwargs:
            return args, {**kwargs, place: new}
        return (*args[:place], new, *args[place + 1 :]), kwargs

    return hook


def on_output(act: Act, shape: Shape) -> Callable[..., Any]:
    here = _here()

    def hook(module: torch.nn.Module, args: tuple[Any, ...], output: Any) -> Any:
        value = tensor_of(output) if here() else None
        new = None if value is None else _acting(act, value, shape)
        if new is None or isinstance(output, Tensor):
            return new
        if isinstance(output, (tuple, list)):
            return type(output)((new, *output[1:]))
        changed = copy.copy(output)
        changed[next(iter(changed))] = new
        return changed

    return hook


def on_pattern(act: Act, shape: Shape) -> Callable[..., Any]:
    here = _here()

    def hook(module: torch.nn.Module, args: tuple[Any, ...], output: Any) -> None:
        pattern = pattern_of(output, shape.positions) if here() else None
        if pattern is not None:
            act(pattern)

    return hook
