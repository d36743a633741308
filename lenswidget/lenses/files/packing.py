"""Packed translators: how a lens of 40 MB fits into a few.

A packed lens has no `weight`. In its place its file holds three tensors, of which the weight is

    weight[row, i, j] = codes[row, i, j] · step_out[row, i] · step_in[row, j]

- `codes`: the whole numbers of all rows as signed bytes, compressed by zlib. Most are near zero, so that a code takes about
  two bits; where a step is twice as large, its codes take one bit less.
- `step_out`, `step_in`: `[L, d]`. A step is small where the readout, or the row that is read, makes much of a coordinate.

scripts/pack_lens.py chooses them.
"""

from __future__ import annotations

import zlib

import numpy as np
import torch
from jaxtyping import Float, Int8
from torch import Tensor

PACKED = frozenset({"codes", "step_out", "step_in"})


def pack(
    codes: Int8[Tensor, "L d d"], step_out: Float[Tensor, "L d"], step_in: Float[Tensor, "L d"]
) -> dict[str, Tensor]:
    """The three tensors of a packed weight."""
    # nothing in the codes repeats itself: looking for it would cost a seventh of the file
    zipper = zlib.compressobj(9, strategy=zlib.Z_HUFFMAN_ONLY)
    stream = bytearray(zipper.compress(codes.numpy().tobytes()) + zipper.flush())
    return {"codes": torch.frombuffer(stream, dtype=torch.uint8), "step_out": step_out, "step_in": step_in}


def unpack(tensors: dict[str, Tensor]) -> Float[Tensor, "L d d"]:
    """The weight that three tensors stand for. Raises ValueError for codes that are damaged or too few."""
    step_out, step_in = tensors["step_out"].float(), tensors["step_in"].float()
    layers, d = step_out.shape
    size = layers * d * d
    try:
        # no more than a weight takes, whatever the stream would hold
        stream = zlib.decompressobj().decompress(tensors["codes"].numpy().tobytes(), size + 1)
    except zlib.error as reason:
        raise ValueError(f"its codes can't be decompressed: {reason}") from reason
    if len(stream) != size:
        raise ValueError(f"its codes are {len(stream):,}{' or more' if len(stream) > size else ''}, expected {size:,}")
    codes = torch.from_numpy(np.frombuffer(stream, dtype=np.int8).astype(np.float32)).view(layers, d, d)
    return codes.mul_(step_out.unsqueeze(2)).mul_(step_in.unsqueeze(1))
