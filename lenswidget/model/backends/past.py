"""Past: the keys and values of the first tokens of a prompt, from which any number of prompts go on that share them.

A cache of transformers belongs to one continuation, which it grows by. This one is read only, by a batch of any size, and up
to any position, or copied for a batch that grows it; what it can't stand for (a state space, a cache of a fixed size) is
refused, and then nothing is shared.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from lenswidget.model.backend import Backend, Change, Past
from lenswidget.model.site import Site
from lenswidget.model.user_hooks import UserHooks


class KeysAndValues(Past):
    """Of one prompt's first tokens, by layer."""

    def __init__(self, layers: list[Any]) -> None:
        self._layers = layers

    def upto(self, length: int) -> Any:
        return _cache([_first(layer, length) for layer in self._layers])

    def growing(self, length: int, batch: int) -> Any:
        return _cache([_first(layer, length, batch) for layer in self._layers])


def past_of(
    backend: Backend, tokens: Int[Tensor, "positions"], change: Mapping[Site, Change], hooks: UserHooks
) -> Past | None:
    """The keys and values of some tokens; None for a network that keeps something else."""
    made = _empty(backend.network)
    if made is None:
        return None
    cache, layers = made
    backend.forward(tokens.unsqueeze(0), keep={}, change=change, stop=backend.rows[-1], hooks=hooks, past=cache)
    if any(layer.keys is None or layer.keys.shape[-2] != len(tokens) for layer in layers):
        return None
    return KeysAndValues(layers)


def _empty(network: Any) -> tuple[Any, list[Any]] | None:
    """A cache that collects what a network puts into it, and its layers; None for a network that keeps something else."""
    try:
        from transformers.cache_utils import DynamicCache, DynamicLayer, DynamicSlidingWindowLayer

        known = inspect.signature(network.forward).parameters
        if "past_key_values" not in known and not any(p.kind == p.VAR_KEYWORD for p in known.values()):
            return None
        config = network.config
        layers: list[Any] = list(DynamicCache(config=config).layers)
        if not layers or any(type(layer) not in (DynamicLayer, DynamicSlidingWindowLayer) for layer in layers):
            return None
        made = [_layer(sliding=bool(layer.is_sliding)) for layer in layers]
        return _cache(made), made
    except Exception:  # whatever another version of transformers calls it: the whole prompt can be run instead
        return None


def _cache(layers: list[Any]) -> Any:
    from transformers.cache_utils import DynamicCache

    cache = DynamicCache()
    cache.layers = layers
    cache.layer_class_to_replicate = None
    return cache


def _first(layer: Any, length: int, batch: int | None = None) -> Any:
    """The first positions of a layer: only to be read by a batch of any size, or to grow with a batch of this size."""
    made = _layer(sliding=layer.is_sliding, reads=True, grows=batch is not None)
    keys, values = layer.keys[..., :length, :], layer.values[..., :length, :]
    made.keys, made.values = (x if batch is None else x.expand(batch, -1, -1, -1) for x in (keys, values))
    made.dtype, made.device, made.is_initialized = made.keys.dtype, made.keys.device, True
    return made


def _layer(*, sliding: bool, reads: bool = False, grows: bool = False) -> Any:
    from transformers.cache_utils import DynamicLayer

    base: Any = DynamicLayer

    class Layer(base):  # type: ignore[misc]
        """Keys and values whole, also where attention slides: its mask leaves out what lies behind the window."""

        is_sliding = sliding
        keys: Any
        values: Any

        def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
            if reads:
                batch = key_states.shape[0]
                keys = torch.cat([self.keys.expand(batch, -1, -1, -1), key_states], dim=-2)
                values = torch.cat([self.values.expand(batch, -1, -1, -1), value_states], dim=-2)
                if grows:
                    self.keys, self.values = keys, values
                return keys, values
            self.keys, self.values = key_states.detach(), value_states.detach()
            self.dtype, self.device = key_states.dtype, key_states.device
            self.is_initialized = True
            return key_states, value_states

    return Layer()
