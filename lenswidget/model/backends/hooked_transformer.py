"""TransformerLens's older kind of model, `HookedTransformer`, which its versions before 4.0 have.

It is no Hugging Face model but one of TransformerLens's own, into which weights are copied, by default folded and centered
on the way. It keeps them head by head, `W_O` as `[heads, d_head, d]`, and names its hook points for what passes them.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import re
import sys
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.model.backend import CachedPass, Facts
from lenswidget.model.backends.transformer_lens import (
    FOLDED_NORMS,
    Hook,
    HookedBackend,
    TransformerLensCache,
    centered,
    effect,
)
from lenswidget.model.site import Site
from lenswidget.model.user_hooks import NONE, under

OLDEST = (3, 9)
"""The oldest TransformerLens whose HookedTransformer is read."""

_HOOKS = {
    ("attn", "pattern"): "attn.hook_pattern",
    ("attn.v", "out"): "attn.hook_v",
    ("attn.o", "in"): "attn.hook_z",
    ("mlp.out", "in"): "mlp.hook_post",
}
"""The hook points within a block that hold what enters or leaves a module."""
_WRITERS = {"attn": "attn.o", "mlp": "mlp.out"}
"""The parts of a block, and the linear map that each writes through."""
_LIBRARIES = ("transformer_lens", "easy_transformer")
_UNREAD = {
    "HookedEncoderDecoder": "is an encoder-decoder; lenses read models with one stack of blocks.",
    "HookedEncoder": "fills masked tokens, through a head of its own; lenses read models that predict the next token.",
    "HookedAudioEncoder": "reads sound; a lens needs a model that reads tokens.",
    "EasyTransformer": "is of a library that TransformerLens has replaced; load its model with lw.load(name), or with "
    "HookedTransformer.from_pretrained(name) of TransformerLens 3.9.",
    "HookedRootModule": "has TransformerLens's hook points, and where its blocks are only its author knows; build it as "
    "HookedTransformer(HookedTransformerConfig(...)), or load a model with lw.load(name).",
}


class HookedTransformerBackend(HookedBackend):
    """A `HookedTransformer`, with its weights as they were trained or as TransformerLens processes them."""

    @classmethod
    def recognizes(cls, model: object) -> bool:
        library = sys.modules.get("transformer_lens.HookedTransformer")
        return library is not None and isinstance(model, library.HookedTransformer)

    @cached_property
    def facts(self) -> Facts:
        cfg = self.model.cfg
        processing = self.remembered("processing", self._processing)
        named = cfg.model_name not in (None, "", "custom")
        return Facts(
            name=str(cfg.model_name).rstrip("/").split("/")[-1] if named else type(self.model).__name__,
            architecture=str(cfg.original_architecture or type(self.model).__name__),
            layers=int(cfg.n_layers),
            width=int(cfg.d_model),
            # alibi has no table of positions that could end
            context=None if cfg.positional_embedding_type == "alibi" else int(cfg.n_ctx),
            heads=int(cfg.n_heads),
            eps=float(cfg.eps),
            processing=", ".join(processing),
            effect=effect(processing, cfg),
        )

    def _processing(self) -> list[str]:
        done = centered(self.model.embed.W_E, self.model.unembed.W_U)
        # who builds a model may choose norms without gains, and then nothing was folded
        loaded = done or self.model.cfg.original_architecture
        folded = loaded and str(self.model.cfg.normalization_type).endswith("Pre")
        return [FOLDED_NORMS, *done] if folded else done

    def refusal(self) -> str | None:
        name, cfg = self.facts.name, self.model.cfg
        version = importlib.metadata.version("transformer_lens")
        number = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
        if (0, 0) < number < OLDEST:  # a copy of the repository is 0.0.0
            return (
                f"{name} is a HookedTransformer of TransformerLens {version}, and lenswidget reads those of "
                f"{'.'.join(map(str, OLDEST))}; upgrade it with pip install 'transformer_lens>=3.9,<4', or load the model with "
                "lw.load(name)."
            )
        # it has no dropout, and is in training mode unless somebody says otherwise, which matters to two kinds of attention
        if self.model.training and (cfg.use_logn_attn or cfg.use_dynamic_ntk_rope):
            return f"{name} is in training mode, where its attention differs on long texts; call model.eval() first."
        if any(module.training and getattr(module, "p", 0) for module in self.model.modules()):
            return f"{name} is in training mode, where dropout changes every run; call model.eval() first."
        if not cfg.n_layers:
            return f"{name} has no blocks, and a lens reads the outputs of blocks."
        return None

    def sites(self) -> list[Site]:
        known = self.model.mod_dict
        outside = [Site(None, name, "out") for name in ("embed", "pos_embed") if f"hook_{name}" in known]
        within = [
            Site(block, module, end)  # type: ignore[arg-type]
            for block in range(self.model.cfg.n_layers)
            for hidden in [self._hidden(block)]
            for (module, end), path in self._paths.items()
            if f"blocks.{block}.{path}" in known and (module, end) not in hidden
        ]
        return [*outside, *within]

    def _hidden(self, block: int) -> set[tuple[str, str]]:
        """What can't be seen within a block, because something else stands in place of a hook point that only looks on."""
        hidden: set[tuple[str, str]] = set()
        for replaced, behind in {
            "hook_attn_out": [("attn.o", "out"), ("ln1_post", "in"), ("ln1", "in")],
            "hook_mlp_out": [("mlp.out", "out"), ("ln2_post", "in"), ("ln2", "in")],
            "attn.hook_z": [("attn", "pattern")],
        }.items():
            if f"blocks.{block}.{replaced}" not in self.model.hook_dict:
                hidden |= set(behind)
        return hidden

    def name(self, site: Site) -> str:
        if site == self.ids:
            return "hook_tokens" if self.model.cfg.use_hook_tokens else "hook_embed"
        made_of = self.before_norm(site)
        return self._path(site if made_of is None else made_of)

    def before_norm(self, site: Site) -> Site | None:
        """For what enters a norm that follows a part of a block, where no hook point is: what enters the part's linear map."""
        norm = None if site.block is None else self._paths.get((site.module, site.end))
        return Site(site.block, self._normed[norm], "in") if norm in self._normed else None

    def _path(self, site: Site) -> str:
        """Where a site is: the path of a hook point, or of the norm that it enters."""
        if site.end == "row":
            row = int(site.block or 0)
            return f"blocks.{row}.hook_resid_pre" if row < self.facts.layers else f"blocks.{row - 1}.hook_resid_post"
        return (
            f"hook_{site.module}" if site.block is None else f"blocks.{site.block}.{self._paths[site.module, site.end]}"
        )

    @cached_property
    def _paths(self) -> dict[tuple[str, str], str]:
        """`_path` within a block, by module and end."""
        paths = dict(_HOOKS)
        norms = {writer: norm for norm, writer in self._normed.items()}
        for part, writer in _WRITERS.items():
            added = f"hook_{part}_out"
            norm = norms.get(writer)
            paths[part, "out"] = paths[writer, "out"] = norm or added
            if norm is not None:
                paths |= {(norm, "in"): norm, (norm, "out"): added}
        return paths

    @cached_property
    def _normed(self) -> dict[str, str]:
        """The norms through which the parts of a block go to the stream, and the linear map before each."""
        from transformer_lens.utilities.architectures import POST_NORM_ARCHITECTURES

        if self.model.cfg.use_normalization_before_and_after:
            return {"ln1_post": "attn.o", "ln2_post": "mlp.out"}
        return (
            {"ln1": "attn.o", "ln2": "mlp.out"}
            if self.model.cfg.original_architecture in POST_NORM_ARCHITECTURES
            else {}
        )

    @contextlib.contextmanager
    def hung(self, hooks: list[tuple[Site, Hook]]) -> Iterator[None]:
        # torch's own hooks also hang on norms, and on whatever has replaced a hook point
        handles = []
        try:
            for site, hook in hooks:
                path = self._path(site)
                module = self.model.get_submodule(path)
                if path.split(".")[-1].startswith("hook_"):
                    handles.append(module.register_forward_hook(lambda _, __, value, hook=hook: hook(value)))
                else:
                    handles.append(module.register_forward_pre_hook(lambda _, values, hook=hook: hook(values[0])))
            yield
        finally:
            for handle in handles:
                handle.remove()

    def module(self, block: int | None, path: str) -> torch.nn.Module | None:
        if block is None:
            norm = getattr(self.model, "ln_final", None) if path == "norm" else None
            return None if norm is None else self._norm(norm)
        here = self.model.blocks[block]
        if path in self._normed:
            return self._norm(getattr(here, path))
        if path == "attn.o":
            return _linear(here.attn.W_O, here.attn.b_O, heads_first=True)
        if path == "attn.v":
            shared = hasattr(here.attn, "_W_V") and not self.model.cfg.ungroup_grouped_query_attention
            W_V, b_V = (here.attn._W_V, here.attn._b_V) if shared else (here.attn.W_V, here.attn.b_V)
            return _linear(W_V.transpose(0, 1), b_V.flatten())
        if path == "mlp.out":
            mlp = getattr(here, "mlp", None)
            return _linear(getattr(mlp, "W_out", None), getattr(mlp, "b_out", None))
        return None

    def _norm(self, norm: torch.nn.Module) -> torch.nn.Module:
        def compute(x: Tensor) -> Tensor:
            with under(self.model, NONE):  # a norm has hook points in it
                normed: Tensor = norm(x)
            return normed

        return _Norm(norm, compute, self.model.unembed.W_U.new_ones(self.model.cfg.d_model))

    def after_unembedding(self, logits: Tensor) -> Tensor:
        cap = self.model.cfg.output_logits_soft_cap
        return cap * torch.tanh(logits / cap) if cap is not None and cap > 0 else logits

    @property
    def network(self) -> torch.nn.Module:
        return _Network(self.model)

    def opened(self, cache: Any) -> CachedPass:
        return HookedTransformerCache(cache, self)

    def tokens_of(self, embedded: Float[Tensor, "positions d"]) -> Int[Tensor, "positions"] | None:
        """The tokens that were embedded as this; None where that can't be told, as of two that are embedded alike."""
        W_E = self.model.embed.W_E
        embedded = embedded.to(W_E.device)
        column = int(W_E[:1024].float().std(0).argmax())  # one that tells tokens apart well
        found: list[list[int]] = [[] for _ in embedded]
        with torch.no_grad(), self.lock, under(self.model, NONE):
            for ids in torch.arange(len(W_E), device=W_E.device).split(4096):
                table = self.model.embed(ids.unsqueeze(0))[0]
                tokens, positions = (table[:, column, None] == embedded[:, column]).nonzero(as_tuple=True)
                alike = (table[tokens] == embedded[positions]).all(-1)
                for token, position in zip(ids[tokens[alike]].tolist(), positions[alike].tolist()):
                    found[position].append(token)
        return torch.tensor([ids[0] for ids in found]) if all(len(ids) == 1 for ids in found) else None


class HookedTransformerCache(TransformerLensCache):
    """One prompt of a `HookedTransformer`'s `ActivationCache`, in which no hook holds the tokens: their embeddings tell them."""

    backend: HookedTransformerBackend

    def get(self, site: Site, prompt: int = 0) -> Tensor | None:
        if site == self.backend.ids:
            return self._ids(prompt)
        made_of = self.backend.before_norm(site)
        if made_of is None:
            return super().get(site, prompt)
        entered, writer = super().get(made_of, prompt), self.backend.module(made_of.block, made_of.module)
        if entered is None or writer is None:
            return None
        written: Tensor = writer(entered.flatten(1))
        return written

    def _find(self, name: str, prompt: int) -> Tensor | None:
        held = super()._find(name, prompt)
        # where SAELens has put an autoencoder in place of a hook point, this is what goes on from there
        return super()._find(f"{name}.hook_sae_output", prompt) if held is None else held

    def _ids(self, prompt: int) -> Tensor | None:
        ids = self._find("hook_tokens", prompt)
        embedded = self._find("hook_embed", prompt) if ids is None else None
        return ids if embedded is None else self.backend.tokens_of(embedded)


class _Linear(torch.nn.Module):
    """A linear map `x W + b`, with the weights of somebody else."""

    def __init__(self, weight: Float[Tensor, "n d"], bias: Tensor | None) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(weight.detach(), requires_grad=False)
        self.bias = None if bias is None else torch.nn.Parameter(bias.detach(), requires_grad=False)

    def forward(self, x: Float[Tensor, "*rows n"]) -> Float[Tensor, "*rows d"]:
        y = x @ self.weight
        return y if self.bias is None else y + self.bias


def _linear(weight: Tensor | None, bias: Tensor | None, *, heads_first: bool = False) -> torch.nn.Module | None:
    """The linear map with some weights, heads put side by side; None where they are packed in a few bits, or absent."""
    if weight is None or not weight.is_floating_point():
        return None
    return _Linear(weight.flatten(0, 1) if heads_first else weight.flatten(1), bias)


class _Norm(torch.nn.Module):
    """A norm of TransformerLens's, with its gain and bias where torch's own norms have them."""

    def __init__(self, norm: torch.nn.Module, compute: Callable[[Tensor], Tensor], ones: Float[Tensor, "d"]) -> None:
        super().__init__()
        gain, bias = (getattr(norm, name, None) for name in ("w", "b"))
        # a gain of one also tells in which dtype a norm without weights computes
        self.weight = torch.nn.Parameter((ones if gain is None else gain).detach(), requires_grad=False)
        self.bias = None if bias is None else torch.nn.Parameter(bias.detach(), requires_grad=False)
        self.eps = norm.eps
        self._compute = compute

    def forward(self, x: Tensor) -> Tensor:
        return self._compute(x)


class _Network(torch.nn.Module):
    """A HookedTransformer as it is called where Hugging Face's models write text; it keeps no keys and values."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None, use_cache: bool = False) -> Any:
        from transformers.modeling_outputs import CausalLMOutput

        return CausalLMOutput(logits=self.model(input_ids))


def why_not(model: object) -> str | None:
    """Why an object of TransformerLens's that is no model for lenses can't be read; None for any other object."""
    kinds = {kind.__name__ for kind in type(model).__mro__ if kind.__module__.split(".")[0] in _LIBRARIES}
    why = next((why for name, why in _UNREAD.items() if name in kinds), None)
    return why and f"{type(model).__name__} {why}"
