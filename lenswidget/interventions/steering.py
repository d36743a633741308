"""Steering: a direction that is added to the stream while the model runs, `h += dose · v`.

Sources: Turner et al., "Activation Addition: Steering Language Models Without Optimization", 2023, arXiv 2308.10248; Rimsky et
al., "Steering Llama 2 via Contrastive Activation Addition", 2023, arXiv 2312.06681 (the difference of two means).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.grids.grid import Grid
from lenswidget.grids.row_names import named_row
from lenswidget.interventions.edited_text import reaching, write
from lenswidget.interventions.text_grid import grid_of_texts
from lenswidget.model.backend import Backend
from lenswidget.model.backends import backend_of
from lenswidget.model.cached_run import as_run
from lenswidget.model.components import Part
from lenswidget.model.edits import Edit, short, values_at
from lenswidget.model.final_norm import FinalNorm
from lenswidget.model.generation import ends_of
from lenswidget.model.places import Place, place_of
from lenswidget.model.positions import Positions, positions_of
from lenswidget.model.probe import readout_of
from lenswidget.model.prompts import Prompt, tokenize
from lenswidget.model.run import Run, run_watched
from lenswidget.model.surroundings import own_arithmetic, plain_mode
from lenswidget.model.targets import TargetLike, named, target_of
from lenswidget.model.tokens import texts_of

DOSES = (-2.0, -1.0, 0.0, 1.0, 2.0)


@dataclass(frozen=True, eq=False, repr=False)
class SteeringVector:
    """A direction of the residual stream at one row, to be added there in any dose.

    Made of two sets of texts, of a token, or of what a part wrote in a run:

        v = lw.SteeringVector.from_texts(model, toward=["I love it."], away=["I hate it."], row="L15")
        v = lw.SteeringVector.from_token(model, " Rome", row="L15", against=" Paris")
        v = lw.SteeringVector.from_part(run, "L23H4")
        lw.run(model, prompt, edits=[v.edit(-1)])
        lw.steer(model, prompt, v)
    """

    row: str
    """The label of the row of the stream to which it is added."""
    vector: Float[Tensor, "d"]
    """At a dose of 1, in float32."""
    label: str
    """What it is, in words."""
    norm: float
    """The mean length of the stream at this row, which its own is measured by; the first position is left out."""

    @property
    def share(self) -> float:
        """Its length at a dose of 1, as a share of the stream's at its row."""
        return float(self.vector.norm()) / self.norm

    def edit(self, dose: float | int = 1.0, position: Positions = None) -> Edit:
        """The edit that adds so many times the vector at some positions, None for all.

        Raises ValueError for a dose that is no finite number.
        """
        if isinstance(dose, (bool, str)) or not hasattr(dose, "__float__") or not math.isfinite(dose):
            raise ValueError(f"A dose is a finite number, how many times the vector is added; got {dose!r}.")
        return Edit(self.row, add=float(dose) * self.vector, position=position, label=f"{dose:g} × ({self.label})")

    def writes(
        self,
        model: object,
        prompt: Prompt,
        doses: Sequence[float | int] = DOSES,
        *,
        position: Positions = None,
        max_new_tokens: int = 12,
        k: int = 10,
    ) -> Grid:
        """What the model goes on to write at each dose: a row a dose, a column a token, the likeliest one at each step.

        At all positions, as by default, the vector is added to what is written, too.

        Raises ValueError for no doses, for one that is no finite number, and for more tokens than the model takes.

            v.writes(model, "The food was", doses=[-1, 0, 1])
        """
        chosen = list(doses)
        if not chosen:
            raise ValueError("There are no doses; give one at least, doses=[-1, 0, 1].")
        backend = backend_of(model)
        readout = readout_of(backend)
        if not 1 <= k <= readout.vocabulary:
            raise ValueError(f"k is the number of candidates a cell, 1 to {readout.vocabulary}; got {k}.")
        tokens = tokenize(backend, prompt, readout.vocabulary)
        edits = [[reaching(self.edit(dose, position), backend, tokens, max_new_tokens)] for dose in chosen]
        ends = ends_of(backend.network, backend.tokenizer)
        text = write(backend, tokens, edits, max_new_tokens=max_new_tokens, ends=ends, k=k)
        texts = texts_of(backend)
        said = texts.decode([i for i in tokens.tolist() if i not in texts.special])
        return grid_of_texts(
            text,
            texts,
            title=said,
            kind="What it goes on to write",
            model=backend.facts.name,
            rows=tuple(f"{dose:+g}" if dose else "0" for dose in chosen),
            notes=(
                f"dose × ({self.label}) at {self.row}, where a dose of 1 is {self.share:.2g} of the stream’s length",
                "everywhere" if position is None else f"at position {position}",
            ),
            provenance={"prompt": said, "vector": self.label, "row": self.row, "position": str(position)},
        )

    @classmethod
    @own_arithmetic()
    def from_texts(
        cls,
        model: object,
        toward: Sequence[Prompt],
        away: Sequence[Prompt],
        row: str | int,
        *,
        position: int | None = -1,
        label: str = "",
    ) -> SteeringVector:
        """The difference of means of two sets of texts at one row.

        `row` is a label, or the number in it. `position` is where the texts are read: -1 at their last token, another, or None
        for the mean over all but the first, whose norm dwarfs the rest.

        Raises ValueError for a set that is empty, for two sets with one mean, and for a row or a position that isn't there.
        """
        for name, some in (("toward", toward), ("away", away)):
            if isinstance(some, str):
                raise TypeError(
                    f"{name}= takes a list of texts; got one text, {some!r}. Write {name}=[{short(some)!r}]."
                )
            if not len(some):
                other = "away" if name == "toward" else "toward"
                raise ValueError(
                    f"{name}= has no texts. A direction is the difference of two sets: give texts of both kinds, {other}= as "
                    f"well as {name}=, or make one of a token, lw.SteeringVector.from_token(model, ' good', row={row!r})."
                )
        backend = backend_of(model)
        place = _row_of(backend, row)
        means, norms = [], []
        for some in (toward, away):
            states = [_states(backend, place, text, position) for text in some]
            means.append(torch.stack([state for state, _ in states]).mean(0))
            norms += [norm for _, norm in states]
        vector = means[0] - means[1]
        words = label or f"“{short(_said(toward[0]))}” … − “{short(_said(away[0]))}” …"
        return cls(
            place.label, _checked(vector, "Both sets of texts have the same mean"), words, sum(norms) / len(norms)
        )

    @classmethod
    @own_arithmetic()
    def from_token(
        cls, model: object, token: TargetLike, row: str | int, *, against: TargetLike | None = None
    ) -> SteeringVector:
        """The direction that raises a token's logit most: its column of the unembedding, through the final norm's gain.

        With `against`, the direction of the logit difference. At a dose of 1 it is as long as the stream at its row, on a
        sentence.

        Raises ValueError for a target that is several tokens, and for a row that isn't there.
        """
        backend = backend_of(model)
        place = _row_of(backend, row)
        with plain_mode():
            sentence = run_watched(backend, backend.sample(readout_of(backend).vocabulary, backend.facts.context))
        targets = [target_of(sentence, one) for one in (token, *([] if against is None else [against]))]
        readout = sentence.readout
        columns = [readout.W_U[:, list(target.ids)].detach().float().mean(-1) for target in targets]
        way = readout.norm.frozen(columns[0] - columns[1] if against is not None else columns[0]).cpu()
        way = _checked(way, f"{named(targets)} has no direction")
        norm = float(sentence.residual[place.row, 1:].float().norm(dim=-1).mean())
        return cls(place.label, way * (norm / way.norm()), named(targets), norm)

    @classmethod
    @own_arithmetic()
    def from_part(cls, run: Any, part: str, *, position: int = -1, row: str | int | None = None) -> SteeringVector:
        """What a part of the model wrote to the stream at one position of a run: a row of an attribution.

        `part` is its label: a head, `"L23H4"`, a neuron, attention or an MLP. It is added where its block ends, or at `row`.

        Raises ValueError for a label that is no part, and for one that wrote nothing.
        """
        run = as_run(run)
        activations = run.require_activations()
        backend = activations.backend
        place = place_of(backend, part)
        if place.site.end == "row":
            raise ValueError(
                f"{part!r} is a row of the stream, not a part that wrote to it; name one as 'L{place.row}.mlp'."
            )
        where = positions_of(len(run.tokens), position)
        if len(where) != 1:
            raise ValueError(f"What a part wrote is taken at one position; got {position!r}.")
        written_there = _write_of(run, place, where)
        target = place_of(backend, f"L{place.row}") if row is None else _row_of(backend, row)
        norm = float(run.residual[target.row, min(1, len(run.tokens) - 1) :].float().norm(dim=-1).mean())
        token = run.texts[int(run.tokens[where])]
        words = f"{place.label} at {token.strip() or token!r} of “{short(run.prompt)}”"
        return cls(target.label, _checked(written_there.cpu(), f"{place.label} wrote nothing there"), words, norm)

    def __repr__(self) -> str:
        return f"Steering vector {self.label} at {self.row}: {self.share:.2g} of the stream's length there"


def _row_of(backend: Backend, row: str | int) -> Place:
    labels = ["embed", *(f"L{layer}" for layer in range(backend.facts.layers))]
    return place_of(backend, labels[named_row(labels, row)])


def _states(backend: Backend, place: Place, text: Prompt, position: int | None) -> tuple[Float[Tensor, "d"], float]:
    """One text's state at a row, and how long its stream is there, in float32."""
    tokens = tokenize(backend, text, readout_of(backend).vocabulary)
    with plain_mode():
        kept = backend.forward(tokens[None], keep={place.site: lambda x: x[0].detach().clone()}, stop=place.site).kept
    rows = kept[place.site].float().cpu()
    rest = rows[min(1, len(rows) - 1) :]
    state = rest.mean(0) if position is None else rows[positions_of(len(rows), position)].mean(0)
    return state, float(rest.norm(dim=-1).mean())


@torch.no_grad()
def _write_of(run: Run, place: Place, where: Int[Tensor, "1"]) -> Float[Tensor, "d"]:
    """What a part wrote to the stream: of heads and neurons, through the map that writes them and any norm behind it."""
    value = values_at(run, place, where)[0].float()
    if place.end is None:
        return value * place.scale
    activations = run.require_activations()
    part = next(
        p for p in activations.components.blocks[place.row].parts if p.projection and p.projection.site == place.site
    )
    assert part.projection is not None
    W = part.projection.W(activations.backend)[place.columns]
    write = value.to(W.device) @ W.float()
    return part.scale * _behind(run, part, write, where)


def _behind(run: Run, part: Part, write: Float[Tensor, "d"], where: Int[Tensor, "1"]) -> Float[Tensor, "d"]:
    """What a norm of the block's own makes of a part of what enters it, its scale held."""
    if part.norm is None:
        return write
    activations = run.require_activations()
    norm: FinalNorm = part.norm.read(activations.backend, write.device)
    entered = activations.at([part.norm.site], where)[part.norm.site].to(write)
    centered = write - write.mean() if norm.centered else write
    gain = 1.0 if norm.gain is None else norm.gain.to(write)
    return centered * gain / norm.scale(entered)[0]


def _checked(vector: Float[Tensor, "d"], why: str) -> Float[Tensor, "d"]:
    if not bool(vector.isfinite().all()):
        raise ValueError(
            "The direction is not finite; load the model in float32 or bfloat16, as half precision overflows."
        )
    if not bool(vector.any()):
        raise ValueError(f"{why}, so there is no direction to steer along.")
    return vector


def _said(text: Prompt) -> str:
    return text if isinstance(text, str) else str(text)
