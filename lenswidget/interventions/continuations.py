"""Many changed continuations of one run, in few forward passes: what every sweep is made of.

A cell is one experiment, something written into a run. Below the row where it is written, and at the positions before, it is the
run itself, whose rows are known. So the passes of a sweep begin at the first position that a cell changes, on the run's own
keys and values, and their batch grows: it starts with the run alone, and at each block those cells enter, as copies of the
run, that are written there. Each block runs once for all of them.

Some models take no cache, and some no batch that grows (they count their prompts before the first block). Which way is right is
tried once for each state of a model, against a plain pass for each cell, and the cheapest that is right is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.model.backend import Backend, Change, Past
from lenswidget.model.edits import Written, chained, changes
from lenswidget.model.places import row_place
from lenswidget.model.readout import ROUNDING
from lenswidget.model.site import Site
from lenswidget.model.surroundings import plain_mode
from lenswidget.model.user_hooks import NONE, UserHooks

TOGETHER = 2
"""Neighboring first positions whose cells share a pass. On SmolLM2, 1 and 3 cost a tenth more, all in one pass a third."""
TOKENS = 1536
"""Positions, of all cells together, that a pass may hold: its activations are a few dozen megabytes in a small model."""


@dataclass(frozen=True, eq=False)  # tensors have no one answer to ==
class Cell:
    """One experiment: what is written into a run."""

    writes: tuple[Written, ...]

    @property
    def row(self) -> int:
        """The row of the stream at which it enters the batch."""
        return min(write.place.row for write in self.writes)

    @property
    def first(self) -> int:
        """The first position that it changes."""
        return min(int(write.positions.min()) for write in self.writes)


@dataclass(frozen=True, eq=False)  # tensors have no one answer to ==
class Base:
    """The run that cells are written into, as far as its continuations need it."""

    backend: Backend
    tokens: Int[Tensor, "positions"]
    last: Float[Tensor, "positions d"]
    """Its last row."""
    hooks: UserHooks = field(default_factory=dict)
    edits: tuple[Written, ...] = ()

    @cached_property
    def past(self) -> Past | None:
        """Its keys and values; None for a model that keeps others."""
        return self.backend.past(self.tokens, change=changes(self.edits), hooks=self.hooks)


@dataclass(frozen=True)
class Way:
    """How continuations are run: on the run's keys and values or from the first token, in a batch that grows or is whole
    from the start; `alone` is a pass a cell."""

    cached: bool
    grows: bool
    alone: bool = False


WAYS = (Way(True, True), Way(False, True), Way(True, False), Way(False, False), Way(False, False, alone=True))
"""Every way, the cheapest first. The last one is right wherever the model is."""


def last_rows(base: Base, cells: Sequence[Cell], position: int, *, way: Way | None = None) -> Float[Tensor, "cells d"]:
    """The last row at one position, of each cell, in float32. One that changes nothing is the run's own, to the bit.

    Cells that begin behind the position can't change it, and are not run. What a user's hooks do to the run happens in
    every pass.
    """
    own = base.last[position].float()
    found = own.expand(len(cells), -1).clone()
    for members, rows in continued(base, cells, position, way=way):
        found[members] = rows
    return found


def continued(
    base: Base, cells: Sequence[Cell], position: int, *, way: Way | None = None
) -> Iterator[tuple[list[int], Float[Tensor, "some d"]]]:
    """The same as it comes: the indices of some cells, and their last rows. Whoever stops in the middle keeps what came."""
    own = base.last[position].float()
    behind = [i for i, cell in enumerate(cells) if cell.first > position]
    if behind:
        yield behind, own.expand(len(behind), -1)
    reached = [i for i, cell in enumerate(cells) if cell.first <= position]
    if not reached:
        return
    with plain_mode():
        way = way or way_of(base.backend)
        groups = list(_grouped(base, cells, reached, position, way))
    for first, members in groups:
        with plain_mode():
            rows = run_pass(base, [cells[i] for i in members], first, position, way)
            # differences within one pass are exact where nothing was changed, whatever a batch of another size is rounded to
            rows = rows.to(own)
            changed = own + (rows[1:] - rows[0])
        yield members, changed


def way_of(backend: Backend) -> Way:
    """The cheapest way that is right for a model as it is now."""
    return backend.remembered("continuations", lambda: _try(backend))


def _grouped(
    base: Base, cells: Sequence[Cell], reached: Sequence[int], position: int, way: Way
) -> Iterator[tuple[int, list[int]]]:
    """Cells that are run together, with the first position that their pass runs."""
    if way.alone:
        yield from ((0, [i]) for i in reached)
        return
    firsts = sorted({cells[i].first for i in reached})
    cached = way.cached and firsts[-1] > 0 and base.past is not None
    for begin, these in _begun(firsts, cells, reached, position) if cached else [(0, list(reached))]:
        # those that enter late cost little: they are spread over the passes
        these.sort(key=lambda i: cells[i].row)
        passes = -(-len(these) * (position + 1 - begin) // TOKENS)
        for k in range(passes):
            yield begin, these[k::passes]


def _begun(
    firsts: Sequence[int], cells: Sequence[Cell], reached: Sequence[int], position: int
) -> Iterator[tuple[int, list[int]]]:
    """Groups of cells that go on from one position: fewer tokens are run the later a group begins, but each pass reads all
    weights."""
    ahead = list(firsts)
    while ahead:
        these = [first for first in ahead if first < ahead[0] + TOGETHER]
        yield these[0], [i for i in reached if cells[i].first in these]
        ahead = ahead[len(these) :]


def run_pass(
    base: Base, cells: Sequence[Cell], first: int, position: int, way: Way
) -> Float[Tensor, "cells_and_one d"]:
    """One pass, from the position `first`: the last row at `position`, of the run and then of each cell."""
    backend, tokens = base.backend, base.tokens[first : position + 1]
    order = sorted(range(len(cells)), key=lambda i: cells[i].row)
    batch = {i: place for place, i in enumerate(order, 1)}
    entering = _entering(cells, order)
    writes: dict[Site, list[tuple[int, Written]]] = {}
    for i in order:
        for write in cells[i].writes:
            writes.setdefault(write.place.site, []).append((batch[i], write))
    steps: list[dict[Site, Change]] = []
    if way.grows:
        steps.append({backend.rows[row]: partial(_grown, by=count) for row, count in entering.items()})
    steps.append(changes(base.edits, first))
    steps.append({site: _writing(these, first) for site, these in writes.items()})
    last = backend.rows[-1]
    size = 1 if way.grows else len(cells) + 1
    done = backend.forward(
        tokens.expand(size, -1),
        keep={last: lambda row: row[:, -1].clone()},
        change=chained(*steps),
        stop=last,
        hooks=base.hooks,
        past=base.past.upto(first) if first and base.past else None,
    )
    found = done.kept[last]
    return found[[0, *(batch[i] for i in range(len(cells)))]]


def _entering(cells: Sequence[Cell], order: Sequence[int]) -> dict[int, int]:
    """How many cells enter at each row."""
    found: dict[int, int] = {}
    for i in order:
        found[cells[i].row] = found.get(cells[i].row, 0) + 1
    return found


def _grown(rows: Tensor, by: int) -> Tensor:
    """A batch with copies of its first, the run itself, at its end."""
    return torch.cat([rows, rows[:1].expand(by, *rows.shape[1:])])


def _writing(these: Sequence[tuple[int, Written]], first: int) -> Change:
    """Puts what cells write at one site into their prompts of the batch, all that lie alike at once."""
    alike: dict[tuple[int, int | None, bool], list[tuple[int, Written]]] = {}
    for place, write in these:
        alike.setdefault((write.place.begin, write.place.end, write.adds), []).append((place, write))
    ready = [
        (
            torch.cat([torch.full((len(write.positions),), place) for place, write in some]),
            torch.cat([write.positions for _, write in some]) - first,
            torch.cat([write.values for _, write in some]),
            some[0][1].place.columns,
            some[0][1].adds,
        )
        for some in alike.values()
    ]

    def change(value: Tensor) -> Tensor:
        flat = value.flatten(2).clone()
        for prompts, positions, values, columns, adds in ready:
            at = prompts.to(flat.device), positions.to(flat.device), columns
            flat[at] = flat[at] + values.to(flat) if adds else values.to(flat)
        return flat.view(value.shape)

    return change


def _try(backend: Backend) -> Way:
    """Try each way on a short prompt, against a plain pass for each cell."""
    vocabulary = backend.unembedding()[0].shape[1]
    tokens = backend.sample(vocabulary, backend.facts.context)[:6]
    base, rows = _run(backend, tokens)
    _, others = _run(backend, (tokens + 1) % vocabulary)
    count, end = len(tokens), len(rows) - 1
    cells = [
        Cell((Written(row_place(backend, row), torch.tensor([p]), others[row, p : p + 1]),))
        for row, p in dict.fromkeys(
            [(0, count // 2), (end // 2, count // 2), (end // 2, count - 1), (end - 1, count - 1)]
        )
    ]
    plain = last_rows(base, cells, count - 1, way=WAYS[-1])
    size = float(plain.float().abs().amax())
    close = ROUNDING.get(rows.dtype, 1e-4) * size
    for way in WAYS[:-1]:
        try:
            ours = last_rows(base, cells, count - 1, way=way)
        except Exception:  # whatever the model has against it: there is another way
            continue
        if float((ours.float() - plain.float()).abs().max()) <= close:
            return way
    return WAYS[-1]


def _run(backend: Backend, tokens: Int[Tensor, "positions"]) -> tuple[Base, Float[Tensor, "rows positions d"]]:
    kept = backend.forward(
        tokens.unsqueeze(0),
        keep={site: lambda x: x.detach().clone() for site in backend.rows},
        stop=backend.rows[-1],
        hooks=NONE,
    ).kept
    rows = torch.stack([kept[site][0].to(kept[backend.rows[0]].device) for site in backend.rows])
    return Base(backend, tokens, rows[-1]), rows
