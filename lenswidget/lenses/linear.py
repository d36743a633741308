"""LinearLens: each row is mapped to the last by ridge regression, in one pass over some text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lenswidget.lenses.files.card import Card
from lenswidget.lenses.fitted import FittedLens, measured
from lenswidget.lenses.fitting.mixture import text_of
from lenswidget.lenses.fitting.parallel import Workers
from lenswidget.lenses.fitting.progress import Progress
from lenswidget.lenses.fitting.regression import RIDGE, regress
from lenswidget.lenses.fitting.residuals import Residuals, at_once, checked_run
from lenswidget.model.backends import backend_of
from lenswidget.model.probe import readout_of
from lenswidget.model.surroundings import own_arithmetic


class LinearLens(FittedLens):
    """The last row as ridge regression expects it from another row: `M h + c`.

    Source: Din et al., "Jump to Conclusions: Short-Cutting Transformers With Linear Transformations", 2023,
    arXiv 2303.09435.
    """

    name = "Linear lens"

    @classmethod
    @own_arithmetic()
    def fit(
        cls,
        model: object,
        texts: Any = None,
        *,
        shares: Mapping[str, float | int] | None = None,
        tokens: int = 20_000,
        ridge: float = RIDGE,
        held_out: int = 1024,
        window: int | None = None,
        data: str = "",
        seed: int = 0,
        tokenizer: Any = None,
    ) -> LinearLens:
        """Fit every row in one pass over `tokens` tokens of text, in memory that does not grow with them.

        `texts` are a list or an iterator of texts, a dataset with a column "text", or None for text that the model
        writes itself from `seed`; or a dict of such by style, of each its share of `shares`, as `TunedLens.fit` takes
        them. `ridge` is relative to the mean square of a row's coordinates. On `held_out` more
        tokens the KL to the output is measured; 0 measures none. `window` is how many tokens the model sees at once.
        `data` says in words what the text is, for the card; `tokenizer` is `lw.run`'s. An interrupt ends the pass and fits to
        what was read.
        Under `torchrun` every process calls this in the same way and gets the same lens.

        Raises ValueError for texts that are too short or all one token, and for a model that no lens can read.
        """
        if ridge < 0:
            raise ValueError(f"ridge is a share of a row's mean square and can't be negative; got {ridge}.")
        backend = backend_of(model, tokenizer=tokenizer)
        readout_of(backend)  # refuses, with the reason, what no lens can read
        text = text_of(backend, texts, shares, held_out=held_out, window=window, seed=seed)
        residuals = Residuals(backend, Workers.here(backend.device))
        progress = Progress(cls.name)
        with progress.running():
            one = checked_run(backend, text.first)
            moments = regress(text.batches(at_once(text), mixed=True), residuals, tokens, progress.tell)
            weight, bias = moments.solve(ridge)
            settings = {"ridge": ridge, "window": text.window, "seed": seed, "skipped": residuals.skipped}
            card = Card.of(backend, data or text.words, int(moments.count), settings)
            lens = cls(weight, bias, card, one.weights.sample)
            lens.card = measured(lens, one, text, residuals)
        return lens
