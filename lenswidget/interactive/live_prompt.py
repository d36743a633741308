"""LivePrompt: a prompt as somebody types it and the model goes on with it, of which only what changed is run and read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from lenswidget.grids.comparison import Comparison, compare
from lenswidget.grids.grid import Grid
from lenswidget.grids.new_columns import NewColumns
from lenswidget.interactive.chat import Chat
from lenswidget.lenses.growing_reading import GrowingReading
from lenswidget.lenses.lens import Lens
from lenswidget.lenses.reader import Asked
from lenswidget.model.backend import Backend
from lenswidget.model.backends import backend_of
from lenswidget.model.growing_run import GrowingRun
from lenswidget.model.prompts import Prompt, tokenize
from lenswidget.model.run import Run
from lenswidget.model.targets import Targets
from lenswidget.model.tokens import TokenTexts
from lenswidget.model.writing import Sampling, Writing
from lenswidget.view.latest import Report, Superseded
from lenswidget.view.live_widget import Write

RUNNING = 0.8
"""The share of the wait that the model takes, and not the readout."""
AT_ONCE = 96
"""Positions that are read before anything is shown; of a longer prompt the last ones come first, then as many at a time."""
TOGETHER = 4
"""Columns that are read at a time while a model writes: no token is shown later, and each by itself costs a fifth more."""


class LivePrompt:
    """A model with lenses, as a live widget asks it: a prompt that is typed, what the model writes, several side by side.

    It is called in one thread at a time. What it keeps of a prompt belongs to one state of the model, and is let go where
    that has changed.
    """

    def __init__(
        self, model: object, lenses: Sequence[Lens], targets: Targets, k: int, *, chat: Chat | None = None
    ) -> None:
        self.text = ""
        self.chat = chat
        self._model = model
        self._asked = [Asked(lens, targets, None, k) for lens in lenses]
        self._growing: GrowingRun | None = None
        self._readings: list[GrowingReading] = []

    def __call__(self, prompt: str, report: Report) -> Iterator[Grid | Comparison | NewColumns]:
        """The prompt, from what is known of the one before it: the last positions first where it is long."""
        backend = backend_of(self._model)  # as it is now: its hooks or weights may have changed since the last prompt
        report(0.0, "running the model")
        growing = self._as_now(backend)
        tokens = self._tokens(backend, prompt)
        growing.become(tokens, _told(backend, report))
        self.text = prompt
        begin = max(0, len(tokens) - AT_ONCE) if len(self._readings) == 1 else 0
        yield self._read(begin=begin, report=report)
        yield from self._earlier(report)

    def write(self, request: Write, report: Report) -> Iterator[Grid | Comparison | NewColumns]:
        """Go on from the tokens that are there: what was written keeps its tokens, whatever its text splits into."""
        backend = backend_of(self._model)
        known = self._growing
        growing = self._as_now(backend)
        if growing is not known:  # the model changed: all that was written is run again
            assert known is not None
            growing.become(known.tokens, _told(backend, report))
        texts, before = growing.run.texts, growing.tokens
        if self.chat is not None:
            first = len(before) if request.instead is None else request.instead[0] + 1
            self.chat.begin(self.text, len(before), first)
        if request.instead is not None:
            growing.become(_instead(growing.run, *request.instead), _told(backend, report))
            self._note(texts, before)
            yield self._read(report=report)
        writing = Writing(growing, Sampling(request.temperature, request.top_p, request.seed))
        for count in range(1, request.count + 1):
            before = growing.tokens
            try:
                report(count / request.count, f"writing, {count} of {request.count}")
            except Superseded:
                break  # what was written up to here is shown, whoever waits for it
            if not writing.write():
                break
            self._note(texts, before)
            if count % TOGETHER == 0:
                # the column of the last token waits for the one that follows it
                yield self._read(end=len(growing.tokens) - 1)
        writing.whole()
        yield self._read(note=writing.ended)

    def together(self, prompts: Sequence[str], report: Report) -> Grid | Comparison:
        """Several prompts, one beside another, each with what the model says of it."""
        backend = backend_of(self._model)
        grids = []
        for i, prompt in enumerate(prompts):
            report(i / len(prompts), f"running prompt {i + 1} of {len(prompts)}")
            growing = GrowingRun(backend)
            growing.become(self._tokens(backend, prompt, alone=True))
            grids.append(GrowingReading(self._asked[0]).become(growing).grid)
        return compare(*grids) if len(grids) > 1 else grids[0]

    def _tokens(self, backend: Backend, prompt: str, *, alone: bool = False) -> Tensor:
        """A prompt's tokens; in a chat, those of all that was said, or of the prompt `alone`."""
        said: Prompt = prompt if self.chat is None else self.chat.with_question(prompt, alone=alone)
        return tokenize(backend, said, backend.vocabulary)

    def _note(self, texts: TokenTexts, before: Tensor) -> None:
        """Note what became of the tokens: in the prompt, or in the answer of a chat."""
        assert self._growing is not None
        tokens = self._growing.tokens
        if self.chat is None:
            self.text = _spelled(texts, self.text, before, tokens)
        else:
            self.text = ""
            self.chat.answered(texts, tokens)

    def _as_now(self, backend: Backend) -> GrowingRun:
        if self._growing is None or not self._growing.is_current(backend):
            self._growing = GrowingRun(backend)
            self._readings = [GrowingReading(asked) for asked in self._asked]
        return self._growing

    def _read(
        self, *, begin: int = 0, end: int | None = None, note: str | None = None, report: Report | None = None
    ) -> Any:
        assert self._growing is not None
        news = []
        for i, reading in enumerate(self._readings):
            if report is not None:
                share = RUNNING + (1 - RUNNING) * i / len(self._readings)
                report(share, f"reading through the {reading.asked.lens.name.lower()}")
            news.append(reading.become(self._growing, begin=begin, end=end, note=note))
        return news[0] if len(news) == 1 else compare(*(new.grid for new in news))

    def _earlier(self, report: Report) -> Iterator[NewColumns]:
        """The positions before those that are shown, some at a time."""
        assert self._growing is not None
        run = self._growing.run
        reading = self._readings[0]
        while len(self._readings) == 1 and reading.grid is not None and (first := int(reading.grid.positions[0])):
            report(1 - first / len(run.tokens), f"reading, {first} tokens to go")
            yield reading.before(run, max(0, first - AT_ONCE))


def _told(backend: Backend, report: Report) -> Callable[[int], None]:
    """Where a prompt that nobody waits for any more ends, too."""
    return lambda block: report(RUNNING * block / backend.facts.layers, "running the model")


def _spelled(texts: TokenTexts, text: str, before: Tensor, after: Tensor) -> str:
    """A text with what became of its tokens: letters that were typed stay as they were."""
    old, new = (texts.decode([i for i in ids.tolist() if i not in texts.special]) for ids in (before, after))
    return text + new[len(old) :] if new.startswith(old) else new


def _instead(run: Run, position: int, token: int) -> Tensor:
    """The tokens up to a position, and another one after them."""
    if not 0 <= position < len(run.tokens):
        raise ValueError(f"This prompt has no position {position}; it has 0 to {len(run.tokens) - 1}.")
    if not 0 <= token < run.readout.vocabulary:
        raise ValueError(
            f"Token id {token} is outside the vocabulary of {run.model}, 0 to {run.readout.vocabulary - 1}."
        )
    return torch.cat([run.tokens[: position + 1], run.tokens.new_tensor([token])])
