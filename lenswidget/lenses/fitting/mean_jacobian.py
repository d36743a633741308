"""What a row does to the last one, on average over positions and texts: the estimator of the Jacobian lens, on any model."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import torch
from jaxtyping import Float, Int
from torch import Tensor
from tqdm.auto import tqdm

from lenswidget.model.backend import Backend


def mean_jacobians(
    backend: Backend,
    texts: Iterable[str],
    *,
    max_seq_len: int = 128,
    skip_first_positions: int = 16,
    dim_batch: int = 8,
    show_progress: bool = True,
) -> tuple[Float[Tensor, "rows d d"], int]:
    """`∂h_L / ∂h_l` for each row from the first block's output to the last but one, and the number of texts that it is a mean of.

    The gradient at a position is summed over the positions that follow, then averaged over positions but the first few and
    the last. Raises ValueError where no text is long enough.
    """
    if dim_batch < 1:
        raise ValueError(f"dim_batch is how many numbers a backward pass looks at, at least 1; got {dim_batch}.")
    total, count = torch.zeros(0), 0
    for text in tqdm(texts, desc="Jacobian lens", disable=not show_progress):
        tokens = backend.encode(text)[:max_seq_len]
        if len(tokens) <= skip_first_positions + 1:
            warnings.warn(
                f"A text of {len(tokens)} tokens is left out; it needs more than {skip_first_positions + 1}.",
                stacklevel=3,
            )
            continue
        one = _jacobians(backend, tokens, skip_first_positions, dim_batch)
        total = one if not count else total + one
        count += 1
    if not count:
        raise ValueError(
            f"No text has more than {skip_first_positions + 1} tokens, so nothing was fitted; give longer ones, or a smaller "
            "skip_first_positions."
        )
    return total / count, count


@torch.inference_mode(False)
def _jacobians(
    backend: Backend, tokens: Int[Tensor, "positions"], skip: int, dim_batch: int
) -> Float[Tensor, "rows d d"]:
    d = backend.facts.width
    *rows, last = backend.graph(tokens.expand(dim_batch, -1))
    counted = torch.arange(skip, len(tokens) - 1)
    found = torch.zeros(len(rows), d, d)
    for start in range(0, d, dim_batch):
        count = min(dim_batch, d - start)
        each = torch.arange(count)
        asked = torch.zeros_like(last)
        # each copy of the text asks for one number of the last row, at every position
        asked[each[:, None], counted, start + each[:, None]] = 1.0
        gradients = torch.autograd.grad(last, rows, asked, retain_graph=start + count < d)
        for row, gradient in enumerate(gradients):
            found[row, start : start + count] = gradient[:count, counted].float().mean(1).cpu()
    return found
