"""What each block adds to the residual stream, as a sum of parts, found by trying.

Blocks are sequential or parallel; they norm or scale what they write; they mix with attention, a state space or a
convolution, and think with one MLP or many experts. None of that is looked up. A short prompt is run once: of all that
the modules of a block put out, those few are its parts that sum to what the block added. A block for which there are
no such few is left whole.
"""

from __future__ import annotations

import itertools
import re
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from lenswidget.model.alone import alone
from lenswidget.model.probe import norm_of
from lenswidget.model.readout import FinalNorm

PROMPT = "The quick brown fox jumps over 12 lazy dogs."
MOST_PARTS = 4
WIDENED = 2**24
"""Bytes of a half-precision matrix that are held in float32 at a time."""


@dataclass(frozen=True, eq=False)  # modules have no one answer to ==
class Norm:
    """A norm that a block applies to what it is about to write (Gemma-2, OLMo-2): `hook` is what enters it."""

    hook: str
    module: torch.nn.Module
    probed: FinalNorm
    offset: bool
    """Whether the gain is stored as `w - 1`."""

    def read(self) -> FinalNorm:
        """The norm as numbers, with the gain and bias that the module has now."""
        gain, bias = (getattr(self.module, name, None) for name in ("weight", "bias"))
        gain = None if gain is None else gain.detach().float() + float(self.offset)
        return replace(self.probed, gain=gain, bias=None if bias is None else bias.detach().float())


@dataclass(frozen=True, eq=False)
class Projection:
    """The linear map whose output a part is: `W_O` of attention, `W_out` of an MLP. `hook` is what enters it."""

    hook: str
    linear: torch.nn.Module
    transposed: bool
    """Whether the weight is stored `[out, in]`, as torch's own Linear stores it."""

    @property
    def W(self) -> Float[Tensor, "n d"]:  # noqa: N802 (the field's name)
        weight: Tensor = self.linear.get_parameter("weight").detach()
        return weight.T if self.transposed else weight

    @property
    def b(self) -> Float[Tensor, "d"] | None:
        bias = getattr(self.linear, "bias", None)
        return None if bias is None else bias.detach()

    def along(self, directions: Float[Tensor, "m d"]) -> Float[Tensor, "m n"]:
        """What each input adds along some directions: `W` is projected, and nothing is expanded to `[.., n, d]`."""
        W = self.W
        step = len(W) if W.dtype == torch.float32 else max(1, WIDENED // (4 * W.shape[1]))
        here = directions.to(W.device)
        return torch.cat([here @ rows.to(here.dtype).T for rows in torch.split(W, step)], dim=-1).to(directions.device)


@dataclass(frozen=True, eq=False)
class Part:
    """One addend of a block: `scale` times what `hook` holds, perhaps written by a projection and then normed."""

    name: str
    hook: str
    scale: float = 1.0
    norm: Norm | None = None
    projection: Projection | None = None
    heads: int = 0
    """How many heads the input of the projection consists of; 0 where it is no attention."""
    sources: tuple[str, str] | None = None
    """The hooks of the attention pattern and of the values whose product enters the projection, where it is just that."""

    @property
    def hooks(self) -> tuple[str, ...]:
        """What a cache must hold to split this part."""
        return (self.hook, *(p.hook for p in (self.norm, self.projection) if p is not None))


@dataclass(frozen=True, eq=False)
class Block:
    """A block and its parts; none where they can't be told apart."""

    layer: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, eq=False)
class Stack:
    """The embedding and the blocks of a model."""

    embedding: tuple[Part, ...]
    blocks: tuple[Block, ...]

    @property
    def parts(self) -> Iterator[Part]:
        return itertools.chain(self.embedding, *(block.parts for block in self.blocks))


_stacks: weakref.WeakKeyDictionary[Any, Stack] = weakref.WeakKeyDictionary()


def stack_of(model: Any) -> Stack:
    """The parts of every block of a model, found the first time by one short forward pass."""
    if model not in _stacks:
        _stacks[model] = _probe(model)
    return _stacks[model]


_OUTPUT = re.compile(
    r"(?:blocks\.\d+\.\w+(?:\.\w+)?|[a-z_]*embed[a-z_]*)\.hook_(?:in|out)|blocks\.\d+\.hook_(?:in|out)|blocks\.\d+\.\w+\.hook_pattern"
)


def _probe(model: Any) -> Stack:
    from lenswidget.model.run import row_hooks

    rows = row_hooks(model)
    wanted = {name for name in model.hook_dict if _OUTPUT.fullmatch(name)} | set(rows)
    with alone(model), torch.inference_mode():
        tokens = model.to_tokens(PROMPT)[:, : int(getattr(model.cfg, "n_ctx", 0) or 16)]
        _, cache = model.run_with_cache(tokens, names_filter=wanted.__contains__, return_cache_object=False)
        stream = [cache[name][0] for name in rows]
        found = {name: x[0] for name, x in cache.items() if isinstance(x, Tensor) and x.ndim >= 3}
        shape = tuple(stream[0].shape)
        outputs = {name: x for name, x in found.items() if name.endswith("hook_out") and tuple(x.shape) == shape}
        embedding = _parts(model, found, outputs, "", stream[0], stream[0])
        blocks = []
        for layer, (before, after) in enumerate(itertools.pairwise(stream)):
            blocks.append(Block(layer, _parts(model, found, outputs, f"blocks.{layer}.", after - before, after)))
    return Stack(embedding, tuple(blocks))


def _parts(
    model: Any, found: Mapping[str, Tensor], outputs: Mapping[str, Tensor], prefix: str, added: Tensor, stream: Tensor
) -> tuple[Part, ...]:
    """The parts that sum to what was added: of the modules themselves if can be, else of the modules within them."""
    own = {n: x for n, x in outputs.items() if (n.startswith(prefix) if prefix else not n.startswith("blocks."))}
    own = {n: x for n, x in own.items() if n != f"{prefix}hook_out"}
    outer = {n: x for n, x in own.items() if n.count(".") <= prefix.count(".") + 1}
    whole = {f"{prefix}hook_in": found[f"{prefix}hook_in"]} if f"{prefix}hook_in" in found else {}
    for candidates in (outer, own, own | whole):
        scales = _addends(candidates, added, stream)
        if scales:
            return tuple(_part(model, found, prefix, name, scale) for name, scale in scales.items())
    return ()


def _addends(candidates: Mapping[str, Tensor], added: Tensor, stream: Tensor) -> dict[str, float] | None:
    """The fewest candidates, each times a number, whose sum is what was added; nothing where there are none."""
    # a position weighs as much as any other, however large its norm
    size = stream.double().abs().amax(-1, keepdim=True).clamp(min=1e-30)
    names = [name for name, x in candidates.items() if bool(x.any())]
    if not names:
        return None
    A = torch.stack([(candidates[name].double() / size).flatten() for name in names])
    y = (added.double() / size).flatten()
    rounding = 8 * torch.finfo(added.dtype).eps
    best: tuple[float, dict[str, float]] | None = None
    for count in range(1, min(MOST_PARTS, len(names)) + 1):
        choices = torch.tensor(list(itertools.combinations(range(len(names)), count)), device=A.device)
        gram, moment = A @ A.T, A @ y
        # a tiny ridge keeps a module that only passes on what another put out from making the system singular
        system = gram[choices.unsqueeze(-1), choices.unsqueeze(-2)]
        system = system + 1e-13 * system.diagonal(dim1=-2, dim2=-1).mean(-1)[:, None, None] * torch.eye(count).to(A)
        scales = torch.linalg.solve(system, moment[choices].unsqueeze(-1)).squeeze(-1)
        left = y @ y - (scales * moment[choices]).sum(-1)
        # sums of squares cancel: the few best are measured again, directly
        few = left.topk(min(4, len(left)), largest=False).indices.tolist()
        for i in few:
            numbers = [_round(float(s), rounding) for s in scales[i]]
            rest = y - torch.tensor(numbers).to(A) @ A[choices[i]]
            error = float(rest.abs().max())
            if error <= max(rounding, 1e-6) * 2 and (best is None or error < best[0] / 4):
                best = (error, {names[j]: number for j, number in zip(choices[i].tolist(), numbers)})
    # a block that carries a multiple of what entered keeps some of it; minus one times it would be another stream
    carried = [] if best is None else [s for n, s in best[1].items() if n.endswith("hook_in")]
    return None if best is None or any(s < -0.999 for s in carried) else best[1]


def _round(scale: float, rounding: float) -> float:
    """A multiplier is one, or a short decimal in a config: take back the last bits that rounding cost."""
    return 1.0 if abs(scale - 1) < max(rounding, 1e-5) else float(f"{scale:.6g}")


def _part(model: Any, found: Mapping[str, Tensor], prefix: str, hook: str, scale: float) -> Part:
    if hook == f"{prefix}hook_in":
        return Part("stream rescale", hook, scale)
    if not prefix:
        return Part("pos_embed" if hook.startswith("pos_embed") else "embed", hook, scale)
    module, norm, written = hook.removesuffix(".hook_out"), None, found[hook]
    inner = original(model, module)
    source = _writer(found, prefix, module) if _may_norm(inner) and f"{module}.hook_in" in found else None
    if source is not None:
        probed, _ = norm_of(inner, written.shape[-1], written.device, eps=float(model.cfg.eps))
        if probed is not None:
            offset = probed.gain is not None and not torch.equal(inner.weight.detach().float(), probed.gain)
            norm = Norm(f"{module}.hook_in", inner, probed, offset)
            written, module = found[norm.hook], source
    name = module.removeprefix(prefix).split(".")[0]
    projection = _projection(model, found, f"{prefix}{name}", written)
    heads = 0
    if projection is not None and name == "attn":
        # as many as attend, where that can be seen; TransformerLens's own split of z is wrong for latent attention
        pattern = found.get(f"{prefix}attn.hook_pattern")
        heads = int(model.cfg.n_heads) if pattern is None else pattern.shape[0]
        heads = heads if projection.W.shape[0] % heads == 0 else 0
    sources = _sources(found, f"{prefix}attn.", found[projection.hook], heads) if projection and heads else None
    return Part(re.sub(r"^post_|_norm$", "", name), hook, scale, norm, projection, heads, sources)


def _may_norm(module: torch.nn.Module) -> bool:
    return not list(module.children()) and all(weight.ndim == 1 for weight in module.parameters())


def _writer(found: Mapping[str, Tensor], prefix: str, norm: str) -> str | None:
    """The module whose output enters a norm."""
    entered = found[f"{norm}.hook_in"]
    for name, x in found.items():
        if (
            name.startswith(prefix)
            and name.endswith("hook_out")
            and x.shape == entered.shape
            and torch.equal(x, entered)
        ):
            return name.removesuffix(".hook_out")
    return None


def _projection(model: Any, found: Mapping[str, Tensor], module: str, written: Tensor) -> Projection | None:
    """The linear map within a module that wrote something, with its weight the way round that reproduces it."""
    close = 16 * torch.finfo(written.dtype).eps * float(written.abs().max())
    for hook in (n for n in found if n.startswith(f"{module}.") and n.endswith(".hook_out")):
        name = hook.removesuffix(".hook_out")
        entered = found.get(f"{name}.hook_in")
        if entered is None or found[hook].shape != written.shape or float((found[hook] - written).abs().max()) > close:
            continue
        inner = original(model, name)
        weight, bias = getattr(inner, "weight", None), getattr(inner, "bias", None)
        if not isinstance(weight, Tensor) or weight.ndim != 2 or not weight.is_floating_point():
            continue
        x = entered.flatten(1)
        for transposed in (True, False):
            W = weight.T if transposed else weight
            if W.shape == (x.shape[1], written.shape[1]):
                ours = x @ W if bias is None else x @ W + bias
                if float((ours - written).abs().max()) <= 4 * close:
                    return Projection(f"{name}.hook_in", inner, transposed)
    return None


def _sources(found: Mapping[str, Tensor], attention: str, z: Tensor, heads: int) -> tuple[str, str] | None:
    """Which pattern and values make what enters the projection; nothing where it is gated, normed or made otherwise."""
    pattern = found.get(f"{attention}hook_pattern")
    if pattern is None:
        return None
    z = z.reshape(len(z), heads, -1)
    for name, x in found.items():
        width = x.numel() // len(z)
        if not name.startswith(attention) or len(x) != len(z) or width % z.shape[-1] or heads % (width // z.shape[-1]):
            continue
        mixed = torch.einsum("hts,shc->thc", pattern.to(z), values_of(x, heads, z.shape[-1]).to(z))
        if float((mixed - z).abs().max()) <= 64 * torch.finfo(z.dtype).eps * float(z.abs().max()):
            return f"{attention}hook_pattern", name
    return None


def values_of(x: Tensor, heads: int, width: int) -> Float[Tensor, "sources heads width"]:
    """Values, one a query head: with grouped queries several heads share one."""
    values = x.reshape(len(x), -1, width)
    return values.repeat_interleave(heads // values.shape[1], dim=1)


def original(model: Any, name: str) -> Any:
    """The model's own module behind one of TransformerLens's."""
    module = model
    for part in name.split("."):
        module = module[int(part)] if part.isdigit() else getattr(module, part)
    return getattr(module, "original_component", module)
