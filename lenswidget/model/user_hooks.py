"""What users hang on a model: torch's forward hooks, which the hooks of every library are in the end.

A run carries those under which it was made, so that whatever runs the model again for it does so under the same.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch

UserHooks = Mapping[str, Mapping[str, Mapping[int, Any]]]
"""The path of a module → which of torch's dictionaries → a hook's number → what that dictionary holds of it. Paths, not
modules, so that it keeps no model alive."""
NONE: UserHooks = {}
_DICTIONARIES = (
    "_forward_pre_hooks", "_forward_pre_hooks_with_kwargs", "_forward_hooks", "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
)  # fmt: skip
_LIBRARIES = ("transformers.", "transformer_lens.", "torch.", "accelerate.", "peft.", "torchao.", "bitsandbytes.")
"""What these hang on their modules is part of the model."""


def user_hooks(model: torch.nn.Module) -> UserHooks:
    """What hangs on a model and its modules now, but for what belongs to it."""
    found: dict[str, dict[str, dict[int, Any]]] = {}
    for module, place in _walk(model):
        if module._forward_hooks or module._forward_pre_hooks:
            # TransformerLens wraps what a user hangs on one of its hook points
            every = type(module).__name__ == "HookPoint"
            hung = [*module._forward_pre_hooks.items(), *module._forward_hooks.items()]
            numbers = {number for number, function in hung if every or not _belongs(function)}
            if numbers:
                found[_path(place)] = {
                    name: {number: held for number, held in getattr(module, name).items() if number in numbers}
                    for name in _DICTIONARIES
                    if hasattr(module, name)
                }
    return found


@contextlib.contextmanager
def under(model: torch.nn.Module, hooks: UserHooks) -> Iterator[None]:
    """The model with these hooks on it and no others of its user's; afterwards with those that were there before."""
    before = user_hooks(model)
    _take_off(model, before)
    _put_on(model, hooks)
    try:
        yield
    finally:
        _take_off(model, hooks)
        _put_on(model, before)


Place = tuple[Any, str] | None
"""Where a module is: the place of the one that holds it, and its name there."""


def _walk(model: torch.nn.Module) -> Iterator[tuple[torch.nn.Module, Place]]:
    """Every module once, as `named_modules` gives them, but with names that are put together only where they are needed."""
    seen: set[int] = set()
    ahead: list[tuple[torch.nn.Module, Place]] = [(model, None)]
    while ahead:
        module, place = ahead.pop()
        if id(module) not in seen:
            seen.add(id(module))
            yield module, place
            ahead += [(inner, (place, name)) for name, inner in module._modules.items() if inner is not None]


def _path(place: Place) -> str:
    names = []
    while place is not None:
        place, name = place
        names.append(name)
    return ".".join(reversed(names))


def _belongs(function: Callable[..., Any]) -> bool:
    """Whether a hook is the library's own."""
    home = getattr(function, "__module__", None) or type(function).__module__
    return f"{home}.".startswith(_LIBRARIES)


def _module(model: torch.nn.Module, path: str) -> torch.nn.Module | None:
    module: torch.nn.Module | None = model
    for name in path.split(".") if path else ():
        module = module and module._modules.get(name)
    return module


def _take_off(model: torch.nn.Module, hooks: UserHooks) -> None:
    for path, dictionaries in hooks.items():
        module = _module(model, path)
        for name, held in dictionaries.items():
            for number in held:
                getattr(module, name, {}).pop(number, None)


def _put_on(model: torch.nn.Module, hooks: UserHooks) -> None:
    for path, dictionaries in hooks.items():
        module = _module(model, path)
        for name, held in dictionaries.items():
            if module is not None:
                getattr(module, name).update(held)
