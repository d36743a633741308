"""Which weights a model has: a few entries of them, by which it is known again, and a short digest of these.

A name does not tell: two folders are called checkpoint-500, and a fine-tune keeps the unembedding of what it was tuned from.
So entries are taken of the unembedding, and of the values, the output of attention and the output of the MLP in blocks from the
first to the last. What is read is the linear map that a part goes through, not how a library stores it, so that one model
is the same in every library.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from lenswidget.model.backend import Backend
from lenswidget.model.components import Block, Projection
from lenswidget.model.find_components import assumed_components
from lenswidget.model.linear import entries, is_packed, stored_bytes
from lenswidget.model.surroundings import own_arithmetic

OF_UNEMBEDDING = 1024
"""Entries of the unembedding, the first in a sample."""
BLOCKS, EACH = 16, 16
"""At most so many blocks, spread evenly, and entries of each map in one."""
DIGITS = 12
"""Of a digest."""
ROUNDING = 2**-7
"""What half precision may change in an entry, twice over."""
FEW = 0.01
"""The share of the entries of blocks that may be further apart than that, and it is still one model."""


@dataclass(frozen=True, eq=False)  # tensors have no one answer to ==
class Weights:
    """Some entries of a model's weights, in float32 on the CPU, and a digest of these.

    `sample` begins with those of the unembedding, then come those of the blocks; NaN where a block has no such map, or has it
    in a few bits, which no other precision agrees with. Half precision changes the digest of no entry but by chance.
    """

    sample: Float[Tensor, "n"]
    digest: str


def weights_of(backend: Backend) -> Weights:
    """The weights of a model as it is now, found once for each of its states."""
    return backend.remembered("weights", lambda: _found(backend))


def same_unembedding(one: Tensor, other: Tensor) -> bool:
    """Whether two samples, which need not be of one length, have one unembedding, rounding apart."""
    one, other = one[:OF_UNEMBEDDING], other[:OF_UNEMBEDDING]
    return one.shape == other.shape and torch.allclose(one, other, rtol=ROUNDING, atol=1e-6)


def same_blocks(one: Tensor, other: Tensor) -> bool:
    """Whether the blocks of two samples are the same, rounding apart; true where they have nothing in common to tell by."""
    one, other = one[OF_UNEMBEDDING:], other[OF_UNEMBEDDING:]
    if one.shape != other.shape:
        return True  # an older file has none
    both = one.isfinite() & other.isfinite()
    apart = (one - other).abs() > ROUNDING * other.abs() + 1e-6
    return not bool(both.any()) or float(apart[both].float().mean()) <= FEW


@own_arithmetic()
@torch.no_grad()
def _found(backend: Backend) -> Weights:
    W_U, _ = backend.unembedding()
    d, vocabulary = W_U.shape
    places = torch.linspace(0, d * vocabulary - 1, OF_UNEMBEDDING, dtype=torch.float64).long().to(W_U.device)
    found = [W_U[places % d, places // d].float().cpu()]
    packed = hashlib.sha256()
    blocks = assumed_components(backend).blocks
    for number in torch.linspace(0, len(blocks) - 1, min(BLOCKS, len(blocks))).round().int().tolist():
        for made in _maps(blocks[number], backend.facts.width):
            found.append(torch.full((EACH,), torch.nan))
            if made is not None:
                projection, columns = made
                module = projection.module(backend)
                if is_packed(module):
                    packed.update(stored_bytes(module, EACH))
                else:
                    rows = _spread(projection.n, 0.6180339887)
                    found[-1] = entries(module, projection.stored, projection.n, rows, columns)
    sample = torch.cat(found)
    packed.update(sample.bfloat16().view(torch.uint8).numpy().tobytes())
    return Weights(sample, packed.hexdigest()[:DIGITS])


def _maps(block: Block, width: int) -> Iterator[tuple[Projection, Int64[Tensor, "columns"]] | None]:
    """The maps of a block, with the columns to take entries of: values, mixing positions, thinking; None for one it lacks."""
    written = [part for part in block.parts if part.projection is not None]
    thinks = next((part for part in written if part.name.endswith("mlp")), None)
    # attention before what mixes positions otherwise
    mixes = next((part for part in sorted(written, key=lambda part: part.name != "attn") if part is not thinks), None)
    made = None if mixes is None or mixes.sources is None else mixes.sources.made_by
    if mixes is None or mixes.projection is None or mixes.sources is None or made is None or made.n != width:
        yield None  # values that aren't made of the stream itself are seen by some libraries alone
    else:
        of_head = mixes.projection.n // mixes.heads
        columns = _spread(mixes.projection.n, 0.4142135624)
        # one library puts the values of all heads side by side, another has queries and keys before them
        begins = torch.tensor(mixes.sources.columns)
        yield made, begins[columns // of_head] + columns % of_head
    for part in (mixes, thinks):
        projection = None if part is None else part.projection
        yield None if projection is None else (projection, _spread(width, 0.4142135624))


def _spread(size: int, step: float) -> Int64[Tensor, "n"]:
    """Places in a row of so many, spread over it by multiples of an irrational number: no two kinds of step ever agree."""
    return ((torch.arange(1, EACH + 1, dtype=torch.float64) * step) % 1 * size).long()
