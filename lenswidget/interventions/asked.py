"""Asked: what a sweep over one pair of runs is asked for, read and checked before anything is run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor

from lenswidget.grids.parts import Target
from lenswidget.interventions.layout import Layout, layout_of
from lenswidget.interventions.metrics import metric_of
from lenswidget.interventions.put import Put, answering, put_of
from lenswidget.model.cached_run import as_run
from lenswidget.model.positions import Positions, positions_of
from lenswidget.model.run import Run
from lenswidget.model.targets import target_of, with_against


@dataclass(frozen=True, eq=False)  # tensors have no one answer to ==
class Asked:
    """One pair, what is measured and where, and which cells there are."""

    base: Run
    put: Put
    targets: tuple[Target, ...]
    metric: str
    position: int
    """Where the answer is read."""
    unit: str
    window: int
    layout: Layout

    @property
    def source_last(self) -> Float[Tensor, "d"] | None:
        """The last row of the source where its answer is read."""
        source = self.put.source
        return None if source is None else source.residual[-1, answering(self.put, self.position)]

    def bring(self) -> None:
        """Make sure of what is put and what is there, in one pass of each run: one by one, each site would be a pass."""
        sites = {place.site for spot in self.layout.spots for place in spot.places if place.site.end != "row"}
        at_last = self.layout.positions == (len(self.base.tokens) - 1,)
        for run in (self.base, *self.put.runs):
            run.require_activations().bring(sites, positions_of(len(run.tokens), -1 if at_last else None))


def ask(
    base: Run,
    source: Any,
    target: Any,
    against: Any,
    unit: str,
    at: Positions,
    position: int,
    window: int,
    metric: str | None,
) -> Asked:
    """Raises ValueError for what is not there, as `patch` says."""
    activations = base.require_activations()
    targets = (target_of(base, target),) if against is None else with_against(base, (target_of(base, target),), against)
    metric = metric_of(metric, targets)
    (read_at,) = positions_of(len(base.tokens), position).tolist()
    put = put_of(base, source)
    if put.source is None and metric == "KL":
        raise ValueError(
            "metric='KL' counts from the source's answer, and there is no source here; give a run, or another metric=."
        )
    chosen = positions_of(len(base.tokens), at)
    layout = layout_of(activations.backend, unit, chosen, window=window)
    asked = Asked(base, put, targets, metric, read_at, unit, window, layout)
    if put.source is not None:
        answering(put, read_at)
    return asked


def are_pairs(base: Any) -> bool:
    """Whether several pairs are given."""
    return isinstance(base, (list, tuple))


def pairs_of_runs(base: Any, source: Any) -> list[tuple[Run, Any]]:
    """Each base with its source."""
    if not are_pairs(base):
        return [(as_run(base), source)]
    if not base:
        raise ValueError("There are no runs to patch; give one pair at least, lw.patch([base], [source], …).")
    if not isinstance(source, (list, tuple)):
        return [(as_run(one), source) for one in base]
    if len(source) != len(base):
        raise ValueError(f"{len(base)} bases and {len(source)} sources were given; pairs are lists of one length.")
    return list(zip(map(as_run, base), source))


def one_each(target: Any, many: bool, count: int) -> list[Any]:
    """One target a pair: a list of them as it is, anything else for all."""
    if not (many and isinstance(target, list)):
        return [target] * count
    if len(target) != count:
        raise ValueError(f"{len(target)} targets were given for {count} pairs; give one for all, or a list of {count}.")
    return target


def require_alike(layouts: Sequence[Layout]) -> None:
    """Raises ValueError where several pairs don't have the same cells."""
    first, *more = layouts
    if any(one.rows != first.rows or one.shape != first.shape for one in more):
        counts = ", ".join(str(one.shape[1]) for one in layouts)
        raise ValueError(
            f"Pairs are averaged column by column, and these have {counts} columns; use prompts of one shape, or patch at one "
            "position, at=-1."
        )
