"""A run from a cache of activations that somebody else made: a TransformerLens `ActivationCache`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.model.activations import Activations
from lenswidget.model.backend import CachedPass, whole
from lenswidget.model.backends import backend_of, cached_pass
from lenswidget.model.find_components import components_of
from lenswidget.model.probe import readout_of
from lenswidget.model.prompts import as_ids, within
from lenswidget.model.readout import Readout
from lenswidget.model.run import Run, assembled, check_of, residual_of
from lenswidget.model.surroundings import multiplied_in, on_cpu


def from_cache(
    cache: Any,
    *,
    logits: Float[Tensor, "..."] | None = None,
    tokens: Sequence[int] | Tensor | None = None,
    batch: int | None = None,
) -> Run:
    """A Run from a TransformerLens `ActivationCache`.

    `logits` are the ones that `run_with_cache` returned beside the cache: with them the last row is checked against
    the model; without them, against the cached output of the unembedding where the cache has it. `tokens` are needed
    only where the cache lacks the ids that entered the embedding, `batch` only where it holds several prompts.

    Raises ValueError for a cache that lacks residual rows, with the `names_filter` that brings them, and for a batch, tokens
    or logits that are not this cache's; TypeError for those that are no such thing.

        logits, cache = model.run_with_cache("The capital of France is")
        run = lw.from_cache(cache, logits=logits)
    """
    held = cached_pass(cache)
    if held is None:
        raise TypeError(_no_run(cache))
    with on_cpu():
        return _opened(held, logits, tokens, batch)


def _opened(held: CachedPass, logits: Any, tokens: Any, batch: Any) -> Run:
    backend = held.backend
    readout = readout_of(backend)
    _require_rows(held)
    index = _chosen(held, batch)
    residual = residual_of(backend, {site: held.get(site, index) for site in backend.rows}, whole)
    ids = _cached_tokens(held, tokens, index, residual.shape[1])
    multiplied = multiplied_in(residual.device)  # as is allowed now, and so, probably, was then
    activations = Activations(
        backend, components_of(backend), ids, residual[-1], cache=held, prompt=index, multiplied=multiplied
    )
    own = _own_logits(logits, held, index, len(ids), readout) if logits is not None else None
    raw = held.unembedded(index) if own is None else None
    if raw is not None and tuple(raw.shape) == (residual.shape[1], readout.vocabulary):
        # the cached values come before any soft-cap or scale, so they are carried through the one that was probed
        own = readout.after_unembedding(raw.float().clone())
    check = None if own is None else check_of(readout, backend, residual[-1], own, multiplied=multiplied)
    return assembled(readout, ids, residual, check, activations, None if own is None else own[-1])


def residual_hooks(model: object) -> list[str]:
    """The hooks that a cache must hold for a lens to read it: a `names_filter` for `run_with_cache`.

    They are the `L + 1` rows of the residual stream and the ids that entered it.

        model.run_with_cache(prompt, names_filter=lw.residual_hooks(model))
    """
    backend = backend_of(model)
    return [backend.name(site) for site in (backend.ids, *backend.rows)]


def as_run(source: Any) -> Run:
    """A Run as it is; an ActivationCache, made into one."""
    if isinstance(source, Run):
        return source
    if cached_pass(source) is not None:
        return from_cache(source)
    raise TypeError(_no_run(source))


def _no_run(source: object) -> str:
    states = source if isinstance(source, tuple) and source else getattr(source, "hidden_states", None)
    if hasattr(source, "hidden_states") or (isinstance(states, tuple) and isinstance(states[0], Tensor)):
        return (
            "A lens can't read the hidden_states that a model of transformers returns: the last of them went through the final "
            "norm already, and the last row of the stream is not among them. Let lenswidget run the model: "
            "lw.run(model, prompt, tokenizer=tokenizer)."
        )
    return (
        f"A lens reads a Run or a TransformerLens ActivationCache and got {type(source).__name__}; make one with "
        "lw.run(model, prompt), or with logits, cache = model.run_with_cache(prompt)."
    )


def _require_rows(cache: CachedPass) -> None:
    rows = cache.backend.rows
    missing = [cache.backend.name(site) for site in rows if cache.get(site) is None]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise ValueError(
            f"This cache lacks {missing[0]}{more} of the {len(rows)} residual rows that a lens reads. Run it again as "
            "model.run_with_cache(prompt, names_filter=lw.residual_hooks(model))."
        )


def _chosen(cache: CachedPass, batch: Any) -> int:
    """Which of a cache's prompts is asked for."""
    count = cache.prompts
    which = (
        "it holds one prompt, so leave batch= out" if count == 1 else f"choose one with batch=0 to batch={count - 1}"
    )
    if batch is None:
        if count != 1:
            raise ValueError(f"This cache holds {count} prompts; {which}.")
        return 0
    if isinstance(batch, bool) or not hasattr(batch, "__index__"):
        raise TypeError(f"batch is the index of a prompt in this cache and got {batch!r}; {which}.")
    index = int(batch)
    if not -count <= index < count:
        raise ValueError(f"This cache has no prompt {index}; {which}.")
    return index % count


def _own_logits(
    given: Any, cache: CachedPass, prompt: int, positions: int, readout: Readout
) -> Float[Tensor, "positions vocabulary"]:
    """The logits of one prompt of a cache, from those that came with it."""
    wanted, count = (positions, readout.vocabulary), cache.prompts
    if not isinstance(given, Tensor):
        given = getattr(given, "logits", given)  # as a model of transformers returns them
    if not isinstance(given, Tensor) or not given.is_floating_point():
        got = given.dtype if isinstance(given, Tensor) else type(given).__name__
        raise TypeError(
            f"logits are what model.run_with_cache(prompt) returns beside the cache, a tensor of numbers; got {got}."
        )
    one = given[prompt] if given.ndim == 3 and len(given) == count else given
    if tuple(one.shape) != wanted:
        raise ValueError(
            f"logits have the shape {tuple(given.shape)}, and this cache asks for {(count, *wanted)} or {wanted}: positions and "
            "vocabulary. Pass those that model.run_with_cache(prompt) returned beside it."
        )
    return one


def _cached_tokens(cache: CachedPass, given: Any, prompt: int, positions: int) -> Int[Tensor, "positions"]:
    if given is None:
        given = cache.get(cache.backend.ids, prompt)
        if given is None:
            raise ValueError(
                f"This cache does not hold its tokens ({cache.backend.name(cache.backend.ids)}); pass "
                "tokens=model.to_tokens(prompt)[0]."
            )
    if isinstance(given, str):
        raise TypeError(f"tokens are token ids and got the text {given!r}; pass tokens=model.to_tokens(prompt)[0].")
    ids = as_ids(cache.backend, given)
    if ids.ndim == 2 and len(ids) in (1, cache.prompts):
        ids = ids[prompt if len(ids) == cache.prompts else 0]
    if ids.ndim != 1 or len(ids) != positions:
        got = len(ids) if ids.ndim == 1 else f"{tuple(ids.shape)}"
        raise ValueError(f"{got} tokens were given for a cache of {positions} positions; pass the ones it was run on.")
    return within(cache.backend, ids, cache.backend.vocabulary)
