"""One file a library of models: the only place that touches a library's model."""

from __future__ import annotations

from typing import Any

import torch

from lenswidget.model.backend import Backend, CachedPass
from lenswidget.model.backends.hooked_transformer import HookedTransformerBackend, why_not
from lenswidget.model.backends.hugging_face import HuggingFaceBackend
from lenswidget.model.backends.nnsight import is_nnsight, unwrapped
from lenswidget.model.backends.transformer_lens import HookedBackend, TransformerLensBackend, is_cache

_registered: list[type[Backend]] = []


def register(kind: type[Backend]) -> type[Backend]:
    """Let lenswidget read the models of one more library; the newest is asked first. Works as a decorator.

    Raises TypeError, naming them, where calls of `Backend` are missing.
    """
    missing = sorted(kind.__abstractmethods__)
    if missing:
        raise TypeError(f"{kind.__name__} lacks {', '.join(missing)}; a backend answers every call of Backend.")
    _registered.insert(0, kind)
    return kind


def backend_of(model: object, *, tokenizer: Any = None) -> Backend:
    """The backend of a model, which reads its texts through `tokenizer` from now on where one is given.

    Raises TypeError for an object that is no model of a known kind, naming these, and where a model has its own tokenizer.
    """
    if isinstance(model, Backend):
        return model
    model = getattr(model, "_orig_mod", model)  # what torch.compile made of it
    if isinstance(model, (torch.nn.DataParallel, torch.nn.parallel.DistributedDataParallel)):
        model = model.module
    if is_nnsight(model):
        model, own = unwrapped(model)
        tokenizer = own if tokenizer is None else tokenizer
    backend = next((kind(model) for kind in _registered if kind.recognizes(model)), None)
    if backend is None:
        held = next((name for name in ("model", "module") if _is_model(getattr(model, name, None))), None)
        if held is not None and not isinstance(model, type):
            raise TypeError(
                f"A run needs a model itself, and this {type(model).__name__} holds one: pass its .{held}, as in "
                f"lw.run(it.{held}, prompt)."
            )
        raise TypeError(
            why_not(model)
            or f"A run needs a model of transformers or TransformerLens and got {type(model).__name__}; boot one with "
            "lw.load(name), which takes a name on the Hub or a local folder, or pass what "
            "AutoModelForCausalLM.from_pretrained(name) returns."
        )
    if tokenizer is not None:
        backend.use_tokenizer(tokenizer)
    return backend


def _is_model(inner: object) -> bool:
    return any(kind.recognizes(inner) for kind in _registered)


def cached_pass(source: Any) -> CachedPass | None:
    """What a library's own cache of activations holds; None for an object that is none."""
    backend = backend_of(source.model) if is_cache(source) else None
    return backend.opened(source) if isinstance(backend, HookedBackend) else None


register(TransformerLensBackend)
register(HookedTransformerBackend)
register(HuggingFaceBackend)
