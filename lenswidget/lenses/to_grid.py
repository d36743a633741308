"""What a lens read, as a Grid: the same quantities whatever the lens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from lenswidget.grids.grid import Grid
from lenswidget.grids.parts import BEYOND, Candidates, Quantity, RowQuantity, Target, Trajectories
from lenswidget.grids.reach import LONG_TAILED, reach
from lenswidget.model.made_by import made_by
from lenswidget.model.reading import Reading, uniform_entropy
from lenswidget.model.run import Run


def grid_of(
    run: Run,
    positions: Int[Tensor, "p"],
    reading: Reading,
    targets: tuple[Target, ...],
    *,
    kind: str,
    notes: tuple[str, ...],
    row_quantities: tuple[RowQuantity, ...] = (),
    compared: bool = False,
    provenance: Mapping[str, str] | None = None,
) -> Grid:
    """A Grid from what was read at some positions. `compared` says that the last target is what the others are compared with."""
    candidates = Candidates(_int(reading.top_ids), _float(reading.top_log_probability))
    trajectories = Trajectories(
        _int(reading.offsets),
        _int(reading.trajectory_ids),
        _float(reading.trajectory_log_probability),
        _trajectory_ranks(reading),
    )
    tokens, following = run.tokens.cpu()[positions], run.following.cpu()[positions]
    ids = torch.cat([tokens, reading.trajectory_ids]).tolist()
    ids = sorted({*ids, *(i for target in targets for i in target.ids)})
    # one token is all there is to look at, however large its norm
    is_excluded = (positions == 0) & (len(run.tokens) > 1)
    quantities = [*_quantities(run, reading, targets), *_differences(reading, targets, compared)]
    return Grid(
        title=run.prompt,
        kind=kind,
        model=run.model,
        rows=run.labels,
        columns=_int(tokens),
        positions=_int(positions),
        quantities={
            q.name: replace(q, domain=reach(q.values, ~is_excluded.numpy())) if q.name in LONG_TAILED else q
            for q in quantities
        },
        texts=run.texts.of(ids),
        special=tuple(i for i in ids if i in run.texts.special),
        candidates=candidates,
        trajectories=trajectories,
        targets=targets,
        following=_int(following),
        decision=_decision(candidates.ids[:, :, 0]),
        excluded=(0,) if bool(is_excluded.any()) else (),
        row_quantities=row_quantities,
        check=run.check,
        notes=notes + run.notes,
        provenance={"lens": kind, **(provenance or {}), **made_by(run)},
    )


def _quantities(run: Run, reading: Reading, targets: tuple[Target, ...]) -> list[Quantity]:
    top = reading.top_log_probability[..., 0]
    rank = np.where(_int(reading.following_rank) == 0, np.nan, _float(reading.following_rank)).astype(np.float32)
    vocabulary = float(run.readout.vocabulary)
    quantities = [
        Quantity("probability", _float(top.exp2()), domain=(0.0, 1.0)),
        Quantity("log-probability", _float(top), unit="bits"),
        Quantity("logit", _float(reading.top_logit)),
        Quantity(
            "entropy", _float(reading.entropy), unit="bits", domain=(0.0, uniform_entropy(run.readout.vocabulary))
        ),
        Quantity("KL to the output", _float(reading.kl), unit="bits"),
        Quantity("surprisal", _float(reading.surprisal), unit="bits"),
        Quantity("rank of the next token", rank, scale="log", strong="low", domain=(1.0, vocabulary), measure="rank"),
    ]
    if reading.jensen_shannon is not None:
        quantities.append(Quantity("Jensen–Shannon", _float(reading.jensen_shannon), unit="bits", domain=(0.0, 1.0)))
    if reading.total_variation is not None:
        quantities.append(Quantity("total variation", _float(reading.total_variation), domain=(0.0, 1.0)))
    for i, target in enumerate(targets):
        ranks = np.where(_int(reading.target_rank[i]) == 0, np.nan, _float(reading.target_rank[i])).astype(np.float32)
        name = repr(target.label)
        bits = _float(reading.target_log_probability[i])
        quantities += [
            Quantity(f"probability of {name}", np.exp2(bits), domain=(0.0, 1.0), target=i, measure="probability"),
            Quantity(f"log-probability of {name}", bits, unit="bits", target=i, measure="log-probability"),
            Quantity(f"logit of {name}", _float(reading.target_logit[i]), target=i, measure="logit"),
            Quantity(
                f"rank of {name}", ranks, scale="log", strong="low", domain=(1.0, vocabulary), target=i, measure="rank"
            ),
        ]
    return quantities


def _differences(reading: Reading, targets: tuple[Target, ...], compared: bool) -> list[Quantity]:
    """The logit of each target, less that of the one that they are compared with."""
    if not compared:
        return []
    *others, last = targets
    logits = _float(reading.target_logit)
    return [
        Quantity(
            f"logit difference of {target.label!r} from {last.label!r}",
            logits[i] - logits[-1],
            center=0.0,
            target=i,
            measure="logit difference",
        )
        for i, target in enumerate(others)
    ]


def _decision(leading: np.ndarray) -> np.ndarray:
    """The first row of each column from which its leading token is the output's, all the way up."""
    differs = leading != leading[-1]
    rows = len(leading)
    return np.where(differs.any(0), rows - np.argmax(differs[::-1], axis=0), 0).astype(np.int32)


def _trajectory_ranks(reading: Reading) -> np.ndarray:
    """The ranks that cost nothing: a candidate's place in its cell. Elsewhere BEYOND."""
    rows = reading.top_ids.shape[0]
    ranks = np.full((len(reading.trajectory_ids), rows), BEYOND, dtype=np.int32)
    ids, top = reading.trajectory_ids.numpy(), reading.top_ids.numpy()
    for column, (start, stop) in enumerate(zip(reading.offsets[:-1].tolist(), reading.offsets[1:].tolist())):
        cells = top[:, column]
        entry = np.searchsorted(ids[start:stop], cells)
        for place in range(cells.shape[1]):
            valid = cells[:, place] >= 0
            ranks[start + entry[valid, place], np.flatnonzero(valid)] = place + 1
    return ranks


def _float(values: Tensor) -> np.ndarray:
    return np.ascontiguousarray(values.detach().cpu().numpy(), dtype=np.float32)


def _int(values: Tensor) -> np.ndarray:
    return np.ascontiguousarray(values.detach().cpu().numpy(), dtype=np.int32)
