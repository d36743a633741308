"""What moved a token's logit from one row of a lens to the next: the heads and MLP of the block between, and the norm.

A lens norms each row by that row's own scale σ, so a jump is what the block added, read at the upper scale, and what the
change of scale did to all that was there: `Σ c·v/σ_l + m_{l-1}·v (1/σ_l - 1/σ_{l-1})`. Where a lens translates rows,
`m = τ(h)`, what the two translations differ by is one row more. The rows sum to the jump that a trajectory shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from lenswidget.attribution.attribute import Attribution, Goal, goals, part_order, positions_of
from lenswidget.attribution.direction import along
from lenswidget.attribution.formulas import Rows, component, heads
from lenswidget.grids.grid import Check, Grid, Jumps
from lenswidget.lenses.lens import as_lens
from lenswidget.lenses.logit import LogitLens
from lenswidget.model.components import Block, stack_of
from lenswidget.model.readout import ROUNDING
from lenswidget.model.run import Run, as_run
from lenswidget.model.targets import named

MOST_TOKENS = 8
SUMS = "rows sum to the jump"


@torch.no_grad()
def explain(
    run_or_cache: Any,
    token: Goal,
    row: int | str,
    *,
    against: Goal | None = None,
    position: int = -1,
    lens: Any = None,
) -> Grid:
    """What moved a token's logit from the row below to `row`, by attention head and MLP; the rows sum to the jump.

    `row` is a row of the lens, its label (`"L5"`) or its number, counted from the embedding. With `against` it is the
    logit difference that moves. `lens` is the one that is read, by default the logit lens.

    Raises ValueError for the embedding, below which there is no row, and for what `attribute` refuses.
    """
    run = as_run(run_or_cache)
    lens = LogitLens() if lens is None else as_lens(lens)
    targets = goals(run, token, against)
    where = positions_of(run, position)
    if len(where) != 1:
        raise ValueError(f"A jump is explained at one position; got {position!r}.")
    upper = _row(run, row)
    last = len(run.residual) - 1
    lens.require(run)
    below, above = (
        h if i == last else lens.move(h, i).float() for i, h in ((i, run.row(i, where)) for i in (upper - 1, upper))
    )
    readout = run.readout
    before, after = (along(readout, targets, readout.norm(m)) for m in (below, above))
    rows = _moves(run, stack_of(run.brought.model).blocks[upper - 1], where, below, above, after.U)
    # a soft-cap and a set's log-sum-exp are no dot products: they get what they make of the rest
    linear = ((readout.norm(above) - readout.norm(below)) * after.U).sum(-1)
    jump = after.logit - before.logit
    if readout.cap is not None or any(len(target.ids) > 1 for target in targets):
        rows.append(Rows(None, "set" if any(len(t.ids) > 1 for t in targets) else "soft-cap", (jump - linear)[None]))
    off = float((torch.cat([r.values for r in rows]).double().sum(0) - jump).abs().max())
    size = max(float(r.values.abs().max()) for r in rows)
    rounding = max(ROUNDING[run.residual.dtype], ROUNDING[readout.W_U.dtype])
    name = named(targets)
    explained = Attribution(
        run,
        targets,
        rows,
        run.tokens[where].numpy().astype(np.int32),
        where.numpy().astype(np.int32),
        Check(off, rounding * max(size, 1e-6), SUMS),
        (
            f"{name} at {run.labels[upper]}: {float(jump):+.4g} in logits, from {float(before.logit):.4g} at "
            f"{run.labels[upper - 1]}",
            *lens.notes,
            *run.notes,
        ),
    ).grid(None)
    return replace(explained, kind=f"What moved {name} at {run.labels[upper]}, {lens.name}")


@torch.no_grad()
def jumps(run: Run, stream: Float[Tensor, "rows d"], tokens: Sequence[int]) -> Jumps | None:
    """Every jump of some tokens at the last position, as far as the run's activations are at hand; else nothing.

    `stream` is what the lens read there: the residual rows, moved by it.
    """
    if run.activations is None or not run.activations.at_hand or not tokens:
        return None
    readout = run.readout
    where = torch.tensor([len(run.tokens) - 1])
    stream = stream.to(readout.W_U.device, torch.float32).unsqueeze(1)
    U = readout.scale * readout.W_U[:, list(tokens)].float().T
    bias = 0.0 if readout.b_U is None else readout.scale * readout.b_U[list(tokens)]
    found: list[dict[str, Tensor]] = []
    checks: list[Check] = []
    for block in stack_of(run.activations.model).blocks:
        below, above = stream[block.layer], stream[block.layer + 1]
        rows = _moves(run, block, where, below, above, U)
        if readout.cap is not None:
            z = [readout.norm(m) @ U.T + bias for m in (below, above)]
            bent = [readout.cap * torch.tanh(one / readout.cap) - one for one in z]
            rows.append(Rows(None, "soft-cap", bent[1] - bent[0]))
        jump = (readout.norm(above) - readout.norm(below)) @ U.T
        # rows that don't sum (a stream that was changed by hand) explain nothing
        linear = torch.cat([r.values for r in rows if r.name != "soft-cap"])
        size = torch.maximum(linear.abs().amax(0), jump.abs().amax(0))
        rounding = max(ROUNDING[run.residual.dtype], ROUNDING[readout.W_U.dtype])
        error, tolerance = (linear.sum(0) - jump[0]).abs(), rounding * size.clamp(min=1e-6)
        holds = error <= tolerance
        checks += [Check(*pair, SUMS) for pair in zip(error[holds].tolist(), tolerance[holds].tolist())]
        found.append({_pattern(r, i): value.where(holds, torch.nan) for r in rows for i, value in enumerate(r.values)})
    if not checks:
        return None
    names = tuple(sorted({name for parts in found for name in parts}, key=lambda name: part_order(name.strip("{}."))))
    values = np.full((len(tokens), len(run.residual), len(names)), np.nan, dtype=np.float32)
    for row, parts in enumerate(found, start=1):
        for name, value in parts.items():
            values[:, row, names.index(name)] = value.cpu().numpy()
    columns = np.full(len(tokens), int(where), dtype=np.int32)
    worst = max(checks, key=lambda check: check.error / check.tolerance)
    return Jumps(columns, np.array(tokens, dtype=np.int32), names, values, worst)


def _pattern(rows: Rows, i: int) -> str:
    """The label of a part, `L5H3`, with {} for that of the block, `L5`."""
    return rows.label(i).replace(f"L{rows.layer}", "{}", 1)


def leading(ids: Sequence[Sequence[int]], followed: Sequence[int]) -> list[int]:
    """The tokens of a column whose jumps are worth carrying: those followed, the output's best, and earlier leaders.

    `ids` are the candidates of each row, best first.
    """
    best = [*followed, *ids[-1][:4], *(row[0] for row in reversed(ids))]
    return [i for i in dict.fromkeys(best) if i >= 0][:MOST_TOKENS]


def _moves(
    run: Run,
    block: Block,
    where: Tensor,
    below: Float[Tensor, "1 d"],
    above: Float[Tensor, "1 d"],
    U: Float[Tensor, "n d"],
) -> list[Rows]:
    """What a block, its translator and the change of scale did along some directions of the output."""
    norm = run.readout.norm
    v = norm.frozen(U)
    scale, earlier = norm.scale(above), norm.scale(below)
    h_below, h_above = (run.row(block.layer + i, where) for i in (0, 1))
    rows: list[Rows] = []
    if block.parts:
        names = [name for part in block.parts for name in (part.hooks if part.heads else (part.hook,))]
        run.brought.bring(names, where)
        for part in block.parts:
            if part.heads:
                rows += heads(part, block.layer, run.brought.at(part.hooks, where), v)
            else:
                rows.append(component(part, block.layer, run.brought.at([part.hook], where), v))
    else:
        rows.append(Rows(block.layer, "", ((h_above - h_below) * v).sum(-1)[None]))
    if not (torch.equal(above, h_above) and torch.equal(below, h_below)):
        turned = (above - h_above) - (below - h_below)
        rows.append(Rows(None, "translator", (turned * v).sum(-1)[None]))
    rows = [replace(r, values=r.values / scale) for r in rows]
    rescale = (below * v).sum(-1) * (1 / scale - 1 / earlier)
    return [*rows, Rows(None, "norm rescale", rescale)]


def _row(run: Run, row: int | str) -> int:
    labels = run.labels
    if isinstance(row, str):
        if row not in labels:
            raise ValueError(
                f"{row!r} is no row of this run, which has {labels[1]} to {labels[-1]} above the embedding."
            )
        row = labels.index(row)
    if not -len(labels) <= row < len(labels):
        raise ValueError(
            f"Row {row} is not in this run, which has rows 0 ({labels[0]}) to {len(labels) - 1} ({labels[-1]})."
        )
    if row % len(labels) == 0:
        raise ValueError(
            "Nothing moved a token to the embedding: there is no row below it; explain 'L0' or a later row."
        )
    return row % len(labels)
