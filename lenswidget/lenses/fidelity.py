"""How far each lens can be believed: its rows beside the model's own output, on text."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor
from tqdm.auto import tqdm

from lenswidget.grids.grid import Grid
from lenswidget.grids.parts import NO_TOKEN, Check, Quantity, RowQuantity
from lenswidget.lenses.causal import causal_fidelity
from lenswidget.lenses.fitting.text import in_words, prefix_of, strings, written_by
from lenswidget.lenses.lens import Lens, as_lens, moved
from lenswidget.model.backend import Backend
from lenswidget.model.backends import backend_of
from lenswidget.model.run import Run, run
from lenswidget.model.surroundings import double, own_arithmetic

if TYPE_CHECKING:
    import pandas

WINDOW = 128
"""Tokens that are run at once, where the context allows."""
STATES = 256
"""Whose directions causal fidelity tries."""


@dataclass(frozen=True, eq=False)  # arrays have no one answer to ==
class Fidelity:
    """How far each row of each lens can be believed; what ends a cell shows itself. Every array is `[rows, lenses]`.

    The first position of every window is left out, and so is what is not finite. Logarithms are in bits.
    """

    model: str
    rows: tuple[str, ...]
    lenses: tuple[str, ...]
    kl: Float32[np.ndarray, "rows lenses"]
    """KL(output ‖ row), mean over positions."""
    agreement: Float32[np.ndarray, "rows lenses"]
    """How often the row's leading token is the output's."""
    cross_entropy: Float32[np.ndarray, "rows lenses"]
    """Mean surprisal of the token that really follows; the last row is the model's own."""
    bias: Float32[np.ndarray, "rows lenses"]
    """KL(mean output ‖ mean of the row): what no prompt in particular is to blame for."""
    influence: Float32[np.ndarray, "rows lenses"]
    """Causal fidelity: Spearman's correlation over directions of how strongly a step along one moves the lens and the
    model; NaN where it was not measured. `lenswidget.lenses.causal` says how."""
    alignment: Float32[np.ndarray, "rows lenses"]
    """How far such a step moves the lens the way that it moves the model, -1 to 1; NaN where it was not measured."""
    blind: float
    """KL(output ‖ mean output): what a guess that never looks at the prompt scores on the same text."""
    data: str
    """What text it was measured on, in words."""
    tokens: int
    """Positions that were measured."""
    left_out: tuple[int, ...]
    """For each lens the cells, of rows × positions, that were not finite."""
    check: Check
    given: tuple[Any, ...] = field(repr=False)
    """The lenses themselves, as they were passed."""

    def row_quantity(self, lens: Any) -> RowQuantity:
        """One lens's KL for each row, as a Grid carries it; `lens` is one of those measured, or its name."""
        i = self._index(lens)
        return RowQuantity(
            "mean KL",
            self.kl[:, i],
            unit="bits",
            strong="low",
            domain=(0.0, self.blind),
            says=f"this row was {{}} from the output on {self.tokens:,} tokens of text",
        )

    def _index(self, lens: Any) -> int:
        for i, known in enumerate(self.given):
            if lens is known:
                return i
        name = lens if isinstance(lens, str) else as_lens(lens).name
        if name not in self.lenses:
            raise ValueError(
                f"This Fidelity speaks of {_listed(self.lenses)}, not of {name!r}; measure it with lw.fidelity(model, [lens], "
                "texts)."
            )
        return self.lenses.index(name)

    def to_dataframe(self) -> pandas.DataFrame:
        """One line for each lens and row."""
        import pandas

        rows, lenses = self.kl.shape
        table: dict[str, Any] = {
            "lens": np.repeat(np.array(self.lenses, dtype=object), rows),
            "row": np.tile(np.arange(rows), lenses),
            "layer": np.tile(np.array(self.rows, dtype=object), lenses),
        }
        for quantity in self._quantities():
            table[quantity.name] = quantity.values.T.ravel()
        return pandas.DataFrame(table)

    def grid(self) -> Grid:
        """Rows by lenses, as a Grid: colored by the KL, from the output to a guess that never looks at the prompt."""
        count = len(self.lenses)
        notes = [
            f"on {self.tokens:,} tokens of {self.data}",
            f"a guess that never looks at the prompt is {self.blind:.1f} bits from the output",
        ]
        notes += [
            f"{bad:,} cells of the {name} are not finite and were left out"
            for name, bad in zip(self.lenses, self.left_out)
            if bad
        ]
        return Grid(
            title="How far each lens can be believed",
            kind="Fidelity",
            model=self.model,
            rows=self.rows,
            columns=np.full(count, NO_TOKEN, dtype=np.int32),
            positions=np.arange(count, dtype=np.int32),
            column_labels=self.lenses,
            quantities={quantity.name: quantity for quantity in self._quantities()},
            texts={},
            check=self.check,
            notes=tuple(notes),
            provenance={"lenswidget": importlib.metadata.version("lenswidget"), "tokens": str(self.tokens)},
        )

    def _quantities(self) -> list[Quantity]:
        excess = self.cross_entropy - self.cross_entropy[-1:]
        quantities = [
            Quantity("KL to the output", self.kl, unit="bits", strong="low", domain=(0.0, self.blind)),
            Quantity("top-1 agreement", self.agreement, domain=(0.0, 1.0), measure="probability"),
            Quantity("cross-entropy", self.cross_entropy, unit="bits", strong="low"),
            Quantity("excess cross-entropy", excess, unit="bits", strong="low", domain=(0.0, self.blind)),
            Quantity("bias", self.bias, unit="bits", strong="low", domain=(0.0, self.blind)),
        ]
        if np.isfinite(self.influence).any():
            quantities += [
                Quantity("causal fidelity", self.influence, domain=(-1.0, 1.0), center=0.0),
                Quantity("causal alignment", self.alignment, domain=(-1.0, 1.0), center=0.0),
            ]
        return quantities

    def __repr__(self) -> str:
        shown = [*range(0, len(self.rows) - 1, max(1, len(self.rows) // 8)), len(self.rows) - 1]
        table = self.to_dataframe().pivot(index="row", columns="lens", values="KL to the output")
        table = table.loc[shown, list(self.lenses)].rename(index=dict(enumerate(self.rows)))
        return (
            f"Fidelity on {self.model}, {self.tokens:,} tokens: KL to the output in bits, a guess that never looks at the prompt "
            f"{self.blind:.2f}\n{table.rename_axis(None).rename_axis(None, axis=1).round(2).to_string()}"
        )

    def _repr_mimebundle_(self, **arguments: Any) -> Any:
        """At the end of a cell it shows itself as its Grid."""
        return self.grid()._repr_mimebundle_(**arguments)


@own_arithmetic()
def fidelity(
    model: object,
    lenses: Any,
    texts: Any = None,
    *,
    tokens: int = 1024,
    directions: int = 0,
    seed: int = 0,
    tokenizer: Any = None,
) -> Fidelity:
    """Measure how far each row of each lens can be believed, on text.

    `lenses` is a lens, a list of them, or a dict of them by name; a function of `(residual, row)` counts as one. `texts`
    are a list or an iterator of texts, a dataset with a column "text", or None for text that the model writes itself from
    `seed`: best none that a lens was fitted on. `tokens` of them are read, in windows of up to 128. For each lens and
    row: KL to the output (bits), top-1 agreement, cross-entropy beside the model's own, and bias, the KL of mean
    predictions. `directions`, two or three dozen, measure causal fidelity too (`lenswidget.lenses.causal` says how):
    for each of them and each row the model goes on from changed rows. `tokenizer` is `lw.run`'s.

    Memory does not grow with the number of tokens: beyond a window it holds one mean prediction for each lens and row.

    Raises ValueError for texts without a token to measure, for lenses of one name, and for a lens of another model.
    Source: Belrose et al. 2023, arXiv 2303.08112, sections 3 and 4.
    """
    given, backend = _named(lenses), backend_of(model, tokenizer=tokenizer)
    if tokens < 1:
        raise ValueError(f"tokens is how many to measure, 1 or more; got {tokens}.")
    if directions and directions < 3:
        raise ValueError(f"A rank correlation needs 3 directions or more, or 0 for none; got {directions}.")
    readable = {name: as_lens(lens) for name, lens in given.items()}
    sums: list[_Sums] = []
    kept: list[Run] = []
    worst: Check | None = None
    with tqdm(total=tokens, desc="Fidelity", unit="token", leave=False) as bar:
        for window in _windows(backend, texts, tokens, seed):
            if not sums:
                sums = [_Sums(window) for _ in readable]
            for lens, total in zip(readable.values(), sums):
                total.add(window, lens)
            worst = max(filter(None, (worst, window.check)), key=lambda check: check.error / check.tolerance)
            if sum(len(one.tokens) - 1 for one in kept) < max(STATES, directions + 1) and directions:
                kept.append(window)
            bar.update(len(window.tokens) - 1)
    if not sums or worst is None:
        raise ValueError(
            "There is nothing to measure: the texts have no token after their first. Pass a few paragraphs, "
            "lw.fidelity(model, lens, texts)."
        )
    columns = [total.figures() for total in sums]
    stacked = {name: np.stack([column[name] for column in columns], axis=1) for name in columns[0]}
    influence = alignment = np.full_like(stacked["kl"], np.nan)
    if directions:
        influence, alignment = causal_fidelity(backend, list(readable.values()), kept, directions=directions, seed=seed)
    return Fidelity(
        model=window.model,
        rows=window.labels,
        lenses=tuple(given),
        influence=influence,
        alignment=alignment,
        blind=sums[0].blind(),
        data=in_words(backend.facts.name, texts),
        tokens=sums[0].positions,
        left_out=tuple(total.left_out for total in sums),
        check=worst,
        given=tuple(given.values()),
        **stacked,
    )


class _Sums:
    """What is added up of one lens over positions: a number for each row, and each row's probabilities."""

    def __init__(self, window: Run) -> None:
        rows, vocabulary = window.residual.shape[0], window.readout.vocabulary
        self.probabilities = torch.zeros(rows, vocabulary, device=window.readout.W_U.device)
        self.sums = {
            name: torch.zeros(rows, dtype=torch.float64) for name in ("kl", "agreement", "surprisal", "entropy")
        }
        self.counts = {name: torch.zeros(rows, dtype=torch.float64) for name in self.sums}
        self.positions = 0
        self.left_out = 0

    def add(self, window: Run, lens: Lens) -> None:
        reading = window.readout.read(moved(window, lens)[:, 1:], window.following[1:], k=1, totals=self.probabilities)
        leading = reading.top_ids[..., 0]
        agrees = (leading == leading[-1]).float().masked_fill((leading < 0) | (leading[-1] < 0), float("nan"))
        for name, values in (
            ("kl", reading.kl), ("agreement", agrees), ("surprisal", reading.surprisal), ("entropy", reading.entropy)
        ):  # fmt: skip
            self.sums[name] += double(values).nansum(-1)
            self.counts[name] += (~values.isnan()).sum(-1)
        self.positions += leading.shape[1]
        self.left_out += int(reading.kl.isnan().sum())

    def figures(self) -> dict[str, np.ndarray]:
        mean = {name: total / self.counts[name] for name, total in self.sums.items()}
        predicted = self._mean_predictions()
        figures = {
            "kl": mean["kl"],
            "agreement": mean["agreement"],
            "cross_entropy": mean["surprisal"],
            "bias": _kl(predicted[-1], predicted),
        }
        return {name: value.cpu().numpy().astype(np.float32) for name, value in figures.items()}

    def blind(self) -> float:
        """KL(output ‖ mean output) = H(mean output) - mean H(output)."""
        output = self._mean_predictions()[-1]
        return float(-(output * _bits(output)).sum() - (self.sums["entropy"] / self.counts["entropy"])[-1])

    def _mean_predictions(self) -> Float[Tensor, "rows vocabulary"]:
        totals = double(self.probabilities)
        return totals / totals.sum(-1, keepdim=True)


def _kl(q: Float[Tensor, "vocabulary"], p: Float[Tensor, "rows vocabulary"]) -> Float[Tensor, "rows"]:
    return (q * (_bits(q) - _bits(p))).sum(-1).clamp(min=0.0)


def _bits(p: Float[Tensor, "*rows vocabulary"]) -> Float[Tensor, "*rows vocabulary"]:
    # what underflowed to nothing is less likely than this
    return p.clamp(min=torch.finfo(torch.float32).tiny).log2()


def _named(lenses: Any) -> dict[str, Any]:
    """The lenses as they were given, by name."""
    if isinstance(lenses, Mapping):
        named = {str(name): lens for name, lens in lenses.items()}
    else:
        several = list(lenses) if isinstance(lenses, (list, tuple)) else [lenses]
        names = [as_lens(lens).name for lens in several]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(
                f"{names.count(twice)} of the lenses are called {twice!r}; name them yourself, lw.fidelity(model, "
                "{'one': a, 'other': b}, texts)."
            )
        named = dict(zip(names, several))
    if not named:
        raise ValueError("There is no lens to measure; pass one, as in lw.fidelity(model, lw.LogitLens(), texts).")
    return named


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)


def _windows(backend: Backend, texts: Any, tokens: int, seed: int) -> Iterator[Run]:
    """Runs of the texts, a window at a time, until `tokens` positions after the first are read."""
    length = min(WINDOW, backend.facts.context or WINDOW)
    prefix = torch.tensor(prefix_of(backend), dtype=torch.int64)  # before each window, as a fit has it
    documents: Iterable[Any] = (
        written_by(backend, length, seed)
        if texts is None
        else (backend.encode(text)[len(prefix) :] for text in strings(texts))
    )
    for document in documents:
        for part in torch.split(torch.as_tensor(document), length - len(prefix)):
            window = torch.cat([prefix, part])
            if len(window) < 2:
                continue
            yield run(backend, window[: tokens + 1])
            tokens -= min(len(window) - 1, tokens)
            if not tokens:
                return
