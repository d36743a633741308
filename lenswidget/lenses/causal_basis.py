"""Causal basis extraction: the directions of a row that a lens makes most of, and what the model makes of them.

One after another: each is the direction, at right angles to those before it, whose erasure moves the lens's predictions most.
Then each is erased in the model's own row, and the model goes on from there. A lens that reads what the model uses has its
strongest directions among the model's strongest.

Source: Belrose et al., "Eliciting Latent Predictions from Transformers with the Tuned Lens", 2023, arXiv 2303.08112, section 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from lenswidget.grids.numbers import whole_number
from lenswidget.grids.row_names import named_row
from lenswidget.lenses.causal import Trial, erased, principal_directions, require_states
from lenswidget.lenses.fidelity import STATES, windows_of
from lenswidget.lenses.fitting.parallel import Workers
from lenswidget.lenses.fitting.sampled_kl import Sample
from lenswidget.lenses.intervals import spearman
from lenswidget.lenses.lens import Lens, as_lens
from lenswidget.model.backends import backend_of
from lenswidget.model.columns import BITS
from lenswidget.model.readout import Readout
from lenswidget.model.surroundings import own_arithmetic

if TYPE_CHECKING:
    import pandas

POSITIONS = 64
"""States on which directions are looked for."""
TRIED, STARTS, EVALUATIONS = 8, 3, 60
"""Principal directions that are tried, the strongest from which the search begins, and how often each may ask the lens."""


@dataclass(frozen=True, eq=False)  # arrays have no one answer to ==
class CausalBasis:
    """Directions of one row at right angles, and how much erasing each of them moves the lens and the model."""

    model: str
    lens: str
    row: str
    vectors: Float32[np.ndarray, "k d"]
    """Of length 1, in the order in which they were found."""
    energy: Float32[np.ndarray, " k"]
    """KL(before ‖ after erasing) of the lens in bits, mean over the states on which they were looked for."""
    lens_influence: Float32[np.ndarray, " k"]
    """The same on the prompts on which the model was tried."""
    model_influence: Float32[np.ndarray, " k"]
    """KL(before ‖ after) of the model there, which goes on from the changed row."""
    alignment: Float32[np.ndarray, " k"]
    """How far erasing moves the lens the way that it moves the model, -1 to 1."""

    @property
    def spearman(self) -> float:
        """The correlation of the ranks of both influences; of few vectors, by chance alone, anything."""
        return float(spearman(self.lens_influence, self.model_influence))

    def to_dataframe(self) -> pandas.DataFrame:
        """One line for each vector."""
        import pandas

        names = ("energy", "lens_influence", "model_influence", "alignment")
        return pandas.DataFrame({name: getattr(self, name) for name in names})

    def __repr__(self) -> str:
        return (
            f"Causal basis of the {self.lens.lower()} in {self.row} of {self.model}, {len(self.vectors)} vectors: alignment "
            f"{np.nanmean(self.alignment):.2f}, Spearman {self.spearman:.2f}\n{self.to_dataframe().round(3).to_string()}"
        )


@own_arithmetic()
def causal_basis(
    model: object,
    lens: Any,
    texts: Any = None,
    *,
    row: int | str,
    vectors: int = 8,
    seed: int = 0,
    tokenizer: Any = None,
) -> CausalBasis:
    """The `vectors` directions of one row whose erasure moves a lens most, and what erasing them does to the model.

    `lens` and `texts` are `lw.fidelity`'s, `row` is a label or the number in it. A direction is erased by putting the mean of
    the row's states in its place. They are found by L-BFGS, each at right angles to those before it, from the three strongest of
    a few principal directions. The search looks at a sample of a large vocabulary: the tokens that the lens expects most, and
    some drawn from the others. The energies that are given are of the whole vocabulary.

    Raises ValueError for a row that there is not, for the last, which no lens moves, for text of fewer states than vectors, and
    for a lens through which no gradient goes, or that makes of a row what isn't finite.

        lw.causal_basis(model, lw.load_lens(), texts, row="L23")
    """
    whole_number("vectors", vectors, 1, is_of="how many to find")
    whole_number("seed", seed, 0)
    backend, read = backend_of(model, tokenizer=tokenizer), as_lens(lens)
    runs = list(windows_of(backend, texts, STATES, seed))
    if not runs:
        raise ValueError(
            "There is nothing to look in: the texts have no token after their first. Pass a few paragraphs."
        )
    labels = runs[0].labels
    place = named_row(labels, row)
    if place == len(labels) - 1:
        raise ValueError(
            f"{labels[-1]} is the last row, the model's own output, which no lens moves; name one below it."
        )
    read.require(runs[0])
    trial = Trial.of(backend, runs, vectors)
    states = trial.states(place)
    require_states(states, vectors)
    generator = torch.Generator().manual_seed(seed)
    some = states[torch.randperm(len(states), generator=generator)[:POSITIONS].to(states.device)]
    _require_gradient(read, place, some, labels[place])
    found = [*_found(read, place, runs[0].readout, states, some, vectors, seed)]
    basis = torch.stack([vector for vector, _ in found])
    responses = trial.respond_to([read], place, erased(states, basis))
    return CausalBasis(
        model=runs[0].model,
        lens=read.name,
        row=labels[place],
        vectors=basis.cpu().numpy(),
        energy=np.array([energy for _, energy in found], dtype=np.float32),
        lens_influence=responses.strength[0],
        model_influence=responses.strength[-1],
        alignment=responses.way[0],
    )


def _require_gradient(lens: Lens, row: int, some: Float[Tensor, "n d"], label: str) -> None:
    """Raises ValueError for a lens that a search can't climb."""
    with torch.enable_grad():
        moved = lens.move(some.clone().requires_grad_(), row)
    if not moved.isfinite().all():
        raise ValueError(
            f"What the {lens.name.lower()} makes of {label} isn't finite; name another row, or mend the lens."
        )
    if not moved.requires_grad:
        raise ValueError(
            f"No gradient goes through the {lens.name.lower()} in {label}, and directions are found by one: leave out .detach(), "
            "torch.no_grad() and what makes a new tensor."
        )


def _found(
    lens: Lens,
    row: int,
    readout: Readout,
    states: Float[Tensor, "states d"],
    some: Float[Tensor, "n d"],
    count: int,
    seed: int,
) -> Any:
    """Directions and their energies, one after another."""
    d = states.shape[1]
    before = torch.empty(0, d, device=states.device)
    mean = states.mean(0)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        moved = lens.move(some, row).float()
        sample = Sample.of(readout, moved, generator, Workers())
        # with all of the vocabulary, a sample's KL is the KL
        whole = Sample.of(readout, moved, generator, Workers(), readout.vocabulary, 0)
    principal = principal_directions(states, min(TRIED + count, len(states) - 1, d), seed)

    def across(v: Float[Tensor, "d"]) -> Float[Tensor, "d"]:
        """At right angles to those before, and of length 1."""
        v = v - before.T @ (before @ v)
        unit: Tensor = v / v.norm().clamp(min=1e-12)
        return unit

    def energy(v: Float[Tensor, "d"], read: Sample) -> Float[Tensor, ""]:
        erased = some - ((some - mean) @ v)[:, None] * v
        return read.kl(lens.move(erased, row).float()) / len(some)

    def climbed(start: Float[Tensor, "d"]) -> Float[Tensor, "d"]:
        """The strongest direction that is reached from one."""
        v = start.clone().requires_grad_()
        search = torch.optim.LBFGS([v], max_iter=EVALUATIONS, max_eval=EVALUATIONS, line_search_fn="strong_wolfe")

        def closure() -> Tensor:
            search.zero_grad()
            loss = -energy(across(v), sample)
            loss.backward()
            return loss

        with torch.enable_grad():
            search.step(closure)
        return across(v.detach())

    def strength(v: Float[Tensor, "d"]) -> float:
        return float(energy(v, sample))

    for _ in range(count):
        with torch.no_grad():
            tried = [across(v) for v in principal if (v - before.T @ (before @ v)).norm() > 0.5]
            tried = tried or [across(torch.randn(d, generator=generator).to(mean))]
            starts = sorted(tried, key=strength, reverse=True)[:STARTS]
            best = max(map(climbed, starts), key=strength)
            yield best, float(energy(best, whole)) * BITS
            before = torch.cat([before, best[None]])
