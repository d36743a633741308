"""Direct logit attribution: a logit, or a difference of two, as a sum of what the parts of the model wrote.

The final norm's scale is held at what it was, so that the rest of the way to a logit is linear, and every row is a
dot product. Source: Elhage et al., "A mathematical framework for transformer circuits", 2021; for logit differences,
Wang et al., "Interpretability in the wild", 2022, arXiv 2211.00593.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lenswidget.attribution.attribution import Attribution, beside
from lenswidget.attribution.mean_attribution import mean_attribution
from lenswidget.attribution.rows_of_a_logit import attribution, sites_of
from lenswidget.attribution.under_edits import Attributed
from lenswidget.grids.grid import Grid
from lenswidget.model.backends import backend_of
from lenswidget.model.cached_run import as_run, residual_hooks
from lenswidget.model.find_components import components_of
from lenswidget.model.made_by import call, run_call, token_call, unless
from lenswidget.model.positions import Positions
from lenswidget.model.recalled_run import Experiment, RecalledRun
from lenswidget.model.run import Run
from lenswidget.model.surroundings import own_arithmetic
from lenswidget.model.targets import TargetLike

UNITS = ("component", "head", "neuron", "source", "block", "kind")
TOP = {"neuron": 50, "source": 40}
"""Rows that a reader can take in, of units that have hundreds."""
Under = tuple[Run, Sequence[Experiment]]
"""The run without some edits, and these."""


@own_arithmetic()
def attribute(
    run_or_cache: Any,
    target: TargetLike | list[TargetLike],
    against: TargetLike | list[TargetLike] | None = None,
    *,
    unit: str = "component",
    position: Positions = -1,
    top: int | None = None,
    by_layer: bool = False,
) -> Grid:
    """Who voted for a token: its logit as a sum of rows, on the model's own weights.

    `target` is a text or a token id; a tuple or set of them is read as one token is, by its log-sum-exp. With `against`
    the rows sum to the logit difference, target minus against. The rows are, by `unit`:

    - `"component"`: the embedding, learned positions, each block's attention and MLP (`L5.attn`, `L5.mlp`), biases
    - `"head"`: each attention head (`L5H3`) in place of attention, and the bias of its output
    - `"neuron"`: each neuron (`L5N1024`) in place of an MLP. The strongest 50, unless `top` says otherwise
    - `"source"`: each head, split over the tokens that it reads: a column a token. What doesn't move stands in its own.
      The strongest 40 rows, unless `top` says otherwise
    - `"block"`, `"kind"`: components summed over each block; over all blocks

    `position` is one position, a slice or a list of them, or None for all: a column each. `top` keeps the rows that
    matter most and sums the others into one. `by_layer` lays parts out as columns, a row a block: with heads, the
    layer × head heatmap. Several runs, `lw.runs(model, prompts)`, give the mean over prompts and its spread; then
    `target` and `against` may be lists, one a prompt.

    What a soft-cap takes, what a set's log-sum-exp adds to its mean logit, and every bias after the blocks are rows of
    their own. The Grid's `check` says how far the sum is from the logit.

    Raises ValueError for a target of several tokens, for one that is compared with itself, for a position that isn't
    there, for a unit that this model doesn't have, and for a cache without the hooks that it takes, naming them.
    """
    if unit not in UNITS:
        raise ValueError(f"unit is one of {', '.join(map(repr, UNITS))}; got {unit!r}.")
    if top is not None and top < 1:
        raise ValueError(f"top is how many rows to keep, at least 1; got {top}.")
    if isinstance(run_or_cache, (list, tuple)):
        whole = mean_attribution([as_run(one) for one in run_or_cache], target, against, unit, position)
        return _shown(whole, unit, top, by_layer)
    asked = {"target": target, "against": against, "unit": unit, "position": position}
    return _of_run(as_run(run_or_cache), asked, top, by_layer)


def _of_run(
    run: Run, asked: dict[str, Any], top: int | None, by_layer: bool = False, under: Under | None = None
) -> Grid:
    """The Grid of what was asked of a run, with the call that makes it; beside it the same of the run before some edits."""
    whole = attribution(run, **asked)
    if under is not None:
        before, experiments = under
        whole = beside(whole, attribution(before, **asked), experiments)
    made = _shown(whole, asked["unit"], top, by_layer)
    again = call(
        "lw.attribute",
        run_call(run),
        *(token_call(run, one) for one in whole.targets),
        unit=unless(asked["unit"], "component"),
        position=unless(asked["position"], -1),
        top=unless(top, None),
        by_layer=unless(by_layer, False),
    )
    known = RecalledRun.of(run) if made.view == "bars" else None
    explain = made.explain
    if known is not None and explain is not None:
        explain = Attributed(known, explain, lambda under, *before: _of_run(under, asked, top, under=before))
    return replace(made, provenance={**made.provenance, "call": again}, explain=explain)


def _shown(whole: Attribution, unit: str, top: int | None, by_layer: bool) -> Grid:
    if by_layer:
        if top is not None:
            raise ValueError(
                "by_layer shows every part of every block, so top can't choose among them; give one of both."
            )
        return whole.by_layer()
    return whole.grid(TOP.get(unit) if top is None else top)


def hooks(model: object, unit: str = "source") -> list[str]:
    """The hooks that a cache must hold to be attributed by a unit: a `names_filter` for `run_with_cache`.

    They include those that lenses read. By default, what every unit takes.
    """
    backend = backend_of(model)
    sites = sites_of(components_of(backend), unit)
    return [*residual_hooks(model), *dict.fromkeys(backend.name(site) for site in sites)]
