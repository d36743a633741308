"""The gradient of a number that is read off a model's last row, at any of its sites: one pass forward, one back."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.model.backend import Backend, Change
from lenswidget.model.edits import chained
from lenswidget.model.site import Site
from lenswidget.model.user_hooks import UserHooks

Number = Callable[[Float[Tensor, "positions d"]], Float[Tensor, ""]]
"""What is read off the last row, in operations that autograd follows."""


@dataclass(frozen=True, eq=False)  # tensors have no one answer to ==
class Gradients:
    """What a pass had at some sites, and how fast the number changes with each of it; without the batch dimension.

    What follows a site counts, whatever it goes through; what is beside it or before it doesn't.
    """

    last: Float[Tensor, "positions d"]
    """The last row of the stream."""
    values: Mapping[Site, Float[Tensor, "positions n"]]
    slopes: Mapping[Site, Float[Tensor, "positions n"]]


def gradients(
    backend: Backend,
    tokens: Int[Tensor, "positions"],
    sites: Collection[Site],
    number: Number,
    *,
    change: Mapping[Site, Change] | None = None,
    hooks: UserHooks | None = None,
) -> Gradients:
    """The gradient of a number at some sites, under the user's `hooks` and a `change` of activations.

    No logits are made but those that `number` makes, no weight collects a gradient, and every flag is as it was afterwards.
    Raises ValueError for a model through which no gradient flows: one in inference mode, or whose weights are quantised in a
    way that has none.
    """
    last = backend.rows[-1]
    values: dict[Site, Tensor] = {}

    def following(site: Site) -> Change:
        def change(value: Tensor) -> Tensor:
            # what doesn't depend on another of these sites begins here
            values[site] = value if value.requires_grad else value.detach().requires_grad_()
            # a model that adds to an activation in place adds to this copy
            return values[site].clone()

        return change

    try:
        with torch.inference_mode(False), backend.lock, _frozen(backend.modules):
            done = backend.forward(
                tokens.unsqueeze(0),
                keep={last: lambda row: row},
                change=chained(change or {}, {site: following(site) for site in sites}),
                stop=last,
                hooks=hooks,
                gradient=True,
            )
            row = done.kept[last][0]
            with torch.enable_grad():
                measured = number(row)
            found = torch.autograd.grad(measured, list(values.values()), allow_unused=True)
    except (RuntimeError, NotImplementedError) as reason:
        raise ValueError(
            f"No gradient flows through {backend.facts.name}: {str(reason).splitlines()[0]} Weights that are quantised, or that "
            "were made in inference mode, may have none. What is exact needs no gradient: patch it with method='exact'."
        ) from reason
    silent = [site for site in sites if site not in values]
    if silent:
        raise ValueError(
            f"{backend.facts.name} ran without passing {backend.name(silent[0])}, so it has no gradient there."
        )
    lost = [site for site, slope in zip(values, found) if slope is None]
    if lost:
        raise ValueError(
            f"No gradient reaches {backend.name(lost[0])} of {backend.facts.name}: something after it, as quantised weights, "
            "lets none through. What is exact needs no gradient: patch it with method='exact'."
        )
    return Gradients(
        row.detach(),
        {site: value.detach()[0].flatten(1) for site, value in values.items()},
        {site: slope[0].flatten(1) for site, slope in zip(values, found)},
    )


@contextlib.contextmanager
def _frozen(modules: Iterable[torch.nn.Module]) -> Iterator[None]:
    """Weights that record nothing: it costs a pass half as much again, and nobody asks for it."""
    learning = [
        weight
        for module in modules
        for weight in module._parameters.values()
        if weight is not None and weight.requires_grad
    ]
    try:
        for weight in learning:
            weight.requires_grad_(False)
        yield
    finally:
        for weight in learning:
            weight.requires_grad_(True)
