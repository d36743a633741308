"""The states of many prompts at one row: what a probe learns from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from jaxtyping import Float32

from lenswidget.evidence.passes import passes
from lenswidget.evidence.trajectories import position_in, tokens_of
from lenswidget.grids.row_names import named_row
from lenswidget.model.backends import backend_of
from lenswidget.model.prompts import Prompt


def states(
    model: object, prompts: Iterable[Prompt], row: int | str, *, position: int = -1, tokenizer: Any = None
) -> Float32[np.ndarray, "prompts d"]:
    """The residual stream of many prompts at one row and position, `[prompts, d_model]`, in the order of the prompts.

    `row` is a row by its label, "embed" or "L15", or the label's number; `position` counts in each prompt. Prompts run as those
    of `lw.trajectories` do, up to that row. Raises as that does, and for a row that isn't there.

        states(model, prompts, "L15")
    """
    backend = backend_of(model, tokenizer=tokenizer)
    backend.require_readable()
    ids = tokens_of(backend, prompts)
    at = [position_in(i, tokens, position) for i, tokens in enumerate(ids)]
    which = named_row(("embed", *(f"L{layer}" for layer in range(backend.facts.layers))), row)
    found = np.empty((len(ids), backend.facts.width), dtype=np.float32)
    for ends in passes(backend, ids, at, backend.user_hooks(), last_row=which):
        found[list(ends.members)] = ends.rows[-1].float().cpu().numpy()
    return found
