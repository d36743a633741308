"""steer(): a prompt before and after a steering vector, side by side, with the dose as a slider."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import ipywidgets
import torch
import traitlets
from jaxtyping import Int
from torch import Tensor

from lenswidget.grids.comparison import Comparison, compare
from lenswidget.interventions.edited_text import reaching, write
from lenswidget.interventions.steering import SteeringVector
from lenswidget.lenses.lens import as_lens
from lenswidget.lenses.logit import LogitLens
from lenswidget.lenses.read import read
from lenswidget.model.backend import Backend
from lenswidget.model.backends import backend_of
from lenswidget.model.edits import Edit
from lenswidget.model.generation import ends_of
from lenswidget.model.positions import Positions
from lenswidget.model.probe import readout_of
from lenswidget.model.prompts import tokenize
from lenswidget.model.run import run_watched
from lenswidget.model.targets import Targets
from lenswidget.view.latest import Report
from lenswidget.view.widget import LensWidget

REACH = 4.0
"""The slider goes from minus so much to so much, or to twice the first dose."""
STEPS = 80
WRITING = 0.5
"""The share of the wait that the model writes, before it is read."""


class Steering(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A slider and a `LensWidget`, as `lw.steer` makes them. `dose` may be set and observed; `widget` is the picture.

    While the model runs the slider stays free: the newest dose takes the place of the one in flight.
    """

    dose = traitlets.Float(help="How many times the vector is added.")

    def __init__(self, widget: LensWidget, slider: ipywidgets.FloatSlider) -> None:
        self.widget, self._slider = widget, slider
        super().__init__(children=[slider, widget], dose=slider.value)
        traitlets.link((self, "dose"), (slider, "value"))
        self.observe(lambda _: widget.again(), "dose")

    @traitlets.validate("dose")
    def _valid_dose(self, proposal: Any) -> float:
        dose = float(proposal.value)
        if not math.isfinite(dose):
            raise traitlets.TraitError(f"A dose is a finite number, how many times the vector is added; got {dose}.")
        # a dose from Python may lie beyond the slider, which would cut it off
        slider = self._slider
        if abs(dose) > slider.max:
            with slider.hold_trait_notifications():
                slider.min, slider.max = -abs(dose), abs(dose)
        return dose

    @property
    def comparison(self) -> Comparison | None:
        """What is shown: before and after."""
        return self.widget.comparison

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the dose in flight, if there is one; False if that takes longer than `timeout` seconds."""
        return self.widget.wait(timeout)

    def close(self) -> None:
        """Close both, and let go of a dose in flight."""
        self.widget.close()
        self._slider.close()
        super().close()


def steer(
    model: object,
    prompt: str,
    vector: SteeringVector,
    dose: float | int = 1.0,
    *,
    position: Positions = None,
    max_new_tokens: int = 6,
    lens: Any = None,
    targets: Targets = (),
    k: int = 10,
    **settings: Any,
) -> Steering:
    """A prompt before and after a vector is added to the stream, with the dose as a slider.

    Both sides show what the model goes on to write, `max_new_tokens` of the likeliest tokens at most, read through `lens`, the
    logit lens by default; 0 shows the prompt alone. `position` is where in the prompt the vector is added, None for
    everywhere, what is written included. The prompt can be typed over. `targets`, `k` and further keywords are those of
    `read` and of `LensWidget`.

    Raises what `run` and `read` raise for the first prompt, and ValueError for a dose that is no finite number.

        good, bad = ["I loved it."], ["I hated it."]
        lw.steer(model, "The food was", lw.SteeringVector.from_texts(model, good, bad, row="L15"), dose=-1)
    """
    if not isinstance(prompt, str):
        raise TypeError(f"A prompt to steer is a text, which can be typed over; got {type(prompt).__name__}.")
    if not isinstance(vector, SteeringVector):
        raise TypeError(
            f"steer() adds a SteeringVector and got {type(vector).__name__}; make one with "
            "lw.SteeringVector.from_texts(model, toward, away, row)."
        )
    vector.edit(dose, position)  # says what is wrong with a dose
    chosen = LogitLens() if lens is None else as_lens(lens)
    reach = max(REACH, 2 * abs(dose))
    slider = ipywidgets.FloatSlider(
        value=dose,
        min=-reach,
        max=reach,
        step=2 * reach / STEPS,
        description="dose",
        style={"description_width": "initial"},
        layout=ipywidgets.Layout(width="min(100%, 36em)"),
    )

    def compute(prompt: str, report: Report) -> Comparison:
        dose = float(slider.value)  # the newest one: it may have moved since this was asked for
        backend = backend_of(model)  # as it is now
        tokens = tokenize(backend, prompt, readout_of(backend).vocabulary)
        edit = vector.edit(dose, position)
        written: list[list[int]] = [[], []]
        if max_new_tokens:
            report(0.0, "writing on, before and after")
            written = _written(backend, tokens, edit, max_new_tokens)
        sides = []
        for i, (name, further) in enumerate(zip(("before", f"dose {dose:g}"), written)):
            share = WRITING + (1 - WRITING) * i / 2
            report(share, f"running the model, {name}")
            ids = torch.cat([tokens, torch.tensor(further, dtype=tokens.dtype)])
            edits = [reaching(edit, backend, tokens, len(further))] if i else []
            # each block that begins is a place to stop at for a dose that nobody waits for any more
            run = run_watched(backend, ids, lambda _: report(share, f"running the model, {name}"), edits=edits)  # noqa: B023
            grid = read(run, chosen, targets=targets, k=k)
            wrote = f"goes on to write {run.texts.decode(further)!r}" if further else "writes nothing more"
            sides.append(replace(grid, notes=(wrote, *grid.notes)) if max_new_tokens else grid)
        return compare(*sides, names=["before", f"dose {dose:g}"])

    first = compute(prompt, lambda *_: None)
    return Steering(LensWidget(first, compute=compute, prompt=prompt, **settings), slider)


def _written(backend: Backend, tokens: Int[Tensor, "positions"], edit: Edit, most: int) -> list[list[int]]:
    """What the model goes on to write, without the edit and under it."""
    ends = ends_of(backend.network, backend.tokenizer)
    edits = [[], [reaching(edit, backend, tokens, most)]]
    text = write(backend, tokens, edits, max_new_tokens=most, ends=ends, k=1)
    return [text.of(0), text.of(1)]
