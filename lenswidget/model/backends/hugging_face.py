"""Hugging Face: a model of `transformers` as it is, adapters, quantised blocks and offloaded weights and all.

Nothing is copied or wrapped. For the length of one pass, lenswidget hangs hooks of its own on the model's own modules, so
what is read is what the model computes, whatever was done to it.
"""

from __future__ import annotations

import contextlib
import inspect
import sys
import weakref
from collections.abc import Hashable, Iterator, Mapping
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.model.backend import Backend, Change, Facts, Keep, Pass, Past
from lenswidget.model.backends.anatomy import Anatomy, UnreadableError, dissect
from lenswidget.model.backends.module_hooks import Act, Shape, on_input, on_output, on_pattern
from lenswidget.model.backends.offloaded import brought
from lenswidget.model.backends.past import past_of, past_of_nothing
from lenswidget.model.linear import bias_of, weight_of
from lenswidget.model.site import Site
from lenswidget.model.surroundings import as_called, full_precision, has_float64
from lenswidget.model.user_hooks import NONE, UserHooks, under

_EPS = ("rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon", "norm_epsilon", "norm_eps")
_HEAD = Site(None, "unembed", "out")
_OF_TORCH = frozenset(vars(torch.nn.Module()))
"""What every module holds: its weights, which are asked for themselves, and hooks, which are no part of a model's state."""
_tokenizers: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()
"""The tokenizer that was given or found for a model."""


class HuggingFaceBackend(Backend):
    """A causal language model of `transformers`, or one that PEFT put an adapter on."""

    is_here = True
    """Whether it is this object that runs, whose flags matter then."""

    @classmethod
    def recognizes(cls, model: object) -> bool:
        kinds = [
            getattr(sys.modules.get(library), kind, None)
            for library, kind in (
                ("transformers", "PreTrainedModel"),
                ("peft", "PeftModel"),
                ("peft", "PeftMixedModel"),
            )
        ]
        return isinstance(model, tuple(kind for kind in kinds if isinstance(kind, type)))

    @cached_property
    def _base(self) -> Any:
        """The model of transformers itself, within what PEFT made of it."""
        adapted = hasattr(self.model, "get_base_model")
        return self.model.get_base_model() if adapted else self.model

    @cached_property
    def _config(self) -> Any:
        """The part of the config that is about text."""
        config = self._base.config
        return config.get_text_config() if hasattr(config, "get_text_config") else config

    @property
    def _context(self) -> int | None:
        return _whole_number(getattr(self._config, "max_position_embeddings", None)) or None

    @property
    def _architecture(self) -> str:
        return type(self._base).__name__

    @cached_property
    def facts(self) -> Facts:
        anatomy, config = self._anatomy, self._config
        path = str(getattr(self._base, "name_or_path", "") or self._architecture)
        heads = getattr(config, "num_attention_heads", 0)
        return Facts(
            name=path.rstrip("/").split("/")[-1],
            architecture=self._architecture,
            layers=len(anatomy.blocks),
            width=anatomy.width,
            context=self._context,
            heads=_whole_number(heads),
            eps=next((float(getattr(config, name)) for name in _EPS if getattr(config, name, None)), 1e-5),
            revision=str(getattr(self._base.config, "_commit_hash", None) or ""),
        )

    def find_state(self) -> Hashable:
        parts: list[Hashable] = []
        for module in self.modules:
            told = vars(module)
            # a switched adapter, a merged one, a scale: what modules say of themselves in numbers and words
            facts = (_plain(name, value) for name, value in told.items() if name not in _OF_TORCH)
            parts.append((id(module), module.training, *filter(None, facts)))
            for tensors in (told["_parameters"], told["_buffers"]):
                # what is written into a weight in place raises its version
                parts += [
                    (id(x), _address(x), x._version) for x in tensors.values() if x is not None and not x.is_inference()
                ]
        config = [_plain(name, value) for name, value in vars(self._config).items()]
        tokenizer = self.tokenizer
        words = None if tokenizer is None else (id(tokenizer), len(tokenizer))
        return hash((*parts, *config, words))

    def refusal(self) -> str | None:
        name, base = self._architecture, self._base
        if self.is_here and any(module.training for module in self.modules):
            return f"{name} is in training mode, where dropout changes every run; call model.eval() first."
        reads = getattr(base, "main_input_name", "input_ids")
        if reads != "input_ids":
            kind = {"pixel_values": "images", "input_features": "sound", "input_values": "sound"}.get(reads, reads)
            return f"{name} reads {kind}; a lens needs a model that reads tokens."
        if getattr(base.config, "is_encoder_decoder", False):
            return (
                f"{name} is an encoder-decoder; lenses read models with one stack of blocks, as "
                "AutoModelForCausalLM.from_pretrained(name) loads."
            )
        found = self.remembered("anatomy", self._dissect)
        return f"{name} {found}." if isinstance(found, str) else None

    @property
    def _anatomy(self) -> Anatomy:
        found = self.remembered("anatomy", self._dissect)
        if isinstance(found, str):
            raise ValueError(f"{self._architecture} {found}.")
        return found

    def _dissect(self) -> Anatomy | str:
        """Where everything is, or the rest of a sentence that says why a lens can't read this model."""
        embedding = self._base.get_input_embeddings()
        tokens = self.sample(
            int(getattr(embedding, "num_embeddings", 0)) or int(self._config.vocab_size), self._context
        )
        try:
            with (
                self.lock,
                torch.no_grad(),
                full_precision(),
                under(self.model, NONE),
                self._eager(True),
                _uncompiled(),
            ):
                return dissect(self.model, lambda: self._logits(tokens.unsqueeze(0)), len(tokens))
        except UnreadableError as reason:
            return str(reason)
        except Exception as reason:
            return f"would not run a short prompt: {type(reason).__name__}: {reason}"

    @property
    def tokenizer(self) -> Any:
        own = getattr(self.model, "tokenizer", None)
        if own is None and self.model not in _tokenizers:
            _tokenizers[self.model] = _find_tokenizer(self._base)
        return _tokenizers.get(self.model, own)

    def use_tokenizer(self, tokenizer: Any) -> None:
        tokenizer = getattr(tokenizer, "tokenizer", tokenizer)  # a processor's
        if not (callable(tokenizer) and hasattr(tokenizer, "decode")):
            raise TypeError(
                f"tokenizer= is a tokenizer of transformers and got {type(tokenizer).__name__}; pass "
                "AutoTokenizer.from_pretrained(name)."
            )
        _tokenizers[self.model] = tokenizer

    def encode(self, text: str) -> Int[Tensor, "positions"]:
        if self.tokenizer is None:
            raise ValueError(
                f"{self._architecture} came without a tokenizer; pass one, lw.run(model, prompt, tokenizer=tokenizer), or a "
                "prompt of token ids."
            )
        return torch.tensor(self.tokenizer(text)["input_ids"], dtype=torch.int64, device="cpu")

    def sites(self) -> list[Site]:
        anatomy, found = self._anatomy, []
        for block, module in anatomy.modules:
            found += [Site(block, module, "in"), Site(block, module, "out")]
        return found + [Site(block, module, "pattern") for block, module in anatomy.patterns]

    def name(self, site: Site) -> str:
        path, end = self._place(site)
        return f"{path} ({'input' if end == 'in' else 'output' if end == 'out' else 'attention pattern'})"

    def _place(self, site: Site) -> tuple[str, str]:
        """The path of the module at which a site is, and at which end of it."""
        anatomy = self._anatomy
        if site.end == "row":
            row = int(site.block or 0)
            return (anatomy.blocks[row], "in") if row < len(anatomy.blocks) else (anatomy.blocks[-1], "out")
        if site == _HEAD:
            return anatomy.unembedding, "out"
        return anatomy.modules[site.block, site.module], site.end

    def forward(
        self,
        tokens: Int[Tensor, "batch positions"],
        *,
        keep: Mapping[Site, Keep],
        change: Mapping[Site, Change] | None = None,
        stop: Site | None = None,
        hooks: UserHooks | None = None,
        past: Any = None,
        gradient: bool = False,
    ) -> Pass:
        kept: dict[Site, Tensor] = {}

        def keeping(site: Site, function: Keep | None) -> Act:
            def act(value: Tensor) -> None:
                if function is not None:
                    part = function(value)
                    # some models add to an activation in place later
                    kept[site] = part.clone() if _one_storage(part, value) else part
                if site == stop:
                    raise _Stopped

            return act

        acts: list[tuple[Site, Act]] = [*(change or {}).items()]
        acts += [(site, keeping(site, function)) for site, function in keep.items()]
        if stop is not None and stop not in keep:
            acts.append((stop, keeping(stop, None)))
        eager = any(site.end == "pattern" for site, _ in acts)
        theirs = contextlib.nullcontext() if hooks is None else under(self.model, hooks)
        with (
            self.lock,
            torch.set_grad_enabled(gradient),
            full_precision(),
            theirs,
            self._eager(eager),
            _uncompiled(),
            self._hooks(acts, Shape(*tokens.shape)),
            contextlib.suppress(_Stopped),
        ):
            return Pass(self._logits(tokens, past), kept)
        return Pass(None, kept)

    @contextlib.contextmanager
    def _hooks(self, acts: list[tuple[Site, Act]], shape: Shape) -> Iterator[None]:
        """Hooks on the model's modules; they act in this thread only, and are gone afterwards."""
        modules, handles = dict(self.model.named_modules()), []
        try:
            for site, act in acts:
                path, end = self._place(site)
                if end == "in":
                    hook = on_input(act, shape)
                    handles.append(modules[path].register_forward_pre_hook(hook, with_kwargs=True))
                else:
                    hook = on_pattern(act, shape) if end == "pattern" else on_output(act, shape)
                    handles.append(modules[path].register_forward_hook(hook))
            yield
        finally:
            for handle in handles:
                handle.remove()

    @contextlib.contextmanager
    def _eager(self, wanted: bool) -> Iterator[None]:
        """Attention written out, which returns its pattern, where that is wanted."""
        name, before = "_attn_implementation_internal", []
        for config in _configs(self.model) if wanted else ():
            if vars(config).get(name, "eager") != "eager":
                before.append((config, vars(config)[name]))
                vars(config)[name] = "eager"
        try:
            yield
        finally:
            for config, implementation in before:
                vars(config)[name] = implementation

    def past(self, tokens: Int[Tensor, "positions"], *, change: Mapping[Site, Change], hooks: UserHooks) -> Past | None:
        return past_of(self, tokens, change, hooks)

    def past_of_nothing(self) -> Past | None:
        return past_of_nothing(self.network)

    def graph(self, tokens: Int[Tensor, "batch positions"]) -> list[Float[Tensor, "batch positions d"]]:
        rows: list[Tensor] = []

        def root(row: Tensor) -> Tensor:
            rows.append(row.detach().requires_grad_())  # what is below it is of no interest
            return rows[-1]

        def follows(site: Site) -> Act:
            def act(row: Tensor) -> None:
                rows.append(row)
                if site == last:
                    raise _Stopped

            return act

        first, *others = self.rows[1:]
        last = self.rows[-1]
        acts: list[tuple[Site, Act]] = [(first, root), *((site, follows(site)) for site in others)]
        with (
            self.lock,
            torch.enable_grad(),
            full_precision(),
            _uncompiled(),
            self._hooks(acts, Shape(*tokens.shape)),
            contextlib.suppress(_Stopped),
        ):
            self._logits(tokens)
        return rows

    def _logits(self, tokens: Int[Tensor, "batch positions"], past: Any = None) -> Tensor:
        known = inspect.signature(self._base.forward).parameters
        takes = "use_cache" in known or any(p.kind == p.VAR_KEYWORD for p in known.values())
        given: dict[str, Any] = {"use_cache": False} if takes else {}
        if past is not None:
            given = {"use_cache": True, "past_key_values": past}
        with as_called():
            done = self.model(input_ids=tokens.to(self._input_device), **given)
        logits: Tensor = done.logits if hasattr(done, "logits") else done[0]
        return logits

    @property
    def _input_device(self) -> torch.device:
        embedding = self._base.get_input_embeddings()
        weights = [*([] if embedding is None else embedding.parameters()), *self._base.parameters()]
        return next((weight.device for weight in weights if not weight.is_meta), torch.device("cpu"))

    def module(self, block: int | None, path: str) -> torch.nn.Module | None:
        anatomy = self._anatomy
        where = anatomy.norm if block is None and path == "norm" else anatomy.modules.get((block, path))
        return None if where is None else brought(self.model.get_submodule(where))

    def unembedding(self) -> tuple[Float[Tensor, "d vocabulary"], Float[Tensor, "vocabulary"] | None]:
        anatomy = self._anatomy
        head = self.model.get_submodule(anatomy.unembedding)
        way = anatomy.head
        if way is None:
            raise ValueError(
                f"The unembedding of {self.facts.name} ({type(head).__name__}) is no linear map that can be read: quantised "
                "weights that round what enters them have none. Load it without quantising the unembedding."
            )

        def read() -> tuple[Tensor, Tensor | None]:
            module = brought(head)
            return weight_of(module, way, anatomy.width), bias_of(module, way, anatomy.width)

        # what is made or fetched is kept; a weight at hand is read as it is now
        made = way == "elsewhere" or any(weight.is_meta for weight in head.parameters())
        return self.remembered("unembedding", read, large=True) if made else read()

    def after_unembedding(self, logits: Tensor) -> Tensor:
        """Tried: these are put in the place of what leaves the unembedding."""
        vocabulary = self._anatomy.vocabulary
        tokens = self.sample(vocabulary, self._context)[: -(-logits.numel() // vocabulary)]
        size = len(tokens) * vocabulary
        filled = logits.flatten().repeat(-(-size // logits.numel()))[:size].view(1, len(tokens), -1)

        def put(x: Tensor) -> Tensor:
            return filled.to(x.device, filled.dtype if has_float64(x.device) else torch.float32)

        done = self.forward(tokens.unsqueeze(0), keep={}, change={_HEAD: put}, hooks=NONE)
        assert done.logits is not None
        return done.logits.flatten()[: logits.numel()].view(logits.shape)

    @property
    def vocabulary(self) -> int:
        embedding = self._base.get_input_embeddings()
        return int(getattr(embedding, "num_embeddings", 0)) or self._anatomy.vocabulary

    @property
    def network(self) -> torch.nn.Module:
        network: torch.nn.Module = self.model
        return network


class _Stopped(BaseException):
    """Ends a forward pass where nothing more is asked for. No library catches it by accident."""


def _uncompiled() -> contextlib.AbstractContextManager[Any]:
    """What was compiled runs as it is written: hooks that came later would not be seen."""
    if "torch._dynamo" not in sys.modules:
        return contextlib.nullcontext()
    stance: contextlib.AbstractContextManager[Any] = torch.compiler.set_stance("force_eager")
    return stance


def _configs(model: torch.nn.Module) -> list[Any]:
    """Every config that a module of the model holds, and those within them."""
    found: dict[int, Any] = {}
    waiting = [vars(module).get("config") for module in model.modules()]
    while waiting:
        config = waiting.pop()
        if config is not None and hasattr(config, "__dict__") and id(config) not in found:
            found[id(config)] = config
            waiting += [vars(config).get(name) for name in getattr(config, "sub_configs", ())]
    return list(found.values())


def _find_tokenizer(model: Any) -> Any:
    """The tokenizer that lies on this machine beside what the model was loaded from; None where there is none."""
    name = str(getattr(model, "name_or_path", "") or "")
    if not name:
        return None
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(name, local_files_only=True, trust_remote_code=False)
    except Exception:  # whatever is wrong with it: it can still be given
        return None


def _one_storage(part: Tensor, value: Tensor) -> bool:
    return part.untyped_storage().data_ptr() == value.untyped_storage().data_ptr()


def _plain(name: str, value: Any) -> Hashable:
    """A fact about a module in numbers and words; None for anything else."""
    if isinstance(value, (bool, int, float, str)):
        return (name, value)
    if isinstance(value, (list, tuple, set)) and len(value) < 16 and all(isinstance(x, (str, int)) for x in value):
        return (name, *value)
    if (
        isinstance(value, dict)
        and len(value) < 16
        and all(isinstance(x, (bool, int, float, str)) for x in value.values())
    ):
        return (name, *value.items())
    return None


def _address(x: Tensor) -> int:
    try:
        return x.data_ptr()
    except RuntimeError:  # a tensor without storage of its own
        return 0


def _whole_number(value: Any) -> int:
    return value if isinstance(value, int) else 0
