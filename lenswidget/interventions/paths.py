"""Paths: from a part of a model that sends, along the residual stream, to the input of a later part that receives.

What is between them stays as it is in the base, so a sender's change arrives as it was written, but for what blocks carry on of
the stream. The receiver computes its own value anew from it; that alone is put into the base, which runs on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.interventions.continuations import TOKENS, Base, Cell, last_rows, way_of
from lenswidget.interventions.put import Put
from lenswidget.interventions.senders import Sender, bring, written_by
from lenswidget.model.backend import Backend, Change
from lenswidget.model.components import Part
from lenswidget.model.edits import Written, chained, changes
from lenswidget.model.find_components import components_of
from lenswidget.model.places import Place, place_of
from lenswidget.model.run import Run
from lenswidget.model.site import Site

LOGITS = "logits"
"""The receiver that is no part: the answer itself."""


@dataclass(frozen=True)
class Receiver:
    """What receives: a part of a block, some of the numbers that enter what writes it, or the answer."""

    label: str
    layer: int
    """That of its block; the number of blocks for the answer."""
    place: Place | None = None
    part: Part | None = None


def receiver_of(backend: Backend, to: str) -> Receiver:
    """The receiver of a label: a head, what a block's attention or MLP adds, or `"logits"`.

    Raises ValueError for anything else, and for a block below it that can't be taken apart: what it hands on isn't known.
    """
    blocks = components_of(backend).blocks
    if to == LOGITS:
        receiver = Receiver(to, len(blocks))
    else:
        place = place_of(backend, to)
        if place.site.end == "row":
            raise ValueError(
                f"A row of the stream, {place.label!r}, receives what everything below it wrote; a path leads to a head, as "
                "'L1H0', to attention or an MLP, as 'L1.mlp', or to 'logits'."
            )
        part = next(part for part in blocks[place.row].parts if place.site in (part.site, *part.sites))
        receiver = Receiver(place.label, place.row, place, part)
    whole = [f"L{block.layer}" for block in blocks[: receiver.layer + 1] if not block.parts]
    if whole:
        raise ValueError(
            f"{whole[0]} of {backend.facts.name} can't be taken apart, so what it hands on along the stream isn't known, and no "
            f"path leads through it to {to!r}; patch its rows, lw.patch(base, source, target)."
        )
    return receiver


def received(
    base: Run, put: Put, receiver: Receiver, senders: Sequence[Sender], position: int
) -> Iterator[tuple[list[int], Float[Tensor, "some d"]]]:
    """The last row at a position when each sender's change goes to the receiver alone, a few senders at a time.

    Senders above the receiver, and heads beside it, can't reach it: theirs is the base's own row, and they aren't run.
    """
    activations = base.require_activations()
    own = Base(activations.backend, base.tokens, base.residual[-1], activations.hooks, activations.edits)
    # before the first difference nothing is sent
    positions = torch.arange(min(put.first, position), position + 1)
    reached = [i for i, sender in enumerate(senders) if _before(sender, receiver)]
    beyond = [i for i, sender in enumerate(senders) if not _before(sender, receiver)]
    stays = base.residual[-1, position].float()
    if beyond:
        yield beyond, stays.expand(len(beyond), -1)
    bring(base, put, [senders[i] for i in reached])
    ready = zip(reached, written_by(base, put, [senders[i] for i in reached], receiver.layer, positions))
    while some := list(islice(ready, max(1, TOKENS // len(positions)))):
        # blocks that write on several devices meet here
        members, deltas = [i for i, _ in some], [delta.to(stays.device) for _, delta in some]
        if receiver.place is None:
            yield members, stays + torch.stack([delta[-1] for delta in deltas]).to(stays)
            continue
        cells: dict[int, Cell] = {}
        for k, answer in enumerate(_answers(base, own, receiver, [senders[i] for i in members], deltas, positions)):
            where = answer.any(-1).nonzero().flatten().cpu()
            if len(where):
                cells[k] = Cell((Written(receiver.place, positions[where], answer[where], adds=True),))
        rows = stays.expand(len(members), -1).clone()
        if cells:
            rows[list(cells)] = last_rows(own, list(cells.values()), position)
        yield members, rows


def _before(sender: Sender, receiver: Receiver) -> bool:
    return sender.layer < receiver.layer or (sender.layer == receiver.layer and sender.part != receiver.part)


def _answers(
    base: Run,
    own: Base,
    receiver: Receiver,
    senders: Sequence[Sender],
    deltas: Sequence[Float[Tensor, "p d"]],
    positions: Int[Tensor, "p"],
) -> Float[Tensor, "senders p n"]:
    """How the receiver's value changes for each sender: its block runs on the changed stream, its other parts frozen."""
    backend, place = own.backend, receiver.place
    assert place is not None
    nothing = torch.zeros_like(deltas[0])
    stream = torch.stack([nothing, *(d if s.layer < receiver.layer else nothing for s, d in zip(senders, deltas))])
    held: dict[Site, Float[Tensor, "batch p d"]] = {}
    for part in components_of(backend).blocks[receiver.layer].parts:
        if part != receiver.part and part.site.end != "in":
            # what a sender of the same block adds comes through the part that it is in
            beside = torch.stack([nothing, *(d if s.part == part else nothing for s, d in zip(senders, deltas))])
            there = base.require_activations().at([part.site], positions)[part.site]
            held[part.site] = there.to(beside) + beside / part.scale
    way = way_of(backend)
    # on the base's keys and values, where they are as good as a pass from the first token
    past = own.past if way.cached and int(positions[0]) else None
    begin = int(positions[0]) if past else 0
    where = positions - begin

    def run(some: slice) -> Float[Tensor, "some p n"]:
        count = len(stream[some])

        def enter(rows: Tensor) -> Tensor:
            # a batch that grows is still the base alone
            rows = rows[:1].repeat(count, 1, 1)
            rows[:, where] += stream[some].to(rows)
            return rows

        def put(values: Float[Tensor, "batch p d"]) -> Change:
            return lambda there: there.clone().index_copy_(1, where.to(there.device), values.to(there))

        done = backend.forward(
            base.tokens[begin : int(positions[-1]) + 1].expand(1 if way.grows else count, -1),
            keep={place.site: lambda x: x.flatten(2)[:, where, place.columns].clone()},
            change=chained(
                changes(own.edits, begin),
                {backend.rows[receiver.layer]: enter, **{site: put(values[some]) for site, values in held.items()}},
            ),
            stop=place.site,
            hooks=own.hooks,
            past=past.upto(begin) if past else None,
        )
        return done.kept[place.site]

    each = [slice(i, i + 1) for i in range(len(stream))] if way.alone else [slice(None)]
    found = torch.cat([run(some) for some in each])
    return found[1:] - found[:1]
