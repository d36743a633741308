"""Put: what a sweep puts into a base in the place of what is there: another run's values, a mean, or a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from lenswidget.grids.alignment import pairs_of
from lenswidget.grids.parts import NO_TOKEN
from lenswidget.model.cached_run import as_run
from lenswidget.model.edits import values_at
from lenswidget.model.places import Place
from lenswidget.model.run import Run


@dataclass(frozen=True, eq=False)  # tensors have no one answer to ==
class Put:
    """What is put into the base: another run's values, a mean, or a number."""

    source: Run | None
    runs: tuple[Run, ...]
    number: float
    columns: dict[int, int]
    """The position of the source for each position of the base that has one."""
    first: int
    """The first position at which they differ."""
    words: str
    same_length: bool

    def token(self, position: int) -> int:
        if self.source is None or position not in self.columns:
            return NO_TOKEN
        return int(self.source.tokens[self.columns[position]])

    def values(self, place: Place, positions: Sequence[int], width: int) -> Float[Tensor, "p n"]:
        if not self.runs:
            return torch.full((len(positions), width), self.number / place.scale)
        where = torch.tensor([self.columns[p] for p in positions])
        found = [values_at(run, place, where).float() for run in self.runs]
        return found[0] if len(found) == 1 else torch.stack(found).mean(0)


def put_of(base: Run, source: Any) -> Put:
    if isinstance(source, (int, float)) and not isinstance(source, bool):
        words = "taken out" if source == 0 else f"set to {source:g}"
        return Put(None, (), float(source), {}, 0, words, True)
    if isinstance(source, (list, tuple)):
        runs = tuple(as_run(one) for one in source)
        if not runs:
            raise ValueError("There are no runs to take the mean of; give one at least, or 0 to take a thing out.")
        for run in runs:
            _require_same_model(base, run)
        lengths = {len(run.tokens) for run in runs}
        if lengths != {len(base.tokens)}:
            raise ValueError(
                f"A mean is taken position by position, so every run needs the {len(base.tokens)} tokens of the base; got "
                f"{', '.join(map(str, sorted(lengths)))}."
            )
        every = {p: p for p in range(len(base.tokens))}
        return Put(None, runs, 0.0, every, 0, f"set to their mean over {len(runs)} runs", True)
    run = as_run(source)
    _require_same_model(base, run)
    ours, theirs = base.tokens.tolist(), run.tokens.tolist()
    if ours == theirs and torch.equal(base.residual, run.residual):
        raise ValueError(
            f"Base and source don't differ: both are {base.prompt!r}, so there is nothing to patch. Give a source with another "
            "prompt, or the same under an edit."
        )
    columns = dict(pairs_of(ours, theirs))
    first = next((p for p, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))
    if ours == theirs or any(one.require_activations().changed for one in (base, run)):
        # where the tokens are the same, an edit or a hook may still have made them differ
        apart = (base.residual[:, :first] != run.residual[:, :first].to(base.residual)).any(-1).any(0).nonzero()
        first = int(apart[0]) if len(apart) else first
    return Put(run, (run,), 0.0, columns, first, f"from {run.prompt!r}", len(ours) == len(theirs))


def _require_same_model(base: Run, source: Run) -> None:
    ours = base.require_activations().backend.model
    theirs = source.require_activations().backend.model
    if ours is not theirs:
        raise ValueError(
            f"Base and source are runs of different model objects, {base.model} and {source.model}; make both with one, "
            "lw.runs(model, [base, source])."
        )


def answering(put: Put, position: int) -> int:
    """The position of the source whose answer is compared."""
    if position not in put.columns:
        raise ValueError(
            f"Position {position}, where the answer is read, has no counterpart in the source; read where both prompts go on, "
            "as position=-1."
        )
    return put.columns[position]
