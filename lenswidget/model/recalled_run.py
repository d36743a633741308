"""A recipe by which a run is made again: it keeps no run and no model alive, and knows whether the model is what it was."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.model.backends import backend_of
from lenswidget.model.edits import Edit, Written
from lenswidget.model.recalled_hooks import recalled
from lenswidget.model.run import Run, run_watched
from lenswidget.model.user_hooks import UserHooks


@dataclass(frozen=True, eq=False)
class RecalledRun:
    """Called, the run: the one that still lives, or the same made again."""

    run: Callable[[], Run | None]
    model: weakref.ReferenceType[Any]
    name: str
    tokens: Int[Tensor, "positions"]
    output: Float[Tensor, "d"]
    """The last row at one position, by which the run is known again."""
    hooks: Callable[[], UserHooks | None]
    """Those under which it was read; a hook may hold the model, and is then not kept for this."""
    edits: tuple[Written, ...]
    position: int = -1
    """Where that is."""

    @classmethod
    def of(cls, run: Run) -> RecalledRun | None:
        """For a run that has its model; None for one that was detached."""
        if run.activations is None:
            return None
        model = run.activations.backend.model
        known_by, hooks = run.residual[-1, -1].clone(), recalled(run.activations.hooks, model)
        return cls(weakref.ref(run), weakref.ref(model), run.model, run.tokens, known_by, hooks, run.edits)

    def __call__(self) -> Run:
        """Raises ValueError where the model, or a hook, is gone or has changed."""
        return self.run() or self._again()

    def under(self, changes: Sequence[Experiment], begins: Callable[[int], None] | None = None) -> tuple[Run, Run]:
        """The run, and the same under more edits.

        `begins` is told each block that begins; what it raises ends the run. Raises what `lw.run` raises for an edit.
        """
        run = self()
        edits = [
            Edit(site, to=0, position=position)
            if source is None
            else Edit(site, to=source(), position=position, source_position=at)
            for site, position, source, at in changes
        ]
        activations = run.require_activations()
        return run, run_watched(activations.backend, self.tokens, begins, activations.hooks, (*self.edits, *edits))

    def _again(self) -> Run:
        model = self.model()
        if model is None:
            raise ValueError(
                f"{self.name} was deleted, and what moved a token is read from its weights; keep the model, and read it again."
            )
        hooks = self.hooks()
        if hooks is None:
            raise ValueError(
                f"A hook under which this was read holds {self.name} itself, and is gone; keep the run, or read it again under "
                "the hook with lw.run(model, prompt)."
            )
        one = run_watched(backend_of(model), self.tokens, hooks=hooks, edits=self.edits)
        now, then = one.residual[-1, self.position].float(), self.output.float()
        if float((now - then).abs().max()) > 64 * torch.finfo(self.output.dtype).eps * float(then.abs().max()):
            raise ValueError(
                f"{self.name} is not what it was when this was read: its weights were changed since. Read it again with "
                "lw.run(model, prompt)."
            )
        return one


Experiment = tuple[str, int, RecalledRun | None, int]
"""A site, a position, the run whose value is put there (None for zero), and from which position of it."""
