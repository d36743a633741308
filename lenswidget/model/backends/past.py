"""Past: the keys and values of the first tokens of a prompt, from which any number of prompts go on that share them.

A cache of transformers belongs to one continuation, which it grows by. This one is read only, by a batch of any size, and up
to any position, or copied for a batch that grows it; what it can't stand for (a state space, a cache of a fixed size) is
refused, and then nothing is shared.
"""

from __future__ import annotations

import functools
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

    def after(self, grown: Any) -> KeysAndValues:
        return KeysAndValues(grown.layers)

    @property
    def length(self) -> int | None:
        """How many tokens every layer has taken; None where they disagree."""
        lengths = {0 if layer.keys is None else int(layer.keys.shape[-2]) for layer in self._layers}
        return lengths.pop() if len(lengths) == 1 else None


def past_of(
    backend: Backend, tokens: Int[Tensor, "positions"], change: Mapping[Site, Change], hooks: UserHooks
) -> Past | None:
    """The keys and values of some tokens; None for a network that keeps something else."""
    empty = past_of_nothing(backend.network)
    if empty is None:
        return None
    cache = empty.growing(0, 1)
    backend.forward(tokens.unsqueeze(0), keep={}, change=change, stop=backend.rows[-1], hooks=hooks, past=cache)
    past = empty.after(cache)
    return past if past.length == len(tokens) else None


def past_of_nothing(network: Any) -> KeysAndValues | None:
    """A past into which a network may put its first keys and values; None for one that keeps something else, or whose
    positions mean something else in a longer prompt."""
    if _positions_stretch(network):
        return None
    try:
        from transformers.cache_utils import DynamicCache, DynamicLayer, DynamicSlidingWindowLayer

        known = inspect.signature(network.forward).parameters
        if "past_key_values" not in known and not any(p.kind == p.VAR_KEYWORD for p in known.values()):
            return None
        config = network.config
        layers: list[Any] = list(DynamicCache(config=config).layers)
        if not layers or any(type(layer) not in (DynamicLayer, DynamicSlidingWindowLayer) for layer in layers):
            return None
        return KeysAndValues([_layer(sliding=bool(layer.is_sliding)) for layer in layers])
    except Exception:  # whatever another version of transformers calls it: the whole prompt can be run instead
        return None


def _positions_stretch(network: Any) -> bool:
    """Whether the length of a prompt has a say in how positions are told: its keys then aren't those of a longer one."""
    config: Any = getattr(network, "config", None)
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    rope = getattr(text, "rope_parameters", None) or getattr(text, "rope_scaling", None) or {}
    each = [rope, *(one for one in rope.values() if isinstance(one, dict))]
    return any(one.get("rope_type", one.get("type")) in ("dynamic", "longrope") for one in each)


def _cache(layers: list[Any]) -> Any:
    from transformers.cache_utils import DynamicCache

    cache = DynamicCache()
    cache.layers = layers
    cache.layer_class_to_replicate = None
    return cache


def _first(layer: Any, length: int, batch: int | None = None) -> Any:
    """The first positions of a layer: only to be read by a batch of any size, or to grow with a batch of this size."""
    made = _layer(sliding=layer.is_sliding, grows=batch is not None)
    if layer.keys is not None and length:
        keys, values = layer.keys[..., :length, :], layer.values[..., :length, :]
        made.keys, made.values = (x if batch is None else x.expand(batch, -1, -1, -1) for x in (keys, values))
        made.dtype, made.device, made.is_initialized = made.keys.dtype, made.keys.device, True
    return made


def _layer(*, sliding: bool, grows: bool = False) -> Any:
    made = _kind(sliding)()
    made.grows = grows
    return made


@functools.cache  # transformers asks what each layer is an instance of, and Python looks long at a class that it doesn't know
def _kind(sliding: bool) -> Any:
    from transformers.cache_utils import DynamicLayer

    base: Any = DynamicLayer

    class Layer(base):  # type: ignore[misc]
        """Keys and values whole, also where attention slides: its mask leaves out what lies behind the window."""

        is_sliding = sliding
        grows = False
        keys: Any
        values: Any

        def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
            keys, values = key_states, value_states
            if self.keys is not None:
                batch = keys.shape[0]
                keys = torch.cat([self.keys.expand(batch, -1, -1, -1), keys], dim=-2)
                values = torch.cat([self.values.expand(batch, -1, -1, -1), values], dim=-2)
            if self.grows:
                self.keys, self.values = keys.detach(), values.detach()
                self.dtype, self.device, self.is_initialized = keys.dtype, keys.device, True
            return keys, values

    return Layer
