"""A model that nnsight runs on a server of NDIF's: what is asked of it there, a job each."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping
from functools import cached_property
from typing import Any, TypeVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.model.backends import nnsight
from lenswidget.model.backends.anatomy import Anatomy, UnreadableError
from lenswidget.model.backends.hugging_face import HuggingFaceBackend
from lenswidget.model.backends.nnsight_jobs import answered, host_of, naming
from lenswidget.model.backends.without_weights import Outline, outline
from lenswidget.model.probe import norm_form, scale_and_cap
from lenswidget.model.there import sent

T = TypeVar("T")
CPU = torch.device("cpu")


class ServedBackend(HuggingFaceBackend):
    """The model of transformers within, whose weights nobody needs here, and the server that has them."""

    is_here = False

    def __init__(self, model: Any, remote: bool | str) -> None:
        if not nnsight.is_remotable(model):
            raise TypeError(
                f"remote= runs a model of nnsight on a server, and got {type(model).__name__}; make one with "
                'nnsight.TransformersModel(name, task="text-generation"), or leave remote= out to run it here.'
            )
        nnsight.require_unedited(model)
        super().__init__(model._module)
        self.wrapped = model
        self.remote = remote
        tokenizer = nnsight.tokenizer_of(model)
        if tokenizer is not None:
            self.use_tokenizer(tokenizer)

    @property
    def host(self) -> str:
        """The server's address."""
        return host_of(self.remote)

    def remembered(self, what: str, find: Any, *, large: bool = False) -> Any:
        # what is found without weights is found apart from what is found with them
        return super().remembered(f"served: {what}", find, large=large)

    def _dissect(self) -> Anatomy | str:
        try:
            found = self._outline
        except UnreadableError as reason:
            return str(reason)
        return Anatomy(
            "", found.blocks, found.norm, found.unembedding, None, found.width, found.vocabulary, {}, frozenset()
        )

    @cached_property
    def _outline(self) -> Outline:
        made: Outline = self.remembered("outline", lambda: outline(self.model))
        return made

    @property
    def how(self) -> Mapping[str, Any]:
        """How its last row becomes logits, but for the weights. Raises ValueError where no lens can read it."""
        made: Mapping[str, Any] = self.remembered("how", self._how)
        return made

    def _how(self) -> dict[str, Any]:
        found, facts = self._outline, self.facts
        scale, cap = scale_and_cap(found.after_unembedding, facts.architecture)
        made: dict[str, Any] = {"eps": None, "centered": False, "offset": 0.0, "scale": scale, "cap": cap}
        if found.norm_module is not None and not isinstance(found.norm_module, torch.nn.Identity):
            form, error = norm_form(found.norm_module, found.width, CPU, eps=facts.eps)
            if form is None:
                raise ValueError(
                    f"The final norm of {facts.architecture} ({type(found.norm_module).__name__}) is neither a LayerNorm nor an "
                    f"RMSNorm: the nearest of them is off by {error:.2g}. No lens here can read it."
                )
            made |= {"eps": form.eps, "centered": form.centered, "offset": float(form.offset)}
        return made

    @property
    def dtype(self) -> torch.dtype:
        """That of the weights, as far as it is known here."""
        return next((p.dtype for p in self.model.parameters() if p.is_floating_point()), torch.float32)

    def read_pass(self, tokens: Int[Tensor, "positions"], asked: Mapping[str, Any]) -> dict[str, Tensor]:
        """What the rows of a prompt say: see `read_there`."""
        return self._asked("read_there", tokens, asked)

    def fetch_rows(self, tokens: Int[Tensor, "positions"]) -> Float[Tensor, "rows positions d"]:
        """The rows of a prompt themselves."""
        return self._asked("fetched_there", tokens, {"count": len(tokens)})["rows"]

    def read_rows(self, rows: Float[Tensor, "rows p d"], asked: Mapping[str, Any]) -> dict[str, Tensor]:
        """What some rows say that are sent: see `said_there`."""
        return self._given("said_there", rows.contiguous(), asked)

    def columns(self, ids: Int[Tensor, "n"]) -> tuple[Float[Tensor, "d n"], Float[Tensor, "n"]]:
        """Some columns of the unembedding, and their biases."""
        found = self._given("columns_there", ids, {})
        return found["columns"], found["biases"]

    def _given(self, function: str, given: Tensor, asked: Mapping[str, Any]) -> dict[str, Tensor]:
        def send() -> Any:
            return nnsight.called(self.wrapped, self._outline, given, sent(function), self.how, asked, self.remote)

        what = hashlib.sha256(given.view(torch.uint8).numpy().tobytes()).hexdigest()
        return self._answer((function, what, _spelled(asked)), send)

    def _asked(self, function: str, tokens: Tensor, asked: Mapping[str, Any]) -> dict[str, Tensor]:
        def send() -> Any:
            kept, asks = sent("kept"), sent(function)
            return nnsight.traced(self.wrapped, self._outline, tokens, kept, asks, self.how, asked, self.remote)

        return self._answer((function, tuple(tokens.tolist()), _spelled(asked)), send)

    def _answer(self, what: Hashable, send: Any) -> dict[str, Tensor]:
        with naming(self.facts.name):
            key = self.wrapped.to_model_key()
        return answered((self.host, key, what), send, self.host)


def _spelled(asked: Mapping[str, Any]) -> Hashable:
    """What is asked for, as a text: the same for the same question."""
    return repr({name: _plain(value) for name, value in asked.items()})


def _plain(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.tolist()
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value
