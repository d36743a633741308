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
from lenswidget.grids.parts import NO_TOKEN, Check, Quantity
from lenswidget.interventions.continuations import Base, Cell, continued
from lenswidget.interventions.layout import Layout, Spot, layout_of
from lenswidget.interventions.metrics import METRICS, called, measured, metric_of, recovered, require_gap, spread
from lenswidget.interventions.put import Put, answering, put_of
from lenswidget.interventions.swept import Swept, read_cells
from lenswidget.model.activations import Activations
from lenswidget.model.edits import Written, values_at, width_of
from lenswidget.model.made_by import call, run_call, token_call, unless
from lenswidget.model.places import row_place
from lenswidget.model.positions import Positions, positions_of
from lenswidget.model.run import Run, as_run
from lenswidget.model.surroundings import plain_mode
from lenswidget.model.targets import TargetLike, target_of, with_against

IS_SOURCE = "patched everywhere, it is the source"
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

    `at` are the positions that are patched, by default all of them: a column each, for heads all together. Where the prompts
    differ in length, columns that answer to each other are patched and the rest are gaps.

    `source` may also be a list of runs, of which the mean is put there, or 0, which takes a thing out: then there is nothing
    to recover, and the Grid has the *effect*, `M_patched − M_base`. Lists of both, of one length, are pairs: the ratio of
    the means over pairs, and the spread; then `target` and `against` may be lists, too.

    `metric` is `"logit difference"` where `against` is given, else `"log-probability"`; or `"logit"`, `"probability"`, `"KL"`,
    from the source. The Grid's `check` says how nearly every position of a row, patched, is the source.

    Raises ValueError for runs of different models, for a base and source that don't differ, for a metric with no gap, and
    for a unit or position that isn't there.

        base, source = lw.runs(model, ["The Colosseum is located in the city of", "The Eiffel Tower is located in the city of"])
        lw.patch(base, source, " Paris", against=" Rome")
        lw.patch(base, source, " Paris", against=" Rome", unit="head")
        lw.patch(source, 0, " Paris", unit="mlp", at=-1)
    """
    many = _are_pairs(base, source)
    pairs = _pairs(base, source)
    each = zip(pairs, _each(target, many, len(pairs)), _each(against, many, len(pairs)))
    swept = [_sweep(one, from_, t, a, unit, at, position, window, metric, k) for (one, from_), t, a in each]
    if many:
        return _mean(swept)
    grid = swept[0].grid()
    if isinstance(source, (list, tuple)):
        return grid
    (run, _), targets = pairs[0], swept[0].targets
    again = call(
        "lw.patch",
        run_call(run),
        repr(source) if isinstance(source, (int, float)) else run_call(as_run(source)),
        *(token_call(run, one) for one in targets),
        unit=unless(unit, "row"),
        at=unless(at, None),
        position=unless(position, -1),
        window=unless(window, 1),
        metric=unless(metric, None),
        k=unless(k, 10),
    )
    return replace(grid, provenance={**grid.provenance, "call": again})


def _are_pairs(base: Any, source: Any) -> bool:
    return isinstance(base, (list, tuple))


def _pairs(base: Any, source: Any) -> list[tuple[Run, Any]]:
    if not _are_pairs(base, source):
        return [(as_run(base), source)]
    if not base:
        raise ValueError("There are no runs to patch; give one pair at least, lw.patch([base], [source], …).")
    if not isinstance(source, (list, tuple)):
        return [(as_run(one), source) for one in base]
    if len(source) != len(base):
        raise ValueError(f"{len(base)} bases and {len(source)} sources were given; pairs are lists of one length.")
    return list(zip(map(as_run, base), source))


def _each(target: Any, many: bool, count: int) -> list[Any]:
    """One target a pair: a list of them as it is, anything else for all."""
    if not (many and isinstance(target, list)):
        return [target] * count
    if len(target) != count:
        raise ValueError(f"{len(target)} targets were given for {count} pairs; give one for all, or a list of {count}.")
    return target


def _sweep(
    base: Run,
    source: Any,
    target: Any,
    against: Any,
    unit: str,
    at: Positions,
    position: int,
    window: int,
    metric: str | None,
    k: int,
) -> Swept:
    with plain_mode():
        return _swept(base, source, target, against, unit, at, position, window, metric, k)


def _swept(
    base: Run,
    source: Any,
    target: Any,
    against: Any,
    unit: str,
    at: Positions,
    position: int,
    window: int,
    metric: str | None,
    k: int,
) -> Swept:
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
    own = _base(base)
    sites = {place.site for spot in layout.spots for place in spot.places if place.site.end != "row"}
    # all at once: each that is asked for by itself would be a pass of its own
    at_last = chosen.tolist() == [len(base.tokens) - 1]
    for run in (base, *put.runs):
        run.require_activations().bring(sites, positions_of(len(run.tokens), -1 if at_last else None))
    source_read = None if put.source is None else answering(put, read_at)
    cells, where, known, untouched = _cells(base, put, layout, read_at)
    stays = base.residual[-1, read_at]
    found = stays.expand(*layout.shape, -1).clone()
    checked = _checking(base, put, read_at) if put.source is not None else []
    notes: list[str] = []
    done = 0
    last = torch.zeros(len(cells) + len(checked), len(stays))
    ran = torch.zeros(len(cells) + len(checked), dtype=torch.bool)
    try:
        with tqdm(total=len(cells), desc="Patching", unit=" cells", leave=False, disable=len(cells) < 64) as bar:
            for members, rows in continued(own, [*cells, *checked], read_at):
                last[members], ran[members] = rows.float().cpu(), True
                done += len(members)
                bar.update(min(len(members), len(cells)))
    except KeyboardInterrupt:
        if not bool(ran[: len(cells)].any()):
            raise
        notes.append(f"stopped after {int(ran[: len(cells)].sum())} of {len(cells)} cells; the others were not run")
    for i, (row, column) in enumerate(where):
        found[row, column] = last[i].to(found)
        known[row, column] = bool(ran[i])
    source_last = None if put.source is None else put.source.residual[-1, source_read]
    check = None
    if put.source is not None and checked and bool(ran[len(cells) :].all()):
        check = _is_source(base, last[len(cells) :], put.source.residual[-1, source_read])
        if not check.holds:
            notes.append(
                f"{base.model} carries something beside its stream: with every position of a row patched it is not the source, "
                "so a cell shows what the stream alone brings back"
            )
    elif put.source is not None and not checked:
        notes.append("not every position of the source has one in the base, so patched everywhere it is not the source")
    reading = read_cells(base, found, source_last, targets, untouched, k)
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
        base, put.source, unit, put.words, layout, targets, metric, read_at, reading, values, base_value, source_value, known,
        columns, source_columns, put.first, check, (*_about(base, put, layout, read_at, unit, window), *notes), said,  # type: ignore[arg-type]
    )  # fmt: skip


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
        if not torch.equal(values.to(base.residual.dtype), values_at(base, place, where).to(base.residual.dtype).cpu()):
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
    after = base.texts[int(base.tokens[position])]
    notes = [f"the answer is read after {after!r}"]
    if put.source is not None:
        notes.insert(0, f"each cell: {base.prompt!r} with one value {put.words}")
        if unit != "head" and put.first:
            notes.append(
                f"before {base.texts[int(base.tokens[put.first])]!r} both runs are the same, so the effect is exactly 0"
            )
    if layout.columns is not None:
        where = [base.texts[int(base.tokens[p])] for p in layout.positions]
        notes.append(f"at {where[0]!r}" if len(where) == 1 else f"at {len(where)} positions together")
    if window > 1:
        notes.append(f"{window} blocks together, round the one that is named")
    notes.append("an effect of zero is no proof that a part isn’t used: later parts may fill in")
    if 0 in layout.positions and (put.source is None or put.first == 0):
        notes.append("the first position’s norm dwarfs all others: what is patched there says little")
    return notes


def _mean(swept: list[Swept]) -> Grid:
    """Several pairs as one Grid: the ratio of the means, and the spread."""
    first = swept[0]
    if any(one.layout.rows != first.layout.rows or one.layout.shape != first.layout.shape for one in swept):
        counts = ", ".join(str(one.layout.shape[1]) for one in swept)
        raise ValueError(
            f"Pairs are averaged column by column, and these have {counts} columns; use prompts of one shape, or patch at one "
            "position, at=-1."
        )
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
