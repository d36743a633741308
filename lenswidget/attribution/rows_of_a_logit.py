"""Every row of an attribution: what each part wrote along the direction of a logit, and how far their sum is from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.attribution.attribution import Attribution
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
from lenswidget.grids.marks import visible
from lenswidget.grids.parts import Check, Target
from lenswidget.model.backend import Backend
from lenswidget.model.components import Components, Part
from lenswidget.model.linear import is_packed
from lenswidget.model.positions import Positions, positions_of
from lenswidget.model.readout import ROUNDING, Readout
from lenswidget.model.run import Run
from lenswidget.model.site import Site
from lenswidget.model.surroundings import double, own_arithmetic
from lenswidget.model.targets import seen, target_of, with_against


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
    activations.bring(sites_of(components, unit), positions)
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


def sites_of(components: Components, unit: str) -> Iterable[Site]:
    if unit == "block":
        return
    for part in components.parts:
        yield from part.sites if unit in ("head", "neuron", "source") else (part.site,)
        if unit == "source" and part.sources is not None:
            yield from part.sources.sites


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


def _listed(labels: list[str]) -> str:
    return ", ".join(labels) if len(labels) <= 6 else f"{', '.join(labels[:4])} … {labels[-1]} ({len(labels)})"


def _ints(values: Tensor) -> np.ndarray:
    return np.ascontiguousarray(values.cpu().numpy(), dtype=np.int32)
