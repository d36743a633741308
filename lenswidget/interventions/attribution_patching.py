"""Attribution patching: what patching would do, estimated for every site at once from one gradient.

The effect of setting an activation to its value in the source is, to first order, `(a_source − a_base)ᵀ ∂M/∂a` at the base.
Sources: Nanda 2023, "Attribution patching: activation patching at industrial scale"; Kramár et al. 2024, arXiv 2403.00745.

It is good where the way from a site to the answer is nearly straight, and bad where something after it saturates: a softmax
that already looks elsewhere, a norm that a whole row changes. So an estimate is never shown but beside exact values.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.attribution.direction import along
from lenswidget.grids.parts import Target
from lenswidget.interventions.layout import Layout
from lenswidget.interventions.put import Put
from lenswidget.model.columns import BITS
from lenswidget.model.edits import changes
from lenswidget.model.find_components import components_of
from lenswidget.model.gradients import Number, gradients
from lenswidget.model.places import Place, has_neurons
from lenswidget.model.readout import Readout
from lenswidget.model.run import Run
from lenswidget.model.site import Site
from lenswidget.model.surroundings import own_arithmetic

There = Callable[[Site, Float[Tensor, "positions n"]], Float[Tensor, "positions n"]]
"""What would be put at a site in the place of what is there, at every position; NaN where nothing would be."""


@own_arithmetic()
def estimates(
    base: Run,
    sites: Collection[Site],
    there: There,
    number: Number,
) -> dict[Site, Float[Tensor, "positions n"]]:
    """`(a_put − a_base) ⊙ ∂M/∂a` at each site, in units of the metric `number`.

    What patching a place would do, at first order, is the sum over its numbers and the positions that are patched: a row's over
    all of a row, a head's over its part of what enters `W_O`. It is the base under its edits and hooks, patched after them.
    Raises ValueError for a model through which no gradient flows, and for one that has changed since the run.
    """
    activations = base.require_activations()
    found = gradients(
        activations.backend, base.tokens, sites, number, change=changes(base.edits), hooks=activations.hooks
    )
    activations.require_same(found.last)
    return {
        site: (there(site, value).to(value) - value).float() * found.slopes[site].float()
        for site, value in found.values.items()
    }


def laid_out(base: Run, put: Put, layout: Layout, number: Number) -> Float[Tensor, "rows columns"]:
    """The estimate in each cell of a sweep; NaN where none can be patched."""
    wholes = {place.site: replace(place, begin=0, end=None) for spot in layout.spots for place in spot.places}
    found = estimates(base, list(wholes), lambda site, here: _put_there(put, wholes[site], here), number)
    summed = {site: effect.sum(-1) for site, effect in found.items()}
    cells = torch.full(layout.shape, torch.nan)
    for spot in layout.spots:
        where = list(spot.positions)
        cells[spot.row, spot.column] = sum(
            # most places are all that there is at their site
            float((summed[place.site][where] if place.end is None else found[place.site][where, place.columns]).sum())
            for place in spot.places
        )
    return cells


def neurons_of(base: Run, put: Put, positions: Int[Tensor, "p"], number: Number) -> Mapping[str, Float[Tensor, "n"]]:
    """The estimate for each neuron of each block, patched at some positions together: by the label of its block."""
    backend = base.require_activations().backend
    wholes = {
        part.projection.site: Place(f"L{block.layer}", part.projection.site, block.layer)
        for block in components_of(backend).blocks
        for part in block.parts
        if has_neurons(part) and part.projection is not None
    }
    if not wholes:
        raise ValueError(
            f"{backend.facts.name} has no MLP whose neurons can be told apart; patch its parts, unit='component'."
        )
    for run in (base, *put.runs):
        run.require_activations().bring(wholes, torch.arange(len(run.tokens)))
    found = estimates(base, list(wholes), lambda site, here: _put_there(put, wholes[site], here), number)
    return {wholes[site].label: effect[positions].sum(0) for site, effect in found.items()}


def _put_there(put: Put, place: Place, here: Float[Tensor, "positions n"]) -> Float[Tensor, "positions n"]:
    there = torch.full_like(here, torch.nan)
    some = [p for p in range(len(here)) if not put.runs or p in put.columns]
    if some:
        there[some] = put.values(place, some, here.shape[1]).to(here)
    return there


def number_of(
    readout: Readout,
    targets: Sequence[Target],
    metric: str,
    position: int,
    source: Float[Tensor, "d"] | None = None,
) -> Number:
    """A metric after one position, as something that can be differentiated: what `metrics.measured` reads off a pass.

    `source` is the last row of the source there, from which a KL is counted.
    """

    def from_logits(rows: Float[Tensor, "positions d"]) -> Float[Tensor, ""]:
        normed = readout.norm(rows[[position]].to(readout.W_U.device, torch.float32))
        return along(readout, targets if metric == "logit difference" else targets[:1], normed).logit[0]

    def of_all(log_p: Float[Tensor, "vocabulary"]) -> Float[Tensor, ""]:
        if metric == "KL":
            assert source is not None
            return (_probabilities(readout, source) * log_p).sum() * BITS
        told = log_p[list(targets[0].ids)].logsumexp(-1)
        return told.exp() if metric == "probability" else told * BITS

    def from_probabilities(rows: Float[Tensor, "positions d"]) -> Float[Tensor, ""]:
        row = rows[position].to(readout.W_U.device, torch.float32)
        # it is the gradient that is asked for: at this row it is that of a dot product
        return readout.norm(row) @ readout.direction_of(row, of_all)

    return from_logits if metric in ("logit", "logit difference") else from_probabilities


def _probabilities(readout: Readout, row: Float[Tensor, "d"]) -> Float[Tensor, "vocabulary"]:
    return readout.logits(row.unsqueeze(0))[0].softmax(-1)
