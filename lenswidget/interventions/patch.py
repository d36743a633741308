"""patch(): what comes back of the source when one thing at a time is put from it into the base, or is taken out.

Activation patching: Vig et al. 2020, arXiv 2004.12265; Meng et al. 2022, arXiv 2202.05262; how to do it well: Zhang & Nanda
2024, arXiv 2309.16042. Each cell is exact, `M(base | do a := a(source))`: the pass goes on from there to the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from tqdm.auto import tqdm

from lenswidget.grids.grid import Grid
from lenswidget.grids.marks import visible
from lenswidget.grids.parts import NO_TOKEN, Check, Quantity
from lenswidget.interventions.asked import Asked, are_pairs, ask, one_each, pairs_of_runs, require_alike
from lenswidget.interventions.continuations import Base, Cell, continued
from lenswidget.interventions.estimated import agreement, estimated, largest, strongest_neurons
from lenswidget.interventions.layout import Layout, Spot
from lenswidget.interventions.metrics import METRICS, called, measured, recovered, require_gap, spread
from lenswidget.interventions.put import Put
from lenswidget.interventions.swept import Swept, mean_estimate, read_cells
from lenswidget.model.activations import Activations
from lenswidget.model.cached_run import as_run
from lenswidget.model.edits import Written, values_at, width_of
from lenswidget.model.made_by import call, run_call, token_call, unless
from lenswidget.model.places import row_place
from lenswidget.model.positions import Positions
from lenswidget.model.run import Run
from lenswidget.model.surroundings import plain_mode
from lenswidget.model.targets import TargetLike

IS_SOURCE = "patched everywhere, it is the source"
METHODS = ("exact", "gradient")
TOP, NEURONS = 10, 50
"""How many estimates are run exactly beside the others, and how many neurons are rows."""
CHECKED = 3
"""Rows that are patched at every position, to see whether the source comes of it."""


def patch(
    base: Run | Sequence[Run],
    source: Run | Sequence[Run] | int | float,
    target: TargetLike | list[TargetLike],
    against: TargetLike | list[TargetLike] | None = None,
    *,
    unit: str = "row",
    at: Positions = None,
    position: int = -1,
    window: int = 1,
    metric: str | None = None,
    method: str = "exact",
    top: int | None = None,
    k: int = 10,
) -> Grid:
    """What comes back of the source when one cell at a time is put from it into the base: activation patching, exactly.

    In each cell the base runs on with one activation of the `source`; the answer after `position` is read. *Recovered* is how
    much of the way from base to source the metric went, `(M_patched − M_base) / (M_source − M_base)`: 0 is the base, 1 the
    source, and nothing is clipped. Each cell also has its candidates, what the model would say.

    `unit` says what is patched:

    - `"row"`: the stream, a row for each row of a lens but the last, a column a token
    - `"attn"`, `"mlp"`: what the attention or MLP of a block adds; with `window`, those of so many blocks round it, too
    - `"component"`: both, a row each
    - `"head"`: each attention head, a row a block and a column a head, at all positions together, or at `at`
    - `"neuron"`: the `top` neurons of all blocks, 50, that a gradient says matter most, as heads

    `at` are the positions that are patched, by default all of them: a column each, for heads and neurons all together. Where the
    prompts differ in length, columns that answer to each other are patched and the rest are gaps.

    `method="gradient"` estimates every cell at once from one gradient, attribution patching: `(a_source − a_base)ᵀ ∂M/∂a`, in
    the time of three passes. The `top` cells whose estimates are largest, 10, are run exactly beside them, and a note says
    how well the two agree: for heads often well, for rows often not. Kramár et al. 2024, arXiv 2403.00745.

    `source` may also be a list of runs, of which the mean is put there, or 0, which takes a thing out: then there is nothing
    to recover, and the Grid has the *effect*, `M_patched − M_base`. Lists of both, of one length, are pairs: the ratio of
    the means over pairs, and the spread; then `target` and `against` may be lists, too.

    `metric` is `"logit difference"` where `against` is given, else `"log-probability"`; or `"logit"`, `"probability"`, `"KL"`,
    from the source. The Grid's `check` says how nearly every position of a row, patched, is the source.

    Raises ValueError for runs of different models, for a base and source that don't differ, for a metric with no gap,
    for a unit or position that isn't there, and by gradient for a model through which none flows.

        base, source = lw.runs(model, ["The Colosseum is located in the city of", "The Eiffel Tower is located in the city of"])
        lw.patch(base, source, " Paris", against=" Rome")
        lw.patch(base, source, " Paris", against=" Rome", unit="head")
        lw.patch(base, source, " Paris", against=" Rome", unit="head", method="gradient")
        lw.patch(source, 0, " Paris", unit="mlp", at=-1)
    """
    if method not in METHODS:
        raise ValueError(f"method is one of {', '.join(map(repr, METHODS))}; got {method!r}.")
    if top is not None and (isinstance(top, bool) or top < 1):
        raise ValueError(f"top is how many of the largest estimates are run exactly, at least 1; got {top!r}.")
    if top is not None and method == "exact" and unit != "neuron":
        raise ValueError(
            "An exact sweep runs every cell, so top= can't choose among them; it goes with method='gradient'."
        )
    with plain_mode():
        many, pairs = are_pairs(base), pairs_of_runs(base, source)
        each = zip(pairs, one_each(target, many, len(pairs)), one_each(against, many, len(pairs)))
        asked = [ask(one, from_, t, a, unit, at, position, window, metric) for (one, from_), t, a in each]
        if unit == "neuron":
            asked = strongest_neurons(asked, NEURONS if top is None else top)
        guessed = [estimated(one) for one in asked] if method == "gradient" or unit == "neuron" else []
        only = largest(asked, guessed, TOP if top is None else top) if method == "gradient" else None
        swept = [replace(_swept(one, k, only), method=method) for one in asked]
        swept = [replace(one, estimate=estimate) for one, estimate in zip(swept, guessed)] or swept
    grid = _mean(swept) if many else swept[0].grid()
    if guessed:
        grid = replace(grid, notes=(*agreement(swept), *grid.notes))
    if isinstance(source, (list, tuple)) or many:
        return grid
    run = pairs[0][0]
    again = call(
        "lw.patch",
        run_call(run),
        repr(source) if isinstance(source, (int, float)) else run_call(as_run(source)),
        *(token_call(run, one) for one in swept[0].targets),
        unit=unless(unit, "row"),
        at=unless(at, None),
        position=unless(position, -1),
        window=unless(window, 1),
        metric=unless(metric, None),
        method=unless(method, "exact"),
        top=unless(top, None),
        k=unless(k, 10),
    )
    return replace(grid, provenance={**grid.provenance, "call": again})


def _swept(asked: Asked, k: int, only: frozenset[tuple[int, int]] | None = None) -> Swept:
    """The exact value of every cell, or only of some."""
    base, put, layout, read_at = asked.base, asked.put, asked.layout, asked.position
    targets, metric = asked.targets, asked.metric
    own = _base(base)
    asked.bring()
    cells, where, known, untouched = _cells(base, put, layout, read_at)
    idle = untouched.copy()
    if only is not None:
        for place in where:
            known[place], idle[place] = place in only, place not in only
        some = [i for i, place in enumerate(where) if place in only]
        cells, where = [cells[i] for i in some], [where[i] for i in some]
    stays = base.residual[-1, read_at].float()
    found = stays.expand(*layout.shape, -1).clone()
    checked = _checking(base, put, read_at) if put.source is not None else []
    notes: list[str] = []
    last = torch.zeros(len(cells) + len(checked), len(stays))
    ran = torch.zeros(len(cells) + len(checked), dtype=torch.bool)
    try:
        with tqdm(total=len(cells), desc="Patching", unit=" cells", leave=False, disable=len(cells) < 64) as bar:
            for members, rows in continued(own, [*cells, *checked], read_at):
                last[members], ran[members] = rows.float().cpu(), True
                bar.update(min(len(members), len(cells)))
    except KeyboardInterrupt:
        if not bool(ran[: len(cells)].any()):
            raise
        notes.append(f"stopped after {int(ran[: len(cells)].sum())} of {len(cells)} cells; the others were not run")
    if where:
        cell_rows, cell_columns = (list(places) for places in zip(*where))
        found[cell_rows, cell_columns] = last[: len(cells)].to(found)
        known[cell_rows, cell_columns] = ran[: len(cells)].numpy()
    source_last = asked.source_last
    check = None
    if put.source is not None and checked and bool(ran[len(cells) :].all()):
        assert source_last is not None
        check = _is_source(base, last[len(cells) :], source_last)
        if not check.holds:
            notes.append(
                f"{base.model} carries something beside its stream: with every position of a row patched it is not the source, "
                "so a cell shows what the stream alone brings back"
            )
    elif put.source is not None and not checked:
        notes.append("not every position of the source has one in the base, so patched everywhere it is not the source")
    reading = read_cells(base, found, source_last, targets, idle, k)
    values = measured(reading, metric)[:-1]
    at_base = measured(read_cells(base, stays[None, None], source_last, targets, np.zeros((1, 1), bool), k), metric)
    base_value = float(at_base[0, 0])
    # rounding differs between passes over the vocabulary, and what changes nothing changes it by exactly nothing
    values = values.masked_fill(torch.from_numpy(untouched), base_value)
    source_value = None if put.source is None else float(at_base[1, 0]) if metric != "KL" else 0.0
    if source_value is not None:
        require_gap(torch.tensor([base_value]), torch.tensor([source_value]), metric, called(metric, targets))
    said = tuple(
        (base.readout.logits(h[None].float())[0].log_softmax(-1) / torch.log(torch.tensor(2.0))).cpu()
        for h in (stays, stays if source_last is None else source_last)
    )
    columns = np.array([int(base.tokens[p]) for p in layout.positions], dtype=np.int32)
    source_columns = np.array([put.token(p) for p in layout.positions], dtype=np.int32)
    if layout.columns is not None:
        columns = source_columns = np.full(len(layout.columns), NO_TOKEN, dtype=np.int32)
    return Swept(
        base=base,
        source=put.source,
        unit=asked.unit,
        put=put.words,
        layout=layout,
        targets=targets,
        metric=metric,
        position=read_at,
        reading=reading,
        patched=values,
        base_value=base_value,
        source_value=source_value,
        known=known,
        columns=columns,
        source_columns=source_columns,
        first=put.first,
        check=check,
        notes=(*_about(base, put, layout, read_at, asked.unit, asked.window), *notes),
        said=said,  # type: ignore[arg-type]
    )


def _base(run: Run) -> Base:
    activations: Activations = run.require_activations()
    return Base(activations.backend, run.tokens, run.residual[-1], activations.hooks, activations.edits)


def _cells(
    base: Run, put: Put, layout: Layout, position: int
) -> tuple[list[Cell], list[tuple[int, int]], np.ndarray, np.ndarray]:
    """The cells that have to be run and where they stand; which cells are there at all; and those that change nothing."""
    backend = base.require_activations().backend
    known = np.zeros(layout.shape, dtype=bool)
    untouched = np.zeros(layout.shape, dtype=bool)
    cells: list[Cell] = []
    where: list[tuple[int, int]] = []
    for spot in layout.spots:
        if put.runs and any(p not in put.columns for p in spot.positions):
            continue
        known[spot.row, spot.column] = True
        writes = _writes(base, put, spot, position, lambda place: width_of(backend, place))
        if writes:
            cells.append(Cell(writes))
            where.append((spot.row, spot.column))
        else:
            untouched[spot.row, spot.column] = True
    return cells, where, known, untouched


def _writes(base: Run, put: Put, spot: Spot, position: int, width: Any) -> tuple[Written, ...]:
    """What a cell writes: nothing where that is what the base has there already, or where the answer can't see it."""
    positions = [p for p in spot.positions if p <= position and (put.source is None or p >= put.first)]
    if not positions:
        return ()
    where = torch.tensor(positions)
    writes = []
    for place in spot.places:
        values = put.values(place, positions, width(place))
        there = values_at(base, place, where).to(base.residual.dtype)
        if not torch.equal(values.to(there), there):
            writes.append(Written(place, where, values))
    return tuple(writes)


def _checking(base: Run, put: Put, position: int) -> list[Cell]:
    """Cells in which every position of a row is the source's."""
    if not put.same_length or any(put.columns.get(p) != p for p in range(position + 1)):
        return []
    backend = base.require_activations().backend
    rows = sorted({0, backend.facts.layers // 2, backend.facts.layers - 1})[:CHECKED]
    where = torch.arange(put.first, position + 1)
    if not len(where):
        return []
    return [
        Cell((Written(row_place(backend, row), where, values_at(put.source, row_place(backend, row), where)),))  # type: ignore[arg-type]
        for row in rows
    ]


def _is_source(base: Run, found: Float[Tensor, "rows d"], source: Float[Tensor, "d"]) -> Check:
    logits = base.readout.logits(source[None].float())[0]
    ours = base.readout.logits(found)
    error = float((ours - logits).abs().max())
    size = float((logits - logits.mean()).abs().max())
    return Check(error, base.rounding * max(size, 1e-6), IS_SOURCE)


def _about(base: Run, put: Put, layout: Layout, position: int, unit: str, window: int) -> list[str]:
    notes = [f"the answer is read after {visible(base.texts[int(base.tokens[position])])}"]
    if put.source is not None:
        notes.insert(0, f"each cell: {base.prompt!r} with one value {put.words}")
        if unit != "head" and put.first:
            notes.append(
                f"before {visible(base.texts[int(base.tokens[put.first])])} both runs are the same, so the effect is exactly 0"
            )
    if layout.columns is not None:
        where = [base.texts[int(base.tokens[p])] for p in layout.positions]
        notes.append(f"at {visible(where[0])}" if len(where) == 1 else f"at {len(where)} positions together")
    if window > 1:
        notes.append(f"{window} blocks together, round the one that is named")
    notes.append("an effect of zero is no proof that a part isn’t used: later parts may fill in")
    if 0 in layout.positions and (put.source is None or put.first == 0):
        notes.append("the first position’s norm dwarfs all others: what is patched there says little")
    return notes


def _mean(swept: list[Swept]) -> Grid:
    """Several pairs as one Grid: the ratio of the means, and the spread."""
    first = swept[0]
    require_alike([one.layout for one in swept])
    patched = torch.stack([one.patched for one in swept])
    base = torch.tensor([one.base_value for one in swept])
    values = [one.source_value for one in swept]
    known = np.logical_and.reduce([one.known for one in swept])
    unit = METRICS[first.metric]

    def shown(x: Tensor) -> np.ndarray:
        return np.where(known, x.numpy(), np.nan).astype(np.float32)

    quantities = [Quantity("effect", shown((patched - base[:, None, None]).mean(0)), unit=unit, center=0.0)]
    if all(value is not None for value in values):
        source = torch.tensor([float(value) for value in values if value is not None])
        require_gap(base, source, first.metric, first.name)
        quantities.insert(
            0, Quantity("recovered", shown(recovered(patched, base, source)), center=0.0, domain=(-1.0, 1.0))
        )
        quantities.insert(1, Quantity("spread", shown(spread(patched, base, source))))
    if first.estimate is not None:
        quantities.insert(0 if first.method == "gradient" else len(quantities), mean_estimate(swept))
    checks = [one.check for one in swept if one.check is not None]
    alike = np.all([one.columns == first.columns for one in swept], axis=0)
    labels = first.layout.columns or tuple(
        first.base.texts[int(token)] if same else f"{place}"
        for place, (token, same) in enumerate(zip(first.columns, alike))
    )
    grid = replace(
        first,
        columns=np.full(len(labels), NO_TOKEN, dtype=np.int32),
        source_columns=np.full(len(labels), NO_TOKEN, dtype=np.int32),
        check=max(checks, key=lambda check: check.error / check.tolerance) if len(checks) == len(swept) else None,
        notes=(f"the mean over {len(swept)} pairs; spread: standard deviation over them", *first.notes[1:]),
    ).as_grid(quantities, None, None)
    positions = np.arange(len(labels), dtype=np.int32)
    return replace(grid, title=f"{len(swept)} pairs", column_labels=labels, positions=positions, sweep=None)
