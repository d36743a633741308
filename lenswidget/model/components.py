"""What each block of a model adds to the residual stream, as parts that sum to it. `find_components.py` finds them.

Parts name their modules and hold no weights: these are read from the model when they are needed.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from lenswidget.model.backend import Backend
from lenswidget.model.final_norm import FinalNorm
from lenswidget.model.linear import Stored, bias_of, pieces, weight_of
from lenswidget.model.probe import NormForm
from lenswidget.model.site import Site


@dataclass(frozen=True)
class Norm:
    """A norm that a block applies to what it is about to write (Gemma-2, OLMo-2): `site` is what enters it."""

    site: Site
    form: NormForm

    def read(self, backend: Backend, device: torch.device) -> FinalNorm:
        """The norm as numbers, with the gain and bias that it has now, on a device."""
        return self.form.read(backend.module(self.site.block, self.site.module), device)


@dataclass(frozen=True)
class Projection:
    """The linear map whose output a part is: `W_O` of attention, `W_out` of an MLP. `site` is what enters it."""

    site: Site
    stored: Stored
    n: int
    """How many numbers enter it."""

    def W(self, backend: Backend) -> Float[Tensor, "n d"]:  # noqa: N802 (the field's name)
        """The weight as it is now."""
        return weight_of(self.module(backend), self.stored, self.n)

    def b(self, backend: Backend) -> Float[Tensor, "d"] | None:
        """The bias as it is now."""
        return bias_of(self.module(backend), self.stored, self.n)

    def along(self, backend: Backend, directions: Float[Tensor, "m d"]) -> Float[Tensor, "m n"]:
        """What each input adds along some directions: `W` is projected, and nothing is expanded to `[.., n, d]`."""
        projected = []
        for rows in pieces(self.module(backend), self.stored, self.n):
            here = directions.to(rows.device)
            projected.append(here @ rows.to(here.dtype).T)
        return torch.cat(projected, dim=-1).to(directions.device)

    def of_block(self, block: int) -> Projection:
        """The same map of another block."""
        return replace(self, site=replace(self.site, block=block))

    def module(self, backend: Backend) -> torch.nn.Module:
        """The module of the model that computes it."""
        module = backend.module(self.site.block, self.site.module)
        assert module is not None
        return module


@dataclass(frozen=True)
class Sources:
    """What enters the projection of an attention, position by position: its pattern times these values."""

    pattern: Site
    values: Site
    columns: tuple[int, ...]
    """Where the values of each head begin in what `values` holds, which may be queries and keys, too."""
    made_by: Projection | None
    """The linear map that made the values, where it is one."""

    @property
    def sites(self) -> tuple[Site, Site]:
        """What must be kept to split heads over positions."""
        return self.pattern, self.values

    def of_block(self, block: int) -> Sources:
        """The same in another block."""
        pattern, values = (replace(site, block=block) for site in self.sites)
        return Sources(pattern, values, self.columns, self.made_by and self.made_by.of_block(block))

    def of_heads(self, values: Tensor, width: int) -> Float[Tensor, "sources heads width"]:
        """The values of each head: with grouped queries several share one."""
        flat = values.flatten(1)
        return torch.stack([flat[:, start : start + width] for start in self.columns], dim=1)

    def W(self, backend: Backend, head: int, width: int) -> Float[Tensor, "n width"] | None:  # noqa: N802
        """A head's `W_V` as it is now."""
        if self.made_by is None:
            return None
        start = self.columns[head]
        return self.made_by.W(backend)[:, start : start + width]


@dataclass(frozen=True)
class Part:
    """One addend of a block: `scale` times what `site` holds, perhaps written by a projection and then normed."""

    name: str
    site: Site
    scale: float = 1.0
    norm: Norm | None = None
    projection: Projection | None = None
    heads: int = 0
    """How many heads the input of the projection consists of; 0 where it is no attention."""
    sources: Sources | None = None
    """Which pattern and values make what enters the projection, where it is just their product."""

    @property
    def sites(self) -> tuple[Site, ...]:
        """What must be kept to split this part."""
        return (self.site, *(p.site for p in (self.norm, self.projection) if p is not None))

    def of_block(self, block: int) -> Part:
        """The same part of another block."""

        def there(site: Site) -> Site:
            return replace(site, block=block)

        return replace(
            self,
            site=there(self.site),
            norm=self.norm and replace(self.norm, site=there(self.norm.site)),
            projection=self.projection and self.projection.of_block(block),
            sources=self.sources and self.sources.of_block(block),
        )


@dataclass(frozen=True)
class Block:
    """A block and its parts; none where they can't be told apart."""

    layer: int
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Components:
    """What the embedding and the blocks of a model consist of."""

    embedding: tuple[Part, ...]
    blocks: tuple[Block, ...]
    unknown: str = ""
    """Why no block could be taken apart, where the model would not run the short prompt."""

    @property
    def parts(self) -> tuple[Part, ...]:
        return (*self.embedding, *itertools.chain.from_iterable(block.parts for block in self.blocks))

    @cached_property
    def sites(self) -> tuple[Site, ...]:
        """What must be kept to split every part."""
        return tuple(dict.fromkeys(site for part in self.parts for site in part.sites))
