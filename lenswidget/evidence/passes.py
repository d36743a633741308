"""The rows of many prompts at their last position, in few forward passes, and the model's own logits there.

Prompts of one length run as one batch, on the keys and values of what they share, and behind the last block only the position
that is read goes on to the unembedding. Some models take no cache, some no batch, and some look ahead, so that a prompt can't
be cut behind what is read. Which way is right is tried once for each state of a model, against a plain pass for each prompt,
and the cheapest that is right is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.evidence.batches import Batch, batches_of
from lenswidget.model.backend import Backend, Past
from lenswidget.model.readout import ROUNDING
from lenswidget.model.surroundings import plain_mode
from lenswidget.model.user_hooks import NONE, UserHooks

TOKENS = {"cpu": 1024, "cuda": 16384}
"""Positions, of all prompts together, that a pass may hold: more of them cost as much each, and more memory."""


@dataclass(frozen=True)
class Way:
    """How prompts are run: behind what they share or from the first token, with only what is read unembedded or all; `alone`
    is a pass a prompt, whole."""

    shares: bool
    cuts: bool
    alone: bool = False


WAYS = (Way(True, True), Way(False, True), Way(True, False), Way(False, False), Way(False, False, alone=True))
"""Every way, the cheapest first. The last one is right wherever the model is."""


@dataclass(frozen=True, eq=False)  # tensors have no one answer to ==
class Ends:
    """What one pass left of some prompts, whose indices are `members`, at the position that is read of each."""

    members: tuple[int, ...]
    rows: Float[Tensor, "rows prompts d"]
    logits: Float[Tensor, "prompts vocabulary"] | None
    """The model's own; None of a pass that stopped at a row below the output."""


def passes(
    backend: Backend,
    prompts: Sequence[Int[Tensor, "..."]],
    at: Sequence[int],
    hooks: UserHooks,
    *,
    way: Way | None = None,
    last_row: int | None = None,
) -> Iterator[Ends]:
    """Every prompt, read at its position `at`, as the passes come. Under hooks of a user's, who may expect one prompt, a pass
    has one. With `last_row`, its index, each pass stops there."""
    with plain_mode():
        way = WAYS[-1] if hooks else way or way_of(backend)
    if way.alone:
        for i, (tokens, position) in enumerate(zip(prompts, at)):
            with plain_mode():
                ends = _pass(backend, (i,), tokens[None], position, None, hooks, cuts=False, last_row=last_row)
            yield ends
        return
    # nothing behind what is read can change it
    read = [tokens[: position + 1].tolist() for tokens, position in zip(prompts, at)]
    past: Past | None = None
    behind: list[int] = []
    for batch in batches_of(read, TOKENS.get(backend.device.type, TOKENS["cpu"]), sharing=way.shares):
        with plain_mode():
            shared = read[batch.members[0]][: batch.shared]
            if shared != behind:
                past, behind = None, shared
                past = backend.past(torch.tensor(shared), change={}, hooks=hooks) if shared else None
            ends = _batch(backend, batch, read, past, hooks, way, last_row)
        yield ends


def _batch(
    backend: Backend,
    batch: Batch,
    read: Sequence[list[int]],
    past: Past | None,
    hooks: UserHooks,
    way: Way,
    last_row: int | None = None,
) -> Ends:
    # a network that keeps something else than keys and values runs what is shared again
    first = batch.shared if past is not None else 0
    tokens = torch.tensor([read[i][first:] for i in batch.members])
    cache = past.upto(first) if past is not None else None
    return _pass(backend, batch.members, tokens, -1, cache, hooks, cuts=way.cuts, last_row=last_row)


def _pass(
    backend: Backend,
    members: tuple[int, ...],
    tokens: Int[Tensor, "prompts positions"],
    at: int,
    past: object,
    hooks: UserHooks,
    *,
    cuts: bool,
    last_row: int | None = None,
) -> Ends:
    sites = backend.rows if last_row is None else backend.rows[: last_row + 1]
    stop = None if last_row is None else sites[-1]
    keep = {site: lambda row: row[:, at].clone() for site in sites}
    change = {sites[-1]: lambda row: row[:, -1:]} if cuts and stop is None else None
    done = backend.forward(tokens, keep=keep, change=change, stop=stop, hooks=hooks, past=past)
    lost = [site for site in sites if site not in done.kept]
    if lost:
        raise ValueError(
            f"{backend.facts.name} ran without passing {backend.name(lost[0])}, and a lens needs every row of its stream."
        )
    rows = [done.kept[site] for site in sites]
    logits = None if done.logits is None else done.logits[:, at]
    return Ends(members, torch.stack([row.detach().to(rows[0].device) for row in rows]), logits)


def way_of(backend: Backend) -> Way:
    """The cheapest way that is right for a model as it is now."""
    return backend.remembered("many prompts", lambda: _try(backend))


def _try(backend: Backend) -> Way:
    """Try each way on two short prompts that begin alike, read short of their ends, against a plain pass for each."""
    vocabulary = backend.unembedding()[0].shape[1]
    tokens = backend.sample(vocabulary, backend.facts.context)[:6]
    half, at = len(tokens) // 2, max(len(tokens) - 2, 0)
    prompts = [tokens, torch.cat([tokens[:half], (tokens[half:] + 1) % vocabulary])]
    plain = [_pass(backend, (i,), one[None], at, None, NONE, cuts=False) for i, one in enumerate(prompts)]
    for way in WAYS[:-1]:
        try:
            past = backend.past(prompts[0][:half], change={}, hooks=NONE) if way.shares and 0 < half <= at else None
            if way.shares and past is None:
                continue
            read = [one[: at + 1].tolist() for one in prompts]
            ours = _batch(backend, Batch(half if past else 0, (0, 1)), read, past, NONE, way)
        except Exception:  # whatever the model has against it: there is another way
            continue
        if all(
            _close(ours.rows[:, i], one.rows[:, 0]) and _close(_logits(ours)[i], _logits(one)[0])
            for i, one in enumerate(plain)
        ):
            return way
    return WAYS[-1]


def _logits(ends: Ends) -> Float[Tensor, "prompts vocabulary"]:
    assert ends.logits is not None
    return ends.logits


def _close(ours: Tensor, plain: Tensor) -> bool:
    if ours.shape != plain.shape:
        return False
    size = float(plain.float().abs().max())
    return float((ours.float() - plain.float()).abs().max()) <= ROUNDING.get(plain.dtype, 1e-4) * size
