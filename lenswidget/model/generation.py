"""Text that a network writes itself, one token after another, never worse for a cache.

Between two tokens a network may keep what it has computed (its keys and values), which saves most of the work. Whether that
works is not ours to know: it passes through two libraries, and where one of them renames an argument the other loses the
cache without a word, and each new token sees only itself. So a cache is used only after it was tried, and what was written
with it is read once more without.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

KEPT = ("past_key_values", "cache", "cache_params", "state")
"""What outputs call the state that the next call takes, and what that call calls it."""
APART = {torch.float16: 5e-2, torch.bfloat16: 5e-2}
"""How far logits may be from those without a cache, as a share of their range, by dtype. A lost cache is off by a third."""


def generate(
    network: Any,
    starts: Int[Tensor, "batch n"],
    *,
    max_new_tokens: int,
    ends: Collection[int],
    temperature: float | int = 1.0,
    top_p: float | int = 1.0,
    seed: int = 0,
    use_cache: bool = False,
) -> list[list[int]]:
    """What a network writes after each of several starts: the ids that follow it, up to the first end, which is left out.

    `network` is a Hugging Face causal language model, or what TransformerLens made of one (`model.original_model`): its
    hooks take part. `starts` are all of one length. `ends` are the ids after which nothing follows, as `ends_of` finds them.
    At `temperature` 0 each token is the likeliest one; else it is drawn, with logits divided by `temperature`, from the
    fewest tokens that have `top_p` of the probability between them. Nothing that a generation config holds has a say
    (penalties, `top_k`). One `seed` gives one text, and the global random state stays as it is.

    `use_cache` is for a network whose `cache_agrees`. If the last logits turn out to be other than without a cache, all is
    written again without.

    Raises ValueError for a temperature, `top_p` or number of tokens that makes no sense.

        ids = model.to_tokens("The capital of France is")
        generate(model.original_model, ids, max_new_tokens=8, ends=ends_of(model.original_model, model.tokenizer), temperature=0)
    """
    require_sampling(temperature, top_p)
    if max_new_tokens < 0:
        raise ValueError(f"Expected max_new_tokens >= 0; got max_new_tokens={max_new_tokens}.")
    ids = starts.to(_device(network))
    generator = torch.Generator(ids.device).manual_seed(seed)
    stops = torch.tensor(sorted(ends), dtype=ids.dtype, device=ids.device)
    ended = torch.zeros(len(ids), dtype=torch.bool, device=ids.device)
    read = _reader(network, use_cache)
    logits = None
    with torch.no_grad():
        for _ in range(max_new_tokens):
            logits = read(ids)[:, -1]
            token = choose(logits, temperature, top_p, generator)
            ids = torch.cat([ids, token.unsqueeze(1)], dim=1)
            ended |= torch.isin(token, stops)
            if bool(ended.all()):
                break
        if use_cache and logits is not None and not _alike(logits, _reader(network, False)(ids[:, :-1])[:, -1]):
            return generate(
                network, starts, max_new_tokens=max_new_tokens, ends=ends, temperature=temperature, top_p=top_p, seed=seed
            )  # fmt: skip
    return [_until(written, ends) for written in ids[:, starts.shape[1] :].tolist()]


def cache_agrees(network: Any, ids: Int[Tensor, "batch n"]) -> bool:
    """Whether a network that is given its cache says what it says without: tried on the last three of at least four tokens.

    It costs about two forward passes; the answer holds until the network or its hooks change.
    """
    ids = ids.to(_device(network))
    if ids.shape[1] < 4:
        raise ValueError(f"A cache is tried on at least four tokens; got {ids.shape[1]}.")
    try:
        with torch.no_grad():
            read = _reader(network, True)
            given = [read(ids[:, :end])[:, -1] for end in range(ids.shape[1] - 3, ids.shape[1] + 1)]
            whole = network(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False).logits[:, -4:]
    except Exception:  # whatever a network has against its cache: without one it may be right
        return False
    return _alike(torch.stack(given, dim=1), whole)


def ends_of(network: Any, tokenizer: Any = None) -> frozenset[int]:
    """Every id that ends a text: what the network's configs and the tokenizer call end of text, and the tokenizer's padding."""
    config = getattr(network, "config", None)
    named = [
        getattr(getattr(network, "generation_config", None), "eos_token_id", None),
        getattr(config, "eos_token_id", None),
        getattr(getattr(config, "text_config", None), "eos_token_id", None),
        getattr(tokenizer, "eos_token_id", None),
        getattr(tokenizer, "pad_token_id", None),
    ]
    each = (one if isinstance(one, (list, tuple)) else [one] for one in named)
    return frozenset(int(i) for some in each for i in some if i is not None)


def _reader(network: Any, use_cache: bool) -> Callable[[Tensor], Tensor]:
    """A function from all the ids so far to the logits of the last few of them."""
    # the logits of every position of a long batch would be gigabytes
    last = {"logits_to_keep": 1} if "logits_to_keep" in inspect.signature(network.forward).parameters else {}
    state: dict[str, Any] = {}
    seen = 0

    def read(ids: Tensor) -> Tensor:
        nonlocal state, seen
        new = ids[:, seen:] if state else ids
        out = network(input_ids=new, attention_mask=torch.ones_like(ids), use_cache=use_cache, **state, **last)
        if use_cache:
            state = {name: out[name] for name in KEPT if name in out and out[name] is not None}
            seen = ids.shape[1]
        logits: Tensor = out.logits
        return logits

    return read


def require_sampling(temperature: float | int, top_p: float | int) -> None:
    """Raises ValueError for a temperature or a `top_p` that makes no sense."""
    if not temperature >= 0 or not 0 < top_p <= 1:
        raise ValueError(f"Expected temperature >= 0 and 0 < top_p <= 1; got temperature={temperature}, top_p={top_p}.")


def choose(
    logits: Float[Tensor, "batch vocabulary"], temperature: float | int, top_p: float | int, generator: torch.Generator
) -> Int[Tensor, "batch"]:
    """The next token after each of several prompts: the likeliest at temperature 0, else one that is drawn."""
    if temperature == 0:
        return logits.argmax(-1)
    probabilities = (logits.float() / temperature).softmax(-1)
    if top_p < 1:
        sorted_, order = probabilities.sort(-1, descending=True)
        sorted_[sorted_.cumsum(-1) - sorted_ >= top_p] = 0  # the likeliest always stays
        probabilities = torch.zeros_like(probabilities).scatter(-1, order, sorted_)
    return torch.multinomial(probabilities, 1, generator=generator)[:, 0]


def _alike(ours: Float[Tensor, "*any vocabulary"], theirs: Float[Tensor, "*any vocabulary"]) -> bool:
    span = theirs.float().amax(-1) - theirs.float().amin(-1)
    apart = (ours.float() - theirs.float()).abs().amax(-1)
    return bool((apart <= APART.get(ours.dtype, 1e-3) * span).all())


def _until(ids: list[int], ends: Collection[int]) -> list[int]:
    return ids[: next((place for place, one in enumerate(ids) if one in ends), len(ids))]


def _device(network: Any) -> torch.device:
    device: torch.device = next(weight.device for weight in network.parameters() if weight.device.type != "meta")
    return device
