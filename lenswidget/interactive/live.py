"""live(): a widget with a model behind it, and a box to type prompts in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lenswidget.grids.comparison import Comparison, compare
from lenswidget.grids.grid import Grid
from lenswidget.lenses.lens import as_lens
from lenswidget.lenses.logit import LogitLens
from lenswidget.lenses.read import read
from lenswidget.model.backends import backend_of
from lenswidget.model.probe import readout_of
from lenswidget.model.run import run_watched
from lenswidget.model.targets import Targets
from lenswidget.view.latest import Report
from lenswidget.view.widget import LensWidget

RUNNING = 0.8
"""The share of the wait that the model takes, and not the readout."""


def live(
    model: object,
    prompt: str,
    *,
    lenses: Sequence[Any] | None = None,
    targets: Targets = (),
    k: int = 10,
    tokenizer: Any = None,
    **settings: Any,
) -> LensWidget:
    """A widget with a prompt box: what is typed there, or assigned to its `prompt`, is run and shown in its place.

    Prompts run in a thread, a newer one in place of the one in flight. What lenswidget runs on the same model meanwhile
    waits for its turn; a call of the model itself does not, and TransformerLens's hooks know no threads: `widget.wait()`
    first. The last picture stays until there is another, and `progress` says what went wrong. An interrupt (Ctrl-C, or the
    notebook's stop button) ends the prompt in flight.

    `lenses` are read side by side, the logit lens alone by default; `targets`, `k` and further keywords are those of
    `read` and of `LensWidget`, and `tokenizer` is `lw.run`'s.

    Raises what `run` and `read` raise for the first prompt.
    """
    if not isinstance(prompt, str):
        raise TypeError(f"A live prompt is a text, which can be typed over; got {type(prompt).__name__}.")
    readout_of(backend_of(model, tokenizer=tokenizer))  # refuses, with the reason, what no lens can read
    chosen = [as_lens(lens) for lens in lenses] if lenses is not None else [LogitLens()]
    if not chosen:
        raise ValueError("lenses is empty; give at least one, or leave it out for the logit lens.")

    def read_prompt(prompt: str, report: Report) -> Grid | Comparison:
        backend = backend_of(model)  # as it is now: its hooks or weights may have changed since the last prompt
        report(0.0, "running the model")

        def begins(block: int) -> None:
            # where a prompt that nobody waits for any more ends, too
            report(RUNNING * block / backend.facts.layers, "running the model")

        done = run_watched(backend, prompt, begins)
        grids = []
        for i, lens in enumerate(chosen):
            report(RUNNING + (1 - RUNNING) * i / len(chosen), f"reading through the {lens.name.lower()}")
            grids.append(read(done, lens, targets=targets, k=k))
        return compare(*grids) if len(grids) > 1 else grids[0]

    return LensWidget(read_prompt(prompt, lambda *_: None), compute=read_prompt, prompt=prompt, **settings)
