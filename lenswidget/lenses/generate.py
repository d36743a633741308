"""generate(): a model writes, and every token's column is read as it is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from lenswidget.grids.grid import Grid
from lenswidget.lenses.growing_reading import GrowingReading
from lenswidget.lenses.logit import LogitLens
from lenswidget.lenses.reader import Asked
from lenswidget.model.backends import backend_of
from lenswidget.model.growing_run import GrowingRun
from lenswidget.model.prompts import Prompt, tokenize
from lenswidget.model.targets import TargetLike, Targets
from lenswidget.model.writing import Sampling, Writing


def generate(
    model: object,
    prompt: Prompt,
    lens: Any = None,
    *,
    max_new_tokens: int = 20,
    temperature: float | int = 0.0,
    top_p: float | int = 1.0,
    seed: int = 0,
    every: int = 1,
    targets: Targets = (),
    against: TargetLike | None = None,
    k: int = 10,
    extra: Iterable[str] = (),
    tokenizer: Any = None,
) -> Iterator[Grid]:
    """Let a model go on with a prompt, and read every token's column as it is written.

    Yields a Grid `[L + 1, tokens]` each time that `every` tokens have been written, of every token whose next one is known,
    and at the end one of all tokens, which is what `lw.read(lw.run(model, ids), lens)` gives of the whole text. It writes at
    most `max_new_tokens`, and up to where the model ends its text, or its context is full. Who breaks off the loop keeps the
    Grids that came.

    At `temperature` 0 each token is the likeliest one; else it is drawn, with logits divided by `temperature`, from the
    fewest tokens that have `top_p` of the probability between them; one `seed` gives one text. `lens` is the one that is
    read, by default the logit lens; `model`, `prompt` and `tokenizer` are those of `lw.run`, and the others those of
    `lw.read`. Reading four at a time, `every=4`, costs less than each by itself.

    Raises what `lw.run` and `lw.read` raise, and ValueError for a temperature, `top_p` or number that makes no sense, before
    anything is written.

        for grid in lw.generate(model, "The capital of France is", max_new_tokens=8):
            print(grid.title)
    """
    for name, number, least in (("max_new_tokens", max_new_tokens, 0), ("every", every, 1)):
        if isinstance(number, bool) or not isinstance(number, int) or number < least:
            raise ValueError(f"{name} is a whole number, {least} or more; got {number!r}.")
    backend = backend_of(model, tokenizer=tokenizer)
    sampling = Sampling(temperature, top_p, seed)
    growing = GrowingRun(backend)
    growing.become(tokenize(backend, prompt, backend.vocabulary))
    reading = GrowingReading(Asked(LogitLens() if lens is None else lens, targets, against, k, tuple(extra)))
    reading.asked.of(growing.run)
    return _written(growing, reading, Writing(growing, sampling), max_new_tokens, every)


def _written(
    growing: GrowingRun, reading: GrowingReading, writing: Writing, max_new_tokens: int, every: int
) -> Iterator[Grid]:
    for count in range(1, max_new_tokens + 1):
        if not writing.write():
            break
        if count % every == 0:
            yield reading.become(growing, end=len(growing.tokens) - 1).grid
    writing.whole()
    yield reading.become(growing, note=writing.ended).grid
