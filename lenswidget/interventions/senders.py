"""Senders: what a path begins at, and what its change is on the stream where a later block is entered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from lenswidget.interventions.put import Put
from lenswidget.model.backend import Backend
from lenswidget.model.components import Block, Part
from lenswidget.model.edits import Written, values_at
from lenswidget.model.final_norm import FinalNorm
from lenswidget.model.find_components import components_of
from lenswidget.model.places import Place, row_place
from lenswidget.model.run import Run
from lenswidget.model.site import Site


@dataclass(frozen=True)
class Sender:
    """What sends: the embedding, a part of a block, or one head of its attention."""

    layer: int
    """-1 for the embedding."""
    part: Part | None = None
    head: int | None = None

    @property
    def row(self) -> str:
        return "embed" if self.part is None else f"L{self.layer}"

    @property
    def column(self) -> str:
        return "other" if self.part is None else self.part.name if self.head is None else f"H{self.head}"

    @property
    def label(self) -> str:
        return self.row if self.part is None else f"{self.row}{'' if self.head is not None else '.'}{self.column}"


def senders_of(backend: Backend, unit: str) -> list[Sender]:
    """Every sender of a model, from the embedding up: each head and MLP, or with unit `"component"` attention as one."""
    found = [Sender(-1)]
    for block in components_of(backend).blocks:
        for part in block.parts:
            if part.site.end == "in":
                continue  # what a block carries on of its input is on the way, and no sender
            if unit == "head" and part.heads and part.projection:
                found += [Sender(block.layer, part, head) for head in range(part.heads)]
            else:
                found.append(Sender(block.layer, part))
    return found


def bring(base: Run, put: Put, senders: Sequence[Sender]) -> None:
    """Activations that are read, in one pass of each run."""
    sites: dict[Site, None] = {}
    for sender in senders:
        if sender.part is not None:
            sites |= dict.fromkeys([sender.part.site] if sender.head is None else sender.part.sites)
    for run in (base, *put.runs):
        run.require_activations().bring(sites, torch.arange(len(run.tokens)))


def written_by(
    base: Run, put: Put, senders: Sequence[Sender], layer: int, positions: Int[Tensor, "p"]
) -> Iterator[Float[Tensor, "p d"]]:
    """What each sender's change is on the stream that enters a block, at some positions; in its own block, what it adds there."""
    backend = base.require_activations().backend
    carried = _carried(components_of(backend).blocks, layer)
    heads: _Heads | None = None
    for sender in senders:
        part, scale = sender.part, carried[sender.layer]
        if part is None:
            sent = scale * _change(base, put, row_place(backend, 0), positions)
        elif sender.head is None:
            whole = Place(sender.label, part.site, sender.layer, scale=part.scale)
            sent = scale * part.scale * _change(base, put, whole, positions)
        else:
            if heads is None or heads.part is not part:
                heads = _heads(base, put, part, sender.layer, positions)
            sent = scale * part.scale * heads.added(sender.head)
        sent[_overwritten(base.edits, sender, layer, positions)] = 0.0
        yield sent


def _overwritten(
    edits: Sequence[Written], sender: Sender, layer: int, positions: Int[Tensor, "p"]
) -> Bool[Tensor, "p"]:
    """Where an edit of the base sets what a change would go through on its way: there it ends."""
    found = torch.zeros(len(positions), dtype=torch.bool)
    for edit in edits:
        on_the_way = edit.place.site.end == "row" and sender.layer < edit.place.row <= layer
        if sender.part is not None and sender.head is not None:
            on_the_way |= edit.place.site == sender.part.site
        if on_the_way and not edit.adds:
            found |= torch.isin(positions, edit.positions)
    return found


@dataclass(frozen=True, eq=False)  # tensors have no one answer to ==
class _Heads:
    """An attention whose heads change: how what enters `W_O` changes, and how that is written."""

    part: Part
    change: Float[Tensor, "p n"]
    W: Float[Tensor, "n d"]
    norm: FinalNorm | None
    entered: Float[Tensor, "p d"] | None
    """What enters the norm, where one follows."""

    def added(self, head: int) -> Float[Tensor, "p d"]:
        """What one head's change adds: through `W_O`, and through the norm with all other heads as they are."""
        width = self.change.shape[1] // self.part.heads
        some = slice(head * width, (head + 1) * width)
        written = self.change[:, some] @ self.W[some].to(self.change)
        if self.norm is None or self.entered is None:
            return written
        return self.norm(self.entered + written) - self.norm(self.entered)


def _heads(base: Run, put: Put, part: Part, layer: int, positions: Int[Tensor, "p"]) -> _Heads:
    activations = base.require_activations()
    backend = activations.backend
    assert part.projection is not None
    change = _change(base, put, Place(part.name, part.projection.site, layer), positions)
    norm = entered = None
    if part.norm is not None:
        norm = part.norm.read(backend, change.device)
        entered = activations.at([part.norm.site], positions)[part.norm.site].to(change)
    return _Heads(part, change, part.projection.W(backend), norm, entered)


def _change(base: Run, put: Put, place: Place, positions: Int[Tensor, "p"]) -> Float[Tensor, "p n"]:
    """What a place would change by, 0 at positions that have no counterpart."""
    here = values_at(base, place, positions).float()
    found = torch.zeros_like(here)
    some = [i for i, p in enumerate(positions.tolist()) if not put.runs or p in put.columns]
    if some:
        found[some] = put.values(place, positions[some].tolist(), here.shape[1]).to(here) - here[some]
    return found


def _carried(blocks: Sequence[Block], layer: int) -> dict[int, float]:
    """By the block of a sender, what is left of its change where a block is entered: some blocks carry a multiple of the stream
    on."""
    found, factor = {layer: 1.0, layer - 1: 1.0}, 1.0
    for block in reversed(blocks[:layer]):
        factor *= 1.0 + sum(part.scale for part in block.parts if part.site.end == "in")
        found[block.layer - 1] = factor
    return found
