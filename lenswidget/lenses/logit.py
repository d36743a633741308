"""The logit lens: read every residual row as if it were the last."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lenswidget.cached_run import Run, as_run
from lenswidget.grid import BEYOND, Candidates, Grid, Quantity, Target, Trajectories
from lenswidget.readout import Reading, uniform_entropy

Followed = str | int | Iterable[str | int]
EXTRA = frozenset({"jensen_shannon", "total_variation"})


def logit_lens(
    run_or_cache: Any, *, follow: Followed | list[Followed] = (), k: int = 10, extra: Iterable[str] = ()
) -> Grid:
    """Read every row of the residual stream through the model's final norm and unembedding.

    The Grid has `L + 1` rows (the embedding, then the output of each block; the last is the model's own output) and a
    column for each token. `follow` names tokens to follow through the rows: a text or an id, or a list of them; a
    tuple or set within the list is one target whose probabilities add. `k` candidates are kept in each cell. `extra`
    adds the Jensen–Shannon divergence (bits) and the total variation from the output, a pass over the vocabulary each.

    Raises ValueError for a followed text that is several tokens, naming them, and for a cache that can't be read.

    Source: nostalgebraist, "interpreting GPT: the logit lens", 2020.
    """
    run = as_run(run_or_cache)
    if not 1 <= k <= run.readout.vocabulary:
        raise ValueError(f"k is the number of candidates a cell, 1 to {run.readout.vocabulary}; got {k}.")
    wanted = set(extra)
    unknown = wanted - EXTRA
    if unknown:
        raise ValueError(f"extra takes 'jensen_shannon' and 'total_variation'; got {sorted(unknown)[0]!r}.")
    targets = followed_targets(run, follow)
    reading = run.readout.read(
        run.residual,
        run.following,
        k=k,
        targets=[target.ids for target in targets],
        jensen_shannon="jensen_shannon" in wanted,
        total_variation="total_variation" in wanted,
    )
    return grid_of(run, reading, targets, kind="Logit lens", notes=("raw, unadjusted",))


def followed_targets(run: Run, follow: Followed | list[Followed]) -> tuple[Target, ...]:
    """The sets of token ids that `follow` names."""
    items = list(follow) if isinstance(follow, (list, tuple)) else [follow]
    groups = [item if isinstance(item, (tuple, set, frozenset, list)) else (item,) for item in items]
    targets = []
    for group in groups:
        ids = tuple(dict.fromkeys(_token_id(run, token) for token in group))
        if not ids:
            raise ValueError("A followed target needs at least one token; got an empty set.")
        targets.append(Target(" + ".join(run.texts[i] for i in ids), ids))
    if len({target.ids for target in targets}) < len(targets):
        raise ValueError("The same target is followed twice; name each once.")
    return tuple(targets)


def _token_id(run: Run, token: Any) -> int:
    if isinstance(token, str):
        ids = run.texts.ids(token)
        if len(ids) == 1:
            return ids[0]
        if not ids:
            raise ValueError(f"{token!r} is no token at all; follow a text of one token, as in follow=' Paris'.")
        split = ", ".join(repr(run.texts[i]) for i in ids)
        raise ValueError(
            f"{token!r} is {len(ids)} tokens ({split}), and a lens predicts one; follow the first, "
            f"follow={run.texts[ids[0]]!r}, or its id, follow={ids[0]}."
        )
    if isinstance(token, bool) or not hasattr(token, "__index__"):
        raise TypeError(f"A followed token is a text or a token id; got {token!r}.")
    token_id = int(token)
    if not 0 <= token_id < run.readout.vocabulary:
        raise ValueError(f"Token id {token_id} is outside the vocabulary, 0 to {run.readout.vocabulary - 1}.")
    return token_id


def grid_of(run: Run, reading: Reading, targets: tuple[Target, ...], *, kind: str, notes: tuple[str, ...]) -> Grid:
    """A Grid from what was read."""
    candidates = Candidates(_int(reading.top_ids), _float(reading.top_log_probability))
    trajectories = Trajectories(
        _int(reading.offsets),
        _int(reading.trajectory_ids),
        _float(reading.trajectory_log_probability),
        _trajectory_ranks(reading),
    )
    following = run.following.cpu()
    ids = torch.cat([run.tokens.cpu(), reading.trajectory_ids]).tolist()
    ids = sorted({*ids, *(i for target in targets for i in target.ids)})
    positions = np.arange(len(run.tokens), dtype=np.int32)
    return Grid(
        title=run.prompt,
        kind=kind,
        model=run.model,
        rows=run.labels,
        columns=_int(run.tokens),
        positions=positions,
        quantities={q.name: q for q in _quantities(run, reading, targets)},
        texts=run.texts.of(ids),
        special=tuple(i for i in ids if i in run.texts.special),
        candidates=candidates,
        trajectories=trajectories,
        targets=targets,
        following=_int(following),
        decision=_decision(candidates.ids[:, :, 0]),
        # one token is all there is to look at, however large its norm
        aside=(0,) if len(positions) > 1 else (),
        check=run.check,
        notes=notes + run.notes,
        provenance={"lenswidget": importlib.metadata.version("lenswidget"), "prompt": run.prompt, "lens": kind},
    )


def _quantities(run: Run, reading: Reading, targets: tuple[Target, ...]) -> list[Quantity]:
    top = reading.top_log_probability[..., 0]
    rank = np.where(_int(reading.following_rank) == 0, np.nan, _float(reading.following_rank)).astype(np.float32)
    vocabulary = float(run.readout.vocabulary)
    kl, surprisal = _float(reading.kl), _float(reading.surprisal)
    quantities = [
        Quantity("probability", _float(top.exp2()), domain=(0.0, 1.0)),
        Quantity("log-probability", _float(top), unit="bits"),
        Quantity("logit", _float(reading.top_logit)),
        Quantity(
            "entropy", _float(reading.entropy), unit="bits", domain=(0.0, uniform_entropy(run.readout.vocabulary))
        ),
        Quantity("KL to the output", kl, unit="bits", domain=_reach(kl[:, 1:])),
        Quantity("surprisal", surprisal, unit="bits", domain=_reach(surprisal[:, 1:])),
        Quantity("rank of the next token", rank, scale="log", strong="low", domain=(1.0, vocabulary)),
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
            Quantity(f"probability of {name}", np.exp2(bits), domain=(0.0, 1.0), target=i),
            Quantity(f"log-probability of {name}", bits, unit="bits", target=i),
            Quantity(f"logit of {name}", _float(reading.target_logit[i]), target=i),
            Quantity(f"rank of {name}", ranks, scale="log", strong="low", domain=(1.0, vocabulary), target=i),
        ]
    return quantities


def _reach(values: np.ndarray) -> tuple[float, float] | None:
    """Where a scale from zero should end: short of the few cells, if any, that would flatten all the others.

    An embedding can be hundreds of bits from the output where no other row is forty; it is drawn as beyond the scale.
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        return None
    most, usual = float(finite.max()), float(np.percentile(finite, 95))
    return (0.0, usual) if 0 < usual < most / 2 else None


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
