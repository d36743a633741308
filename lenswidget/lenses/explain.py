"""explain(): what moved a token's logit from one row of a lens to the next, by attention head and MLP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from lenswidget.attribution.attribution import Attribution
from lenswidget.attribution.direction import along
from lenswidget.attribution.formulas import Contributions
from lenswidget.attribution.jumps import SUMS, moves
from lenswidget.attribution.rows_of_a_logit import judged, target_and_against
from lenswidget.grids.grid import Grid
from lenswidget.grids.parts import MOVED, Check, Quantity
from lenswidget.grids.row_names import named_row
from lenswidget.lenses.lens import Lens, as_lens
from lenswidget.lenses.logit import LogitLens
from lenswidget.model.cached_run import as_run
from lenswidget.model.positions import positions_of
from lenswidget.model.recalled_run import Experiment, RecalledRun
from lenswidget.model.run import Run
from lenswidget.model.surroundings import double, own_arithmetic
from lenswidget.model.targets import TargetLike, seen


def explain(
    run_or_cache: Any,
    target: TargetLike,
    row: int | str,
    *,
    against: TargetLike | None = None,
    position: int = -1,
    lens: Any = None,
) -> Grid:
    """What moved a token's logit from the row below to `row`; the rows of the Grid sum to the jump.

    `row` is a row of the lens by its label, `"L5"`, or the label's number, 5. With `against` it is the logit difference
    that moves. `lens` is the one that is read, by default the logit lens.

    Raises ValueError for the embedding, below which there is no row, and for what `attribute` refuses.

        lw.explain(run, " Paris", "L26")
    """
    run = as_run(run_or_cache)
    return explained(run, target, named_row(run.labels, row), against=against, position=position, lens=lens)


@own_arithmetic()
@torch.no_grad()
def explained(
    run: Run, target: TargetLike, row: int, *, against: TargetLike | None = None, position: int = -1, lens: Any = None
) -> Grid:
    """`explain`, with the row as an index, counted from the embedding."""
    lens = LogitLens() if lens is None else as_lens(lens)
    targets = target_and_against(run, target, against)
    where = positions_of(len(run.tokens), position)
    if len(where) != 1:
        raise ValueError(f"A jump is explained at one position; got {position!r}.")
    if row == 0:
        raise ValueError(
            f"Nothing moved a token to the embedding: there is no row below it; explain {run.labels[1]!r} or a later row."
        )
    last = len(run.residual) - 1
    if not lens.explains:
        raise ValueError(
            f"What the {lens.name.lower()} says is made by more than the block between two rows, so no bars sum to its jumps; "
            "explain the logit lens, or add up the output with lw.attribute(run, target)."
        )
    block = run.require_activations().components.blocks[row - 1]
    lens.require(run)
    moving = [i for i in (row - 1, row) if i < last]
    below, *rest = lens.move_rows(run, moving, where)
    above = rest[0] if rest else run.row(last, where)
    readout = run.readout
    before, after = (along(readout, targets, readout.norm(m)) for m in (below, above))
    own = run.row(row - 1, where), run.row(row, where)
    translated = not (torch.equal(below, own[0]) and torch.equal(above, own[1]))
    parts = moves(run, block, where, below, above, after.U, translated=translated)
    # a soft-cap and a set's log-sum-exp are no dot products: they get what they make of the rest
    linear = ((readout.norm(above) - readout.norm(below)) * after.U).sum(-1)
    jump = after.logit - before.logit
    if readout.cap is not None or any(len(target.ids) > 1 for target in targets):
        rest = "set" if any(len(t.ids) > 1 for t in targets) else "soft-cap"
        parts.append(Contributions(None, rest, (jump - linear)[None]))
    off = float((double(torch.cat([r.values for r in parts])).sum(0) - double(jump)).abs().max())
    size = max(float(r.values.abs().max()) for r in parts)
    off, tolerance = judged(run, parts, off, size)
    if off > tolerance:
        run.require_unchanged()
    name = seen(targets)
    grid = Attribution(
        run,
        targets,
        parts,
        run.tokens[where].numpy().astype(np.int32),
        where.numpy().astype(np.int32),
        Check(off, tolerance, SUMS),
        (
            f"{name} at {run.labels[row]}: {float(jump):+.4g} in logits, from {float(before.logit):.4g} at "
            f"{run.labels[row - 1]}",
            *lens.notes,
            *run.notes,
        ),
    ).grid(None)
    return replace(grid, kind=f"What moved {name} at {run.labels[row]}, {lens.name}")


"""How far an edit moved a state: ‖h′ − h‖ / ‖h‖, between the run and the one without the edit; exactly 0 where nothing moved."""


@dataclass(frozen=True, eq=False)
class Explanations:
    """Answers what moved a token in a Grid that was read, for as long as the model lives."""

    run: RecalledRun
    lens: Lens
    positions: Int[Tensor, "columns"]
    """Of the Grid's columns."""
    reads: Callable[[Run], Grid]
    """Makes the Grid of a run, through the same lens, with what is followed in it."""

    @classmethod
    def of(
        cls, run: Run, lens: Lens, positions: Int[Tensor, "columns"], reads: Callable[[Run], Grid]
    ) -> Explanations | None:
        """For a run that has its model; None for one that was detached."""
        known = RecalledRun.of(run)
        return None if known is None else cls(known, lens, positions, reads)

    def __call__(self, column: int, token: int, row: int) -> Grid:
        return explained(self.run(), token, row, position=int(self.positions[column]), lens=self.lens)

    @own_arithmetic()
    @torch.no_grad()
    def edited(self, changes: Sequence[Experiment], begins: Callable[[int], None] | None = None) -> Grid:
        """The same run under more edits, read in the same way; its first quantity is how far each state moved.

        Raises what `RecalledRun.under` does.
        """
        run, under = self.run.under(changes, begins)
        before = run.stream(self.positions).float()
        moved = (under.stream(self.positions).float() - before).norm(dim=-1) / before.norm(dim=-1).clamp_min(1e-30)
        grid = self.reads(under)
        quantities = {MOVED: Quantity(MOVED, moved.cpu().numpy(), domain=(0.0, 1.0)), **grid.quantities}
        return replace(grid, quantities=quantities, kind=f"{grid.kind}, edited")
