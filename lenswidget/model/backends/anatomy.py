"""Where in a Hugging Face network its stack of blocks, its final norm and its unembedding are: found in one short pass.

No architecture is looked up by name. Every module is watched while the network reads a few tokens; the stack is the
list of modules that run in order, once each, and hand on a residual stream, the final norm is what made of the last of
it what entered the unembedding. Names come in only where they are shown: what attends is called `attn`, what thinks
`mlp`, as TransformerLens does.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from lenswidget.model.backends.offloaded import brought, fetches
from lenswidget.model.linear import Stored, stored

Key = tuple[int | None, str]
"""A block's number, None outside the blocks, and what lenswidget calls a module within it."""

_ATTENDS = re.compile(r"attn|attention")
_THINKS = re.compile(r"mlp|feed_?forward|ffn?$|^ff$|moe|experts|fc2")
_NEITHER = re.compile(r"norm|^ln|linear_att|dropout")


class UnreadableError(Exception):
    """Why no lens can read a network: the rest of a sentence that begins with its architecture."""


@dataclass(frozen=True)
class Anatomy:
    """Paths of modules from the network down; it holds no module and no weight."""

    stack: str
    """The list of blocks."""
    blocks: tuple[str, ...]
    norm: str | None
    unembedding: str
    head: Stored | None
    """How the unembedding keeps its matrix."""
    width: int
    vocabulary: int
    modules: Mapping[Key, str]
    patterns: frozenset[Key]
    """The modules that return an attention pattern."""


@dataclass
class Call:
    """What went through a module the last time that it ran."""

    order: int = -1
    times: int = 0
    entered: Tensor | None = None
    left: Tensor | None = None
    pattern: bool = False

    def passes_on(self) -> bool:
        """Whether it changed nothing, as dropout does outside of training."""
        return _same(self.entered, self.left)


@dataclass
class Watch:
    """Watches every module of a network while it runs."""

    network: torch.nn.Module
    positions: int
    calls: dict[str, Call] = field(default_factory=dict)
    _ran: int = 0

    def __enter__(self) -> Watch:
        self._handles: list[Any] = []
        for path, module in self.network.named_modules():
            call = self.calls[path] = Call()
            self._handles.append(module.register_forward_pre_hook(self._enters(call), with_kwargs=True))
            self._handles.append(module.register_forward_hook(self._leaves(call)))
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()

    def _enters(self, call: Call) -> Callable[..., None]:
        def hook(module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            where = input_of(args, kwargs)
            call.order, self._ran = self._ran, self._ran + 1
            call.entered = None if where is None else _kept(where[0][where[1]])

        return hook

    def _leaves(self, call: Call) -> Callable[..., None]:
        def hook(module: torch.nn.Module, args: tuple[Any, ...], output: Any) -> None:
            left = tensor_of(output)
            call.times += 1
            call.left = None if left is None else _kept(left)
            call.pattern = pattern_of(output, self.positions) is not None

        return hook


def dissect(network: torch.nn.Module, forward: Callable[[], object], positions: int) -> Anatomy:
    """The anatomy of a network, from one pass of some `positions` tokens, which `forward` runs.

    Raises UnreadableError, with the reason, where a lens can't read it.
    """
    embedding, head = ends_of(network)
    if all(weight.is_meta for weight in network.parameters()) and not any(fetches(m) for m in network.modules()):
        raise UnreadableError(
            "has its weights on the meta device, where there is no data; load them with "
            "AutoModelForCausalLM.from_pretrained(name)"
        )
    with Watch(network, positions) as watch:
        forward()
    calls = {path: call for path, call in watch.calls.items() if call.times}
    paths = {id(module): path for path, module in network.named_modules()}
    unembedding = _innermost(calls, paths[id(head)])
    into = calls[unembedding].entered if unembedding in calls else None
    raw = calls[unembedding].left if unembedding in calls else None
    if into is None or raw is None or into.ndim != 3:
        raise UnreadableError(f"doesn't pass its unembedding, {paths[id(head)]}, when it runs")
    if into.shape[1] != positions:
        raise UnreadableError(
            f"makes {into.shape[1]} positions of {positions} tokens, as prompt tuning does; a lens reads a position a token"
        )
    if not into.isfinite().all():
        raise UnreadableError(
            "makes of a short prompt what isn't finite, so that its parts can't be told apart; look for NaN in its weights"
        )
    stack, blocks = stack_of(network, watch.calls, into)
    last = calls[blocks[-1]].left
    assert last is not None
    outside = {path: call for path, call in calls.items() if not within(path, stack) and path}
    norm = norm_of(outside, last, into, blocks[-1], calls)
    modules, patterns = _name_modules(calls, blocks)
    embedded = paths.get(id(embedding))
    modules |= _name_embedding(outside, embedded, calls[blocks[0]])
    return Anatomy(
        stack=stack,
        blocks=blocks,
        norm=norm,
        unembedding=unembedding,
        head=stored(brought(network.get_submodule(unembedding)), into[0], raw[0]),
        width=into.shape[-1],
        vocabulary=raw.shape[-1],
        modules=modules,
        patterns=patterns,
    )


def input_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any] | None:
    """Where the tensor is that enters a module: what holds it, and its place there."""
    for place, value in enumerate(args):
        if isinstance(value, Tensor):
            return args, place
    named = [name for name, value in kwargs.items() if isinstance(value, Tensor)]
    return (kwargs, "hidden_states" if "hidden_states" in named else named[0]) if named else None


def tensor_of(output: Any) -> Tensor | None:
    """The tensor that leaves a module, where it returns it first among others."""
    if isinstance(output, (tuple, list)):
        output = output[0] if output else None
    elif isinstance(output, Mapping):
        output = next(iter(output.values()), None)
    return output if isinstance(output, Tensor) else None


def pattern_of(output: Any, positions: int) -> Tensor | None:
    """The attention pattern, `[batch, heads, queries, keys]`, that a module returns beside its output."""
    for value in output[1:] if isinstance(output, (tuple, list)) else ():
        if isinstance(value, Tensor) and value.ndim == 4 and value.shape[-2:] == (positions, positions):
            return value
    return None


def ends_of(network: Any) -> tuple[torch.nn.Module | None, torch.nn.Module]:
    """The embedding and the unembedding, as Hugging Face's models name them."""
    try:
        embedding = network.get_input_embeddings()
    except NotImplementedError:
        embedding = None
    try:
        head = network.get_output_embeddings()
    except (NotImplementedError, AttributeError):
        head = None
    if not isinstance(head, torch.nn.Module):
        raise UnreadableError(
            "has no unembedding: it gives no logits over a vocabulary to read; load the model with "
            "AutoModelForCausalLM.from_pretrained(name)"
        )
    return embedding, head


def _innermost(calls: Mapping[str, Call], path: str) -> str:
    """The module itself, or the one within it that does the same: a wrapper's own."""
    call = calls.get(path)
    if call is None:
        return path
    same = [
        p for p, c in calls.items() if within(p, path) and _same(c.entered, call.entered) and _same(c.left, call.left)
    ]
    return same[-1] if same else path  # what isn't finite is the same as nothing


def stack_of(network: torch.nn.Module, calls: Mapping[str, Call], into: Tensor) -> tuple[str, tuple[str, ...]]:
    """The longest list of modules that ran in order, once each, and handed on a residual stream."""
    found: list[tuple[str, tuple[str, ...]]] = []
    again: list[tuple[str, int]] = []
    several: list[str] = []
    for path, module in network.named_modules():
        if not isinstance(module, torch.nn.ModuleList) or not len(module):
            continue
        blocks = tuple(f"{path}.{i}" if path else str(i) for i in range(len(module)))
        ran = [calls.get(block, Call()) for block in blocks]
        streams = [call.left for call in ran if call.left is not None and call.entered is not None]
        if len(streams) < len(ran):
            continue
        if any(stream.ndim == 4 and stream.shape[-1] == into.shape[-1] for stream in streams):
            several.append(type(module[0]).__name__)
        elif any(stream.shape[:2] != into.shape[:2] or stream.ndim != 3 for stream in streams):
            continue
        elif max(call.times for call in ran) > 1:
            again.append((path, max(call.times for call in ran)))
        elif all(one.order < two.order for one, two in itertools.pairwise(ran)):
            found.append((path, blocks))
    if several:
        raise UnreadableError(f"carries several residual streams side by side ({several[0]}); a lens reads one")
    if again and not any(len(blocks) > 1 for _, blocks in found):
        path, times = again[0]
        raise UnreadableError(
            f"has no single stack of blocks that runs once: {path} runs {times} times, and a lens needs every row in order"
        )
    if not found:
        raise UnreadableError("has no single stack of blocks; a lens reads the outputs of one, in order")
    return max(found, key=lambda one: len(one[1]))


def norm_of(
    outside: Mapping[str, Call], last: Tensor, into: Tensor, block: str, calls: Mapping[str, Call]
) -> str | None:
    """The module that makes of the last row what enters the unembedding; None where nothing does."""
    if _same(last, into):
        return None
    leaves = [path for path in outside if not any(within(other, path) for other in outside if other != path)]
    for path in leaves:
        if _same(outside[path].entered, last) and _same(outside[path].left, into):
            return path
    end = calls[block].order
    after = [path for path in leaves if outside[path].order > end and not outside[path].passes_on()]
    what = ", ".join(after[:-1][:4]) or "something that is no module"
    raise UnreadableError(f"has {what} between its last block and its unembedding, and no lens here goes through it")


def _name_modules(calls: Mapping[str, Call], blocks: tuple[str, ...]) -> tuple[dict[Key, str], frozenset[Key]]:
    """The modules of every block that ran once and changed something, as they are called here."""
    modules: dict[Key, str] = {}
    patterns: set[Key] = set()
    for number, block in enumerate(blocks):
        modules[number, ""] = block
        names: dict[str, str] = {}
        for path, call in calls.items():
            if path == block or not within(path, block) or call.times != 1 or call.passes_on():
                continue
            first, _, rest = path[len(block) + 1 :].partition(".")
            if first not in names:
                name = _name(first)
                names[first] = first if name in names.values() else name
            name = f"{names[first]}.{rest}".rstrip(".")
            modules[number, name] = path
            if call.pattern and not rest:
                patterns.add((number, name))
    return modules, frozenset(patterns)


def _name(module: str) -> str:
    """What lenswidget calls a module of a block: for eyes, and so that models of all makers are labelled alike."""
    if _NEITHER.search(module):
        return module
    return "attn" if _ATTENDS.search(module) else "mlp" if _THINKS.search(module) else module


def _name_embedding(outside: Mapping[str, Call], embedding: str | None, first: Call) -> Iterator[tuple[Key, str]]:
    """The modules that may have made the first row: of tokens `embed`, of whole numbers otherwise `pos_embed`."""
    count = 0
    for path, call in outside.items():
        if path == embedding:
            yield (None, "embed"), path
        elif call.order < first.order and call.times == 1 and not call.passes_on() and _like(call.left, first.entered):
            if _like(call.entered, call.left):
                yield (None, f"embed_{path.rpartition('.')[2]}"), path
            else:
                count += 1
                yield (None, "pos_embed" if count == 1 else f"pos_embed_{count}"), path


def within(path: str, of: str) -> bool:
    return path == of or path.startswith(f"{of}.")


def _kept(x: Tensor) -> Tensor:
    return x.detach().clone()  # some models add to their stream in place


def _like(a: Tensor | None, b: Tensor | None) -> bool:
    return a is not None and b is not None and a.shape == b.shape


def _same(a: Tensor | None, b: Tensor | None) -> bool:
    return a is not None and b is not None and a.shape == b.shape and torch.equal(a, b.to(a.device))
