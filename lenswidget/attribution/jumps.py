"""What moved a token's logit from one row of a lens to the next: the heads and MLP of the block between, and the norm.

A lens norms each row by that row's own scale σ, so a jump is what the block added, read at the upper scale, and what the
change of scale did to all that was there: `Σ c·v/σ_l + m_{l-1}·v (1/σ_l - 1/σ_{l-1})`. Where a lens translates rows,
`m = τ(h)`, what the two translations differ by is one row more. The rows sum to the jump that a trajectory shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from lenswidget.attribution.attribution import part_order
from lenswidget.attribution.formulas import ROUNDED, Contributions, component, edited, heads, rounded_away
from lenswidget.grids.parts import Check, Jumps
from lenswidget.model.components import Block
from lenswidget.model.readout import ROUNDING
from lenswidget.model.run import Run
from lenswidget.model.surroundings import own_arithmetic

MOST_TOKENS = 8
SUMS = "rows sum to the jump"


@own_arithmetic()
@torch.no_grad()
def jumps(run: Run, stream: Float[Tensor, "rows d"], tokens: Sequence[int], column: int) -> Jumps | None:
    """Every jump of some tokens at the last position, as far as the run's activations are at hand; else nothing.

    `stream` is what the lens read there: the residual rows, moved by it. `column` is where the Grid has that position.
    """
    if run.activations is None or not run.activations.at_hand or not tokens:
        return None
    readout = run.readout
    where = torch.tensor([len(run.tokens) - 1])
    stream = stream.to(readout.W_U.device, torch.float32).unsqueeze(1)
    U = readout.scale * readout.W_U[:, list(tokens)].float().T
    bias = 0.0 if readout.b_U is None else readout.scale * readout.b_U[list(tokens)]
    same = (stream == run.residual[:, -1:].to(stream)).all(-1).flatten().tolist()
    names: list[list[str]] = []
    found: list[Tensor] = []
    for block in run.activations.components.blocks:
        below, above = stream[block.layer], stream[block.layer + 1]
        rows = moves(run, block, where, below, above, U, translated=not all(same[block.layer : block.layer + 2]))
        if readout.cap is not None:
            z = [readout.norm(m) @ U.T + bias for m in (below, above)]
            capped = [readout.cap * torch.tanh(one / readout.cap) - one for one in z]
            rows.append(Contributions(None, "soft-cap", capped[1] - capped[0]))
        jump = (readout.norm(above) - readout.norm(below)) @ U.T
        # rows that don't sum (a stream that was changed by hand) explain nothing
        linear = torch.cat([r.values for r in rows if r.name != "soft-cap"])
        size = torch.maximum(linear.abs().amax(0), jump.abs().amax(0)).clamp(min=1e-6)
        lost = [r.values[0].abs() for r in rows if r.name == ROUNDED]
        error, tolerance = (linear.sum(0) - jump[0]).abs(), run.rounding * size
        if lost:
            error, tolerance = error.where(lost[0] <= tolerance, torch.inf), ROUNDING[torch.float32] * size
        names.append([_pattern(r, i) for r in rows for i in range(len(r.values))])
        found.append(torch.cat([error[None], tolerance[None], *(r.values for r in rows)]))
    # what a GPU found is waited for here, once for all blocks
    each = torch.cat(found).cpu().numpy().astype(np.float32)
    blocks = np.split(each, np.cumsum([len(one) for one in found])[:-1])
    checks = [
        Check(float(error), float(tolerance), SUMS)
        for one in blocks
        for error, tolerance in zip(one[0], one[1])
        if error <= tolerance
    ]
    if not checks:
        return None
    known = {name for some in names for name in some}
    columns = tuple(sorted(known, key=lambda name: part_order(name.strip("{}."))))
    values = np.full((len(tokens), len(run.residual), len(columns)), np.nan, dtype=np.float32)
    for row, (some, one) in enumerate(zip(names, blocks), start=1):
        values[:, row, [columns.index(name) for name in some]] = np.where(one[0] <= one[1], one[2:], np.nan).T
    worst = max(checks, key=lambda check: check.error / check.tolerance)
    at = np.full(len(tokens), column, dtype=np.int32)
    return Jumps(at, np.array(tokens, dtype=np.int32), columns, values, worst)


def _pattern(rows: Contributions, i: int) -> str:
    """The label of a part, `L5H3`, with {} for that of the block, `L5`."""
    return rows.label(i).replace(f"L{rows.layer}", "{}", 1)


def leading(ids: Sequence[Sequence[int]], followed: Sequence[int]) -> list[int]:
    """The tokens of a column whose jumps are worth carrying: those followed, the output's best, and earlier leaders.

    `ids` are the candidates of each row, best first.
    """
    best = [*followed, *ids[-1][:4], *(row[0] for row in reversed(ids))]
    return [i for i in dict.fromkeys(best) if i >= 0][:MOST_TOKENS]


def moves(
    run: Run,
    block: Block,
    where: Tensor,
    below: Float[Tensor, "1 d"],
    above: Float[Tensor, "1 d"],
    U: Float[Tensor, "n d"],
    *,
    translated: bool,
) -> list[Contributions]:
    """What a block, its translator, where one of its rows is `translated`, and the change of scale did along some directions of
    the output."""
    norm = run.readout.norm
    v = norm.frozen(U)
    scale, earlier = norm.scale(above), norm.scale(below)
    h_below, h_above = (run.row(block.layer + i, where) for i in (0, 1))
    rows: list[Contributions] = []
    if block.parts:
        activations = run.require_activations()
        activations.bring(
            [site for part in block.parts for site in (part.sites if part.heads else (part.site,))], where
        )
        whole: list[Contributions] = []
        for part in block.parts:
            whole.append(component(part, block.layer, activations.at([part.site], where), v))
            if part.heads:
                split = list(heads(activations.backend, part, block.layer, activations.at(part.sites, where), v))
                rows += split
                if activations.changed:
                    rows += edited(block.layer, f"{part.name} edit", whole[-1].values, split, run.rounding)
            else:
                rows.append(whole[-1])
        if activations.changed:
            rows += edited(block.layer, "edit", ((h_above - h_below) * v).sum(-1)[None], whole, run.rounding)
        if run.half:
            rows.append(Contributions(None, ROUNDED, rounded_away(((h_above - h_below) * v).sum(-1)[None], rows)))
    else:
        rows.append(Contributions(block.layer, "", ((h_above - h_below) * v).sum(-1)[None]))
    if translated:
        turned = (above - h_above) - (below - h_below)
        rows.append(Contributions(None, "translator", (turned * v).sum(-1)[None]))
    rows = [replace(r, values=r.values / scale) for r in rows]
    rescale = (below * v).sum(-1) * (1 / scale - 1 / earlier)
    return [*rows, Contributions(None, "norm rescale", rescale)]
