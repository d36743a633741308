"""Causal fidelity: does what moves a lens move the model, the same way and as much?

A lens may read what the model never uses. So a row is changed, at every position but the first, in one direction; the lens reads
the changed row, and the model goes on from it. Two figures compare their answers:

- alignment, the correlation over tokens, weighted by the output, of the changes in their log-probabilities: the paper's
  similarity of stimulus and response in Aitchison's geometry. It is a mean over directions, and a dozen of them fix it well;
- influence, Spearman's correlation over directions of KL(before ‖ after) of the lens and of the model. It is a correlation of
  as many pairs as there are directions: of 12 to 16 it swings by ±0.5 on one row, as its interval says.

Directions are orthonormal, and what the row really does: the principal directions of some of its states. Belrose et al.
2023 (arXiv 2303.08112, section 4) erase each direction, putting its mean in its place (`"erase"`). But what is erased is
larger the more a row varies that way, and then any two functions of a row agree on what matters: on SmolLM2's row 12 a lens
that reads in a random basis had 0.74 from erasing, and a linear lens 0.65. Steps along it are of one length, for that
(`"step"`): at row 22 influence (and alignment) are then 0.29 (0.32) for the logit lens, 0.62 (0.45) for the linear and
0.02 (-0.02) for the random basis.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, cast, get_args

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from lenswidget.lenses.intervals import drawn_directions, spearman
from lenswidget.lenses.lens import Lens
from lenswidget.model.backend import Backend, whole
from lenswidget.model.run import Run
from lenswidget.model.run_prompt import run
from lenswidget.model.site import Site
from lenswidget.model.surroundings import own_arithmetic

How = Literal["step", "erase"]


STEP = 0.25
"""Length of a step, as a share of the median distance of a row's states from their mean: small, yet beyond half precision."""
CONTEXT, PROMPTS = 17, 2
"""Tokens of each prompt, and prompts, on which influences are measured."""
BATCH = 1024
"""Tokens that the model is given at once."""


def how_of(word: str) -> How:
    """Raises ValueError for another word."""
    if word not in get_args(How):
        raise ValueError(f"how is 'step' or 'erase'; got {word!r}.")
    return cast(How, word)


@dataclass(frozen=True, eq=False)  # arrays have no one answer to ==
class Responses:
    """How lenses and the model answer when a row is changed in several directions."""

    strength: Float32[np.ndarray, "lenses_and_model directions"]
    """KL(before ‖ after) in bits, the model's last."""
    way: Float32[np.ndarray, "lenses directions"]
    """The correlation of a lens's change with the model's."""

    @property
    def influence(self) -> Float[np.ndarray, " lenses"]:
        return spearman(self.strength[:-1], self.strength[-1:])

    @property
    def alignment(self) -> Float[np.ndarray, " lenses"]:
        return _mean(self.way)

    def drawn(self, seed: int) -> tuple[Float[np.ndarray, "draws lenses"], Float[np.ndarray, "draws lenses"]]:
        """Influence and alignment over directions that are drawn again, as intervals take them."""
        places = drawn_directions(self.way.shape[-1], seed)
        strength, way = self.strength[:, places].swapaxes(0, 1), self.way[:, places].swapaxes(0, 1)
        return spearman(strength[:, :-1], strength[:, -1:]), _mean(way)


def _mean(way: Float[np.ndarray, "*any directions"]) -> Float[np.ndarray, "*any"]:
    """Over the directions that are known; NaN where none is."""
    known = ~np.isnan(way)
    with np.errstate(invalid="ignore"):
        mean: np.ndarray = np.nansum(way, axis=-1) / known.sum(-1)
    return mean


@dataclass(frozen=True, eq=False)
class Trial:
    """What causal fidelity is measured on: states to take directions from, and the first tokens of some to try these on."""

    backend: Backend
    runs: Sequence[Run]
    prompts: Sequence[Run]

    @classmethod
    def of(cls, backend: Backend, runs: Sequence[Run], directions: int) -> Trial:
        """On runs of text. Raises ValueError where they hold no more states than directions."""
        found, width = sum(len(one.tokens) - 1 for one in runs), runs[0].residual.shape[-1]
        if directions > min(found - 1, width):
            raise ValueError(
                f"The texts give {found} states of width {width}, which vary in {min(found - 1, width)} directions; ask for no "
                f"more than those, or pass more text. Got directions={directions}."
            )
        return cls(backend, runs, [run(backend, one.tokens[:CONTEXT]) for one in runs[:PROMPTS]])

    def states(self, row: int) -> Float[Tensor, "states d"]:
        """Those that are finite."""
        found = torch.cat([one.residual[row, 1:] for one in self.runs]).float()
        return found[found.isfinite().all(-1)]

    def respond(self, lenses: Sequence[Lens], row: int, directions: int, how: How = "step", seed: int = 0) -> Responses:
        """Along the principal directions of some of the row's states."""
        states = self.states(row)
        principal = principal_directions(states, directions, seed)
        change = stepped(states, principal) if how == "step" else erased(states, principal)
        return self.respond_to(lenses, row, change)

    @own_arithmetic()
    @torch.no_grad()
    def respond_to(self, lenses: Sequence[Lens], row: int, change: Changed) -> Responses:
        """To any changes of a row."""
        sites, prompts = self.backend.rows, self.prompts
        before = [prompt.residual[row, 1:] for prompt in prompts]
        # rounded as the model's rows are, so that the lens reads what the model goes on from
        after = [change(h.float()).to(h) for h in before]
        arrived = [_go_on(self.backend, prompt, sites[row], to) for prompt, to in zip(prompts, after)]

        last = row == len(sites) - 1  # the model's own in every lens
        readers = [partial(_as_it_is if last else lens.move, row=row) for lens in lenses]
        unchanged, changed = torch.cat(before).float(), torch.cat(after, dim=1).float()
        output = torch.cat([prompt.residual[-1, 1:] for prompt in prompts]).float()
        # what went through the model may come from the last of several devices
        ends = torch.cat(arrived, dim=1).to(changed)
        strength, way = prompts[0].readout.responses(
            torch.stack([*(read(unchanged).float() for read in readers), output]),
            torch.stack(
                [
                    *(read(changed.flatten(0, 1)).float().view(changed.shape) for read in readers),
                    ends,
                ]
            ),
        )
        return Responses(strength.numpy(), way[:-1].numpy())


def _as_it_is(residual: Float[Tensor, "positions d"], row: int) -> Float[Tensor, "positions d"]:
    return residual


Changed = Callable[[Float[Tensor, "positions d"]], Float[Tensor, "directions positions d"]]
"""A row at several positions, changed in several ways."""


def require_states(states: Float[Tensor, "states d"], directions: int) -> None:
    """Raises ValueError for finite states of a row that vary in fewer directions than are asked for."""
    if len(states) <= directions:
        raise ValueError(
            f"{len(states)} states of this row are finite, which vary in {max(0, len(states) - 1)} directions; ask for no more "
            f"than those, or pass more text. Got {directions}."
        )


def principal_directions(
    states: Float[Tensor, "states d"], directions: int, seed: int
) -> Float[Tensor, "directions d"]:
    """The principal directions of some of the states, picked at random; of length 1. Raises ValueError for too few."""
    require_states(states, directions)
    picked = torch.randperm(len(states), generator=torch.Generator().manual_seed(seed))[: directions + 1]
    some = states[picked.to(states.device)]
    found: Tensor = torch.linalg.svd(some - some.mean(0), full_matrices=False).Vh[:directions]
    return found


def stepped(states: Float[Tensor, "states d"], directions: Float[Tensor, "directions d"]) -> Changed:
    """Steps of one length along each direction."""
    length = STEP * (states - states.mean(0)).norm(dim=-1).median()
    return lambda h: h + (length * directions)[:, None]


def erased(states: Float[Tensor, "states d"], directions: Float[Tensor, "directions d"]) -> Changed:
    """The mean of the states in the place of what is along each direction, which are of length 1."""
    mean = states.mean(0)
    return lambda h: h - ((h - mean) @ directions.T).T[..., None] * directions[:, None]


def _go_on(
    backend: Backend, prompt: Run, site: Site, changed: Float[Tensor, "directions positions d"]
) -> Float[Tensor, "directions positions d"]:
    """The last row that the model arrives at from each of several changed rows. The first position stays as it was."""
    grows = backend.remembered("a batch may grow at a row", lambda: _may_grow(backend, prompt))
    each = max(1, BATCH // len(prompt.tokens))
    return torch.cat([_arrived(backend, prompt, site, some, grows) for some in torch.split(changed, each)])


def _arrived(
    backend: Backend, prompt: Run, site: Site, changed: Float[Tensor, "directions positions d"], grows: bool
) -> Float[Tensor, "directions positions d"]:
    """In one pass, below the changed row of the prompt alone where the batch may grow there."""

    def change(row: Float[Tensor, "batch all d"]) -> Tensor:
        return torch.cat([row[:, :1].expand(len(changed), -1, -1), changed.to(row)], dim=1)

    last = backend.rows[-1]
    tokens = prompt.tokens.expand(1 if grows else len(changed), -1)
    # its logits are for readout to make, a few at a time
    done = backend.forward(tokens, keep={last: whole}, change={site: change}, stop=last)
    return done.kept[last][:, 1:]


def _may_grow(backend: Backend, prompt: Run) -> bool:
    """Whether a model takes more prompts from a row on than came in, and makes of them what it makes of them alone.

    Some count their prompts before the first block.
    """
    row = (len(backend.rows) - 1) // 2
    h = prompt.residual[row, 1:]
    changed = torch.stack([h, 0.5 * h, h.flip(0)])
    one_by_one = torch.cat([_arrived(backend, prompt, backend.rows[row], one[None], False) for one in changed])
    try:
        together = _arrived(backend, prompt, backend.rows[row], changed, True)
    except Exception:  # whatever it says: it takes a whole batch from the start
        return False
    close = 1e-4 if h.dtype == torch.float32 else 0.05
    return together.shape == one_by_one.shape and bool((together - one_by_one).norm() <= close * one_by_one.norm())
