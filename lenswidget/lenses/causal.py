"""Causal fidelity: does what moves a lens move the model, as much and the same way?

A lens may read what the model never uses. So a row is changed, at every position but the first, by a step along one
direction; the lens reads the changed row, and the model goes on from it. Two figures compare their answers:

- influence, Spearman's correlation over directions of KL(before ‖ after) of the lens and of the model;
- alignment, the correlation over tokens, weighted by the output, of the changes in their log-probabilities.

Directions are orthonormal, and what the row really does: the principal directions of some of its states. Belrose et al.
2023 (arXiv 2303.08112, section 4) erase each direction where we step along it. But what is erased is larger the more a
row varies that way, and then any two functions of a row agree on what matters: on SmolLM2's row 12 a lens that reads in
a random basis had 0.74 from erasing, and a linear lens 0.65. Steps are of one length, for that: at row 22 influence (and
alignment) are then 0.29 (0.32) for the logit lens, 0.62 (0.45) for the linear and 0.02 (-0.02) for the random basis. Two
dozen directions leave chance about ±0.2 of influence; the alignment, the paper's similarity of stimulus and response
in Aitchison's geometry, needs fewer.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor
from tqdm.auto import tqdm

from lenswidget.lenses.lens import Lens
from lenswidget.model.backend import Backend, whole
from lenswidget.model.run import Run, run
from lenswidget.model.site import Site
from lenswidget.model.surroundings import own_arithmetic

STEP = 0.25
"""Length of a step, as a share of the median distance of a row's states from their mean: small, yet beyond half precision."""
CONTEXT, PROMPTS = 17, 2
"""Tokens of each prompt, and prompts, on which influences are measured."""
BATCH = 1024
"""Tokens that the model is given at once."""


@own_arithmetic()
@torch.no_grad()
def causal_fidelity(
    backend: Backend, lenses: Sequence[Lens], runs: Sequence[Run], *, directions: int, seed: int = 0
) -> tuple[Float32[np.ndarray, "rows lenses"], Float32[np.ndarray, "rows lenses"]]:
    """Influence and alignment for each row and lens, -1 to 1; NaN where a lens or the model answers to no direction.

    Directions are taken from all states of `runs`, and tried on the first tokens of the first of them. Raises ValueError
    where the runs hold no more states than directions.
    """
    found, width = sum(len(one.tokens) - 1 for one in runs), runs[0].residual.shape[-1]
    if directions > min(found - 1, width):
        raise ValueError(
            f"The texts give {found} states of width {width}, which vary in {min(found - 1, width)} directions; ask for no "
            f"more than those, or pass more text. Got directions={directions}."
        )
    prompts = [run(backend, one.tokens[:CONTEXT]) for one in runs[:PROMPTS]]
    readout, sites = prompts[0].readout, backend.rows
    influence, alignment = np.full((2, len(sites), len(lenses)), np.nan, dtype=np.float32)
    for row, site in enumerate(tqdm(sites, desc="Causal fidelity", unit=" rows", leave=False)):
        steps = principal_steps(torch.cat([one.residual[row, 1:] for one in runs]).float(), directions, seed)
        before = [prompt.residual[row, 1:] for prompt in prompts]
        # rounded as the model's rows are, so that the lens reads what the model goes on from
        after = [h + steps[:, None].to(h) for h in before]
        arrived = [_go_on(backend, prompt, site, changed) for prompt, changed in zip(prompts, after)]

        last = row == len(sites) - 1  # the model's own in every lens
        readers = [partial(_as_it_is if last else lens.move, row=row) for lens in lenses]
        unchanged, changed = torch.cat(before).float(), torch.cat(after, dim=1).float()
        output = torch.cat([prompt.residual[-1, 1:] for prompt in prompts]).float()
        strength, way = readout.responses(
            torch.stack([*(read(unchanged).float() for read in readers), output]),
            torch.stack(
                [
                    *(read(changed.flatten(0, 1)).float().view(changed.shape) for read in readers),
                    torch.cat(arrived, dim=1).float(),
                ]
            ),
        )
        influence[row] = [spearman(one, strength[-1]) for one in strength[:-1]]
        alignment[row] = way[:-1].nanmean(-1)
    return influence, alignment


def _as_it_is(residual: Float[Tensor, "positions d"], row: int) -> Float[Tensor, "positions d"]:
    return residual


def principal_steps(states: Float[Tensor, "states d"], directions: int, seed: int) -> Float[Tensor, "directions d"]:
    """Steps of one length along the principal directions of some of the states, picked at random."""
    deviations = states - states.mean(0)
    picked = torch.randperm(len(states), generator=torch.Generator().manual_seed(seed))[: directions + 1]
    some = states[picked.to(states.device)]
    principal = torch.linalg.svd(some - some.mean(0), full_matrices=False).Vh[:directions]
    steps: Tensor = STEP * deviations.norm(dim=-1).median() * principal
    return steps


def _go_on(
    backend: Backend, prompt: Run, site: Site, changed: Float[Tensor, "directions positions d"]
) -> Float[Tensor, "directions positions d"]:
    """The last row that the model arrives at from each of several changed rows. The first position stays as it was."""

    def change(row: Float[Tensor, "batch all d"], to: Float[Tensor, "batch positions d"]) -> Tensor:
        return torch.cat([row[:, :1], to.to(row)], dim=1)

    arrived: list[Tensor] = []
    last = backend.rows[-1]
    for some in torch.split(changed, max(1, BATCH // len(prompt.tokens))):
        tokens = prompt.tokens.expand(len(some), -1)
        # its logits are for readout to make, a few at a time
        done = backend.forward(tokens, keep={last: whole}, change={site: partial(change, to=some)}, stop=last)
        arrived.append(done.kept[last][:, 1:])
    return torch.cat(arrived)


def spearman(one: Float[Tensor, "n"], other: Float[Tensor, "n"]) -> float:
    """The correlation of ranks, equal values sharing theirs; NaN where either has only one value."""
    import pandas

    ranks = np.array([pandas.Series(values.cpu().numpy()).rank() for values in (one, other)])
    if not (np.ptp(ranks, axis=1) > 0).all():
        return float("nan")
    return float(np.corrcoef(ranks)[0, 1])
