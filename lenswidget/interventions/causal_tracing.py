"""causal_trace(): which states bring an answer back when the model was kept from seeing its subject.

Meng et al. 2022, "Locating and Editing Factual Associations in GPT", arXiv 2202.05262: noise is added to the embeddings of the
subject, so that the answer is lost; then one state at a time, or a window of attention or MLP outputs, is put back to what it
is without noise. What comes back is the causal indirect effect.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.grids.grid import Grid
from lenswidget.interventions.patch import patch
from lenswidget.model.backends.offloaded import brought
from lenswidget.model.cached_run import as_run
from lenswidget.model.edits import Edit
from lenswidget.model.linear import spread_of
from lenswidget.model.made_by import call, made_by, run_call, token_call, unless
from lenswidget.model.positions import Positions, positions_of
from lenswidget.model.run import Run, run_watched
from lenswidget.model.targets import TargetLike, target_of

WINDOW = 10
"""Blocks whose attention or MLPs are put back together, as in the paper."""


def causal_trace(
    run_or_cache: Any,
    subject: str | Positions,
    target: TargetLike | None = None,
    against: TargetLike | None = None,
    *,
    unit: str = "row",
    window: int | None = None,
    noise: float = 3.0,
    samples: int = 10,
    seed: int = 0,
    position: int = -1,
    metric: str | None = None,
) -> Grid:
    """Which states of a run bring its answer back when noise hides the subject from the model: causal tracing.

    `subject` is the part of the prompt that is hidden, as its text or its positions. To their embeddings, `noise` standard
    deviations of the model's embeddings are added at random, `samples` times; then each cell is put back to what it is
    without noise. `target` is the token whose probability is followed, by default the one that the run predicts; with
    `against`, the logit difference is. `unit` is `"row"`, `"attn"` or `"mlp"`, of these in a `window` of 10 blocks.

    The Grid is that of `patch` over pairs, with noised runs for bases: *recovered*, as the ratio of the means, and its spread.

    Raises ValueError for a subject that is no part of the prompt, and what `patch` raises.

    Source: Meng et al. 2022, arXiv 2202.05262.

        run = lw.run(model, "The Eiffel Tower is located in the city of")
        lw.causal_trace(run, " Eiffel Tower")
        lw.causal_trace(run, " Eiffel Tower", unit="mlp")
    """
    run = as_run(run_or_cache)
    activations = run.require_activations()
    if isinstance(samples, bool) or samples < 1:
        raise ValueError(f"samples is how often noise is drawn, at least 1; got {samples!r}.")
    if not noise > 0:
        raise ValueError(f"noise is a number of standard deviations above 0; got {noise!r}.")
    where = span_of(run, subject) if isinstance(subject, str) else positions_of(len(run.tokens), subject)
    size = noise * spread_of_embeddings(run)
    generator = torch.Generator().manual_seed(seed)
    bases = [
        run_watched(
            activations.backend,
            run.tokens,
            hooks=activations.hooks,
            edits=[
                *activations.edits,
                Edit(
                    "embed", add=size * _drawn(len(where), run.residual.shape[-1], generator), position=where.tolist()
                ),
            ],
        )
        for _ in range(samples)
    ]
    again = call(
        "lw.causal_trace",
        run_call(run),
        repr(subject),
        *(token_call(run, target_of(run, one)) for one in (target, against) if one is not None),
        unit=unless(unit, "row"),
        window=unless(window, None),
        noise=unless(noise, 3.0),
        samples=unless(samples, 10),
        seed=unless(seed, 0),
        position=unless(position, -1),
        metric=unless(metric, None),
    )
    if target is None:
        (read_at,) = positions_of(len(run.tokens), position).tolist()
        target = int(run.readout.logits(run.residual[-1, read_at : read_at + 1])[0].argmax())
    if window is None:
        window = WINDOW if unit in ("attn", "mlp") else 1
    metric = metric or ("logit difference" if against is not None else "probability")
    grid = patch(bases, run, target, against, unit=unit, position=position, window=window, metric=metric)
    hidden = run.texts.decode([int(run.tokens[p]) for p in where]).strip()
    return replace(
        grid,
        title=run.prompt,
        kind=f"Causal tracing, {grid.kind.removeprefix('Patching ')}",
        notes=(
            f"noise of {size:.3g}, {noise:g} standard deviations of the embeddings, on {hidden!r}, drawn {samples} times",
            "each cell is put back to what it is without noise",
            *grid.notes[1:],
        ),
        provenance={
            "target": grid.provenance["target"],
            "unit": unit,
            **made_by(run, again),
            "source": run.prompt,
            "noise": f"{noise:g}",
            "seed": str(seed),
        },
    )


def _drawn(count: int, width: int, generator: torch.Generator) -> Float[Tensor, "positions d"]:
    return torch.randn(count, width, generator=generator)


def spread_of_embeddings(run: Run) -> float:
    """The standard deviation of all numbers of the embeddings of a vocabulary, as they enter the stream of this run's model."""
    backend = run.require_activations().backend
    find: Any = getattr(backend.network, "get_input_embeddings", None)
    embedding = None if find is None else find()
    weight = None if embedding is None else getattr(brought(embedding), "weight", None)
    if weight is None or weight.is_meta or not weight.is_floating_point():
        return float(run.residual[0].float().std())
    # some models scale their embeddings: by how much shows in the run's own
    tokens = run.tokens.to(weight.device)
    scale = run.residual[0].float().std() / weight.detach()[tokens].float().std().to(run.residual.device)
    near = float(scale) if abs(float(scale) - 1) > 0.05 else 1.0
    return near * spread_of(weight.detach())


def span_of(run: Run, subject: str) -> Int[Tensor, "positions"]:
    """The positions of the tokens that hold a part of a prompt's text.

    Raises ValueError where it isn't there, or is there more than once.
    """
    ends: list[int] = []
    for count in range(1, len(run.tokens) + 1):
        ends.append(len(run.texts.decode(run.tokens[:count].tolist())))
    text = run.texts.decode(run.tokens.tolist())
    wanted = subject.strip()
    found = [at for at in range(len(text)) if wanted and text.startswith(wanted, at)]
    if len(found) != 1:
        there = "is not in" if not found else f"is {len(found)} times in"
        raise ValueError(
            f"The subject {subject!r} {there} the prompt {run.prompt!r}; give the positions of its tokens, as subject=[1, 2, 3]."
        )
    begin, end = found[0], found[0] + len(wanted)
    starts = [0, *ends[:-1]]
    return torch.tensor([p for p, (a, b) in enumerate(zip(starts, ends)) if a < end and b > begin])
