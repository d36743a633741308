"""TransformerLens: what its models share, its `TransformerBridge`, and the caches of activations that it returns."""

from __future__ import annotations

import contextlib
import gc
import re
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Hashable, Iterator, Mapping
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.model.backend import Backend, CachedPass, Change, Facts, Keep, Pass, Past
from lenswidget.model.backends.offloaded import brought
from lenswidget.model.backends.past import past_of, past_of_nothing
from lenswidget.model.site import Site
from lenswidget.model.surroundings import as_called, full_precision, on_cpu
from lenswidget.model.user_hooks import UserHooks, under

# Modules that TransformerLens mounts between the last block and the unembedding, apart from the final norm.
_BEFORE_UNEMBEDDING = {
    "mlm_head": "a masked-language-model head of its own",
    "prediction_head": "a prediction head",
    "project_out": "a projection to another width",
    "hc_head": "a head that joins several residual streams",
    "sigma_map": "a norm that depends on the diffusion step",
}
_HOOK = re.compile(r"(?:blocks\.(\d+)\.)?((?:\w+\.)*)hook_(in|out|pattern)")
_EMBEDDING = re.compile(r"[a-z_]*embed[a-z_]*")

FOLDED_NORMS = "norms folded"
CENTERED_WRITING = "writing weights centred"
CENTERED_UNEMBEDDING = "unembedding centred"

Hook = Callable[..., Any]
"""What hangs on a hook point: it is called as `hook(activation, hook=point)`, and what it returns takes its place."""


class HookedBackend(Backend):
    """A model with TransformerLens's hook points, whichever kind it is: they tokenize, are run and change in the same way."""

    def find_state(self) -> Hashable:
        hook_point = sys.modules["transformer_lens.hook_points"].HookPoint
        # hook points are most of the modules, and have nothing that could change
        modules = [module for module in self.modules if type(module) is not hook_point]
        parts: list[Hashable] = [(id(module), module.training) for module in modules]
        # what is written into a weight in place raises its version
        weights = [
            (weight.data_ptr(), weight._version)
            for module in modules
            for weight in module._parameters.values()
            if weight is not None
        ]
        flags = [(name, value) for name, value in vars(self.model.cfg).items() if isinstance(value, (bool, int, str))]
        tokenizer = self.model.tokenizer
        words = None if tokenizer is None else (id(tokenizer), len(tokenizer))
        return hash((*parts, *weights, *flags, words))

    @property
    def tokenizer(self) -> Any:
        return self.model.tokenizer

    def encode(self, text: str) -> Int[Tensor, "positions"]:
        if self.tokenizer is None:
            raise ValueError(
                f"{self.facts.name} has no tokenizer for a text; set model.tokenizer = tokenizer, or pass token ids."
            )
        with on_cpu():
            ids: Tensor = self.model.to_tokens(text, truncate=False)[0].cpu()
        return ids

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

        def changing(function: Change) -> Any:
            def hook(value: Any, hook: Any = None) -> Any:
                x, positions = _tensor(value), tokens.shape[1]
                # OPT flattens what enters its MLPs to [batch × positions, …]
                flat = x.ndim == 2 and x.is_floating_point() and x.shape[0] % positions == 0
                new = function(x.unflatten(0, (-1, positions)) if flat else x)
                new = new.flatten(0, 1) if flat and new is not None else new
                return None if new is None else (new, *value[1:]) if isinstance(value, tuple) else new

            return hook

        def keeping(site: Site, function: Keep | None) -> Any:
            def hook(value: Any, hook: Any = None) -> None:
                value = _tensor(value)
                if function is not None and isinstance(value, Tensor):
                    kept[site] = function(value)
                if site == stop:
                    raise _Stopped

            return hook

        ours = [(site, changing(function)) for site, function in (change or {}).items()]
        ours += [(site, keeping(site, function)) for site, function in keep.items()]
        if stop is not None and stop not in keep:
            ours.append((stop, keeping(stop, None)))
        theirs = contextlib.nullcontext() if hooks is None else under(self.model, hooks)
        with (
            self.lock,
            theirs,
            torch.set_grad_enabled(gradient),
            full_precision(),
            self.hung(ours),
            contextlib.suppress(_Stopped),
        ):
            if past is None:
                with as_called():
                    return Pass(self.model(tokens.to(self.device)), kept)
            # TransformerLens passes a cache on under names that change; the network in it takes it as it is
            done = self.network(input_ids=tokens.to(self.device), past_key_values=past, use_cache=True)
            return Pass(done.logits, kept)
        return Pass(None, kept)

    def hung(self, hooks: list[tuple[Site, Hook]]) -> contextlib.AbstractContextManager[Any]:
        """The model with some functions on its sites, after those that its user hung there."""
        hung: contextlib.AbstractContextManager[Any] = self.model.hooks(
            fwd_hooks=[(self.name(site), hook) for site, hook in hooks]
        )
        return hung

    def unembedding(self) -> tuple[Float[Tensor, "d vocabulary"], Float[Tensor, "vocabulary"] | None]:
        unembed = self.model.unembed
        bias = unembed.b_U
        return unembed.W_U.detach(), None if bias is None else bias.detach()

    @property
    def vocabulary(self) -> int:
        return int(self.model.embed.W_E.shape[0])

    def opened(self, cache: Any) -> CachedPass:
        """What an `ActivationCache` of this model holds."""
        return TransformerLensCache(cache, self)


class TransformerLensBackend(HookedBackend):
    """A `TransformerBridge`: a Hugging Face model in which TransformerLens has named the modules and hung hooks on them."""

    @classmethod
    def recognizes(cls, model: object) -> bool:
        bridges = sys.modules.get("transformer_lens.model_bridge")
        return bridges is not None and isinstance(model, bridges.TransformerBridge)

    @cached_property
    def facts(self) -> Facts:
        cfg = self.model.cfg
        processing = self.remembered("processing", self._processing)
        config = getattr(getattr(self.model, "original_model", None), "config", None)
        return Facts(
            name=str(getattr(cfg, "model_name", "") or type(self.model).__name__).rstrip("/").split("/")[-1],
            architecture=str(getattr(cfg, "architecture", "") or "this architecture"),
            layers=int(cfg.n_layers),
            width=int(cfg.d_model),
            context=self._context(config),
            heads=int(getattr(cfg, "n_heads", 0) or 0),
            eps=float(cfg.eps),
            revision=str(getattr(config, "_commit_hash", None) or ""),
            processing=", ".join(processing),
            effect=effect(processing, cfg),
        )

    def _context(self, config: Any) -> int | None:
        """Tokens at once; where transformers knows no limit, TransformerLens's is filled in, and is none."""
        text = config.get_text_config() if hasattr(config, "get_text_config") else config
        limits = ("max_position_embeddings", "max_seq_len")
        if text is not None and not any(getattr(text, name, None) for name in limits):
            return None
        return int(getattr(self.model.cfg, "n_ctx", 0) or 0) or None

    def _processing(self) -> list[str]:
        if not getattr(self.model, "_weights_processed", False):
            return []
        gain = getattr(self.module(None, "norm"), "weight", None)
        folded = gain is None or bool((gain == gain[0]).all())
        return [*([FOLDED_NORMS] if folded else []), *centered(self.model.W_E, self.model.W_U)]

    def refusal(self) -> str | None:
        name, architecture, model = self.facts.name, self.facts.architecture, self.model
        original = getattr(model, "original_model", None)
        if any(module.training for module in model.modules()) or (original is not None and original.training):
            return f"{name} is in training mode, where dropout changes every run; call model.eval() first."
        modules = model._modules
        for flag, reads in (("is_audio_model", "sound"), ("is_visual_model", "images")):
            if getattr(model.cfg, flag, False):
                return f"{architecture} reads {reads}; a lens needs a model that reads tokens."
        if "encoder_blocks" in modules or "decoder_blocks" in modules:
            return f"{architecture} is an encoder-decoder; lenses read models with one stack of blocks."
        if modules.get("unembed") is None:
            return f"{architecture} has no unembedding: it gives no logits over a vocabulary to read."
        between = [what for name, what in _BEFORE_UNEMBEDDING.items() if modules.get(name) is not None]
        if between:
            return (
                f"{architecture} has {between[0]} between its last block and its unembedding, and no lens here goes "
                "through it."
            )
        blocks = modules.get("blocks")
        if blocks is None or not len(blocks):
            stacks = [name for name, module in modules.items() if isinstance(module, torch.nn.ModuleList)]
            return (
                f"{architecture} has no single stack of blocks{f' but {stacks}' if stacks else ''}; a lens reads the outputs of "
                "one, in order."
            )
        repeats = int(getattr(model.cfg, "total_ut_steps", 1) or 1)
        if repeats > 1:
            return (
                f"{architecture} runs its stack of blocks {repeats} times over; TransformerLens caches only the last time, and "
                "a lens needs every row from the embedding on."
            )
        for block in blocks:
            if not getattr(block, "hook_out_is_single_residual_stream", False):
                return f"{architecture} carries several residual streams side by side ({type(block).__name__}); a lens reads one."
        return None

    def sites(self) -> list[Site]:
        found = []
        for hook in self.model.hook_dict:
            match = _HOOK.fullmatch(hook)
            if match is None:
                continue
            block, module, end = match[1], match[2].rstrip("."), match[3]
            deep = module.count(".")
            if block is None and not (_EMBEDDING.fullmatch(module) and end != "pattern"):
                continue
            if deep > (0 if end == "pattern" else 1) or (not module and end == "pattern"):
                continue
            found.append(Site(None if block is None else int(block), module, end))  # type: ignore[arg-type]
        return found

    def name(self, site: Site) -> str:
        if site.end == "row":
            return self._row(int(site.block or 0))
        path = [*(() if site.block is None else ("blocks", str(site.block))), *((site.module,) if site.module else ())]
        return ".".join([*path, f"hook_{site.end}"])

    def _row(self, row: int) -> str:
        if row < self.facts.layers:
            return f"blocks.{row}.hook_resid_pre"
        # without a final norm, what enters the unembedding is the last row; the blocks of GPT-1, the model that has none,
        # return lists, and TransformerLens caches no list
        has_norm = self.model._modules.get("ln_final") is not None
        return f"blocks.{row - 1}.hook_resid_post" if has_norm else "unembed.hook_in"

    def module(self, block: int | None, path: str) -> torch.nn.Module | None:
        module = self.model.blocks[block] if block is not None else self.model
        for part in ("ln_final" if block is None and path == "norm" else path).split("."):
            module = getattr(module, part, None)
        original: torch.nn.Module | None = getattr(module, "original_component", module)
        return None if original is None else brought(original)

    def unembedding(self) -> tuple[Float[Tensor, "d vocabulary"], Float[Tensor, "vocabulary"] | None]:
        unembed = self.model.unembed
        if not unembed.W_U.is_meta:
            return super().unembedding()
        here: Any = self.remembered("unembedding", lambda: brought(unembed.original_component), large=True)
        return here.weight.detach().T, None if here.bias is None else here.bias.detach()

    def after_unembedding(self, logits: Tensor) -> Tensor:
        transformed: Tensor = self.model.adapter.apply_output_logits_transform(logits)
        return transformed

    def past(self, tokens: Int[Tensor, "positions"], *, change: Mapping[Site, Change], hooks: UserHooks) -> Past | None:
        return past_of(self, tokens, change, hooks)

    def past_of_nothing(self) -> Past | None:
        return past_of_nothing(self.network)

    @property
    def network(self) -> torch.nn.Module:
        network: torch.nn.Module = self.model.original_model
        return network


def centered(W_E: Float[Tensor, "inputs d"], W_U: Float[Tensor, "d vocabulary"]) -> list[str]:
    """Which of a model's weights TransformerLens has centered, found by looking: it keeps no account of it."""
    found = {CENTERED_WRITING: _is_centered(W_E), CENTERED_UNEMBEDDING: _is_centered(W_U)}
    return [what for what, is_so in found.items() if is_so]


def effect(processing: list[str], cfg: Any) -> str:
    """What the processing of a model's weights does to what is shown of it, in words."""
    if CENTERED_UNEMBEDDING not in processing:
        return "logits are the model's"
    if (getattr(cfg, "output_logits_soft_cap", None) or 0) > 0:
        return "below its soft-cap, a centered unembedding gives other probabilities than the model's"
    return "probabilities are the model's, logits are shifted"


def _is_centered(W: Float[Tensor, "n m"]) -> bool:
    """Whether the mean of each row is rounding: far less than that of as many numbers picked at random. 64 rows tell."""
    rows = W.detach()[:: max(1, len(W) // 64)].float()
    return bool((rows.mean(-1).abs() <= 0.02 * rows.std(-1) / rows.shape[-1] ** 0.5).all())


class _Stopped(BaseException):
    """Ends a forward pass where nothing more is asked for. No library catches it by accident."""


def _tensor(value: Any) -> Any:
    """The activation itself, where a module returns it among others."""
    return value[0] if isinstance(value, tuple) else value


class TransformerLensCache(CachedPass):
    """One prompt of an `ActivationCache`."""

    def __init__(self, cache: Any, backend: Backend) -> None:
        super().__init__(backend)
        self._cache = cache

    @property
    def prompts(self) -> int:
        first = self._cache.cache_dict.get(self.backend.name(self.backend.rows[0]))
        return 1 if first is None or not self._cache.has_batch_dim else len(first)

    def get(self, site: Site, prompt: int = 0) -> Tensor | None:
        return self._find(self.backend.name(site), prompt)

    def unembedded(self, prompt: int = 0) -> Tensor | None:
        return self._find("unembed.hook_out", prompt)

    def _find(self, name: str, prompt: int) -> Tensor | None:
        try:
            held: Tensor | None = self._cache[name]  # it knows some names that its dictionary doesn't
        except KeyError:
            return None
        if held is None or not self._cache.has_batch_dim:
            return held
        one: Tensor = held[prompt]
        return one


def is_cache(source: object) -> bool:
    """Whether an object is TransformerLens's `ActivationCache`."""
    return hasattr(source, "cache_dict") and hasattr(source, "model")


def boot(source: str, *, device: str | None, dtype: torch.dtype, bos: bool | None = None) -> Any:
    """A `TransformerBridge` of a model on the Hub or in a folder.

    `bos` says whether a beginning-of-sequence token is put before each prompt; None is TransformerLens's own choice.
    """
    with _no_collection(), _nothing_installed(source):
        from transformer_lens.model_bridge import TransformerBridge

        model = TransformerBridge.boot_transformers(source, device=device, dtype=dtype)
    model.eval()
    if bos is not None:
        model.cfg.default_prepend_bos = bos
    return model


@contextlib.contextmanager
def _nothing_installed(source: str) -> Iterator[None]:
    """For a model of images TransformerLens would install torchvision, and perhaps another torch with it, into an environment
    that nobody asked it to change. What reads text needs none."""
    call, here = subprocess.check_call, threading.get_ident()

    def checked(command: Any, *rest: Any, **options: Any) -> Any:
        if "torchvision" not in command or threading.get_ident() != here:
            return call(command, *rest, **options)
        warnings.warn(
            f"{source} reads images as well, for which TransformerLens wanted to install torchvision, and was not let. Text is "
            "read without it; for images call pip install torchvision, and load the model again.",
            stacklevel=2,
        )
        raise OSError("nothing is installed while a model is loaded")

    subprocess.check_call = checked  # type: ignore[assignment]
    try:
        yield
    finally:
        subprocess.check_call = call


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """No garbage is looked for: an import and a boot make a million objects that stay, and going through them takes a tenth."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects and gc.get_freeze_count() == 0:
            # all that is there goes to the oldest generation, or the next few objects would have all of it gone through
            gc.freeze()
            gc.unfreeze()
        if collects:
            gc.enable()


def jacobian_lens_class() -> Any:
    """TransformerLens's own Jacobian lens: it fits one and knows the files in which they are published.

    Raises ImportError, with what to install, where this TransformerLens has none.
    """
    try:
        from transformer_lens.tools.analysis import JacobianLens
    except ImportError as reason:
        raise ImportError(
            "This TransformerLens has no Jacobian lens; install a newer one: pip install --upgrade transformer_lens."
        ) from reason
    return JacobianLens
