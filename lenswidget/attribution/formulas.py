"""How far each part of a block moved the stream along a direction: `part · v`, before the final norm's scale divides it.

Every formula projects before it expands: a head is `z_h · (W_O^h v)`, a neuron `post_n (W_out[n] · v)`, so that neither
`[heads, positions, d]` nor `[positions, d_mlp, d]` ever exists. All is summed in float32.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from lenswidget.model.backend import Backend
from lenswidget.model.components import Part
from lenswidget.model.site import Site
from lenswidget.model.surroundings import double

Acts = Mapping[Site, Tensor]
ROUNDED = "rounding"
"""The row of what a model in half precision rounded away, or up, each time that it wrote a sum."""


@dataclass(frozen=True, eq=False)  # tensors have no one answer to ==
class Contributions:
    """What belongs together: one component, or all the heads or neurons of one."""

    layer: int | None
    name: str
    """The part: "attn", "mlp"; "H" for heads and "N" for neurons, which are numbered; "" for a block as a whole."""
    values: Float[Tensor, "n *cells"]

    @property
    def numbered(self) -> bool:
        return self.name in ("H", "N")

    def part(self, i: int) -> str:
        """What the `i`th is within its block: `attn`, `H3`."""
        return f"{self.name}{i}" if self.numbered else self.name

    def label(self, i: int) -> str:
        """What the `i`th is: `embed`, `L5`, `L5.attn`, `L5H3`, `L5N1024`."""
        if self.layer is None:
            return self.name
        return f"L{self.layer}{'' if self.numbered or not self.name else '.'}{self.part(i)}"


def component(part: Part, layer: int | None, acts: Acts, v: Float[Tensor, "m d"]) -> Contributions:
    """A part as one row: what it put out, along `v`."""
    put_out = acts[part.site].to(v)
    return Contributions(layer, part.name, part.scale * (put_out * v).sum(-1).unsqueeze(0))


def heads(backend: Backend, part: Part, layer: int, acts: Acts, v: Float[Tensor, "m d"]) -> Iterator[Contributions]:
    """Attention as its heads, `z_h W_O^h · v`, and its bias."""
    assert part.projection is not None
    through = _through(backend, part, acts, v)
    z = _split(acts[part.projection.site].to(v), part.heads)
    yield Contributions(layer, "H", ((z * _split(through.w, part.heads)).sum(-1) / through.scale).T)
    yield from _bias(part, layer, through)


def neurons(backend: Backend, part: Part, layer: int, acts: Acts, v: Float[Tensor, "m d"]) -> Iterator[Contributions]:
    """An MLP as its neurons, `post_n W_out[n] · v`, and its bias."""
    assert part.projection is not None
    through = _through(backend, part, acts, v)
    yield Contributions(layer, "N", (acts[part.projection.site].to(v) * through.w / through.scale).T)
    yield from _bias(part, layer, through)


def sources(
    backend: Backend, part: Part, layer: int, acts: Acts, whole: Acts, position: int, v: Float[Tensor, "1 d"]
) -> Iterator[Contributions]:
    """Heads split over the positions that they read at one position: `A[h, t, s] (value_s W_O^h) · v`; and the bias."""
    assert part.sources is not None
    pattern, values = (whole[site].to(v) for site in part.sources.sites)
    through = _through(backend, part, acts, v)
    w = _split(through.w, part.heads)
    read = (part.sources.of_heads(values, w.shape[-1]) * w).sum(-1)
    yield Contributions(layer, "H", pattern[:, position] * read.T / through.scale)
    yield from _bias(part, layer, through)


def edited(
    layer: int | None, name: str, whole: Float[Tensor, "1 p"], parts: Iterable[Contributions], rounding: float
) -> Iterator[Contributions]:
    """What a run has beyond its parts, because a hook changed it after they were written; nothing where that is rounding."""
    rest, size = _beyond(whole, parts)
    if bool((rest.abs() > rounding * size).any()):
        yield Contributions(layer, name, rest.float().to(whole.device))


def rounded_away(whole: Float[Tensor, "1 p"], parts: Iterable[Contributions]) -> Float[Tensor, "1 p"]:
    """What a model in half precision wrote beyond the sum of its parts, because it rounded each of them and the sum."""
    rest, _ = _beyond(whole, parts)
    return rest.float().to(whole.device)


def _beyond(whole: Float[Tensor, "1 p"], parts: Iterable[Contributions]) -> tuple[Tensor, Tensor]:
    """A whole less its parts, in float64, and the size that rounding is to be measured by."""
    rest, size = double(whole), whole.abs().max()
    for part in parts:
        # the sources of a position stand in columns of their own
        values = double(part.values)
        rest = rest - (values.sum(0, keepdim=True) if values.shape[1:] == whole.shape[1:] else values.sum())
        size = torch.maximum(size, part.values.abs().max())
    return rest, double(size).clamp(min=1e-6)


@dataclass(frozen=True, eq=False)
class _Through:
    """The way from what enters a part's projection to the stream, along a direction: `x · w / scale`, and a constant."""

    w: Float[Tensor, "m n"]
    scale: Float[Tensor, "p 1"]
    constant: Float[Tensor, "cells"] | None


def _through(backend: Backend, part: Part, acts: Acts, v: Float[Tensor, "m d"]) -> _Through:
    assert part.projection is not None
    v = part.scale * v
    scale = v.new_ones(1, 1)
    constant = None
    if part.norm is not None:
        # a head is written before the block's own norm, whose scale is held as the final norm's is
        norm = part.norm.read(backend, v.device)
        scale = norm.scale(acts[part.norm.site].to(v))
        if norm.bias is not None:
            constant = (norm.bias.to(v) * v).sum(-1)
        v = norm.frozen(v)
    b = part.projection.b(backend)
    if b is not None:
        bias = (b.to(v) * v).sum(-1) / scale.squeeze(-1)
        constant = bias if constant is None else constant + bias
    return _Through(part.projection.along(backend, v), scale, constant)


def _bias(part: Part, layer: int, through: _Through) -> Iterator[Contributions]:
    if through.constant is not None:
        yield Contributions(layer, f"{part.name} bias", through.constant.unsqueeze(0))


def _split(x: Float[Tensor, "p ..."], count: int) -> Float[Tensor, "p heads width"]:
    return x.reshape(len(x), count, -1)
