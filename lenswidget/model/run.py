"""Run: one prompt through a model, kept as what the lenses need."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.grids.parts import Check
from lenswidget.model.activations import Activations, last_position
from lenswidget.model.backend import Backend, CachedPass, Change, whole
from lenswidget.model.backends import backend_of, cached_pass
from lenswidget.model.components import assumed_components, components_of, confirmed
from lenswidget.model.edits import Edit, Written, chained, changes, written
from lenswidget.model.probe import readout_of
from lenswidget.model.readout import ROUNDING, Readout
from lenswidget.model.site import Site
from lenswidget.model.surroundings import on_cpu, plain_mode
from lenswidget.model.tokens import TokenTexts, texts_of
from lenswidget.model.user_hooks import UserHooks
from lenswidget.model.weights import Weights, weights_of

Message = Mapping[str, Any]
"""What somebody says in a chat: `{"role": "user", "content": "Hello"}`."""
Prompt = str | Sequence[int] | Tensor | Mapping[str, Any] | Sequence[Message]
"""A text, its token ids, what a tokenizer made of it, or the messages of a chat."""


@dataclass(frozen=True, eq=False)  # tensors have no one answer to ==
class Run:
    """One prompt's tokens and residual stream, with what readout needs of the model.

    `residual` is `[L + 1, T, d]`: the embedding, then the output of each block, in the model's dtype and on its
    device. `check` compares the last row, read back, with the model's own logits. A run keeps its model, which
    attribution reads; `run.detach()` lets it go.
    """

    tokens: Int[Tensor, "positions"]
    residual: Float[Tensor, "rows positions d"]
    readout: Readout
    texts: TokenTexts
    model: str
    """The model's name."""
    prompt: str
    check: Check | None
    weights: Weights = field(repr=False)
    """Some entries of the model's weights, by which a fitted lens and a comparison know it again."""
    notes: tuple[str, ...] = ()
    processing: str = ""
    """What was done to the model's weights after training, in words; a lens reads only what it was fitted on."""
    edits: tuple[Written, ...] = field(default=(), repr=False)
    """What was put in the place of activations while it ran."""
    activations: Activations | None = field(default=None, repr=False)
    """What the blocks put out, and the model that did, for attribution; None in a run that was detached."""

    @property
    def labels(self) -> tuple[str, ...]:
        """`embed`, `L0`, `L1`, …: a row is named for the block that wrote it."""
        return ("embed", *(f"L{layer}" for layer in range(self.residual.shape[0] - 1)))

    @property
    def following(self) -> Int[Tensor, "positions"]:
        """The token that really follows each position; -1 at the last, and where the model can't predict it."""
        following = torch.cat([self.tokens[1:], self.tokens.new_full((1,), -1)])
        return following.masked_fill(following >= self.readout.vocabulary, -1)

    @property
    def rounding(self) -> float:
        """The relative error that is rounding, in what this run is made of: under autocast its parts are less exact than its
        rows."""
        parts = () if self.activations is None else self.activations.dtypes
        return max(ROUNDING[dtype] for dtype in {self.residual.dtype, self.readout.W_U.dtype, *parts})

    def row(self, row: int, positions: Int[Tensor, "p"]) -> Float[Tensor, "p d"]:
        """One row at some positions, as the readout takes it: float32, beside the unembedding."""
        return self.residual[row, positions.to(self.residual.device)].to(self.readout.W_U.device, torch.float32)

    def require_activations(self) -> Activations:
        """The activations. Raises ValueError where the run was detached, or made without a model."""
        if self.activations is None:
            raise ValueError(
                f"This run has no activations, and attribution reads them and the weights of {self.model}; make one that has "
                "them with lw.run(model, prompt) or lw.from_cache(cache)."
            )
        return self.activations

    def require_unchanged(self) -> None:
        """Raises ValueError where the model isn't in the state in which it ran: moved, switched, or written to."""
        backend = None if self.activations is None else self.activations.backend
        if backend is not None and backend_of(backend.model).state != backend.state:
            raise ValueError(
                f"{self.model} is not what it was: its weights, adapters or dtype were changed since this run, and attribution "
                "reads them as they are now; make a new one with lw.run(model, prompt)."
            )

    def detach(self) -> Run:
        """The same run without its model, which may then be deleted: every lens still reads it."""
        return replace(self, activations=None)

    def __getstate__(self) -> dict[str, Any]:
        """For pickle: a run travels without its model, as `detach()` leaves it."""
        return {**vars(self), "activations": None}

    def __copy__(self) -> Run:
        return replace(self)

    def __repr__(self) -> str:
        rows, positions, d = self.residual.shape
        read = self.check or "last row not checked"
        return f"Run of {self.prompt!r} on {self.model}: {rows} rows × {positions} tokens × {d}, {read}"


def run(model: object, prompt: Prompt, *, tokenizer: Any = None, edits: Edit | Sequence[Edit] = ()) -> Run:
    """Run a model on one prompt and keep its residual stream.

    `model` is a TransformerLens `TransformerBridge`, the `HookedTransformer` of its versions before 4.0, or a model of
    `transformers` as it is, adapters and quantised blocks included. `prompt` is a text; its token ids, `[positions]`, or what
    a tokenizer returned for it; or the messages of a chat, `[{"role": "user", "content": "Hello"}]`, which go through the
    tokenizer's own template up to where the model is to answer. A text is tokenized as the library does by default: as
    `model.to_tokens(text)` of TransformerLens, which adds a beginning-of-sequence token to most, and as `tokenizer(text)` for a
    model of `transformers`.

    `tokenizer` is for a model of `transformers`, and remembered for it. Without one, the tokenizer beside the files that the
    model was loaded from is taken; where there is none, prompts are ids, and tokens are shown as their ids.

    `edits` are `lw.Edit`s, what is put in the place of activations, one after another. The run is one like any other:
    lenses, attribution and jumps read it under its edits, and say them.

    Raises TypeError for an object that is no model, and ValueError for a prompt that is empty or longer than the model's
    context, for ids outside its vocabulary, for a model in training mode, and for a model that no lens can read, with
    the reason.

        run = lw.run(model, "The capital of France is")
        run = lw.run(AutoModelForCausalLM.from_pretrained(name), "The capital of France is", tokenizer=tokenizer)
        without = lw.run(model, "The capital of France is", edits=[lw.Edit("L23H4", to=0, position=-1)])
    """
    return run_watched(backend_of(model, tokenizer=tokenizer), prompt, edits=edits)


def run_watched(
    backend: Backend,
    prompt: Prompt,
    begins: Callable[[int], None] | None = None,
    hooks: UserHooks | None = None,
    edits: Edit | Sequence[Edit | Written] = (),
) -> Run:
    """`run`, which tells each block that begins; what `begins` raises ends the run. It runs under the user's `hooks`, by
    default those that hang on the model now."""
    # what is made in inference mode can't enter autograd later
    with plain_mode():
        return _run(backend, prompt, begins, hooks, edits)


def _run(
    backend: Backend,
    prompt: Prompt,
    begins: Callable[[int], None] | None,
    hooks: UserHooks | None,
    edits: Edit | Sequence[Edit | Written],
) -> Run:
    readout = readout_of(backend)
    tokens = tokenize(backend, prompt, backend.vocabulary)
    under = backend.user_hooks() if hooks is None else hooks
    made = tuple(
        written(edit, backend, tokens, readout.W_U.dtype) for edit in ([edits] if isinstance(edits, Edit) else edits)
    )
    # what changes the stream from outside is no part's, so that no sum could confirm what is only assumed
    outside = bool(under or made)
    components = components_of(backend) if outside else assumed_components(backend)

    def told(block: int) -> Callable[[Tensor], None]:
        return lambda _: begins(block) if begins else None

    telling: dict[Site, Change] = {site: told(block) for block, site in enumerate(backend.rows[:-1])} if begins else {}
    put: set[Site] = set()
    change = chained(telling, {site: _noted(put, site, one) for site, one in changes(made).items()})
    while True:
        keep = dict.fromkeys(components.sites, last_position) | dict.fromkeys(backend.rows, whole)
        done = backend.forward(tokens.unsqueeze(0), keep=keep, change=change, hooks=hooks)
        residual = _residual(backend, {site: done.kept.get(site) for site in backend.rows}, lambda x: x[0])
        last = {site: done.kept[site][0] for site in components.sites if site in done.kept}
        if outside:
            break
        found = confirmed(backend, components, last, residual[:, -1])
        if found == components:
            break
        components = found  # once for a model whose blocks only look alike
    lost = [one.place.label for one in made if one.place.site not in put]
    if lost:
        raise ValueError(
            f"{backend.facts.name} ran without passing {lost[0]!r}, so nothing was put there; edit a row of its stream."
        )
    assert done.logits is not None
    activations = Activations(backend, components, tokens, residual[-1], last=last, hooks=under, edits=made)
    return _checked(readout, tokens, residual, done.logits[0], activations)


def runs(model: object, prompts: Sequence[Prompt], *, tokenizer: Any = None) -> list[Run]:
    """Run a model on several prompts, one at a time: nothing is padded, so no position shifts.

    `prompts` are what `run` takes, one each, and `tokenizer` is `run`'s, too. Raises TypeError for a single text, and what
    `run` raises for any of them.

        runs = lw.runs(model, ["Mary gave John", "John gave Mary"])
    """
    if isinstance(prompts, str):
        raise TypeError(f"runs() takes a list of prompts and got one, {prompts!r}; call run(model, prompt) for it.")
    return [run(model, prompt, tokenizer=tokenizer) for prompt in prompts]


def from_cache(
    cache: Any,
    *,
    logits: Float[Tensor, "..."] | None = None,
    tokens: Sequence[int] | Tensor | None = None,
    batch: int | None = None,
) -> Run:
    """A Run from a TransformerLens `ActivationCache`.

    `logits` are the ones that `run_with_cache` returned beside the cache: with them the last row is checked against
    the model; without them, against the cached output of the unembedding where the cache has it. `tokens` are needed
    only where the cache lacks the ids that entered the embedding, `batch` only where it holds several prompts.

    Raises ValueError for a cache that lacks residual rows, with the `names_filter` that brings them, and for a batch, tokens
    or logits that are not this cache's; TypeError for those that are no such thing.

        logits, cache = model.run_with_cache("The capital of France is")
        run = lw.from_cache(cache, logits=logits)
    """
    held = cached_pass(cache)
    if held is None:
        raise TypeError(_no_run(cache))
    with on_cpu():
        return _opened(held, logits, tokens, batch)


def _opened(held: CachedPass, logits: Any, tokens: Any, batch: Any) -> Run:
    backend = held.backend
    readout = readout_of(backend)
    _require_rows(held)
    index = _chosen(held, batch)
    residual = _residual(backend, {site: held.get(site, index) for site in backend.rows}, whole)
    ids = _cached_tokens(held, tokens, index, residual.shape[1])
    activations = Activations(backend, components_of(backend), ids, residual[-1], cache=held, prompt=index)
    if logits is not None:
        return _checked(readout, ids, residual, _own_logits(logits, held, index, len(ids), readout), activations)
    raw = held.unembedded(index)
    if raw is not None and tuple(raw.shape) == (residual.shape[1], readout.vocabulary):
        # the cached values come before any soft-cap or scale, so they are carried through the one that was probed
        return _checked(readout, ids, residual, readout.after_unembedding(raw.float().clone()), activations)
    return _checked(readout, ids, residual, None, activations)


def residual_hooks(model: object) -> list[str]:
    """The hooks that a cache must hold for a lens to read it: a `names_filter` for `run_with_cache`.

    They are the `L + 1` rows of the residual stream and the ids that entered it.

        model.run_with_cache(prompt, names_filter=lw.residual_hooks(model))
    """
    backend = backend_of(model)
    return [backend.name(site) for site in (backend.ids, *backend.rows)]


def as_run(source: Any) -> Run:
    """A Run as it is; an ActivationCache, made into one."""
    if isinstance(source, Run):
        return source
    if cached_pass(source) is not None:
        return from_cache(source)
    raise TypeError(_no_run(source))


def _no_run(source: object) -> str:
    states = source if isinstance(source, tuple) and source else getattr(source, "hidden_states", None)
    if hasattr(source, "hidden_states") or (isinstance(states, tuple) and isinstance(states[0], Tensor)):
        return (
            "A lens can't read the hidden_states that a model of transformers returns: the last of them went through the final "
            "norm already, and the last row of the stream is not among them. Let lenswidget run the model: "
            "lw.run(model, prompt, tokenizer=tokenizer)."
        )
    return (
        f"A lens reads a Run or a TransformerLens ActivationCache and got {type(source).__name__}; make one with "
        "lw.run(model, prompt), or with logits, cache = model.run_with_cache(prompt)."
    )


def _require_rows(cache: CachedPass) -> None:
    rows = cache.backend.rows
    missing = [cache.backend.name(site) for site in rows if cache.get(site) is None]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise ValueError(
            f"This cache lacks {missing[0]}{more} of the {len(rows)} residual rows that a lens reads. Run it again as "
            "model.run_with_cache(prompt, names_filter=lw.residual_hooks(model))."
        )


def _residual(
    backend: Backend, found: dict[Any, Tensor | None], one: Callable[[Tensor], Tensor]
) -> Float[Tensor, "rows positions d"]:
    """The rows as one tensor: a copy, which may enter autograd whatever they came from."""
    rows = [one(row) for row in found.values() if row is not None]
    shapes = {tuple(row.shape) for row in rows}
    width, name = backend.facts.width, backend.facts.name
    if len(rows) < len(found):
        lost = next(site for site, row in found.items() if row is None)
        raise ValueError(f"{name} ran without passing {backend.name(lost)}, and a lens needs every row of its stream.")
    if len(shapes) > 1 or rows[0].ndim != 2 or rows[0].shape[-1] != width:
        raise ValueError(
            f"The residual rows of this cache have the shapes {sorted(shapes)}; {name} writes [positions, {width}] "
            "in every row. A cache of another model, or several streams, can't be read."
        )
    return torch.stack([row.detach().to(rows[0].device) for row in rows])


def _chosen(cache: CachedPass, batch: Any) -> int:
    """Which of a cache's prompts is asked for."""
    count = cache.prompts
    which = (
        "it holds one prompt, so leave batch= out" if count == 1 else f"choose one with batch=0 to batch={count - 1}"
    )
    if batch is None:
        if count != 1:
            raise ValueError(f"This cache holds {count} prompts; {which}.")
        return 0
    if isinstance(batch, bool) or not hasattr(batch, "__index__"):
        raise TypeError(f"batch is the index of a prompt in this cache and got {batch!r}; {which}.")
    index = int(batch)
    if not -count <= index < count:
        raise ValueError(f"This cache has no prompt {index}; {which}.")
    return index % count


def _own_logits(
    given: Any, cache: CachedPass, prompt: int, positions: int, readout: Readout
) -> Float[Tensor, "positions vocabulary"]:
    """The logits of one prompt of a cache, from those that came with it."""
    wanted, count = (positions, readout.vocabulary), cache.prompts
    if not isinstance(given, Tensor):
        given = getattr(given, "logits", given)  # as a model of transformers returns them
    if not isinstance(given, Tensor) or not given.is_floating_point():
        got = given.dtype if isinstance(given, Tensor) else type(given).__name__
        raise TypeError(
            f"logits are what model.run_with_cache(prompt) returns beside the cache, a tensor of numbers; got {got}."
        )
    one = given[prompt] if given.ndim == 3 and len(given) == count else given
    if tuple(one.shape) != wanted:
        raise ValueError(
            f"logits have the shape {tuple(given.shape)}, and this cache asks for {(count, *wanted)} or {wanted}: positions and "
            "vocabulary. Pass those that model.run_with_cache(prompt) returned beside it."
        )
    return one


def _cached_tokens(cache: CachedPass, given: Any, prompt: int, positions: int) -> Int[Tensor, "positions"]:
    if given is None:
        given = cache.get(cache.backend.ids, prompt)
        if given is None:
            raise ValueError(
                f"This cache does not hold its tokens ({cache.backend.name(cache.backend.ids)}); pass "
                "tokens=model.to_tokens(prompt)[0]."
            )
    if isinstance(given, str):
        raise TypeError(f"tokens are token ids and got the text {given!r}; pass tokens=model.to_tokens(prompt)[0].")
    ids = _as_ids(cache.backend, given)
    if ids.ndim == 2 and len(ids) in (1, cache.prompts):
        ids = ids[prompt if len(ids) == cache.prompts else 0]
    if ids.ndim != 1 or len(ids) != positions:
        got = len(ids) if ids.ndim == 1 else f"{tuple(ids.shape)}"
        raise ValueError(f"{got} tokens were given for a cache of {positions} positions; pass the ones it was run on.")
    return _within(cache.backend, ids, cache.backend.vocabulary)


def _checked(
    readout: Readout,
    tokens: Int[Tensor, "positions"],
    residual: Float[Tensor, "rows positions d"],
    logits: Float[Tensor, "positions vocabulary"] | None,
    activations: Activations,
) -> Run:
    """A Run whose last row is the model, or an error that says by how much it isn't."""
    facts = activations.backend.facts
    notes: list[str] = []
    check = None
    if logits is None:
        notes.append("last row not checked: the cache holds no logits; pass logits= from run_with_cache")
    else:
        error, tolerance = readout.error(residual[-1], logits.detach())
        if error > tolerance:
            raise ValueError(
                f"The last row is not the model: read through its final norm and unembedding, it differs from {facts.name}'s "
                f"own logits by up to {error:.3g} where rounding explains {tolerance:.2g}. Either this cache is of another "
                f"model or was changed after the run, or {facts.architecture} changes the stream between its last block and "
                "its logits in a way that no lens here reproduces. Run it again with lw.run(model, prompt) to tell which."
            )
        check = Check(error, tolerance)
    bad = int((~residual.isfinite().all(-1)).sum())
    if bad:
        notes.append(f"{bad} of {residual.shape[0] * residual.shape[1]} residual vectors are not finite")
    notes += [f"edited: {one.said}" for one in activations.edits]
    if facts.processing:
        notes.append(f"weights processed by TransformerLens ({facts.processing}): {facts.effect}")
    if residual.dtype in (torch.float16, torch.bfloat16):
        notes.append(f"residual stream in {str(residual.dtype).removeprefix('torch.')}")
    texts = texts_of(activations.backend)
    bos = getattr(activations.backend.tokenizer, "bos_token_id", None)
    if len(tokens) > 1 and bos is not None and int(tokens[0]) == int(tokens[1]) == bos:
        notes.append(
            f"the prompt begins with two of {texts[bos]!r}: one is its own, one was put before it; pass token ids, or a chat's "
            "messages, for one"
        )
    prompt = texts.decode([int(i) for i in tokens if int(i) not in texts.special])
    return Run(
        tokens,
        residual,
        readout,
        texts,
        facts.name,
        prompt,
        check,
        weights_of(activations.backend),
        tuple(notes),
        facts.processing,
        activations.edits,
        activations,
    )


def _noted(put: set[Site], site: Site, one: Change) -> Change:
    """A change that notes where it was made: one that never is would be silence."""

    def change(value: Tensor) -> Tensor | None:
        put.add(site)
        return one(value)

    return change


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
        ids = _as_ids(backend, prompt)
        ids = ids[0] if ids.ndim == 2 and ids.shape[0] == 1 else ids
        if ids.ndim != 1:
            raise ValueError(
                f"One prompt is one list of token ids; got shape {tuple(ids.shape)}. Use lw.runs for several."
            )
    if not len(ids):
        raise ValueError("The prompt has no tokens; give it at least one, as in lw.run(model, 'The').")
    _within(backend, ids, vocabulary)
    if context and len(ids) > context:
        raise ValueError(
            f"The prompt has {len(ids)} tokens and {name} takes {context}; pass the part you want as token ids, "
            f"lw.run(model, ids[-{context}:]) for its end."
        )
    return ids


def _within(backend: Backend, ids: Int[Tensor, "positions"], vocabulary: int) -> Int[Tensor, "positions"]:
    """Token ids as they are, if all of them are in the vocabulary."""
    wrong = ids[(ids < 0) | (ids >= vocabulary)]
    if len(wrong):
        raise ValueError(
            f"Token id {int(wrong[0])} is outside the vocabulary of {backend.facts.name}, 0 to {vocabulary - 1}."
        )
    return ids


def _as_ids(backend: Backend, prompt: Any) -> Int[Tensor, "..."]:
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
