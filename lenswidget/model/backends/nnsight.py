"""nnsight: a model that it wraps. With its weights here it is the model of transformers within; with its weights on a server of
NDIF's, a function is sent there, and what comes back is small."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from jaxtyping import Int
from torch import Tensor

from lenswidget.model.backends.without_weights import Outline


def is_nnsight(model: object) -> bool:
    """Whether an object is a model that nnsight wraps, or a part of one."""
    envoy = sys.modules.get("nnsight.intervention.envoy")
    return envoy is not None and isinstance(model, envoy.Envoy)


def is_remotable(model: object) -> bool:
    """Whether nnsight can run this model elsewhere: it knows what the model is called there."""
    remotable = sys.modules.get("nnsight.modeling.mixins.remotable")
    return remotable is not None and isinstance(model, remotable.Remotable)


def unwrapped(model: Any) -> tuple[Any, Any]:
    """The model within, its weights loaded as nnsight's first trace would load them, and the tokenizer that came with it or None.

    Raises ValueError for a model with edits that nnsight makes in each trace: outside of a trace they are not made.
    """
    require_unedited(model)
    if not getattr(model, "dispatched", True):
        model.dispatch()
    return model._module, tokenizer_of(model)


def require_unedited(model: Any) -> None:
    """Raises ValueError for a model with edits of nnsight's own, under which no lens reads it."""
    edits = len(model._edits)
    if edits:
        raise ValueError(
            f"This nnsight model has {edits} edit{'s' * (edits > 1)} of its own, which only a trace of nnsight makes, so that "
            "a lens would read the model without them. Pass the model as it was before model.edit(), or call "
            "model.clear_edits(); what is to be changed goes into lw.run(model, prompt, edits=[lw.Edit(...)])."
        )


def tokenizer_of(model: Any) -> Any:
    """The tokenizer that nnsight loaded for a model; None where it has none."""
    return vars(model).get("tokenizer")


def traced(
    model: Any,
    outline: Outline,
    tokens: Int[Tensor, "positions"],
    kept: Any,
    function: Any,
    how: Mapping[str, Any],
    asked: Mapping[str, Any],
    remote: bool | str,
) -> Any:
    """A function of one pass, called where the model runs: `function(stream, output, norm, head, how, asked)`. The stream is
    what `kept` makes of what enters the first block and of what leaves each.

    Returns its answer where the model runs here, and nnsight's backend, which waits for it, where it runs elsewhere.
    """
    blocks, norm, head = _parts(model, outline)
    options = {"remote": remote, "blocking": False} if remote else {}
    ids = tokens.unsqueeze(0)
    with model.trace(ids, use_cache=False, **options) as tracer:
        stream = [kept(blocks[0].inputs)]
        for block in blocks:
            stream.append(kept(block.output))
        found = function(stream, model.output, norm, head, how, asked).save()
    return tracer.backend if remote else found


def called(
    model: Any,
    outline: Outline,
    given: Tensor,
    function: Any,
    how: Mapping[str, Any],
    asked: Mapping[str, Any],
    remote: bool | str,
) -> Any:
    """A function of what is given, called where the weights lie, without a pass: `function(given, norm, head, how, asked)`."""
    _, norm, head = _parts(model, outline)
    options = {"remote": remote, "blocking": False} if remote else {}
    with model.session(**options) as tracer:
        found = function(given, norm, head, how, asked).save()
    return tracer.backend if remote else found


def _parts(model: Any, outline: Outline) -> tuple[list[Any], Any, Any]:
    """nnsight's handles of the blocks, the final norm and the unembedding."""
    known = {envoy.path.partition(".")[2]: envoy for envoy in model.modules()}
    # a module that lies in two places has one handle, under the first of its paths
    handles = {id(envoy._module): envoy for envoy in known.values()}

    def at(path: str) -> Any:
        return known[path] if path in known else handles[id(model._module.get_submodule(path))]

    blocks = [at(path) for path in outline.blocks]
    return blocks, None if outline.norm is None else at(outline.norm), at(outline.unembedding)
