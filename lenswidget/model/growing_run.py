"""GrowingRun: a prompt that is typed or written, of which only what changed is run.

A transformer looks only back, so a token that is added leaves every earlier row what it was, and what was computed of the
earlier tokens (their keys and values) can be taken from there. Whether that holds for a model, and whether its cache gives what
it gives without, is not ours to know: both are tried once for each state of the model. Where the rows hold but not the cache,
all is run again and only the rows that changed are taken; where neither does, or a user's hooks are on the model, all is new.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.grids.parts import Check
from lenswidget.model.activations import Activations
from lenswidget.model.backend import Backend, Past
from lenswidget.model.components import Components
from lenswidget.model.probe import readout_of
from lenswidget.model.readout import ROUNDING
from lenswidget.model.run import Passed, Run, assembled, check_of, parts_of, pass_over
from lenswidget.model.surroundings import plain_mode
from lenswidget.model.user_hooks import NONE

Begins = Callable[[int], None]
SPARE = 64
"""Positions that are allocated ahead: a prompt that is written grows by one each time."""


@dataclass(frozen=True)
class Economy:
    """What a model allows: that rows are kept when tokens are added behind them, and that its cache is used for that."""

    keeps_rows: bool
    caches: bool


class GrowingRun:
    """One prompt's run, as its tokens change.

    `run` is what it is now, and `logits` the model's own at its last position, `[vocabulary]`; None before the first tokens. It
    belongs to one state of its model: where `is_current` is false, another is made.
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.run: Run | None = None
        self.logits: Float[Tensor, "vocabulary"] | None = None
        self._hooks = backend.user_hooks()
        self._components: Components = parts_of(backend, changed=bool(self._hooks))
        self._economy = Economy(False, False) if self._hooks else economy_of(backend)
        self._rows: Float[Tensor, "rows spare d"] | None = None
        self._past: Past | None = None

    @property
    def keeps_rows(self) -> bool:
        """Whether rows are what they were when tokens are added behind them."""
        return self._economy.keeps_rows

    def is_current(self, backend: Backend) -> bool:
        """Whether the model is as it was: in the same state, and under the same hooks."""
        return backend.state == self.backend.state and backend.user_hooks() == self._hooks

    def become(self, tokens: Int[Tensor, "positions"], begins: Begins | None = None) -> tuple[Run, int]:
        """The run of these tokens, and the first position whose rows are new. Earlier runs stay what they were.

        `begins` is told each block that begins; what it raises ends the run, which then is what it was before.
        """
        known = self.run
        if known is not None and torch.equal(tokens, known.tokens):
            return known, len(tokens)
        with plain_mode():
            return self._become(tokens, begins)

    def _become(self, tokens: Int[Tensor, "positions"], begins: Begins | None) -> tuple[Run, int]:
        before = self.run
        # of a prompt that ends earlier, the last token is run again: a part is read at the last position
        first = min(shared(before.tokens, tokens), len(tokens) - 1) if before and self._economy.keeps_rows else 0
        done, past = self._pass(tokens, first, begins)
        readout = readout_of(self.backend)
        check = check_of(readout, self.backend, done.residual[-1], done.logits)
        if before is not None and before.check is not None and first:
            check = Check(max(check.error, before.check.error), max(check.tolerance, before.check.tolerance))
        residual = self._grown(done.residual, first)
        activations = Activations(
            self.backend, done.components, tokens, residual[-1], last=done.last, hooks=self._hooks
        )
        self._components, self._past, self.logits = done.components, past, done.logits[-1].clone()
        self.run = assembled(readout, tokens, residual, check, activations)
        return self.run, first

    def _pass(self, tokens: Int[Tensor, "positions"], first: int, begins: Begins | None) -> tuple[Passed, Past | None]:
        """A pass over the tokens from `first` on, on what was kept of those before; over all where nothing was."""
        empty = self.backend.past_of_nothing() if self._economy.caches else None
        kept = self._past if first else None
        begin = first if kept else 0
        grown: list[object] = []

        def cache() -> object:
            if empty is None:
                return None
            grown[:] = [(kept or empty).growing(begin, 1)]
            return grown[0]

        done = pass_over(self.backend, tokens[begin:], self._components, begins, hooks=self._hooks, past=cache)
        new = first - begin
        done = Passed(done.residual[:, new:], done.last, done.logits[new:], done.components)
        past = None if empty is None else empty.after(grown[0])
        return done, past if past is not None and past.length == len(tokens) else None

    def _grown(self, new: Float[Tensor, "rows new d"], first: int) -> Float[Tensor, "rows positions d"]:
        """The rows of all positions. Those that an earlier run shows are written over in a copy."""
        count = first + new.shape[1]
        shown = 0 if self.run is None else len(self.run.tokens)
        rows = self._rows
        if rows is None or count > rows.shape[1] or first < shown:
            rows = new.new_empty(new.shape[0], count + SPARE, new.shape[2])
            if first and self.run is not None:
                rows[:, :first] = self.run.residual[:, :first]
            self._rows = rows
        rows[:, first:count] = new
        return rows[:, :count]


def shared(one: Int[Tensor, "..."], other: Int[Tensor, "..."]) -> int:
    """How many tokens two prompts begin with that are the same."""
    count = min(len(one), len(other))
    differs = (one[:count] != other[:count]).nonzero()
    return int(differs[0]) if len(differs) else count


def economy_of(backend: Backend) -> Economy:
    """What can be kept of a model's prompt when tokens are added to it: tried once, on a short one."""
    return backend.remembered("economy of growing", lambda: _try(backend))


def _try(backend: Backend) -> Economy:
    vocabulary = backend.unembedding()[0].shape[1]
    tokens = backend.sample(vocabulary, backend.facts.context)[:12]
    if len(tokens) < 4:
        return Economy(False, False)
    with plain_mode():
        whole = _rows(backend, tokens)
        begun = _rows(backend, tokens[: len(tokens) // 2])
        if not _close(begun, whole[:, : len(tokens) // 2]):
            return Economy(False, False)
        try:
            return Economy(True, _close(_by_cache(backend, tokens), whole))
        except Exception:  # whatever the model has against its cache: without one it is right
            return Economy(True, False)


def _by_cache(backend: Backend, tokens: Int[Tensor, "positions"]) -> Float[Tensor, "rows positions d"]:
    """The rows of a prompt that began otherwise, was cut short and went on in two steps, by its cache."""
    past = backend.past_of_nothing()
    if past is None:
        raise ValueError("nothing can be kept")
    half = len(tokens) // 2
    other = torch.cat([tokens[:half], tokens[:1]])
    found: list[Tensor] = []
    for piece, first in ((other, 0), (tokens[half:-1], half), (tokens[-1:], len(tokens) - 1)):
        cache = past.growing(first, 1)
        found.append(_rows(backend, piece, cache)[:, : half if first == 0 else None])
        past = past.after(cache)
    return torch.cat(found, dim=1)


def _rows(backend: Backend, tokens: Int[Tensor, "positions"], past: object = None) -> Float[Tensor, "rows positions d"]:
    kept = backend.forward(
        tokens.unsqueeze(0),
        keep={site: lambda x: x.detach().clone() for site in backend.rows},
        stop=backend.rows[-1],
        hooks=NONE,
        past=past,
    ).kept
    return torch.stack([kept[site][0].to(kept[backend.rows[0]].device) for site in backend.rows])


def _close(ours: Float[Tensor, "rows n d"], theirs: Float[Tensor, "rows n d"]) -> bool:
    apart = (ours.float() - theirs.float()).abs().amax(-1)
    size = theirs.float().abs().amax(-1).clamp_min(1e-30)
    return bool((apart <= 8 * ROUNDING.get(theirs.dtype, 1e-4) * size).all())
