"""Writing: a model goes on with a prompt, token by token, each pass on what the passes before it left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from lenswidget.model.backend import Backend
from lenswidget.model.generation import choose, ends_of, require_sampling
from lenswidget.model.growing_run import Begins, GrowingRun

CONTEXT_FULL = "the context of {} tokens is full"
ENDED = "the text has ended"


@dataclass(frozen=True)
class Sampling:
    """How a token is chosen: the likeliest at `temperature` 0, else drawn from the fewest that have `top_p` of the probability
    between them, with logits divided by `temperature`; one `seed` gives one text.

    Raises ValueError for a temperature or `top_p` that makes no sense.
    """

    temperature: float | int = 0.0
    top_p: float | int = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        require_sampling(self.temperature, self.top_p)


class Writing:
    """A run that the model itself goes on with, which keeps only rows until it is `whole`.

    `ended` says why it can't go on, once it can't.
    """

    def __init__(self, growing: GrowingRun, sampling: Sampling) -> None:
        self.growing = growing
        self.ended: str | None = None
        self._sampling = sampling
        self._generator = torch.Generator().manual_seed(sampling.seed)
        self._ends = writes_until(growing.backend)

    def write(self, begins: Begins | None = None) -> bool:
        """Choose one token and run it. False where the text ends there, or the context is full."""
        tokens, logits = self.growing.tokens, self.growing.logits
        assert logits is not None, "a prompt is run first"
        context = self.growing.backend.facts.context
        if context and len(tokens) >= context:
            self.ended = CONTEXT_FULL.format(context)
            return False
        token = int(
            choose(logits[None].float().cpu(), self._sampling.temperature, self._sampling.top_p, self._generator)
        )
        if token in self._ends:
            self.ended = ENDED
            return False
        self.growing.become(torch.cat([tokens, tokens.new_tensor([token])]), begins, parts=False)
        return True

    def whole(self) -> None:
        """Make the run what any other is, with what its parts put out at the end."""
        self.growing.become(self.growing.tokens)


def writes_until(backend: Backend) -> frozenset[int]:
    """The ids that end what a model writes."""
    network: Any = backend.network
    return ends_of(network, backend.tokenizer)
