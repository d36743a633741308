"""ModelMap: the rows of one model as ridge regression expects them in another, so that one can read the other's states.

Source: Ghandeharioun et al. 2024, arXiv 2401.06102, "Across models"; the regression is the linear lens's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isnan
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.lenses.fitting.regression import RIDGE, ridge_map
from lenswidget.lenses.fitting.residuals import at_once
from lenswidget.lenses.fitting.text import WINDOW, Text
from lenswidget.model.backend import Backend
from lenswidget.model.backends import backend_of
from lenswidget.model.run import Run
from lenswidget.model.surroundings import double, has_float64, own_arithmetic, plain_mode
from lenswidget.model.weights import same_blocks, same_unembedding, weights_of

Pair = tuple[Float[Tensor, "L positions d"], Float[Tensor, "L positions e"]]


@dataclass(frozen=True, eq=False, repr=False)
class ModelMap:
    """`M h + c` for every row of one model but the last: what stands at a row of another, where both read the same text."""

    weight: Float[Tensor, "L e d"]
    bias: Float[Tensor, "L e"]
    rows: tuple[int, ...]
    """The row of the other model that each row is moved to, as indices from the embedding, which is 0."""
    error: tuple[float, ...]
    """For each row, the share of the other row's variance that is not explained, on held-out text; NaN where none was."""
    source: str
    target: str
    tokens: int
    data: str
    """What text it was fitted on, in words."""
    samples: tuple[Tensor, Tensor]
    """Entries of the weights of both models, by which they are known again."""

    @classmethod
    @own_arithmetic()
    def fit(
        cls,
        source: object,
        target: object,
        texts: Any = None,
        *,
        row: Callable[[int], int] | None = None,
        tokens: int = 20_000,
        ridge: float = RIDGE,
        held_out: int = 1024,
        window: int | None = None,
        seed: int = 0,
    ) -> ModelMap:
        """Fit every row in one pass of both models over the same tokens.

        `row` says to which row of the target each row goes, both as indices from the embedding; by default to the one at the
        same share of the depth. `texts`, `tokens`, `ridge`, `held_out`, `window` and `seed` are those of `LinearLens.fit`.

        Raises ValueError for models whose tokenizers differ, for a row that isn't there, and for texts that are too short.

            across = lw.ModelMap.fit(model, larger, texts)
            lw.read(lw.run(model, prompt), lw.Patchscope(model=larger, map=across))
        """
        one, other = backend_of(source), backend_of(target)
        _require_one_tokenizer(one, other)
        if ridge < 0:
            raise ValueError(f"ridge is a share of a row's mean square and can't be negative; got {ridge}.")
        rows = _rows(one, other, row)
        most = min(c for c in (window or WINDOW, one.facts.context, other.facts.context) if c)
        text = Text(one, texts, held_out=held_out, window=most, seed=seed)
        sums: _Sums | None = None
        with plain_mode():
            for windows in text.batches(at_once(text), mixed=True):
                pair = _pair(one, other, rows, windows)
                sums = sums or _Sums(pair)
                sums.add(pair)
                if sums.count >= tokens:
                    break
            if sums is None or sums.count < one.facts.width:
                count = 0 if sums is None else sums.count
                raise ValueError(
                    f"A map from a width of {one.facts.width} takes at least as many tokens, and was given {count}. Pass more "
                    "text, or none to let the model write its own."
                )
            weight, bias = sums.solve(ridge)
            error = _unexplained(weight, bias, (_pair(one, other, rows, w[None]) for w in text.held_out))
        return cls(
            weight,
            bias,
            rows,
            error,
            one.facts.name,
            other.facts.name,
            sums.count,
            text.words,
            (weights_of(one).sample, weights_of(other).sample),
        )

    def move(self, states: Float[Tensor, "p d"], row: int) -> Float[Tensor, "p e"]:
        """States of a row, as the other model would have them."""
        weight, bias = self.weight[row].to(states.device), self.bias[row].to(states.device)
        return states.float() @ weight.T + bias

    def require(self, run: Run, target: Backend) -> None:
        """Raises ValueError for a run or a target that it wasn't fitted to."""
        (layers, e, d), facts = self.weight.shape, target.facts
        for name, has, wants in (
            (run.model, (len(run.residual) - 1, run.residual.shape[-1]), (layers, d)),
            (facts.name, (facts.layers >= max(self.rows), facts.width), (True, e)),
        ):
            if has != wants:
                raise ValueError(
                    f"This map goes from {self.source}, {layers} rows of width {d}, into {self.target}, of width {e}; {name} is "
                    "another. Fit one with lw.ModelMap.fit(model, other)."
                )
        for name, sample, known in (
            (run.model, run.weights.sample, self.samples[0]),
            (facts.name, weights_of(target).sample, self.samples[1]),
        ):
            if not (same_unembedding(known, sample) and same_blocks(known, sample)):
                raise ValueError(
                    f"This map was fitted from {self.source} into {self.target}, and {name} has other weights. Fit one with "
                    "lw.ModelMap.fit(model, other)."
                )

    def __repr__(self) -> str:
        mean = sum(self.error) / len(self.error)
        left = (
            "not measured"
            if isnan(mean)
            else f"{mean:.0%} of the variance not explained on held-out text, mean over rows"
        )
        return f"map from {self.source} into {self.target}, fitted on {self.tokens:,} tokens of {self.data}: {left}"


class _Sums:
    """Moments of each row and of the row it goes to, about the mean of the first batch, added up in float64."""

    def __init__(self, first: Pair) -> None:
        x, y = first
        self.shift = x.mean(1, keepdim=True), y.mean(1, keepdim=True)
        self.count = 0
        kept = x.device if has_float64(x.device) else torch.device("cpu")
        (L, _, d), e = x.shape, y.shape[-1]
        self.x, self.y, self.own, self.cross = (
            torch.zeros(*shape, dtype=torch.float64, device=kept) for shape in ((L, d), (L, e), (L, d, d), (L, d, e))
        )

    def add(self, pair: Pair) -> None:
        x, y = (rows - shift for rows, shift in zip(pair, self.shift))
        self.count += x.shape[1]
        self.x += double(x.sum(1))
        self.y += double(y.sum(1))
        for row, (before, after) in enumerate(zip(x, y)):
            self.own[row] += double(before.T @ before)
            self.cross[row] += double(before.T @ after)

    def solve(self, ridge: float) -> tuple[Float[Tensor, "L e d"], Float[Tensor, "L e"]]:
        weights, biases = [], []
        for row, (x, y) in enumerate(zip(self.x / self.count, self.y / self.count)):
            own = self.own[row] / self.count - torch.outer(x, x)
            to = ridge_map(own, self.cross[row] / self.count - torch.outer(x, y), ridge)
            before, after = (double(shift[row, 0]) for shift in self.shift)
            weights.append(to.float().cpu())
            biases.append((y + after - to @ (x + before)).float().cpu())
        return torch.stack(weights), torch.stack(biases)


def _unexplained(
    weight: Float[Tensor, "L e d"], bias: Float[Tensor, "L e"], pairs: Iterator[Pair]
) -> tuple[float, ...]:
    """The share of the variance of the target's rows that the map leaves, on text that it wasn't fitted on."""
    some = list(pairs)
    if not some:
        return (float("nan"),) * len(bias)
    x, y = (torch.cat([pair[i] for pair in some], dim=1).cpu() for i in (0, 1))
    off = (x @ weight.transpose(1, 2) + bias[:, None] - y).double().square().sum((1, 2))
    return tuple((off / (y - y.mean(1, keepdim=True)).double().square().sum((1, 2))).tolist())


def _pair(one: Backend, other: Backend, rows: tuple[int, ...], windows: Int[Tensor, "windows window"]) -> Pair:
    """The rows of both models at every position but the first, where all of them are finite."""

    def kept(backend: Backend, wanted: list[int]) -> Float[Tensor, "L positions d"]:
        sites = [backend.rows[row] for row in wanted]
        found = backend.forward(
            windows,
            keep={site: lambda x: x.detach()[:, 1:].flatten(0, 1).float() for site in sites},
            stop=backend.rows[-1],
        ).kept
        return torch.stack([found[site].to(one.device) for site in sites])

    x, y = kept(one, list(range(len(rows)))), kept(other, list(rows))
    finite = x.isfinite().all(-1).all(0) & y.isfinite().all(-1).all(0)
    return x[:, finite], y[:, finite]


def _rows(one: Backend, other: Backend, rule: Callable[[int], int] | None) -> tuple[int, ...]:
    layers, theirs = one.facts.layers, other.facts.layers
    rows = tuple(round(row * theirs / layers) if rule is None else int(rule(row)) for row in range(layers))
    wrong = next((row for row, into in enumerate(rows) if not 0 <= into <= theirs), None)
    if wrong is not None:
        raise ValueError(
            f"The row rule gave {rows[wrong]} for row {wrong}; expected the index of a row of {other.facts.name}, 0 for the "
            f"embedding to {theirs}."
        )
    return rows


def _require_one_tokenizer(one: Backend, other: Backend) -> None:
    """Raises ValueError for models that cut texts into other tokens: their rows would stand at other words."""
    words = [None if b.tokenizer is None else b.tokenizer.get_vocab() for b in (one, other)]
    sizes = [b.vocabulary for b in (one, other)]
    if words[0] != words[1] or (words[0] is None and sizes[0] != sizes[1]):
        raise ValueError(
            f"{one.facts.name} and {other.facts.name} have different tokenizers, so that no position of one stands for a "
            "position of the other. A map needs two models with one tokenizer."
        )
