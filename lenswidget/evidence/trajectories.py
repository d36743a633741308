"""trajectories(): many prompts at one position each, as one Grid: a column a prompt."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.evidence.batches import common
from lenswidget.evidence.beginnings import other_beginnings
from lenswidget.evidence.of_target import OWN
from lenswidget.evidence.passes import passes
from lenswidget.evidence.prompts import Prompts
from lenswidget.evidence.targets_by_prompt import Followed, column_of, followed_by, named_prompts
from lenswidget.grids.grid import Grid
from lenswidget.grids.numbers import whole_number
from lenswidget.grids.parts import Check, ColumnQuantity, Quantity
from lenswidget.grids.reach import LONG_TAILED, reach
from lenswidget.lenses.fitting.progress import Progress
from lenswidget.lenses.lens import Lens, as_lens, lens_call, moved
from lenswidget.lenses.logit import LogitLens
from lenswidget.lenses.read import read
from lenswidget.lenses.reader import extra_of
from lenswidget.lenses.to_grid import grid_of
from lenswidget.model.backend import Backend
from lenswidget.model.backends import backend_of
from lenswidget.model.made_by import call, unless
from lenswidget.model.prompts import Prompt, tokenize
from lenswidget.model.reading import Reading
from lenswidget.model.recalled_hooks import recalled
from lenswidget.model.recalled_run import RecalledRun
from lenswidget.model.run import Run, check_of, model_notes, run_watched
from lenswidget.model.surroundings import own_arithmetic
from lenswidget.model.targets import TargetLike, Targets

PATIENCE = 2.0
"""Seconds before progress is shown."""
LABEL = 32
"""Letters of a prompt in its label."""


@dataclass(frozen=True, eq=False)  # tensors have no one answer to ==
class Columns(Run):
    """Many prompts at one position each, as lenses and readouts take a run: its positions are prompts."""

    follows: Int[Tensor, "positions"] = field(default_factory=lambda: torch.zeros(0, dtype=torch.int64))

    @property
    def following(self) -> Int[Tensor, "positions"]:
        """The token that really follows in each prompt; -1 where none does."""
        return self.follows.masked_fill(self.follows >= self.readout.vocabulary, -1)


@dataclass(frozen=True, eq=False)  # tensors have no one answer to ==
class Piece:
    """What was read of some prompts that follow the same."""

    members: tuple[int, ...]
    reading: Reading
    last: Float[Tensor, "prompts d"]
    """Their last row."""


def trajectories(
    model: object,
    prompts: Iterable[Prompt],
    lens: Any = None,
    *,
    target: TargetLike | Iterable[Any] | None = None,
    against: TargetLike | Iterable[Any] | None = None,
    targets: Targets = (),
    position: int = -1,
    labels: Iterable[Any] | None = None,
    groups: Iterable[Any] | None = None,
    k: int = 5,
    extra: Iterable[str] = (),
    tokenizer: Any = None,
    watch: Callable[[Progress], Any] | None = None,
) -> Grid:
    """Read many prompts through a lens, each at one position: a Grid with a column for each prompt.

    Its rows are the layers, and its quantities and candidates those of `lw.read`; the last row is the model's own output and
    was checked for every prompt. `prompts` are what `lw.run` takes, one each; `lens` is what `lw.read` takes, by default the
    logit lens. `position` counts in each prompt, and only it is read. Prompts of one length run together, and what they begin
    with in common runs once, where the model computes the same that way; nothing is padded.

    `target` is followed as an answer: one for all prompts, or a list or column of a table with one for each, None where a prompt
    has none. `against` adds the logit difference from another, likewise. `targets` are followed in every prompt, as those of
    `lw.read` are. What is measured of a list is called "rank of the target", and NaN where there is none. `extra` is `lw.read`'s.

    `labels` and `groups` are texts, one for each prompt. `grid.features("entropy")` is `[prompts, rows]`, and `grid.open(17)` the
    whole Grid of one prompt. What takes long shows its progress, calls `watch` if that is given, and keeps what it has when it is
    interrupted. The model's own hooks run in every pass; under hooks of yours, each prompt runs alone.

    Raises ValueError and TypeError as `lw.run` and `lw.read` do, naming the prompt, and for lists that have not one item for each
    prompt.

        grid = lw.trajectories(model, questions, target=answers, groups=["right", "wrong", …])
        lw.unusual(grid, normal="right")
    """
    backend = backend_of(model, tokenizer=tokenizer)
    given = LogitLens() if lens is None else lens
    lens = as_lens(given)
    ids = tokens_of(backend, prompts)
    at = [position_in(i, tokens, position) for i, tokens in enumerate(ids)]
    names, kinds = named_prompts(len(ids), labels, "label"), named_prompts(len(ids), groups, "group")
    first = run_watched(backend, ids[0])  # it says all that holds whatever the prompt
    if lens.through(first) is not first:
        raise ValueError(
            f"This {lens.name.lower()} reads rows in another model, which takes whole runs; read prompts one by one, "
            "lw.read(lw.run(model, prompt), lens)."
        )
    whole_number("k", k, 1, first.readout.vocabulary, is_of="the number of candidates a cell")
    lens.require(first)
    target, against = (column_of(one) for one in (target, against))
    followed = followed_by(first, len(ids), target, against, targets)
    distances = extra_of(extra)
    progress = Progress(
        f"Reading {len(ids)} prompts",
        doing=lens.name,
        patience=PATIENCE,
        watchers=[watch] if watch else [],
    )
    hooks = first.require_activations().hooks
    pieces: list[Piece] = []
    checks: list[Check] = []
    bad = read_of = 0
    with progress.running():
        for ends in passes(backend, ids, at, hooks):
            assert ends.logits is not None  # no pass stopped below the output
            some = _columns(first, ids, at, ends.members, ends.rows)
            checks.append(check_of(first.readout, backend, ends.rows[-1], ends.logits))
            bad += int((~ends.rows.isfinite().all(-1)).sum())
            pieces += _read(some, lens, ends.members, followed, k, distances)
            read_of += len(ends.members)
            if progress.tell(read_of / len(ids)):
                break
    if not pieces:
        raise KeyboardInterrupt
    done = sorted(i for piece in pieces for i in piece.members)
    check = max(checks, key=lambda one: np.nan_to_num(one.error / one.tolerance))
    notes = (
        f"read at {'the last position' if position == -1 else f'position {position}'} of each prompt",
        *([f"stopped after {len(done)} of {len(ids)} prompts"] if len(done) < len(ids) else []),
        *([f"{bad} of {len(done) * len(first.residual)} residual vectors are not finite"] if bad else []),
        *model_notes(backend, first.residual.dtype),
        *other_beginnings([ids[i].tolist() for i in done], kinds and [kinds[i] for i in done]),
    )
    grid = _grid(replace(first, check=check, notes=notes), ids, at, pieces, followed, lens)
    again = call(
        "lw.trajectories",
        "model",
        "prompts",
        "" if isinstance(lens, LogitLens) else lens_call(given),
        position=unless(position, -1),
        k=unless(k, 5),
        extra=unless([name for name, wanted in distances.items() if wanted], []),
    )
    length = np.array([len(ids[i]) for i in done], dtype=np.float32)
    return replace(
        grid,
        title=f"{len(done)} prompts",
        column_labels=tuple(names[i] if names else _tail(first, ids[i]) for i in done),
        groups=kinds and tuple(kinds[i] for i in done),
        column_quantities=(ColumnQuantity("tokens", length, says="this prompt has {} tokens"),),
        provenance={
            **grid.provenance,
            **_said(first, [ids[i] for i in done]),
            "position": str(int(position)),
            "call": again,
        },
        explain=_recipe(first, ids, at, pieces, given, followed) if lens.explains else None,
    )


def tokens_of(backend: Backend, prompts: Iterable[Prompt]) -> list[Int[Tensor, "..."]]:
    """The token ids of every prompt."""
    if isinstance(prompts, (str, Mapping, Set)) or not isinstance(prompts, Iterable):
        raise TypeError(
            f"Many prompts are a list of prompts, or a column of a table; got {type(prompts).__name__}. Put one prompt into a "
            "list, or call lw.run(model, prompt) for it."
        )
    several = list(prompts)
    if not several:
        raise ValueError("There are no prompts to read; give at least one, as in lw.trajectories(model, ['The']).")
    found = []
    for i, prompt in enumerate(several):
        try:
            found.append(tokenize(backend, prompt, backend.vocabulary))
        except (TypeError, ValueError) as reason:
            raise type(reason)(f"Of prompt {i}: {reason}") from None
    return found


def position_in(prompt: int, tokens: Int[Tensor, "positions"], position: Any) -> int:
    """Which position is read of a prompt, counted from 0."""
    if isinstance(position, bool) or not hasattr(position, "__index__"):
        raise TypeError(f"position is a whole number, the same in every prompt, and -1 the last; got {position!r}.")
    if not -len(tokens) <= int(position) < len(tokens):
        raise ValueError(
            f"Prompt {prompt} has {len(tokens)} tokens and no position {int(position)}; leave it out, or read position=-1, "
            "which every prompt has."
        )
    return int(position) % len(tokens)


def _columns(
    first: Run,
    ids: Sequence[Int[Tensor, "..."]],
    at: Sequence[int],
    members: Sequence[int],
    rows: Float[Tensor, "rows prompts d"],
) -> Columns:
    """Some prompts at their positions, as one run of the model that `first` ran on."""
    follows = [int(ids[i][at[i] + 1]) if at[i] + 1 < len(ids[i]) else -1 for i in members]
    known = {f.name: getattr(first, f.name) for f in fields(Run)}
    read_at = torch.tensor([int(ids[i][at[i]]) for i in members])
    return Columns(**{**known, "tokens": read_at, "residual": rows, "prompt": ""}, follows=torch.tensor(follows))


@own_arithmetic()
@torch.no_grad()
def _read(
    columns: Columns, lens: Lens, members: Sequence[int], followed: Followed, k: int, distances: Mapping[str, bool]
) -> Iterator[Piece]:
    """What some prompts say, those together that follow the same."""
    stream = columns.residual if isinstance(lens, LogitLens) else moved(columns, lens)
    alike: dict[tuple[tuple[int, ...], ...], list[int]] = {}
    for place, i in enumerate(members):
        alike.setdefault(tuple(target.ids for target in followed.of(i)), []).append(place)
    for targets, places in alike.items():
        reading = columns.readout.read(
            stream[:, places],
            columns.following[places],
            k=k,
            targets=targets,
            jensen_shannon=distances["jensen_shannon"],
            total_variation=distances["total_variation"],
        )
        yield Piece(tuple(members[j] for j in places), reading, columns.residual[-1, places].clone())


def _grid(
    first: Run,
    ids: Sequence[Int[Tensor, "..."]],
    at: Sequence[int],
    pieces: Sequence[Piece],
    followed: Followed,
    lens: Lens,
) -> Grid:
    """What was read as one Grid, its columns in the order of the prompts."""
    order = [i for piece in pieces for i in piece.members]
    columns = _columns(first, ids, at, order, first.residual[:, :1].expand(-1, len(order), -1))
    reading = _joined([piece.reading for piece in pieces], len(followed.of(order[0])))
    count = len(followed.every)
    grid = grid_of(
        columns,
        torch.arange(len(order)),
        replace(reading, **{name: getattr(reading, name)[:count] for name in OF_TARGETS}),
        followed.every,
        compared=followed.compared,
        kind=lens.name,
        notes=lens.notes_on(first),
        row_quantities=lens.row_quantities(first),
        provenance=lens.provenance,
    )
    own = {q.name: q for q in _own_quantities(reading, count, columns.readout.vocabulary)}
    grid = replace(grid, quantities={**grid.quantities, **own})[:, np.argsort(order)]
    # no prompt is left out of scales, as the first position of one would be
    every = np.ones(len(order), dtype=bool)
    quantities = {
        name: replace(q, domain=reach(q.values, every)) if name in LONG_TAILED else q
        for name, q in grid.quantities.items()
    }
    return replace(
        grid, quantities=quantities, positions=np.arange(len(order), dtype=np.int32), excluded=(), check=first.check
    )


OF_TARGETS = ("target_log_probability", "target_logit", "target_rank")


def _joined(readings: Sequence[Reading], most: int) -> Reading:
    """Readings of some columns each, as one of all; what fewer targets leave open is NaN, and a rank 0."""
    found: dict[str, Tensor] = {}
    most = max(most, *(len(reading.target_rank) for reading in readings))
    for name in (f.name for f in fields(Reading)):
        parts = [getattr(reading, name) for reading in readings]
        if name == "offsets":
            sizes = torch.cat([part.diff() for part in parts])
            found[name] = torch.cat([sizes.new_zeros(1), sizes.cumsum(0)])
        elif parts[0] is not None:
            if name in OF_TARGETS:
                parts = [_with_targets(part, most) for part in parts]
            axis = 0 if name.startswith("trajectory") else 2 if name in OF_TARGETS else 1
            found[name] = torch.cat(parts, dim=axis)
    return Reading(**found)


def _with_targets(part: Tensor, count: int) -> Tensor:
    missing = part.new_full((count - len(part), *part.shape[1:]), float("nan") if part.is_floating_point() else 0)
    return torch.cat([part, missing])


def _own_quantities(reading: Reading, first: int, vocabulary: int) -> Iterator[Quantity]:
    """What is measured of a target that each prompt has of its own, the `first` of the reading's after those of all."""
    if len(reading.target_rank) == first:
        return
    bits, logits = (
        getattr(reading, name)[first:].numpy().astype(np.float32) for name in ("target_log_probability", "target_logit")
    )
    counted = reading.target_rank[first].numpy()
    rank = np.where(counted == 0, np.nan, counted).astype(np.float32)
    yield Quantity(f"probability {OWN}", np.exp2(bits[0]), domain=(0.0, 1.0))
    yield Quantity(f"log-probability {OWN}", bits[0], unit="bits")
    yield Quantity(f"logit {OWN}", logits[0])
    yield Quantity(f"rank {OWN}", rank, scale="log", strong="low", domain=(1.0, float(vocabulary)))
    if len(bits) > 1:
        yield Quantity(f"logit difference {OWN}", logits[0] - logits[1], center=0.0)


def _said(first: Run, prompts: Sequence[Int[Tensor, "..."]]) -> dict[str, str]:
    """What is to be known of the prompts: how many there are, and with what all of them begin."""
    every = [tokens.tolist() for tokens in prompts]
    first_and_last = min(every), max(every)  # what these two share, all do
    shared = first_and_last[0][: common(*first_and_last)]
    return {"prompts": str(len(prompts)), **({"all begin with": first.texts.decode(shared)} if shared else {})}


def _tail(first: Run, tokens: Int[Tensor, "positions"]) -> str:
    """The end of a prompt, by which it is told apart."""
    text = first.texts.decode([i for i in tokens[-LABEL:].tolist() if i not in first.texts.special])
    return text if len(text) <= LABEL else "…" + text[1 - LABEL :]


def _recipe(
    first: Run,
    ids: Sequence[Int[Tensor, "..."]],
    at: Sequence[int],
    pieces: Sequence[Piece],
    lens: Any,
    followed: Followed,
) -> Prompts:
    """How each prompt is run again."""
    activations = first.require_activations()
    model, hooks = weakref.ref(activations.backend.model), recalled(activations.hooks, activations.backend.model)
    outputs = {i: row for piece in pieces for i, row in zip(piece.members, piece.last)}
    known = sorted(outputs)
    return Prompts(
        tuple(RecalledRun(lambda: None, model, first.model, ids[i], outputs[i], hooks, (), at[i]) for i in known),
        as_lens(lens),
        lambda run, column: _whole(run, known[column], lens, followed),
        tuple(followed.answer(i) for i in known),
    )


def _whole(run: Run, prompt: int, lens: Any, followed: Followed) -> Grid:
    targets, against = followed.asked(prompt)
    return read(run, lens, targets=targets, against=against)
