"""Path patching: what reaches the answer from one part of a model through the input of one later part, and no other way.

Sources: Wang et al. 2022, "Interpretability in the wild", arXiv 2211.00593; Goldowsky-Dill et al. 2023, arXiv 2304.05969.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from tqdm.auto import tqdm

from lenswidget.attribution.attribution import part_order
from lenswidget.grids.grid import Grid
from lenswidget.grids.marks import visible
from lenswidget.grids.parts import NO_TOKEN, Check
from lenswidget.interventions.layout import Layout
from lenswidget.interventions.metrics import called, measured, metric_of, require_gap
from lenswidget.interventions.paths import LOGITS, Receiver, received, receiver_of
from lenswidget.interventions.put import Put, answering, put_of
from lenswidget.interventions.senders import senders_of, written_by
from lenswidget.interventions.swept import Swept, read_cells
from lenswidget.model.cached_run import as_run
from lenswidget.model.made_by import call, run_call, token_call, unless
from lenswidget.model.positions import positions_of
from lenswidget.model.run import Run
from lenswidget.model.surroundings import plain_mode
from lenswidget.model.targets import TargetLike, target_of, with_against

UNITS = ("head", "component")


def path_patch(
    base: Run,
    source: Run,
    target: TargetLike,
    against: TargetLike | None = None,
    *,
    to: str,
    unit: str = "head",
    position: int = -1,
    metric: str | None = None,
    k: int = 10,
) -> Grid:
    """What reaches the answer from each part of the model through one receiver: path patching.

    A cell is a sender. Its change, from the base to the source, goes along the residual stream to the input of the receiver
    `to` alone: a head (`"L23H3"`), what a block's attention or MLP adds (`"L25.mlp"`), or `"logits"`, the way without any part
    between. All between them stays as it is in the base. What the receiver makes of it is put into the base, which runs on, and
    the answer after `position` is read. *Recovered* is how much of the way from base to source the metric went, as in `patch()`;
    the *effect* is the same in the metric's own unit.

    Senders are, by `unit`, each `"head"`, or each `"component"`, attention as one; with them the MLPs and the embedding. Their
    change is sent from every position at once. What comes after the receiver, and heads beside it, can't reach it: exactly 0.
    Where a norm follows the attention of a block (Gemma-2, OLMo-2), a head's change goes through it with the other heads as they
    are. Where the prompts differ in length, what is sent are the changes at columns that answer to each other.

    Wang et al. let the MLPs between sender and receiver answer to the change. Here these are frozen, and are senders themselves.

    Raises ValueError for a receiver that isn't there, for a model whose blocks can't be taken apart, for runs of different
    models, for a base and source that don't differ, and for a metric with no gap.

        texts = [f"When John and Mary went to the shop, {name} gave a bottle of milk to" for name in ("John", "Mary")]
        base, source = lw.runs(model, texts)
        lw.path_patch(base, source, " Mary", against=" John", to="L23H3")
    """
    if unit not in UNITS:
        raise ValueError(f"unit is one of {', '.join(map(repr, UNITS))}; got {unit!r}.")
    if not isinstance(to, str):
        raise TypeError(f"to= is the label of a receiver, as 'L23H3', 'L25.mlp' or 'logits'; got {to!r}.")
    if isinstance(source, (int, float, list, tuple)):
        raise TypeError(
            f"path_patch() sends what changes from one run to another, and source= is {source!r:.40}; give a run, "
            "lw.run(model, prompt)."
        )
    with plain_mode():
        return _path_patch(as_run(base), as_run(source), target, against, to, unit, position, metric, k)


def _path_patch(
    base: Run,
    source: Run,
    target: Any,
    against: Any,
    to: str,
    unit: str,
    position: int,
    metric: str | None,
    k: int,
) -> Grid:
    backend = base.require_activations().backend
    targets = (target_of(base, target),) if against is None else with_against(base, (target_of(base, target),), against)
    metric = metric_of(metric, targets)
    (read_at,) = positions_of(len(base.tokens), position).tolist()
    receiver = receiver_of(backend, to)
    put = put_of(base, source)
    senders = senders_of(backend, unit)
    labels = tuple(dict.fromkeys(sender.row for sender in senders))
    columns = tuple(sorted(dict.fromkeys(sender.column for sender in senders), key=part_order))
    where = [(labels.index(sender.row), columns.index(sender.column)) for sender in senders]
    stays = base.residual[-1, read_at]
    found = stays.expand(len(labels), len(columns), -1).clone()
    known = np.zeros(found.shape[:2], dtype=bool)
    stopped = []
    try:
        with tqdm(total=len(senders), desc="Patching paths", unit=" senders", leave=False) as bar:
            for members, rows in received(base, put, receiver, senders, read_at):
                for i, row in zip(members, rows):
                    found[where[i]], known[where[i]] = row, True
                bar.update(len(members))
    except KeyboardInterrupt:
        if not known.any():
            raise
        stopped.append(f"stopped after {int(known.sum())} of {len(senders)} senders; the others were not run")
    untouched = (found == stays).all(-1).cpu().numpy()
    source_last = source.residual[-1, answering(put, read_at)]
    reading = read_cells(base, found, source_last, targets, untouched, k)
    at_base = measured(read_cells(base, stays[None, None], source_last, targets, np.zeros((1, 1), bool), k), metric)
    base_value = float(at_base[0, 0])
    source_value = float(at_base[1, 0]) if metric != "KL" else 0.0
    require_gap(torch.tensor([base_value]), torch.tensor([source_value]), metric, called(metric, targets))
    nowhere = np.full(len(columns), NO_TOKEN, dtype=np.int32)
    swept = Swept(
        base=base,
        source=put.source,
        unit=unit,
        put=put.words,
        layout=Layout(labels, (), columns, ()),
        targets=targets,
        metric=metric,
        position=read_at,
        reading=reading,
        # what changes nothing changes the metric by exactly nothing, however another pass over the vocabulary is rounded
        patched=measured(reading, metric)[:-1].masked_fill(torch.from_numpy(untouched), base_value),
        base_value=base_value,
        source_value=source_value,
        known=known,
        columns=nowhere,
        source_columns=nowhere,
        first=put.first,
        check=_check(base, put, receiver, read_at),
        notes=(*_about(base, put, receiver, read_at), *stopped),
        said=tuple(
            base.readout.logits(h[None].float())[0].log_softmax(-1).div(np.log(2)).cpu() for h in (stays, source_last)
        ),  # type: ignore[arg-type]
    )
    grid = swept.grid()
    return replace(
        grid,
        kind=f"Paths to {'the logits' if to == LOGITS else receiver.label}",
        provenance={
            **grid.provenance,
            "to": receiver.label,
            "call": call(
                "lw.path_patch",
                run_call(base),
                run_call(source),
                *(token_call(base, one) for one in targets),
                to=repr(receiver.label),
                unit=unless(unit, "head"),
                position=unless(position, -1),
                metric=unless(metric, None),
                k=unless(k, 10),
            ),
        },
    )


def _check(base: Run, put: Put, receiver: Receiver, position: int) -> Check | None:
    """Whether all that is sent together is what base and source differ by where the receiver's block is entered."""
    runs = (base, *put.runs)
    if put.source is None or any(run.require_activations().changed for run in runs):
        return None  # what a hook or an edit adds is no sender's
    backend = base.require_activations().backend
    senders = [one for one in senders_of(backend, "component") if one.layer < receiver.layer]
    here = torch.tensor([position])
    written = written_by(base, put, senders, receiver.layer, here)
    sent = torch.cat([one.to(base.residual.device) for one in written]).sum(0)  # blocks may lie on several devices
    ours = base.residual[receiver.layer, position].float() + sent
    theirs = put.source.residual[receiver.layer, put.columns[position]].float()
    said, wanted = base.readout.logits(torch.stack([ours, theirs.to(ours)]))
    size = float((wanted - wanted.mean()).abs().max())
    return Check(float((said - wanted).abs().max()), base.rounding * max(size, 1e-6), "senders sum to what differs")


def _about(base: Run, put: Put, receiver: Receiver, position: int) -> list[str]:
    notes = [
        f"each cell: {base.prompt!r} with one sender’s change {put.words}, sent to {receiver.label} alone",
        f"the answer is read after {visible(base.texts[int(base.tokens[position])])}",
        "all between sender and receiver stays as it is in the base",
        "an effect of zero is no proof that a path isn’t used: later parts may fill in",
    ]
    if receiver.place is not None:
        notes.insert(3, f"what comes after {receiver.label} or beside it can’t reach it: exactly 0")
    if base.require_activations().hooks:
        notes.append("hooks on this model are taken to leave what is sent as it is")
    gaps = len(base.tokens) - len(put.columns)
    if gaps:
        notes.append(f"{gaps} positions of the base have no counterpart in the source; nothing is sent from there")
    return notes
