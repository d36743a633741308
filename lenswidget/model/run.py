"""Run: one prompt through a model, kept as what the lenses need. It outlives the model."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.grids.grid import Check
from lenswidget.model.activations import Activations, keep_last
from lenswidget.model.alone import alone
from lenswidget.model.components import stack_of
from lenswidget.model.probe import architecture_of, name_of, readout_of
from lenswidget.model.readout import Readout
from lenswidget.model.tokens import TokenTexts

Prompt = str | Sequence[int] | Tensor


@dataclass(frozen=True, eq=False)  # tensors have no one answer to ==
class Run:
    """One prompt's tokens and residual stream, with what readout needs of the model.

    `residual` is `[L + 1, T, d]`: the embedding, then the output of each block, in the model's dtype and on its
    device. `check` compares the last row, read back, with the model's own logits. The model may be deleted.
    """

    tokens: Int[Tensor, "positions"]
    residual: Float[Tensor, "rows positions d"]
    readout: Readout
    texts: TokenTexts
    model: str
    prompt: str
    check: Check | None
    notes: tuple[str, ...] = ()
    processed: bool = False
    """Whether TransformerLens processed the weights, so that the stream is not the one that fitted lenses know."""
    activations: Activations | None = field(default=None, repr=False)
    """What the blocks put out, for attribution."""

    @property
    def labels(self) -> tuple[str, ...]:
        """`embed`, `L0`, `L1`, …: a row is named for the block that wrote it."""
        return ("embed", *(f"L{layer}" for layer in range(self.residual.shape[0] - 1)))

    @property
    def following(self) -> Int[Tensor, "positions"]:
        """The token that really follows each position; -1 at the last."""
        return torch.cat([self.tokens[1:], self.tokens.new_full((1,), -1)])

    def row(self, row: int, positions: Int[Tensor, "p"]) -> Float[Tensor, "p d"]:
        """One row at some positions, as the readout takes it: float32, beside the unembedding."""
        return self.residual[row, positions.to(self.residual.device)].to(self.readout.W_U.device, torch.float32)

    @property
    def brought(self) -> Activations:
        """The activations. Raises ValueError where this run was made without a model."""
        if self.activations is None:
            raise ValueError(
                "This run knows no activations; make one with lw.run(model, prompt) or lw.from_cache(cache)."
            )
        return self.activations

    def __repr__(self) -> str:
        rows, positions, d = self.residual.shape
        read = self.check or "last row not checked"
        return f"Run of {self.prompt!r} on {self.model}: {rows} rows × {positions} tokens × {d}, {read}"


def run(model: Any, prompt: Prompt) -> Run:
    """Run a model on one prompt and keep its residual stream.

    `model` is a TransformerLens `TransformerBridge`; `prompt` a text or its token ids. A text is tokenized as
    `model.to_tokens` does, so a beginning-of-sequence token is added where TransformerLens adds one.

    Raises ValueError for a prompt that is empty or longer than the model's context, for ids outside its vocabulary,
    for a model in training mode, and for a model that no lens can read, with the reason.
    """
    readout = readout_of(model)
    tokens = _tokenize(model, prompt, readout.vocabulary)
    last: dict[str, Tensor] = {}
    keep = [(name, keep_last(last, name)) for part in stack_of(model).parts for name in part.hooks]
    with alone(model), torch.inference_mode(), model.hooks(fwd_hooks=keep):
        logits, cache = model.run_with_cache(tokens.unsqueeze(0), names_filter=set(residual_hooks(model)).__contains__)
    residual = _residual(cache, model, batch=0)
    # inference tensors can't enter autograd later; a copy can, and the stack is one already
    return _checked(model, readout, tokens, residual, logits[0], Activations(model, tokens, residual[-1], last=last))


def runs(model: Any, prompts: Sequence[Prompt]) -> list[Run]:
    """Run a model on several prompts, one at a time: nothing is padded, so no position shifts."""
    if isinstance(prompts, str):
        raise TypeError(f"runs() takes a list of prompts and got one, {prompts!r}; call run(model, prompt) for it.")
    return [run(model, prompt) for prompt in prompts]


def from_cache(
    cache: Any,
    *,
    logits: Tensor | None = None,
    tokens: Sequence[int] | Tensor | None = None,
    batch: int | None = None,
) -> Run:
    """A Run from a TransformerLens `ActivationCache`.

    `logits` are the ones that `run_with_cache` returned beside the cache: with them the last row is checked against
    the model; without them, against the cached output of the unembedding where the cache has it. `tokens` are needed
    only where the cache lacks `embed.hook_in`, `batch` only where it holds several prompts.

    Raises ValueError for a cache that lacks residual hooks, with the `names_filter` that brings them.
    """
    model = cache.model
    readout = readout_of(model)
    sizes = cache[_first_hook(cache, model)].shape[:-2] if cache.has_batch_dim else ()
    if batch is None and sizes and sizes[0] != 1:
        raise ValueError(f"This cache holds {sizes[0]} prompts; choose one with batch=0 to batch={sizes[0] - 1}.")
    index = batch or 0
    residual = _residual(cache, model, batch=index if cache.has_batch_dim else None)
    ids = _cached_tokens(cache, tokens, index, residual.shape[1])
    held, batched = cache.cache_dict, cache.has_batch_dim
    activations = Activations(
        model,
        ids,
        residual[-1],
        cache=lambda name: held.get(name) if not batched or held.get(name) is None else held[name][index],
    )
    if logits is not None:
        logits = logits[index] if logits.ndim == 3 else logits
        return _checked(model, readout, ids, residual, logits, activations)
    if "unembed.hook_out" in cache:
        raw = cache["unembed.hook_out"]
        raw = raw[index] if raw.ndim == 3 else raw
        if tuple(raw.shape) == (residual.shape[1], readout.vocabulary):
            # the cached values come before any soft-cap or scale, so they are carried through the one that was probed
            return _checked(model, readout, ids, residual, _after_unembedding(readout, raw), activations)
    return _checked(model, readout, ids, residual, None, activations)


def residual_hooks(model: Any) -> list[str]:
    """The hooks that a cache must hold for a lens to read it: a `names_filter` for `run_with_cache`."""
    return ["embed.hook_in", *row_hooks(model)]


def as_run(source: Any) -> Run:
    """A Run as it is; an ActivationCache, made into one."""
    if isinstance(source, Run):
        return source
    if hasattr(source, "cache_dict") and hasattr(source, "model"):
        return from_cache(source)
    raise TypeError(
        f"A lens reads a Run or a TransformerLens ActivationCache and got {type(source).__name__}; make one with "
        "lw.run(model, prompt), or with logits, cache = model.run_with_cache(prompt)."
    )


def row_hooks(model: Any) -> list[str]:
    layers = int(model.cfg.n_layers)
    # without a final norm, what enters the unembedding is the last row; the blocks of GPT-1, the model that has none,
    # return lists, and TransformerLens caches no list
    last = f"blocks.{layers - 1}.hook_resid_post" if model._modules.get("ln_final") is not None else "unembed.hook_in"
    return [*(f"blocks.{layer}.hook_resid_pre" for layer in range(layers)), last]


def _first_hook(cache: Any, model: Any) -> str:
    names = row_hooks(model)
    missing = [name for name in names if name not in cache]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise ValueError(
            f"This cache lacks {missing[0]}{more} of the {len(names)} residual rows that a lens reads. Run it again as "
            "model.run_with_cache(prompt, names_filter=lw.residual_hooks(model))."
        )
    return names[0]


def _residual(cache: Any, model: Any, *, batch: int | None) -> Float[Tensor, "rows positions d"]:
    _first_hook(cache, model)
    rows = [cache[name] for name in row_hooks(model)]
    rows = [row if batch is None else row[batch] for row in rows]
    shapes = {tuple(row.shape) for row in rows}
    width = int(model.cfg.d_model)
    if len(shapes) > 1 or rows[0].ndim != 2 or rows[0].shape[-1] != width:
        raise ValueError(
            f"The residual rows of this cache have the shapes {sorted(shapes)}; {name_of(model)} writes [positions, {width}] "
            "in every row. A cache of another model, or several streams, can't be read."
        )
    return torch.stack([row.detach().to(rows[0].device) for row in rows])


def _cached_tokens(cache: Any, given: Any, batch: int, positions: int) -> Int[Tensor, "positions"]:
    if given is None:
        if "embed.hook_in" not in cache:
            raise ValueError(
                "This cache does not hold its tokens (embed.hook_in); pass tokens=model.to_tokens(prompt)[0]."
            )
        given = cache["embed.hook_in"]
    ids = torch.as_tensor(given).detach().cpu().long()
    ids = ids[batch] if ids.ndim == 2 else ids
    if len(ids) != positions:
        raise ValueError(
            f"{len(ids)} tokens were given for a cache of {positions} positions; pass the ones it was run on."
        )
    return ids


def _after_unembedding(readout: Readout, raw: Tensor) -> Tensor:
    out = raw.float() * readout.scale
    return out if readout.cap is None else (out / readout.cap).tanh() * readout.cap


def _checked(
    model: Any,
    readout: Readout,
    tokens: Int[Tensor, "positions"],
    residual: Float[Tensor, "rows positions d"],
    logits: Tensor | None,
    activations: Activations,
) -> Run:
    """A Run whose last row is the model, or an error that says by how much it isn't."""
    notes: list[str] = []
    check = None
    if logits is None:
        notes.append("last row not checked: the cache holds no logits; pass logits= from run_with_cache")
    else:
        error, tolerance = readout.error(residual[-1], logits)
        if error > tolerance:
            raise ValueError(_mismatch(model, error, tolerance))
        check = Check(error, tolerance)
    bad = int((~residual.isfinite().all(-1)).sum())
    if bad:
        notes.append(f"{bad} of {residual.shape[0] * residual.shape[1]} residual vectors are not finite")
    processed = bool(getattr(model, "_weights_processed", False))
    if processed:
        # compatibility mode takes a constant out of the logits of each position: no probability changes
        notes.append("weights processed by TransformerLens: probabilities are the model's, logits are shifted")
    if residual.dtype in (torch.float16, torch.bfloat16):
        notes.append(f"residual stream in {str(residual.dtype).removeprefix('torch.')}")
    texts = texts_of(model)
    prompt = texts.decode([int(i) for i in tokens if int(i) not in texts.special])
    return Run(tokens, residual, readout, texts, name_of(model), prompt, check, tuple(notes), processed, activations)


def _mismatch(model: Any, error: float, tolerance: float) -> str:
    return (
        f"The last row is not the model: read through its final norm and unembedding, it differs from {name_of(model)}'s "
        f"own logits by up to {error:.3g} where rounding explains {tolerance:.2g}. Either this cache is of another model "
        f"or was changed after the run, or {architecture_of(model)} changes the stream between its last block and its "
        "logits in a way that no lens here reproduces. Run it again with lw.run(model, prompt) to tell which."
    )


def _tokenize(model: Any, prompt: Prompt, vocabulary: int) -> Int[Tensor, "positions"]:
    if isinstance(prompt, str):
        if not prompt:
            raise ValueError("The prompt is empty; give it at least one character, as in lw.run(model, 'The').")
        ids: Tensor = model.to_tokens(prompt, truncate=False)[0].cpu()
    else:
        ids = torch.as_tensor(prompt)
        if ids.numel() and (ids.is_floating_point() or ids.dtype == torch.bool):
            raise TypeError(
                f"Token ids must be whole numbers; got {ids.dtype}. Pass a text, or ids of an integer dtype."
            )
        ids = ids.long().cpu()
        ids = ids[0] if ids.ndim == 2 and ids.shape[0] == 1 else ids
        if ids.ndim != 1:
            raise ValueError(
                f"One prompt is one list of token ids; got shape {tuple(ids.shape)}. Use lw.runs for several."
            )
    if not len(ids):
        raise ValueError("The prompt has no tokens; give it at least one, as in lw.run(model, 'The').")
    wrong = ids[(ids < 0) | (ids >= vocabulary)]
    if len(wrong):
        raise ValueError(
            f"Token id {int(wrong[0])} is outside the vocabulary of {name_of(model)}, 0 to {vocabulary - 1}."
        )
    context = int(getattr(model.cfg, "n_ctx", 0) or 0)
    if context and len(ids) > context:
        raise ValueError(
            f"The prompt has {len(ids)} tokens and {name_of(model)} takes {context}; pass the part you want as token ids, "
            f"lw.run(model, model.to_tokens(prompt, truncate=False)[0, -{context}:])."
        )
    return ids


_texts: weakref.WeakKeyDictionary[Any, TokenTexts] = weakref.WeakKeyDictionary()


def texts_of(model: Any) -> TokenTexts:
    tokenizer = model.tokenizer
    if tokenizer is None:
        raise ValueError(f"{name_of(model)} has no tokenizer, so its tokens have no text; boot it with tokenizer=.")
    if model not in _texts:
        _texts[model] = TokenTexts(tokenizer)
    return _texts[model]
