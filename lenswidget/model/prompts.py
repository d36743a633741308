"""Prompts: a text, token ids, what a tokenizer returned or a chat, as the token ids of one row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from lenswidget.model.backend import Backend

Message = Mapping[str, Any]
"""What somebody says in a chat: `{"role": "user", "content": "Hello"}`."""
Prompt = str | Sequence[int] | Tensor | Mapping[str, Any] | Sequence[Message]
"""A text, its token ids, what a tokenizer made of it, or the messages of a chat."""


def tokenize(backend: Backend, prompt: Prompt, vocabulary: int) -> Int[Tensor, "positions"]:
    """The token ids of one prompt. Raises ValueError and TypeError, as `run` does, for what is none."""
    name, context = backend.facts.name, backend.facts.context
    if isinstance(prompt, str):
        if not prompt:
            raise ValueError("The prompt is empty; give it at least one character, as in lw.run(model, 'The').")
        lone = next((letter for letter in prompt if "\ud800" <= letter <= "\udfff"), None)
        if lone is not None:
            raise ValueError(
                f"The prompt holds half of a character, {lone!r}, which no tokenizer reads; decode it again from its bytes."
            )
        ids = backend.encode(prompt)
    else:
        ids = as_ids(backend, prompt)
        ids = ids[0] if ids.ndim == 2 and ids.shape[0] == 1 else ids
        if ids.ndim != 1:
            raise ValueError(
                f"One prompt is one list of token ids; got shape {tuple(ids.shape)}. Use lw.runs for several."
            )
    if not len(ids):
        raise ValueError("The prompt has no tokens; give it at least one, as in lw.run(model, 'The').")
    within(backend, ids, vocabulary)
    if context and len(ids) > context:
        raise ValueError(
            f"The prompt has {len(ids)} tokens and {name} takes {context}; pass the part you want as token ids, "
            f"lw.run(model, ids[-{context}:]) for its end."
        )
    return ids


def within(backend: Backend, ids: Int[Tensor, "positions"], vocabulary: int) -> Int[Tensor, "positions"]:
    """Token ids as they are, if all of them are in the vocabulary."""
    wrong = ids[(ids < 0) | (ids >= vocabulary)]
    if len(wrong):
        raise ValueError(
            f"Token id {int(wrong[0])} is outside the vocabulary of {backend.facts.name}, 0 to {vocabulary - 1}."
        )
    return ids


def as_ids(backend: Backend, prompt: Any) -> Int[Tensor, "..."]:
    """Token ids from whatever holds them."""
    if isinstance(prompt, (list, tuple)) and prompt and all(isinstance(one, Mapping) for one in prompt):
        prompt = _chat(backend, prompt)
    if isinstance(prompt, Mapping):  # as a tokenizer returns it
        if "input_ids" not in prompt:
            raise TypeError(
                f"A dictionary of a prompt has 'input_ids', as tokenizer(text) gives; got {sorted(prompt)}."
            )
        prompt = _unpadded(prompt)
    if isinstance(prompt, (list, tuple)) and any(isinstance(one, str) for one in prompt):
        raise TypeError(
            f"One prompt is one text; got a list of {len(prompt)}. Use lw.runs(model, texts) for several, or join them."
        )
    try:
        ids = torch.as_tensor(prompt)
    except (TypeError, ValueError, RuntimeError):
        got = type(prompt).__name__
        if isinstance(prompt, (list, tuple)):
            inside = dict.fromkeys(type(one).__name__ for one in prompt)
            got += f" of {' and '.join(inside)}, which don't make one row of ids"
        raise TypeError(f"A prompt is a text, its token ids, or a list of messages; got {got}.") from None
    if ids.ndim == 0 and ids.is_floating_point():  # what a table has for no text is NaN
        raise TypeError(f"A prompt is a text, its token ids, or a list of messages; got the number {ids.item()}.")
    if ids.ndim == 0:
        raise TypeError(f"A prompt of token ids is a list of them; got one number, {ids.item()}. Pass [{ids.item()}].")
    if ids.numel() and (ids.is_floating_point() or ids.is_complex() or ids.dtype == torch.bool):
        raise TypeError(f"Token ids must be whole numbers; got {ids.dtype}. Pass a text, or ids of an integer dtype.")
    return ids.long().cpu()


def _unpadded(prompt: Mapping[str, Any]) -> Any:
    """The ids of one prompt as a tokenizer returns it, without the padding that its attention mask leaves out."""
    ids, mask = (prompt.get(name) for name in ("input_ids", "attention_mask"))
    if mask is None:
        return ids
    seen = torch.as_tensor(mask).bool().cpu()
    if seen.ndim > 1 and len(seen) > 1:
        return ids  # several prompts, which are refused as such
    kept = seen.flatten().nonzero().flatten()
    if len(kept) and int(kept[-1] - kept[0]) + 1 != len(kept):
        raise ValueError(
            "The attention mask of this prompt leaves out tokens between others, which a lens would show as if they were read; "
            "pass the ids that are to be read."
        )
    return torch.as_tensor(ids).flatten().cpu()[kept]


def _chat(backend: Backend, messages: Sequence[Message]) -> Any:
    """The token ids of a chat, up to where the model is to answer, by its tokenizer's own template."""
    if not getattr(backend.tokenizer, "chat_template", None):
        raise ValueError(
            f"The tokenizer of {backend.facts.name} has no chat template for a list of messages; give the prompt as one text."
        )
    return backend.tokenizer.apply_chat_template(list(messages), add_generation_prompt=True, return_dict=True)
