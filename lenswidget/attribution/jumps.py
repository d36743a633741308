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

from lenswidget.attribution.attribute import part_order
from lenswidget.attribution.formulas import Contributions, component, edited, heads
from lenswidget.grids.parts import Check, Jumps
from lenswidget.model.components import Block
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
    found: list[dict[str, Tensor]] = []
    checks: list[Check] = []
    for block in run.activations.components.blocks:
        below, above = stream[block.layer], stream[block.layer + 1]
        rows = moves(run, block, where, below, above, U)
        if readout.cap is not None:
            z = [readout.norm(m) @ U.T + bias for m in (below, above)]
            capped = [readout.cap * torch.tanh(one / readout.cap) - one for one in z]
            rows.append(Contributions(None, "soft-cap", capped[1] - capped[0]))
        jump = (readout.norm(above) - readout.norm(below)) @ U.T
        # rows that don't sum (a stream that was changed by hand) explain nothing
        linear = torch.cat([r.values for r in rows if r.name != "soft-cap"])
        size = torch.maximum(linear.abs().amax(0), jump.abs().amax(0))
        rounding = run.rounding
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
    columns = np.full(len(tokens), column, dtype=np.int32)
    worst = max(checks, key=lambda check: check.error / check.tolerance)
    return Jumps(columns, np.array(tokens, dtype=np.int32), names, values, worst)


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
) -> list[Contributions]:
    """What a block, its translator and the change of scale did along some directions of the output."""
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
    else:
        rows.append(Contributions(block.layer, "", ((h_above - h_below) * v).sum(-1)[None]))
    if not (torch.equal(above, h_above) and torch.equal(below, h_below)):
        turned = (above - h_above) - (below - h_below)
        rows.append(Contributions(None, "translator", (turned * v).sum(-1)[None]))
    rows = [replace(r, values=r.values / scale) for r in rows]
    rescale = (below * v).sum(-1) * (1 / scale - 1 / earlier)
    return [*rows, Contributions(None, "norm rescale", rescale)]
