"""How far two lenses are apart: between the whole distributions that they read in one run."""

from __future__ import annotations

from typing import Any

import numpy as np

from lenswidget.grids.comparison import Comparison, compare
from lenswidget.grids.grid import Grid
from lenswidget.grids.parts import Quantity
from lenswidget.lenses.lens import as_lens, lens_call, moved
from lenswidget.lenses.read import read
from lenswidget.model.cached_run import as_run
from lenswidget.model.made_by import call, made_by, run_call
from lenswidget.model.positions import Positions, position_code, positions_of
from lenswidget.model.targets import Targets


def divergence(run_or_cache: Any, one: Any, other: Any, *, position: Positions = None) -> Grid:
    """Jensen–Shannon divergence and KL(one ‖ other) in every cell, in bits, between what two lenses read.

    `one`, `other` and `position` are as `read` takes them. The last row is 0: it is the model's own output in every lens.

    Source: J. Lin, "Divergence measures based on the Shannon entropy", 1991.
    """
    run, ours, theirs = as_run(run_or_cache), as_lens(one), as_lens(other)
    positions = positions_of(len(run.tokens), position)
    ours_moved, theirs_moved = (moved(run, lens, positions=positions) for lens in (ours, theirs))
    jensen_shannon, kl = run.readout.divergence(ours_moved, theirs_moved)
    columns = run.tokens.cpu()[positions].numpy().astype(np.int32)
    texts = run.texts.of(columns.tolist())
    return Grid(
        title=run.prompt,
        kind=f"{ours.name} beside {theirs.name}",
        model=run.model,
        rows=run.labels,
        columns=columns,
        positions=positions.numpy().astype(np.int32),
        quantities={
            q.name: q
            for q in (
                Quantity("Jensen–Shannon", jensen_shannon.numpy(), unit="bits", domain=(0.0, 1.0)),
                Quantity("KL", kl.numpy(), unit="bits"),
            )
        },
        texts=texts,
        special=tuple(i for i in texts if i in run.texts.special),
        excluded=(0,) if 0 in positions and len(run.tokens) > 1 else (),
        check=run.check,
        notes=(f"KL({ours.name} ‖ {theirs.name})", *run.notes),
        provenance=made_by(
            run,
            call(
                "lw.divergence",
                run_call(run),
                lens_call(one),
                lens_call(other),
                position="" if position is None else position_code(position),
            ),
        ),
    )


def compare_lenses(
    run_or_cache: Any, *lenses: Any, position: Positions = None, targets: Targets = (), k: int = 10
) -> Comparison:
    """Read one run through two or more lenses and put them side by side, with how far each is from the first.

    `position`, `targets` and `k` are `read`'s. The same as `compare(read(run, a), read(run, b))`, and the difference of each
    from the first also holds their Jensen–Shannon divergence and KL, which need both distributions at once.
    """
    run = as_run(run_or_cache)
    if len(lenses) < 2:
        raise ValueError(
            f"compare_lenses reads a run through two or more lenses and got {len(lenses)}; read(run, lens) takes one."
        )
    grids = [read(run, lens, position=position, targets=targets, k=k) for lens in lenses]
    return compare(*grids, divergences=[divergence(run, lenses[0], lens, position=position) for lens in lenses[1:]])
