"""GrowingRun: a prompt that is typed or written, of which only what changed is run.

A transformer looks only back, so a token that is added leaves every earlier row what it was, and what was computed of the
earlier tokens (their keys and values) can be taken from there. Whether that holds for a model, and whether its cache gives what
it gives without, is not ours to know: both are tried once for each state of the model. Where the rows hold but not the cache,
all is run again and only the rows that changed are taken; where neither does, or a user's hooks are on the model, all is new.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
from lenswidget.model.site import Site
from lenswidget.model.surroundings import plain_mode
from lenswidget.model.user_hooks import NONE

Begins = Callable[[int], None]
NOTHING = Components((), ())
"""No parts to watch."""
SPARE = 64
"""Positions that are allocated ahead: a prompt that is written grows by one each time."""


@dataclass(frozen=True)
class Economy:
    """What a model allows: that rows are kept when tokens are added behind them, and that its cache is used for that."""

    keeps_rows: bool
    caches: bool


class GrowingRun:
    """One prompt's run, as its `tokens` change.

    `logits` are the model's own at the last position, `[vocabulary]`. It belongs to one state of its model: where `is_current`
    is false, another is made.
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.tokens: Int[Tensor, "positions"] = torch.zeros(0, dtype=torch.int64, device="cpu")
        self.logits: Float[Tensor, "vocabulary"] | None = None
        self._hooks = backend.user_hooks()
        self._economy = Economy(False, False) if self._hooks else economy_of(backend)
        self._components: Components = parts_of(backend, changed=bool(self._hooks))
        self._parts: Mapping[Site, Tensor] | None = None
        """What the parts put out at the last position; None where they weren't kept."""
        self._past: Past | None = None
        self._rows: Float[Tensor, "rows spare d"] | None = None
        self._shown = 0
        """How many positions of these rows earlier runs show."""
        self._run: Run | None = None
        self._check: Check | None = None
        self._unchecked: list[tuple[int, Float[Tensor, "positions vocabulary"]]] = []
        """The model's own logits from some position on, with which the rows there were not compared yet."""

    @property
    def keeps_rows(self) -> bool:
        """Whether rows are what they were when tokens are added behind them."""
        return self._economy.keeps_rows

    def is_current(self, backend: Backend) -> bool:
        """Whether the model is as it was: in the same state, and under the same hooks."""
        return backend.state == self.backend.state and backend.user_hooks() == self._hooks

    def become(self, tokens: Int[Tensor, "positions"], begins: Begins | None = None, *, parts: bool = True) -> int:
        """Run these tokens, as far as they are new. Returns the first position whose rows are; runs made before stay as they are.

        `begins` is told each block that begins; what it raises ends the pass, and the run is what it was. Without `parts`
        only rows are kept, for a run that is soon another.

        Raises ValueError where the last row is not the model.
        """
        if torch.equal(tokens, self.tokens) and (self._parts is not None or not parts):
            return len(tokens)
        # of a prompt that ends earlier, the last token is run again: parts are read at the last position
        first = min(shared(self.tokens, tokens), len(tokens) - 1) if self.keeps_rows else 0
        with plain_mode():
            done, past = self._pass(tokens, first, begins, parts)
            self._put(done.residual, first)
            self.tokens, self.logits, self._past = tokens, done.logits[-1].clone(), past
            self._parts, self._run = done.last if parts else None, None
            if not first:
                self._check = None
            self._unchecked = [(at, logits[: first - at]) for at, logits in self._unchecked if at < first]
            self._unchecked.append((first, done.logits))
            if parts:
                self._compare()
        return first

    @property
    def run(self) -> Run:
        """The run of the tokens that are there."""
        assert self._rows is not None, "a prompt is run first"
        if self._run is None:
            with plain_mode():
                self._compare()
                count = len(self.tokens)
                self._shown = max(self._shown, count)
                residual = self._rows[:, :count]
                activations = Activations(
                    self.backend, self._components, self.tokens, residual[-1], last=self._parts, hooks=self._hooks
                )
                self._run = assembled(readout_of(self.backend), self.tokens, residual, self._check, activations)
        return self._run

    def _compare(self) -> None:
        """Compare the last row with the model's own logits, as far as that wasn't done."""
        if not self._unchecked or self._rows is None:
            return
        rows = [self._rows[-1, at : at + len(own)] for at, own in self._unchecked]
        logits = [own for _, own in self._unchecked]
        # those of one pass may be hundreds of megabytes, and need no copy
        last_row, own = (some[0] if len(some) == 1 else torch.cat(some) for some in (rows, logits))
        check, before = check_of(readout_of(self.backend), self.backend, last_row, own), self._check
        self._unchecked = []  # only now: what fails is not forgotten
        if before is not None:
            check = Check(max(check.error, before.error), max(check.tolerance, before.tolerance))
        self._check = check

    def _pass(
        self, tokens: Int[Tensor, "positions"], first: int, begins: Begins | None, parts: bool
    ) -> tuple[Passed, Past | None]:
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

        # its hooks are those on the model now, or it belongs to another state: to tell them apart takes a look at every module
        done = pass_over(
            self.backend,
            tokens[begin:],
            self._components if parts else NOTHING,
            begins,
            hooks=None,
            past=cache,
            is_sure=bool(self._hooks) or not parts,
        )
        if parts:
            self._components = done.components
        new = first - begin
        done = Passed(done.residual[:, new:], done.last, done.logits[new:], self._components)
        past = None if empty is None else empty.after(grown[0])
        return done, past if past is not None and past.length == len(tokens) else None

    def _put(self, new: Float[Tensor, "rows new d"], first: int) -> None:
        """Keep the rows of new positions. Those that an earlier run shows are not written over: it keeps what it has."""
        count, rows = first + new.shape[1], self._rows
        if rows is None or count > rows.shape[1] or first < self._shown:
            room = new.new_empty(new.shape[0], count + max(SPARE, count // 2), new.shape[2])
            if first and rows is not None:
                room[:, :first] = rows[:, :first]
            self._rows, self._shown = room, 0
            rows = room
        rows[:, first:count] = new


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
