"""What a lens must know of a network whose weights are elsewhere: its blocks, final norm and unembedding, found without them.

A copy of the network runs on numbers of our own: what embeds gives random vectors, each block gives random vectors in place of
its output, what enters the unembedding is looked at, and in place of what leaves it known values are put. So the final norm is
what made the one of the other, and what follows the unembedding is what the network did to those values. Norms get random
weights, of the size of one vector; nothing else needs any.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lenswidget.model.backends.anatomy import UnreadableError, Watch, ends_of, input_of, norm_of, stack_of, within
from lenswidget.model.surroundings import plain_mode

LARGEST = 2**24
"""Entries of a module outside of the blocks that is given weights; what has more is no norm."""
POSITIONS = 5
"""Of the prompt that the copy reads."""
FORMS: tuple[Callable[[Tensor], Any], ...] = (lambda x: x, *(lambda x, n=n: (x, *[None] * n) for n in range(3)))
"""How a block may hand its output on: alone, or first in a tuple."""


@dataclass(frozen=True, eq=False)  # modules have no one answer to ==
class Outline:
    """Paths of modules, and the one module that is tried."""

    blocks: tuple[str, ...]
    norm: str | None
    unembedding: str
    width: int
    vocabulary: int
    norm_module: torch.nn.Module | None
    """The final norm with random weights, to be tried."""
    after_unembedding: Callable[[Tensor], Tensor]
    """What the network does to some logits after its unembedding."""


def outline(network: torch.nn.Module) -> Outline:
    """Where everything is. Raises UnreadableError, with the rest of a sentence, where a lens can't read the network."""
    with plain_mode():
        there = _weightless(network)
        _, head = ends_of(there)
        weight = getattr(head, "weight", None)
        if not isinstance(weight, Tensor) or weight.ndim != 2:
            raise UnreadableError(f"has an unembedding ({type(head).__name__}) that is no linear map with a weight")
        vocabulary, width = weight.shape
        reason: Exception | None = None
        for form in FORMS:
            try:
                return _outlined(there, head, vocabulary, width, form)
            except UnreadableError:
                raise
            except Exception as failed:
                reason = reason or failed
        raise UnreadableError(f"would not run without its weights: {type(reason).__name__}: {reason}") from reason


def _outlined(
    there: torch.nn.Module, head: torch.nn.Module, vocabulary: int, width: int, form: Callable[[Tensor], Any]
) -> Outline:
    entered: list[Tensor] = []
    put: list[Tensor] = []

    def unembed(*args: Any, **kwargs: Any) -> Tensor:
        found = input_of(args, kwargs)
        assert found is not None
        x = found[0][found[1]]
        entered[:] = [x]
        return put[0] if put else torch.randn(*x.shape[:-1], vocabulary, dtype=x.dtype)

    paths = {id(module): path for path, module in there.named_modules()}
    lists = [module for module in there.modules() if isinstance(module, torch.nn.ModuleList) and len(module)]
    for module in there.modules():
        if isinstance(module, torch.nn.Embedding):
            vars(module)["forward"] = _embedding(module.embedding_dim, module.weight.dtype)
    for block in {id(block): block for blocks in lists for block in blocks}.values():
        vars(block)["forward"] = _block(form)
    vars(head)["forward"] = unembed
    for module in there.modules():
        if module is not head:
            module.register_forward_pre_hook(_given_weights)

    def forward() -> Tensor:
        done = there(input_ids=torch.arange(1, POSITIONS + 1).unsqueeze(0), use_cache=False)
        logits: Tensor = done.logits if hasattr(done, "logits") else done[0]
        return logits

    with Watch(there, POSITIONS) as watch:
        forward()
    calls = {path: call for path, call in watch.calls.items() if call.times}
    if not entered:
        raise UnreadableError(f"doesn't pass its unembedding, {paths[id(head)]}, when it runs")
    stack, blocks = stack_of(there, watch.calls, entered[0])
    last = calls[blocks[-1]].left
    assert last is not None
    outside = {path: call for path, call in calls.items() if path and not within(path, stack)}
    norm = norm_of(outside, last, entered[0], blocks[-1], calls)

    def after_unembedding(logits: Tensor) -> Tensor:
        size = POSITIONS * vocabulary
        put[:] = [logits.flatten().repeat(-(-size // logits.numel()))[:size].view(1, POSITIONS, vocabulary)]
        with plain_mode():
            return forward().flatten()[: logits.numel()].view(logits.shape)

    return Outline(
        blocks,
        norm,
        paths[id(head)],
        width,
        vocabulary,
        None if norm is None else there.get_submodule(norm),
        after_unembedding,
    )


def _weightless(network: torch.nn.Module) -> torch.nn.Module:
    """A copy of a network without its weights: no number is copied, however many it has."""
    memo: dict[int, Any] = {}
    for tensor in [*network.parameters(), *network.buffers()]:
        empty = tensor.detach().to("meta")
        is_parameter = isinstance(tensor, torch.nn.Parameter)
        memo[id(tensor)] = torch.nn.Parameter(empty, requires_grad=False) if is_parameter else empty
    there = copy.deepcopy(network, memo)
    for module in there.modules():
        # hooks of a user's are no part of what is found, and what a library put in the place of a forward is of the original
        for hooks in (module._forward_hooks, module._forward_pre_hooks):
            hooks.clear()
    return there.eval()


def _given_weights(module: torch.nn.Module, _: Any) -> None:
    """Random numbers for what a module keeps itself, as it runs."""
    for held in (module._parameters, module._buffers):
        for name, tensor in held.items():
            if tensor is not None and tensor.is_meta and tensor.numel() <= LARGEST:
                made = torch.randn(tensor.shape) if tensor.is_floating_point() else torch.zeros(tensor.shape)
                real = made.to(tensor.dtype)
                held[name] = torch.nn.Parameter(real, requires_grad=False) if held is module._parameters else real  # type: ignore[assignment]


def _embedding(width: int, dtype: torch.dtype) -> Callable[..., Tensor]:
    def forward(ids: Tensor, *_: Any, **__: Any) -> Tensor:
        return torch.randn(*ids.shape, width, dtype=dtype)

    return forward


def _block(form: Callable[[Tensor], Any]) -> Callable[..., Any]:
    def forward(*args: Any, **kwargs: Any) -> Any:
        found = input_of(args, kwargs)
        if found is None or found[0][found[1]].ndim < 3:
            raise TypeError("a block was given no residual stream")
        return form(torch.randn_like(found[0][found[1]]))

    return forward
