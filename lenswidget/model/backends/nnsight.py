"""nnsight: a model that it wraps, with its weights here, is the model of transformers within."""

from __future__ import annotations

import sys
from typing import Any


def is_nnsight(model: object) -> bool:
    """Whether an object is a model that nnsight wraps, or a part of one."""
    envoy = sys.modules.get("nnsight.intervention.envoy")
    return envoy is not None and isinstance(model, envoy.Envoy)


def unwrapped(model: Any) -> tuple[Any, Any]:
    """The model within, its weights loaded as nnsight's first trace would load them, and the tokenizer that came with it or None.

    Raises ValueError for a model with edits that nnsight makes in each trace: outside of a trace they are not made.
    """
    edits = len(model._edits)
    if edits:
        raise ValueError(
            f"This nnsight model has {edits} edit{'s' * (edits > 1)} of its own, which only a trace of nnsight makes, so that "
            "a lens would read the model without them. Pass the model as it was before model.edit(), or call "
            "model.clear_edits(); what is to be changed goes into lw.run(model, prompt, edits=[lw.Edit(...)])."
        )
    if not getattr(model, "dispatched", True):
        model.dispatch()
    return model._module, vars(model).get("tokenizer")
