"""Direct logit attribution: a logit, or a difference of two, as a sum of what the parts of the model wrote.

The final norm's scale is held at what it was, so that the rest of the way to a logit is linear, and every row is a
dot product. Source: Elhage et al., "A mathematical framework for transformer circuits", 2021; for logit differences,
Wang et al., "Interpretability in the wild", 2022, arXiv 2211.00593.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.attribution.direction import Direction, along
from lenswidget.attribution.formulas import (
    ROUNDED,
    Contributions,
    component,
    edited,
    heads,
    neurons,
    rounded_away,
    sources,
)
from lenswidget.attribution.under_edits import Attributed, said
from lenswidget.attribution.vocabulary_space import promotes
from lenswidget.grids.grid import Grid
from lenswidget.grids.marks import visible
from lenswidget.grids.parts import BEFORE, NO_TOKEN, Check, Quantity, Target
from lenswidget.model.backend import Backend
from lenswidget.model.backends import backend_of
from lenswidget.model.cached_run import as_run, residual_hooks
from lenswidget.model.components import Components, Part, components_of
from lenswidget.model.linear import is_packed
from lenswidget.model.made_by import call, made_by, run_call, token_call, unless
from lenswidget.model.positions import Positions, positions_of
from lenswidget.model.readout import ROUNDING, Readout
from lenswidget.model.recalled_run import Experiment, RecalledRun
from lenswidget.model.run import Run
from lenswidget.model.site import Site
from lenswidget.model.surroundings import double, own_arithmetic
from lenswidget.model.targets import TargetLike, named, seen, target_of, with_against

UNITS = ("component", "head", "neuron", "source", "block", "kind")
TOP = {"neuron": 50, "source": 40}
"""Rows that a reader can take in, of units that have hundreds."""
PREDICTED = "predicted change"
"""What a row was in the run without the edit, and how that would change it; the front-end knows them by these names."""
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
        whole = _mean([as_run(one) for one in run_or_cache], target, against, unit, position)
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
    sites = _sites(components_of(backend), unit)
    return [*residual_hooks(model), *dict.fromkeys(backend.name(site) for site in sites)]


def _sites(components: Components, unit: str) -> Iterable[Site]:
    if unit == "block":
        return
    for part in components.parts:
        yield from part.sites if unit in ("head", "neuron", "source") else (part.site,)
        if unit == "source" and part.sources is not None:
            yield from part.sources.sites


@dataclass(frozen=True, eq=False)  # tensors have no one answer to ==
class Attribution:
    """Contributions that sum to a logit in each cell, before they are chosen from and drawn."""

    run: Run
    targets: tuple[Target, ...]
    rows: list[Contributions]
    columns: Int[np.ndarray, "columns"]
    positions: Int[np.ndarray, "columns"]
    check: Check
    notes: tuple[str, ...]
    spread: Float[Tensor, "n columns"] | None = None
    column_labels: tuple[str, ...] | None = None
    across: bool = False
    """Whether it is all cells that sum to the logit, not those of each column."""
    before: Float[Tensor, "n columns"] | None = None
    """What the rows were in the run without an edit."""
    predicted: Float[Tensor, "n columns"] | None = None
    """How an edit would change the rows if none reacted to it, where that is known."""

    def grid(self, top: int | None) -> Grid:
        """The rows in the model's order; beyond the `top`, all others as one."""
        values = torch.cat([r.values for r in self.rows])
        begins = np.cumsum([0, *(len(r.values) for r in self.rows)])
        spread = self.spread
        beside = {BEFORE: self.before, PREDICTED: self.predicted}
        if top is not None and top < len(values):
            # a row that is not finite is one to look at
            weight = values.abs().nan_to_num(nan=float("inf")).amax(-1)
            keep = weight.topk(top).indices
            if self.before is not None:
                # what mattered before, and what matters now
                keep = torch.cat(
                    [keep, self.before.abs().nan_to_num(nan=float("inf")).amax(-1).topk(top).indices]
                ).unique()
            keep = keep.sort().values
            rest = torch.ones(len(values), dtype=torch.bool).index_fill_(0, keep.cpu(), False).to(values.device)
            others = values[rest].sum(0, keepdim=True)
            # of a hundred thousand neurons, fifty have a name
            of = np.searchsorted(begins, keep.cpu().numpy(), side="right") - 1
            labels = [self.rows[r].label(i - int(begins[r])) for r, i in zip(of, keep.tolist())]
            labels.append(f"{int(rest.sum()):,} smaller")
            values = torch.cat([values[keep], others])
            for name, known in beside.items():
                beside[name] = known if known is None else torch.cat([known[keep], known[rest].sum(0, keepdim=True)])
            if spread is not None:
                # spreads don't add: how the sum of the others varies is not known from theirs
                spread = torch.cat([spread[keep], torch.full_like(spread[:1], torch.nan)])
        else:
            labels = [r.label(i) for r in self.rows for i in range(len(r.values))]
        quantities = [_quantity("contribution", values)]
        quantities += [_quantity(name, known) for name, known in beside.items() if known is not None]
        if spread is not None:
            quantities.append(_spread(spread))
        elif not self.across:
            quantities.append(_quantity("running total", values.cumsum(0)))
        return self._grid(tuple(labels), quantities, view="bars" if len(self.columns) == 1 else "heatmap")

    def by_layer(self) -> Grid:
        """A row a block, a column a part of it; rows outside the blocks stand in a column of their own."""
        if len(self.columns) != 1:
            raise ValueError(
                f"by_layer takes the columns for the parts of a block, so it shows one position; got {len(self.columns)}."
            )
        cells: list[tuple[str, str]] = []
        for rows in self.rows:
            for i in range(len(rows.values)):
                outside = rows.layer is None
                cells.append((rows.name, "other") if outside else (f"L{rows.layer}", rows.part(i) or "block"))
        labels = tuple(dict.fromkeys(row for row, _ in cells))
        parts = sorted(dict.fromkeys(part for _, part in cells), key=part_order)
        row_of, column_of = ({name: i for i, name in enumerate(names)} for names in (labels, parts))
        places = torch.tensor([row_of[row] for row, _ in cells]), torch.tensor([column_of[part] for _, part in cells])

        def laid_out(values: Float[Tensor, "n 1"]) -> Float[Tensor, "rows parts"]:
            laid = values.new_full((len(labels), len(parts)), torch.nan)
            laid[places] = values[:, 0]
            return laid

        quantities = [_quantity("contribution", laid_out(torch.cat([r.values for r in self.rows])))]
        if self.spread is not None:
            quantities.append(_spread(laid_out(self.spread)))
        return self._grid(
            labels,
            quantities,
            columns=np.full(len(parts), NO_TOKEN, dtype=np.int32),
            positions=np.arange(len(parts), dtype=np.int32),
            column_labels=tuple(parts),
            check=replace(self.check, claim=self.check.claim.replace("rows", "cells")),
        )

    def _grid(self, rows: tuple[str, ...], quantities: list[Quantity], **changes: Any) -> Grid:
        run = self.run
        columns = changes.pop("columns", self.columns)
        within = changes.get("column_labels", ("",) * len(columns))  # the columns of `by_layer` are parts of its rows

        # what a Grid carries keeps no run and no model alive
        model, name = run.activations and weakref.ref(run.activations.backend.model), run.model

        def promoted(column: int, token: int, row: int) -> Grid:
            if token != NO_TOKEN:
                raise ValueError("Parts of a logit have no trajectories; ask a lens what moved a token.")
            living = model and model()
            if living is None:
                raise ValueError(f"{name} was deleted, and what a part promotes is read from its weights.")
            return promotes(living, rows[row] + within[column])

        ids = sorted({int(i) for i in columns if i != NO_TOKEN} | {i for t in self.targets for i in t.ids})
        facts: dict[str, Any] = {
            "positions": self.positions,
            "column_labels": self.column_labels,
            "notes": self.notes,
            "check": self.check,
        } | changes
        return Grid(
            title=run.prompt,
            kind="Direct logit attribution",
            rows=rows,
            columns=columns,
            quantities={q.name: q for q in quantities},
            texts=run.texts.of(ids),
            special=tuple(i for i in ids if i in run.texts.special),
            targets=self.targets,
            model=run.model,
            explain=promoted,
            provenance={"target": named(self.targets), **made_by(run)},
            **facts,
        )


@own_arithmetic()
@torch.no_grad()
def attribution(run: Run, target: Any, against: Any, unit: str, position: Positions) -> Attribution:
    """Every row of an attribution."""
    targets = target_and_against(run, target, against)
    positions = positions_of(len(run.tokens), position)
    if unit == "source" and len(positions) > 1:
        raise ValueError(
            f"unit='source' takes the columns for the tokens that are read, so it shows one position; got {len(positions)}."
        )
    if unit != "block":  # all but rows of the stream are asked of the model
        run.require_activations()
    norm = run.readout.norm
    last = run.row(-1, positions)
    way = along(run.readout, targets, norm(last))
    rows, notes = _written(run, unit, positions, norm.frozen(way.U))
    scale = norm.scale(last).squeeze(-1)
    rows = [replace(r, values=r.values / scale) for r in rows] + _after_the_blocks(run.readout, way, targets)
    if unit == "source":
        rows = [_in_column(r, int(positions), len(run.tokens)) for r in rows]
    what = "logit" if len(targets) == 1 else "logit difference"
    error, tolerance = _off(run, rows, way.logit)
    if error > tolerance:
        run.require_unchanged()
    columns = torch.arange(len(run.tokens)) if unit == "source" else positions
    return Attribution(
        run,
        targets,
        rows,
        _ints(run.tokens[columns]),
        _ints(columns),
        Check(error, tolerance, f"{'cells' if unit == 'source' else 'rows'} sum to the {what}"),
        (*_about(run, targets, way, positions), *notes),
        across=unit == "source",
    )


def beside(after: Attribution, before: Attribution, experiments: Sequence[Experiment]) -> Attribution:
    """What was attributed under edits, each row with what it was before: 0 for one that only one of them has."""
    known = {r.label(i): values for r in before.rows for i, values in enumerate(r.values)}
    here = {r.label(i) for r in after.rows for i in range(len(r.values))}
    gone = [replace(r, values=torch.zeros_like(r.values)) for r in before.rows if r.label(0) not in here]
    rows = [*after.rows, *gone]
    now = {r.label(i): values for r in rows for i, values in enumerate(r.values)}
    was = torch.stack([known.get(label, torch.zeros_like(values)) for label, values in now.items()])
    at = after.positions.tolist()
    out = {site for site, position, source, _ in experiments if source is None and [position] == at and site in known}
    labels = list(now)
    # to take a row of the stream out is more than to take out what a block added
    only = len(out) == len({(site, position) for site, position, *_ in experiments}) and not any(map(_is_row, out))
    taken = torch.tensor([label in out for label in labels], device=was.device).unsqueeze(-1)
    predicted = torch.where(taken, -was, 0.0) if only else None
    changes = torch.stack(list(now.values())) - was
    others = {label: float(change.sum()) for label, change in zip(labels, changes) if label not in out}
    sentence = said(float(changes.sum()), None if predicted is None else float(predicted.sum()), others)
    return replace(after, rows=rows, before=was, predicted=predicted, notes=(*after.notes, sentence))


def _is_row(label: str) -> bool:
    return label == "embed" or label[1:].isdigit()


def _written(
    run: Run, unit: str, positions: Int[Tensor, "p"], v: Float[Tensor, "m d"]
) -> tuple[list[Contributions], list[str]]:
    """What everything up to the last block wrote to the stream, along `v`; and what could not be told apart."""

    def added(row: int) -> Float[Tensor, "1 p"]:
        before = run.row(row - 1, positions) if row else 0.0
        return ((run.row(row, positions) - before) * v).sum(-1).unsqueeze(0)

    if unit == "block":
        return [
            Contributions(None, "embed", added(0)),
            *(Contributions(i - 1, "", added(i)) for i in range(1, len(run.residual))),
        ], []
    activations = run.require_activations()
    backend, components = activations.backend, activations.components
    _require(run, components, unit)
    activations.bring(_sites(components, unit), positions)
    rows: list[Contributions] = []
    left: list[str] = []
    lost = v.new_zeros(1, len(positions))

    def edits(layer: int | None, name: str, whole: Tensor, parts: Iterable[Contributions]) -> Iterable[Contributions]:
        # without hooks and edits nothing can have been changed, and parts that don't sum are a failed check
        return edited(layer, name, whole, parts, run.rounding) if activations.changed else ()

    for part in components.embedding:
        rows.append(component(part, None, activations.at([part.site], positions), v))
    if components.embedding:
        rows += edits(None, "embed edit", added(0), list(rows))
    if not components.embedding:
        rows.append(Contributions(None, "embed", added(0)))
    lost += rounded_away(added(0), rows)
    for block in components.blocks:
        before = len(rows)
        if not block.parts:
            rows.append(Contributions(block.layer, "", added(block.layer + 1)))
            left.append(rows[-1].label(0))
        whole: list[Contributions] = []
        for part in block.parts:
            finer = _splits(part, unit)
            acts = activations.at(part.sites if finer else [part.site], positions)
            whole.append(component(part, block.layer, acts, v))
            if not finer:
                rows.append(whole[-1])
                if unit not in ("component", "kind") and (part.name == "attn") == (unit != "neuron"):
                    left.append(rows[-1].label(0))
            elif unit == "source":
                everywhere = activations.whole(part.sources.sites if part.sources else ())
                split = list(sources(backend, part, block.layer, acts, everywhere, int(positions), v))
                rows += [*split, *edits(block.layer, f"{part.name} edit", whole[-1].values, split)]
            else:
                split = list((neurons if unit == "neuron" else heads)(backend, part, block.layer, acts, v))
                rows += [*split, *edits(block.layer, f"{part.name} edit", whole[-1].values, split)]
        if block.parts:
            rows += edits(block.layer, "edit", added(block.layer + 1), whole)
        lost += rounded_away(added(block.layer + 1), rows[before:])
    notes = []
    if run.half:
        rows.append(Contributions(None, ROUNDED, lost))
        notes.append(f"“{ROUNDED}” is what the model itself rounded by writing its sums in {run.half}")
    if any(r.name.endswith("edit") for r in rows):
        notes.append("“edit” is what a hook or an edit changed after the parts had written")
    if components.unknown:
        notes.append(f"no block could be taken apart: {components.unknown}")
    if left:
        notes.append(f"not taken apart, a row each: {_listed(left)}")
    if any(r.name == "attn bias" for r in rows):
        notes.append(_of_biases(backend, components, run))
    return (_by_kind(rows) if unit == "kind" else rows), notes


def _of_biases(backend: Backend, components: Components, run: Run) -> str:
    """Where the biases of attention are: those of the values in the heads, unless they were folded into that of the output."""
    made = [part.sources.made_by for part in components.parts if part.sources is not None]
    known = [b for one in made if one is not None and (b := one.b(backend)) is not None]
    if any(bool(b.any()) for b in known):
        return "the bias of the values is in the heads; that of the output is a row of its own"
    if run.processing:
        return "the bias of the output is a row of its own, with that of the values, which was folded into it"
    return "the bias of the output is a row of its own"


def _splits(part: Part, unit: str) -> bool:
    """Whether a unit takes this part apart."""
    if unit == "head":
        return part.heads > 0
    if unit == "source":
        return part.sources is not None
    return unit == "neuron" and part.projection is not None and part.name.endswith("mlp")


def _require(run: Run, components: Components, unit: str) -> None:
    lacks = {
        "head": "no attention whose heads can be told apart",
        "source": "no attention that is plainly a pattern times values",
        "neuron": "no MLP whose neurons can be told apart; experts are one row each block",
    }
    if unit in lacks and not any(_splits(part, unit) for part in components.parts):
        backend, mlps = run.require_activations().backend, unit == "neuron"
        modules = (
            backend.module(p.site.block, p.site.module) for p in components.parts if p.name.endswith("mlp") == mlps
        )
        if any(module is not None and is_packed(module) for module in modules):
            raise ValueError(
                f"{run.model} has {'MLPs' if mlps else 'attention'} whose weights are in a few bits and round what enters them "
                f"by more than {str(run.residual.dtype).removeprefix('torch.')} does, so that no {unit} has a share of its own. "
                "Load it with dtype=torch.bfloat16, whose own rounding is as large, or without quantising; or ask for "
                "unit='component'."
            )
        raise ValueError(f"{run.model} has {lacks[unit]}; ask for unit='component'.")


def _by_kind(rows: list[Contributions]) -> list[Contributions]:
    kinds: dict[str, list[Contributions]] = {}
    for r in rows:
        kinds.setdefault(r.name or "whole blocks", []).append(r)
    return [Contributions(None, name, torch.stack([r.values for r in some]).sum(0)) for name, some in kinds.items()]


def _after_the_blocks(readout: Readout, way: Direction, targets: tuple[Target, ...]) -> list[Contributions]:
    rows = []
    if readout.norm.bias is not None:
        rows.append(Contributions(None, "final norm bias", (way.U @ readout.norm.bias).expand(1, len(way.logit))))
    if readout.b_U is not None:
        rows.append(Contributions(None, "unembedding bias", way.bias.unsqueeze(0)))
    if readout.cap is not None:
        rows.append(Contributions(None, "soft-cap", way.soft_cap.unsqueeze(0)))
    if any(len(target.ids) > 1 for target in targets):
        rows.append(Contributions(None, "set", way.set_term.unsqueeze(0)))
    return rows


def _in_column(rows: Contributions, column: int, columns: int) -> Contributions:
    """What doesn't move between positions, in the column of its own."""
    if rows.name == "H":
        return rows
    values = rows.values.new_zeros(len(rows.values), columns)
    values[:, column] = rows.values[:, 0]
    return replace(rows, values=values)


def _off(run: Run, rows: list[Contributions], logit: Float[Tensor, "p"]) -> tuple[float, float]:
    """How far the rows are from summing to the logit, and the most that would be rounding: ours, where the model's is a row."""
    summed = torch.stack([double(r.values).sum(0) for r in rows]).sum(0)
    known_logit = logit.to(summed.device)
    error = (summed.sum() - known_logit if len(summed) > len(logit) else summed - known_logit).abs()
    size = max(float(logit.abs().max()), *(float(r.values.abs().max()) for r in rows), 1e-6)
    known = error[error.isfinite()]
    off = float(known.max()) if len(known) else float("nan")
    return judged(run, rows, off, size)


def judged(run: Run, rows: Sequence[Contributions], off: float, size: float) -> tuple[float, float]:
    """By how much rows of this size miss their sum, and the most that is rounding. Where what the model rounded is a row of its
    own, that row may be as large as its precision explains, and what is left over only as large as ours does."""
    lost = max((float(r.values.abs().max()) for r in rows if r.name == ROUNDED), default=None)
    tolerance = run.rounding * max(size, 1e-6)
    if lost is None:
        return off, tolerance
    return (lost, tolerance) if lost > tolerance else (off, ROUNDING[torch.float32] * max(size, 1e-6))


def _mean(runs: list[Run], target: Any, against: Any, unit: str, position: Positions) -> Attribution:
    """The mean over prompts, with the spread of each row."""
    if not runs:
        raise ValueError("There are no runs to take the mean of; pass at least one, as in lw.runs(model, prompts).")
    if not isinstance(position, int):
        raise ValueError(f"Over several prompts, position is one number, counted in each of them; got {position!r}.")
    if unit == "source":
        raise ValueError("Prompts don't share their tokens, so unit='source' has no mean; attribute one run at a time.")
    each = [_each(one, len(runs)) for one in (target, against)]
    single = [attribution(run, t, a, unit, position) for run, t, a in zip(runs, *each)]
    first = single[0]
    shapes = [[(r.layer, r.name, len(r.values)) for r in one.rows] for one in single]
    if any(shape != shapes[0] for shape in shapes):
        raise ValueError(
            "These runs are of different models, whose rows can't be averaged; attribute one model at a time."
        )
    stacked = [torch.stack([one.rows[i].values for one in single]) for i in range(len(first.rows))]
    worst = max((one.check for one in single), key=lambda check: check.error / check.tolerance)
    return replace(
        first,
        run=replace(first.run, prompt=f"{len(runs)} prompts"),
        targets=tuple(dict.fromkeys(target for one in single for target in one.targets)),
        rows=[replace(r, values=values.mean(0)) for r, values in zip(first.rows, stacked)],
        spread=torch.cat([values.std(0, correction=0) for values in stacked]),
        columns=np.array([NO_TOKEN], dtype=np.int32),
        positions=np.array([0], dtype=np.int32),
        column_labels=(f"mean of {len(runs)}",),
        check=worst,
        notes=(
            f"{_of_all(single)}, the mean over {len(runs)} prompts; spread: standard deviation over them",
            *first.notes[1:],
        ),
    )


def _of_all(single: list[Attribution]) -> str:
    """What several prompts are asked for, if they all are asked for the same."""
    same = all(one.targets == single[0].targets for one in single)
    return seen(single[0].targets) if same else "target − against" if len(single[0].targets) > 1 else "target"


def _each(target: Any, count: int) -> list[Any]:
    """One target a prompt: a list of them as it is, anything else for all."""
    if not isinstance(target, list):
        return [target] * count
    if len(target) != count:
        raise ValueError(
            f"{len(target)} targets were given for {count} prompts; give one for all, or a list of {count}."
        )
    return target


def target_and_against(run: Run, target: Any, against: Any) -> tuple[Target, ...]:
    """The target, and what it is compared with."""
    targets = (target_of(run, target),)
    return targets if against is None else with_against(run, targets, against)


def _about(run: Run, targets: tuple[Target, ...], way: Direction, positions: Int[Tensor, "p"]) -> Iterable[str]:
    name = seen(targets)
    if len(positions) == 1:
        yield f"{name}: {float(way.logit[0]):.4g} in logits, after {visible(run.texts[int(run.tokens[positions[0]])])}"
    else:
        yield f"{name}, in logits, at {len(positions)} positions"
    yield "the final norm’s scale is held at what it was"
    if run.readout.cap is not None:
        yield f"attributed before the soft-cap of {run.readout.cap:g}; what it takes is a row"
    if any(len(target.ids) > 1 for target in targets):
        yield "a set is read along the mean of its tokens, weighted by their probabilities; “set” is what its log-sum-exp adds"
    special = [int(p) for p in positions if int(run.tokens[p]) in run.texts.special]
    if special:
        yield (
            f"position {special[0]} holds {visible(run.texts[int(run.tokens[special[0]])])}, which is no text: its stream "
            "is unlike any other"
        )
    yield from run.notes


def _quantity(name: str, values: Tensor) -> Quantity:
    return Quantity(name, _numpy(values), unit="logits", center=0.0)


def _spread(values: Tensor) -> Quantity:
    return Quantity("spread", _numpy(values), unit="logits")


_LAST = ("norm rescale", "translator", ROUNDED, "soft-cap", "other")


def part_order(part: str) -> tuple[int, int, str]:
    """The parts of a block as columns: heads by number, then the others, then what is no part."""
    number = part[1:]
    if part.startswith("H") and number.isdigit():
        return 0, int(number), part
    return (2, _LAST.index(part), part) if part in _LAST else (1, 0, part)


def _listed(labels: list[str]) -> str:
    return ", ".join(labels) if len(labels) <= 6 else f"{', '.join(labels[:4])} … {labels[-1]} ({len(labels)})"


def _numpy(values: Tensor) -> np.ndarray:
    return np.ascontiguousarray(values.cpu().numpy(), dtype=np.float32)


def _ints(values: Tensor) -> np.ndarray:
    return np.ascontiguousarray(values.cpu().numpy(), dtype=np.int32)
