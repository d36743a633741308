"""Text that a model writes under edits: several continuations at once, each with edits of its own, greedily.

What was computed of earlier positions is kept between two tokens. Whether that is right is not ours to know: it is tried once
for each state of a model, and what was written is read once more without.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.model.backend import Backend, Change, Past
from lenswidget.model.edits import Edit, Written, written
from lenswidget.model.places import row_place
from lenswidget.model.probe import readout_of
from lenswidget.model.readout import ROUNDING
from lenswidget.model.site import Site
from lenswidget.model.surroundings import plain_mode
from lenswidget.model.user_hooks import NONE, UserHooks

MOST = 256
"""Tokens that are written at most."""


@dataclass(frozen=True, eq=False)  # tensors have no one answer to ==
class EditedText:
    """What was written, a text a prompt: at each step the leading candidates, of which the first was taken.

    Logarithms are in bits. Where a text has ended, ids are -1 and figures NaN.
    """

    ids: Int[Tensor, "prompts steps k"]
    log_probability: Float[Tensor, "prompts steps k"]
    entropy: Float[Tensor, "prompts steps"]

    def without(self, prompt: int) -> EditedText:
        """All texts but one."""
        rest = [i for i in range(len(self.ids)) if i != prompt]
        return EditedText(self.ids[rest], self.log_probability[rest], self.entropy[rest])

    def of(self, prompt: int) -> list[int]:
        """The tokens of one text."""
        return [i for i in self.ids[prompt, :, 0].tolist() if i >= 0]


def write(
    backend: Backend,
    tokens: Int[Tensor, "positions"],
    edits: Sequence[Sequence[Written]],
    *,
    max_new_tokens: int,
    ends: Collection[int],
    k: int = 10,
    hooks: UserHooks | None = None,
    first: int = 0,
    past: Past | None = None,
    use_cache: bool | None = None,
) -> EditedText:
    """What a model writes after some tokens, once for each of several lists of edits, up to the first of `ends`.

    Edits may reach positions behind the tokens, which are then written under them. None changes what is before `first`,
    of which `past` has the keys and values.

    Raises ValueError for a number of tokens that is none, or too many for the model.
    """
    context = backend.facts.context
    if isinstance(max_new_tokens, bool) or not 1 <= max_new_tokens <= MOST:
        raise ValueError(f"max_new_tokens is 1 to {MOST}; got {max_new_tokens!r}.")
    if context and len(tokens) + max_new_tokens > context:
        raise ValueError(
            f"{len(tokens)} tokens and {max_new_tokens} more are beyond the {context} that {backend.facts.name} takes; give "
            f"a shorter prompt, or max_new_tokens={max(0, context - len(tokens))} at most."
        )
    with plain_mode():
        cached = cache_grows(backend) if use_cache is None else use_cache
        writing = _Writing(backend, tokens, edits, hooks, first, past, cached)
        readout = readout_of(backend)
        nothing = torch.full((1,), -1)
        steps, ended, rows = [], torch.zeros(len(edits), dtype=torch.bool), torch.zeros(0)
        stops = torch.tensor(sorted(ends), dtype=torch.int64)
        for _ in range(max_new_tokens):
            rows = writing.last_rows()
            reading = readout.read(rows[:, None], nothing, k=k)
            taken = reading.top_ids[:, 0, 0]
            ended = ended | torch.isin(taken, stops) | (taken < 0)
            steps.append(
                (
                    reading.top_ids[:, 0].masked_fill(ended[:, None], -1),
                    reading.top_log_probability[:, 0].masked_fill(ended[:, None], float("nan")),
                    reading.entropy[:, 0].masked_fill(ended, float("nan")),
                )
            )
            if bool(ended.all()):
                break
            writing.take(taken.clamp(min=0))
        if writing.past is not None and not _close(rows[-1:], writing.without_cache()):
            return write(
                backend, tokens, edits, max_new_tokens=max_new_tokens, ends=ends, k=k, hooks=hooks, use_cache=False
            )
    return EditedText(*(torch.stack(some, dim=1) for some in zip(*steps)))


def reaching(edit: Edit, backend: Backend, tokens: Int[Tensor, "positions"], further: int) -> Written:
    """What an edit writes into a prompt that goes on: at every position it holds at so many further ones, too.

    At some positions, or with a value for each, it holds at those of the prompt.
    """
    dtype = readout_of(backend).W_U.dtype
    given = edit.to if edit.add is None else edit.add
    alike = isinstance(given, (int, float)) or (isinstance(given, Tensor) and given.ndim < 2)
    if edit.position is None and alike:
        tokens = torch.cat([tokens, tokens[-1:].expand(further)])
    return written(edit, backend, tokens, dtype)


def cache_grows(backend: Backend) -> bool:
    """Whether a model that goes on from its keys and values writes what it writes without, under an edit, in a batch."""
    return backend.remembered("cache grows", lambda: _try(backend))


def changes_of(edits: Sequence[Sequence[Written]], first: int, count: int) -> dict[Site, Change]:
    """For `Backend.forward`: edits of each prompt of a batch, in a pass over `count` positions from `first`."""
    by_site: dict[Site, list[tuple[int, Written]]] = {}
    for prompt, some in enumerate(edits):
        for one in some:
            here = (one.positions >= first) & (one.positions < first + count)
            if bool(here.any()):
                part = replace(
                    one, positions=one.positions[here] - first, values=one.values[here.to(one.values.device)]
                )
                by_site.setdefault(one.place.site, []).append((prompt, part))
    return {site: _writing(these) for site, these in by_site.items()}


def _writing(these: Sequence[tuple[int, Written]]) -> Change:
    def change(value: Tensor) -> Tensor:
        flat = value.flatten(2).clone()
        for prompt, one in these:
            at, what = one.positions.to(flat.device), one.values.to(flat)
            if one.adds:
                what = flat[prompt, at, one.place.columns] + what
            flat[prompt, at, one.place.columns] = what
        return flat.view(value.shape)

    return change


class _Writing:
    """Continuations on their way: the tokens so far, and what earlier passes left of them."""

    def __init__(
        self,
        backend: Backend,
        tokens: Int[Tensor, "positions"],
        edits: Sequence[Sequence[Written]],
        hooks: UserHooks | None,
        first: int,
        past: Past | None,
        cached: bool,
    ) -> None:
        self.backend, self.edits, self.hooks = backend, edits, hooks
        self.tokens = tokens.expand(len(edits), -1)
        if cached and past is None:
            past, first = backend.past_of_nothing(), 0
        self.past = past.growing(first, len(edits)) if cached and past is not None else None
        self.seen = first if self.past is not None else 0

    def last_rows(self) -> Float[Tensor, "prompts d"]:
        """The last row at the end of each prompt."""
        rows = self._run(self.tokens[:, self.seen :], self.edits, self.seen, self.past)
        self.seen = self.tokens.shape[1] if self.past is not None else 0
        return rows

    def take(self, ids: Int[Tensor, "n"]) -> None:
        self.tokens = torch.cat([self.tokens, ids[:, None]], dim=1)

    def without_cache(self) -> Float[Tensor, "1 d"]:
        """What `last_rows` gave last of the last prompt, from all of its tokens."""
        return self._run(self.tokens[-1:, : self.seen], self.edits[-1:], 0, None)

    def _run(
        self, tokens: Int[Tensor, "prompts positions"], edits: Sequence[Sequence[Written]], first: int, past: object
    ) -> Float[Tensor, "prompts d"]:
        last = self.backend.rows[-1]
        return self.backend.forward(
            tokens,
            keep={last: lambda row: row[:, -1].detach().clone()},
            change=changes_of(edits, first, tokens.shape[1]),
            stop=last,
            hooks=self.hooks,
            past=past,
        ).kept[last]


def _close(ours: Tensor, theirs: Tensor) -> bool:
    size = float(theirs.float().abs().amax())
    return float((ours.float() - theirs.float()).abs().amax()) <= 8 * ROUNDING.get(theirs.dtype, 1e-4) * size


def _try(backend: Backend) -> bool:
    tokens = backend.sample(backend.unembedding()[0].shape[1], backend.facts.context)[:6]
    middle = row_place(backend, backend.facts.layers // 2)
    values = torch.linspace(-1, 1, backend.facts.width)
    every = torch.arange(len(tokens))
    edits = [[], [Written(middle, every, values.expand(len(tokens), -1), adds=True)]]
    try:
        writing = _Writing(backend, tokens[:-2], edits, NONE, 0, None, True)
        if writing.past is None:
            return False
        rows = [writing.last_rows()]
        for token in tokens[-2:]:
            writing.take(token.expand(2))
            rows.append(writing.last_rows())
        plain = _Writing(backend, tokens, edits, NONE, 0, None, False)
        return _close(rows[-1], plain.last_rows())
    except Exception:  # whatever the model has against it: without a cache it is right
        return False
