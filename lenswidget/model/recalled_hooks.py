"""A user's hooks, for whoever must not keep the model alive by them: a hook may hold the model on which it hangs."""

from __future__ import annotations

import gc
import types
import weakref
from collections.abc import Callable
from typing import Any

import torch

from lenswidget.model.user_hooks import UserHooks

FAR = 10_000
"""Objects that are looked at within a hook; beyond them it counts as one that holds the model."""


def recalled(hooks: UserHooks, model: torch.nn.Module) -> Callable[[], UserHooks | None]:
    """A function that returns the hooks again; None where they are gone.

    Those that hold a part of the model are kept only as long as somebody else keeps them, as the model does on which they hang.
    """

    def keep(value: Any) -> Callable[[], Any]:
        if callable(value) and _holds(value, model):
            try:
                return weakref.ref(value)
            except TypeError:  # a kind of callable that can't be asked whether it is still there
                return lambda: None
        return lambda: value

    kept = {
        (path, name, number): keep(value)
        for path, dictionaries in hooks.items()
        for name, held in dictionaries.items()
        for number, value in held.items()
    }

    def recall() -> UserHooks | None:
        found: dict[str, dict[str, dict[int, Any]]] = {}
        for (path, name, number), value in kept.items():
            held = value()
            if held is None:
                return None
            found.setdefault(path, {}).setdefault(name, {})[number] = held
        return found

    return recall


def _holds(hook: Any, model: torch.nn.Module) -> bool:
    """Whether a module of the model that has weights can be reached from a hook, but for what its file's names stand for."""
    weights = {id(weight) for weight in model.parameters()}
    seen: set[int] = set()
    ahead: list[Any] = [hook]
    while ahead:
        one = ahead.pop()
        if id(one) in seen or isinstance(one, (type, types.ModuleType, types.CodeType, str, int, float)):
            continue
        seen.add(id(one))
        if id(one) in weights or len(seen) > FAR:
            return True
        if isinstance(one, types.FunctionType):
            seen |= {id(one.__globals__), id(getattr(one, "__builtins__", None))}  # those live without it
        ahead += gc.get_referents(one)
    return False
