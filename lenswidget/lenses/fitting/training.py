"""Training: the loop of a tuned lens's fit, which can be stopped at any step and taken up again."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.grids.whole_file import write_whole
from lenswidget.lenses.fitting.descent import RATES, WARM_UP, Translator, whitening
from lenswidget.lenses.fitting.progress import Progress
from lenswidget.lenses.fitting.regression import RIDGE, Moments, regress
from lenswidget.lenses.fitting.residuals import Residuals, kl_by_row
from lenswidget.lenses.fitting.sampled_kl import Sample
from lenswidget.model.run import Run

Batches = Iterator[Int[Tensor, "windows window"]]

Start = tuple[Float[Tensor, "L d d"], Float[Tensor, "L d"]]
"""Weight and bias of `h + W h + b`, for each row but the last."""

LENS = "lens "
START_TOKENS = 20_000
"""Tokens of the linear lens that a fit starts from."""
PARTS = 16
"""Steps taken on what one forward pass writes, each on every sixteenth position: neighbours are too alike for one step."""
CURVE_TOKENS = 128
"""Held-out tokens that the live curve is measured on; the card's figure takes them all."""
CURVE_POINTS = 12


@dataclass(frozen=True)
class Budget:
    """When a fit ends: whichever comes first. None is no end."""

    steps: int | None
    tokens: int | None
    seconds: float | None

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if value is not None and not value > 0:
                raise ValueError(f"A fit takes {name} above 0; got {value}.")

    def spent(self, steps: int, tokens: int, seconds: float) -> float:
        """The share that is used up, 1 at the end."""
        shares = [(steps, self.steps), (tokens, self.tokens), (seconds, self.seconds)]
        return max(min(done / limit, 1.0) for done, limit in shares if limit is not None)


@dataclass(frozen=True)
class Recipe:
    """How rows are trained: what a checkpoint must agree with."""

    optimizer: str
    start: str
    """"linear", "identity", or `LENS` and the digest of one that was given."""
    rate: float | None
    rows: tuple[int, ...]
    seed: int

    def __post_init__(self) -> None:
        if self.optimizer not in RATES:
            raise ValueError(f"optimizer is 'adam', 'sgd' or 'lbfgs'; got {self.optimizer!r}.")
        known = isinstance(self.start, str) and (self.start in ("linear", "identity") or self.start.startswith(LENS))
        if not known:
            raise ValueError(f"start is 'linear', 'identity' or a fitted lens; got {self.start!r}.")
        if self.rate is not None and not self.rate > 0:
            raise ValueError(f"rate is the peak of the learning rate, above 0; got {self.rate}.")

    @property
    def peak(self) -> float:
        return RATES[self.optimizer] if self.rate is None else self.rate

    @property
    def settings(self) -> dict[str, Any]:
        """For a card."""
        return {"optimizer": self.optimizer, "start": self.start, "rate": self.peak, "seed": self.seed}


class Training:
    """Translators on their way from a start, and where they are."""

    def __init__(
        self,
        one: Run,
        recipe: Recipe,
        residuals: Residuals,
        held_out: Int[Tensor, "windows window"],
        progress: Progress,
        checkpoint: str | os.PathLike[str] | None,
        start: Start | None = None,
    ) -> None:
        self.one, self.recipe, self.residuals, self.progress = one, recipe, residuals, progress
        self.held_out, self.checkpoint = held_out, checkpoint
        self.generator = torch.Generator().manual_seed(recipe.seed)
        self.step = self.tokens = self.read = self.part = 0
        rows, _, d = one.residual.shape
        # line searches need a loss that holds for more than the few tokens it is measured on
        self.parts = 1 if recipe.optimizer == "lbfgs" else PARTS
        self.start = start or (torch.zeros(rows - 1, d, d), torch.zeros(rows - 1, d))
        self.translators: dict[int, Translator] = {}
        self.measured = -1

    def go(self, text: Batches, again: Batches, budget: Budget) -> None:
        """Train until the budget is spent, the text and what comes `again` end, or someone stops it."""
        batches = chain(text, again)
        if self.translators:
            for _ in range(self.read):
                next(batches, None)
        else:
            self.begin(text)
        self.curve_residual = self.residuals(self.held_out, max(1, self.held_out.numel() // CURVE_TOKENS))[0]
        spent = budget.spent(self.step, self.tokens, self.progress.clock())
        self.measure(spent)
        while spent < 1 and not self.progress.stopping:
            windows = next(batches, None)
            if windows is None:
                break
            parts = self.residuals(windows, self.parts)
            while self.part < self.parts and spent < 1 and not self.progress.stopping:
                self.descend(parts[self.part], spent)
                self.part += 1
                spent = self.residuals.workers.most(budget.spent(self.step, self.tokens, self.progress.clock()))
                self.measure(spent)
                self.progress.stopping = self.residuals.workers.any(self.progress.tell(spent))
            if self.part == self.parts:
                self.read, self.part = self.read + 1, 0
        self.save()

    def begin(self, batches: Batches) -> None:
        """The start, and the coordinates to descend in, from one pass over some text."""
        d = self.one.residual.shape[-1]
        moments: Moments | None = None
        if self.recipe.start == "linear" or self.recipe.optimizer != "sgd":
            moments = regress(self._counted(batches), self.residuals, START_TOKENS, lambda _: self.progress.tell(0.0))
            if self.recipe.start == "linear":
                self.start = moments.solve(RIDGE)
        for row in self.recipe.rows:
            basis, mean = None, torch.zeros(d)
            if moments is not None and self.recipe.optimizer != "sgd":
                basis, mean = whitening(moments.covariance(row), moments.spread), moments.mean[row].float()
            self._add(row, {"weight": self.start[0][row], "bias": self.start[1][row], "mean": mean, "basis": basis})

    def _add(self, row: int, state: dict[str, Any]) -> None:
        device = self.one.readout.W_U.device
        weight, bias, mean = (state[name].to(device) for name in ("weight", "bias", "mean"))
        basis = None if state["basis"] is None else state["basis"].to(device)
        self.translators[row] = Translator(weight, bias, mean, basis, self.recipe.optimizer, self.recipe.peak)

    def _counted(self, batches: Batches) -> Batches:
        for windows in batches:
            self.read += 1
            yield windows

    def descend(self, residual: Float[Tensor, "rows positions d"], spent: float) -> None:
        """One step of every row on one batch."""
        workers = self.residuals.workers
        with torch.no_grad():
            sample = Sample.of(self.one.readout, residual[-1], self.generator, workers)
        factor = min(1.0, (self.step + 1) / WARM_UP) * (1 - spent)
        for row, translator in self.translators.items():
            translator.at_rate(factor, self.recipe.peak)
            translator.step(residual[row], sample, workers)
        self.step += 1
        self.tokens += sample.positions

    def measure(self, spent: float) -> None:
        """Measure the curve's next point where it is due, and write a checkpoint beside it."""
        due = int(spent * CURVE_POINTS)
        if due == self.measured or not self.held_out.numel():
            return
        self.measured = due
        with torch.no_grad():
            moved = [translator.move(self.curve_residual[row]) for row, translator in self.translators.items()]
            kl = kl_by_row(self.one, torch.stack([*moved, self.curve_residual[-1]]), self.residuals.workers)
        self.progress.kl.append((spent, kl))
        self.save()

    def result(self) -> tuple[Float[Tensor, "L d d"], Float[Tensor, "L d"]]:
        """Weights and biases of all rows but the last; of those that were not trained, as they started."""
        weight, bias = (part.cpu().clone() for part in self.start)
        for row, translator in self.translators.items():
            parts = translator.result()
            weight[row], bias[row] = (part.cpu() for part in parts)
        return weight, bias

    def save(self) -> None:
        """Write the checkpoint, whole or not at all."""
        if self.checkpoint is None or self.residuals.workers.rank:
            return
        state = {
            "recipe": {**asdict(self.recipe), "model": self.one.model},
            "counts": (self.step, self.tokens, self.read, self.part, self.measured),
            "seconds": self.progress.clock(),
            "kl": self.progress.kl,
            "generator": self.generator.get_state(),
            "start": self.start,
            "translators": {row: translator.state() for row, translator in self.translators.items()},
        }
        write_whole(self.checkpoint, lambda stream: torch.save(state, stream))

    def restore(self, path: str | os.PathLike[str]) -> float:
        """Go on from a checkpoint. Returns the seconds that it took to get there.

        Raises ValueError for a file that is no checkpoint of this fit, saying where they differ.
        """
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            theirs = {**state["recipe"], "rows": tuple(state["recipe"]["rows"])}
        except (pickle.UnpicklingError, RuntimeError, KeyError, TypeError, EOFError) as reason:
            raise ValueError(f"{os.fspath(path)!r} is not a checkpoint of TunedLens.fit: {reason}") from reason
        for name, mine in {**asdict(self.recipe), "model": self.one.model}.items():
            if theirs.get(name) != mine:
                raise ValueError(
                    f"{os.fspath(path)!r} is a checkpoint of a fit with {name}={theirs.get(name)!r}; this one has {mine!r}. Give "
                    "the same settings to go on, or leave out resume= to begin anew."
                )
        self.step, self.tokens, self.read, self.part, self.measured = state["counts"]
        self.progress.kl = list(state["kl"])
        self.generator.set_state(state["generator"])
        self.start = state["start"]
        for row, saved in state["translators"].items():
            self._add(row, saved)
            self.translators[row].restore(saved)
        return float(state["seconds"])
