"""live(): a widget with a model behind it, and a box to type prompts in."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lenswidget.grids.comparison import Comparison, compare
from lenswidget.grids.grid import Grid
from lenswidget.lenses.lens import as_lens
from lenswidget.lenses.logit import LogitLens
from lenswidget.lenses.read import read
from lenswidget.model.alone import alone
from lenswidget.model.probe import readout_of
from lenswidget.model.run import run
from lenswidget.model.targets import Followed
from lenswidget.view.latest import Report

if TYPE_CHECKING:
    from lenswidget.view.widget import LensWidget

RUNNING = 0.8
"""The share of the wait that the model takes, and not the readout."""


def live(
    model: Any, prompt: str, *, lenses: Sequence[Any] | None = None, follow: Followed = (), k: int = 10, **settings: Any
) -> LensWidget:
    """A widget with a prompt box: what is typed there, or assigned to its `prompt`, is run and shown in its place.

    Prompts run in a thread, a newer one in place of the one in flight. What lenswidget runs on the same model meanwhile
    waits for its turn; a call of the model itself does not, and TransformerLens's hooks know no threads: `widget.wait()`
    first. The last picture stays until there is another, and `progress` says what went wrong.

    `lenses` are read side by side, the logit lens alone by default; `follow`, `k` and further keywords are those of
    `read` and of `LensWidget`.

    Raises what `run` and `read` raise for the first prompt.
    """
    from lenswidget.view.widget import LensWidget

    if not isinstance(prompt, str):
        raise TypeError(f"A live prompt is a text, which can be typed over; got {type(prompt).__name__}.")
    readout_of(model)  # refuses, with the reason, what no lens can read
    chosen = [as_lens(lens) for lens in lenses] if lenses is not None else [LogitLens()]
    if not chosen:
        raise ValueError("lenses is empty; give at least one, or leave it out for the logit lens.")

    def picture(prompt: str, report: Report) -> Grid | Comparison:
        with alone(model), _counted(model, report):
            done = run(model, prompt)
        grids = []
        for i, lens in enumerate(chosen):
            report(RUNNING + (1 - RUNNING) * i / len(chosen), f"reading through the {lens.name.lower()}")
            grids.append(read(done, lens, follow=follow, k=k))
        return compare(*grids) if len(grids) > 1 else grids[0]

    return LensWidget(picture(prompt, lambda *_: None), compute=picture, prompt=prompt, **settings)


@contextlib.contextmanager
def _counted(model: Any, report: Report) -> Iterator[None]:
    """Reports each block that begins, which is also where a prompt that nobody waits for any more ends."""
    report(0.0, "running the model")
    blocks, thread = list(model.blocks), threading.get_ident()

    def begins(i: int) -> None:
        if threading.get_ident() == thread:
            report(RUNNING * i / len(blocks), "running the model")

    handles = [block.register_forward_pre_hook(lambda *_, i=i: begins(i)) for i, block in enumerate(blocks)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
