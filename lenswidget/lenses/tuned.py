"""TunedLens: each row's affine map, trained until it reads as nearly as it can like the model's own output."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch

from lenswidget.grids.row_names import named_row
from lenswidget.lenses.files.card import Card
from lenswidget.lenses.fitted import FittedLens, measured
from lenswidget.lenses.fitting.mixture import text_of
from lenswidget.lenses.fitting.parallel import Workers
from lenswidget.lenses.fitting.progress import Progress
from lenswidget.lenses.fitting.residuals import Residuals, again, at_once, checked_run
from lenswidget.lenses.fitting.training import LENS, Budget, Recipe, Start, Training
from lenswidget.model.backends import backend_of
from lenswidget.model.probe import readout_of
from lenswidget.model.surroundings import own_arithmetic
from lenswidget.model.weights import weights_of

STEPS = 160


class TunedLens(FittedLens):
    """Each row moved by an affine map that was trained to read as the model's own output.

    Source: Belrose et al., "Eliciting Latent Predictions from Transformers with the Tuned Lens", 2023, arXiv 2303.08112.
    """

    name = "Tuned lens"

    @classmethod
    @own_arithmetic()
    def identity(cls, model: object) -> TunedLens:
        """A tuned lens before any training, which reads exactly as the logit lens does."""
        backend = backend_of(model)
        readout_of(backend)  # refuses, with the reason, what no lens can read
        layers, d = backend.facts.layers, backend.facts.width
        card = Card.of(backend, "no text", 0)
        return cls(torch.zeros(layers, d, d), torch.zeros(layers, d), card, weights_of(backend).sample)

    @classmethod
    @own_arithmetic()
    def fit(
        cls,
        model: object,
        texts: Any = None,
        *,
        shares: Mapping[str, float | int] | None = None,
        steps: int | None = None,
        tokens: int | None = None,
        seconds: float | None = None,
        optimizer: str = "adam",
        start: str | FittedLens = "linear",
        rate: float | None = None,
        rows: Iterable[int | str] | None = None,
        held_out: int = 1024,
        window: int | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        resume: str | os.PathLike[str] | None = None,
        watch: Callable[[Progress], Any] | None = None,
        data: str = "",
        seed: int = 0,
        tokenizer: Any = None,
    ) -> TunedLens:
        """Minimise KL(output ‖ row), for every row, on text that is read as the fit goes.

        `texts` are a list or an iterator of texts, a dataset with a column "text", or None for text that the model
        writes itself; or a dict of such by style, `{"prose": […], "code": […]}`, of each as much as its share of `shares`
        (`{"prose": 2, "code": 1}`), by default the same of each. Text that can be read again is, where it ends too soon. The
        fit ends after so many `steps` of about 256 tokens (4,096 with L-BFGS), or so many `tokens`, or so many `seconds`,
        whichever comes first; by default after 160 steps. It comes out the same each time from one `seed`, unless `seconds`
        end it.

        From the `"linear"` start, `"adam"` takes whitened coordinates; `"lbfgs"` is the paper's optimizer; `"sgd"` from the
        `"identity"` is the recipe of the tuned-lens library: Nesterov momentum, weight decay, clipped gradients. From a
        fitted lens of the same model, a fit goes on: `lw.TunedLens.fit(model, texts, start=lw.load_lens(), steps=40)`. `rate`
        is the peak of the learning rate, which falls to zero. `rows` are the rows to train, by label or the label's number,
        as in `["embed", "L5", 6]`; the others stay as they start. On `held_out` more tokens the KL to the output is
        measured, where there are styles, of each. `window` is how many tokens the model sees at once, `data` says in words
        what the text is, for the card; `tokenizer` is `lw.run`'s.

        A live curve shows the way, with a button to stop; an interrupt stops, too. Both keep what is reached. `watch` is
        called with the `Progress` after each step instead. A `checkpoint` file is written on the way; `resume` goes on
        from one, and comes to the same lens as if nothing had happened between. Under `torchrun` every process calls
        this in the same way and gets the same lens.

        Raises ValueError for text that is too short or all one token, for settings that can't be, for a `start` of
        another model, and for a checkpoint of another fit.
        """
        if steps is None and tokens is None and seconds is None:
            steps = STEPS
        budget = Budget(steps, tokens, seconds)
        backend = backend_of(model, tokenizer=tokenizer)
        readout_of(backend)  # refuses, with the reason, what no lens can read
        begins, given = _start(start)
        recipe = Recipe(optimizer, begins, rate, _rows(rows, backend.facts.layers), seed)
        text = text_of(backend, texts, shares, held_out=held_out, window=window, seed=seed)
        residuals = Residuals(backend, Workers.here(backend.device))
        one = checked_run(backend, text.first)
        if isinstance(start, FittedLens):
            start.require(one)
        progress = Progress(cls.name, tuple(one.labels[row] for row in recipe.rows), watchers=[watch] if watch else [])
        training = Training(one, recipe, residuals, text.held_out, progress, checkpoint, given)
        with progress.running(training.restore(resume) if resume else 0.0):
            training.go(text.batches(at_once(text), mixed=True), again(text), budget)
            weight, bias = training.result()
            settings = recipe.settings | {"steps": training.step, "window": text.window, "skipped": residuals.skipped}
            before = start.card.tokens if isinstance(start, FittedLens) else 0
            card = Card.of(backend, data or text.words, before + training.tokens, settings)
            lens = cls(weight, bias, card, one.weights.sample)
            lens.card = measured(lens, one, text, residuals)
        return lens


def _start(start: str | FittedLens) -> tuple[str, Start | None]:
    """A start in words, as a checkpoint and a card keep it, and what it is where it isn't to be made."""
    if not isinstance(start, FittedLens):
        return start, None
    return f"{LENS}{start.digest}", (start.weight.detach().float().cpu(), start.bias.detach().float().cpu())


def _rows(rows: Iterable[int | str] | None, layers: int) -> tuple[int, ...]:
    """The indices of the rows to train, counted from the embedding."""
    labels = ("embed", *(f"L{layer}" for layer in range(layers - 1)))
    if rows is None:
        return tuple(range(layers))
    try:
        chosen = tuple(sorted({named_row(labels, row) for row in rows}))
    except ValueError as reason:
        raise ValueError(f"rows are rows to train. {reason} The last row needs no translator.") from None
    if not chosen:
        raise ValueError(f"rows are rows to train, {labels[0]!r} to {labels[-1]!r}; got none.")
    return chosen
