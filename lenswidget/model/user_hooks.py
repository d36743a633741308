"""What users hang on a model: torch's forward hooks, which the hooks of every library are in the end.

A run carries those under which it was made, so that whatever runs the model again for it does so under the same.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
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


def modules_of(model: torch.nn.Module) -> list[torch.nn.Module]:
    """A model and every module in it, once each, in a third of the time that `modules()` takes to put names together."""
    found = {id(model): model}
    ahead = [model]
    while ahead:
        for inner in ahead.pop()._modules.values():
            if inner is not None and id(inner) not in found:
                found[id(inner)] = inner
                ahead.append(inner)
    return list(found.values())


def user_hooks(model: torch.nn.Module, modules: Iterable[torch.nn.Module] | None = None) -> UserHooks:
    """What hangs on a model and its modules now, but for what belongs to it. `modules` are its `modules_of`, if at hand."""
    hung: dict[int, set[int]] = {}
    for module in modules_of(model) if modules is None else modules:
        if module._forward_hooks or module._forward_pre_hooks:
            # TransformerLens wraps what a user hangs on one of its hook points
            every = type(module).__name__ == "HookPoint"
            functions = [*module._forward_pre_hooks.items(), *module._forward_hooks.items()]
            numbers = {number for number, function in functions if every or not _belongs(function)}
            if numbers:
                hung[id(module)] = numbers
    if not hung:  # as it is most of the time: then no path is asked for
        return NONE
    return {
        path: {
            name: {number: held for number, held in getattr(module, name).items() if number in hung[id(module)]}
            for name in _DICTIONARIES
            if hasattr(module, name)
        }
        for path, module in model.named_modules()
        if id(module) in hung
    }


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
