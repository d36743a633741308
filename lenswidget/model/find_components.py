"""What each block adds to the residual stream, as a sum of parts, found by trying.

Blocks are sequential or parallel; they norm or scale what they write; they mix with attention, a state space or a
convolution, and think with one MLP or many experts. None of that is looked up. A short prompt is run once: of all that
the modules of a block put out, those few are its parts that sum to what the block added. A block for which there are
no such few is left whole.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator, Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from lenswidget.model.backend import Backend, keep_whole
from lenswidget.model.components import Block, Components, Norm, Part, Projection, Sources
from lenswidget.model.linear import rounding, stored, stored_of
from lenswidget.model.probe import norm_form
from lenswidget.model.site import Site
from lenswidget.model.surroundings import double, own_arithmetic
from lenswidget.model.user_hooks import NONE

MOST_PARTS = 4

Found = Mapping[Site, Tensor]
"""What one prompt left at some sites, without the batch dimension."""


def components_of(backend: Backend) -> Components:
    """The parts of every block of a model as it is now, found by one short forward pass."""
    return backend.remembered("components", lambda: find_components(backend, every=True))


def assumed_components(backend: Backend) -> Components:
    """The same at a small part of the cost: of blocks that are made alike, the first is tried. `confirmed` tests the others."""
    known: Components | None = backend.recall("components")
    return known or backend.remembered("assumed components", lambda: find_components(backend, every=False))


@own_arithmetic()
def confirmed(backend: Backend, assumed: Components, last: Found, residual: Float[Tensor, "rows d"]) -> Components:
    """The components that were assumed, where they sum to what each block added in a run; else those that are found.

    `last` and `residual` are the parts and the rows at the last position of the run.
    """
    known: Components | None = backend.recall("components")
    if known is assumed:
        return assumed
    for block in assumed.blocks:
        before, after = residual[block.layer], residual[block.layer + 1]
        scales = {part.site: part.scale for part in block.parts}
        if (
            not scales
            or not scales.keys() <= last.keys()
            or not _sum_to(scales, last, (after - before)[None], after[None])
        ):
            return components_of(backend)
    return backend.remembered("components", lambda: assumed)


@own_arithmetic()
def find_components(backend: Backend, *, every: bool) -> Components:
    """The components, from the first block of each kind or from every block: tried anew, and not remembered."""
    tokens = backend.sample(
        min(backend.vocabulary, backend.unembedding()[0].shape[1]), backend.facts.context
    ).unsqueeze(0)
    sites = backend.sites()
    kinds = _kinds(backend, sites)
    tried = [layer for layer, kind in enumerate(kinds) if every or kinds.index(kind) == layer]
    rows = backend.rows[: tried[-1] + 2]
    keep = keep_whole([*(site for site in sites if site.block is None or site.block in tried), *rows])
    try:
        kept = backend.forward(tokens, keep=keep, stop=rows[-1], hooks=NONE).kept
    except Exception as reason:  # whatever a user hung in the model: lenses can do without parts
        whole = tuple(Block(layer, ()) for layer in range(len(kinds)))
        return Components((), whole, f"the model would not run a short prompt: {type(reason).__name__}: {reason}")
    stream = [kept[site][0] for site in rows]
    of_block: dict[int | None, dict[Site, Tensor]] = {}
    for site, x in kept.items():
        if site.end != "row" and x.ndim >= 3:
            of_block.setdefault(site.block, {})[site] = x[0]
    embedding = _parts(backend, of_block.get(None, {}), stream[0], stream[0], alike=())
    blocks: list[Block] = []
    for layer, kind in enumerate(kinds):
        alike = tuple(part.of_block(layer) for part in blocks[kinds.index(kind)].parts) if kind in kinds[:layer] else ()
        if layer in tried:
            after = stream[layer + 1]
            added = after - stream[layer].to(after.device)  # blocks may lie on several devices
            blocks.append(Block(layer, _parts(backend, of_block.get(layer, {}), added, after, alike)))
        else:
            blocks.append(Block(layer, alike))
    return Components(embedding, tuple(blocks))


def _kinds(backend: Backend, sites: Collection[Site]) -> list[tuple[object, ...]]:
    """What each block is made of, as far as can be seen: its modules, what they hold and how. Most blocks are alike."""
    kinds: list[list[object]] = [[] for _ in range(backend.facts.layers)]
    for site in sites:
        if site.block is not None:
            kinds[site.block] += [site.module, site.end]
            module = backend.module(site.block, site.module) if site.module and site.end == "out" else None
            if module is not None:
                kinds[site.block] += [type(module), *_held(module)]
    return [tuple(kind) for kind in kinds]


def _held(module: torch.nn.Module) -> Iterator[tuple[object, ...]]:
    """How a module keeps its numbers: one block may be quantised and the next not, or its adapter merged or switched off."""
    for name, x in itertools.chain(module._parameters.items(), module._buffers.items()):
        if x is not None:
            yield name, type(x), x.dtype, x.shape
    for name, value in vars(module).items():
        if isinstance(value, bool) or (isinstance(value, list) and all(isinstance(word, str) for word in value)):
            yield name, str(value)


def _parts(backend: Backend, found: Found, added: Tensor, stream: Tensor, alike: Sequence[Part]) -> tuple[Part, ...]:
    """The parts that sum to what was added: of the modules themselves if can be, else of the modules within them.

    Blocks repeat themselves, so the parts of one that is made alike are tried first.
    """
    whole = {site: x for site, x in found.items() if not site.module and site.end == "in"}
    own = {site: x for site, x in found.items() if site.module and site.end == "out" and x.shape == stream.shape}
    outer = {site: x for site, x in own.items() if "." not in site.module}
    again = {part.site: part.scale for part in alike}
    if again and again.keys() <= (own | whole).keys() and _sum_to(again, own | whole, added, stream):
        scales: dict[Site, float] | None = again
    else:
        scales = next(filter(None, (_addends(some, added, stream) for some in (outer, own, own | whole))), None)
    return tuple(_part(backend, found, site, scale) for site, scale in (scales or {}).items())


def _relative(added: Tensor, stream: Tensor) -> tuple[Tensor, Tensor, float]:
    """What was added relative to the size of its position, that size, and what is rounding."""
    # a position weighs as much as any other, however large its norm
    size = double(stream).abs().amax(-1, keepdim=True).clamp(min=1e-30)
    return (double(added) / size).flatten(), size, 8 * torch.finfo(added.dtype).eps


def _sum_to(scales: Mapping[Site, float], candidates: Found, added: Tensor, stream: Tensor) -> bool:
    """Whether the candidates, each times its number, sum to what was added."""
    y, size, rounding = _relative(added, stream)
    parts = (scale * double(candidates[site]).to(size.device) for site, scale in scales.items())
    total = sum(parts, torch.zeros_like(size))
    return float((y - (total / size).flatten()).abs().max()) <= max(rounding, 1e-6) * 2


def _addends(candidates: Found, added: Tensor, stream: Tensor) -> dict[Site, float] | None:
    """The fewest candidates, each times a number, whose sum is what was added; nothing where there are none."""
    y, size, rounding = _relative(added, stream)
    sites = [site for site, x in candidates.items() if bool(x.any())]
    if not sites:
        return None
    A = torch.stack([(double(candidates[site]).to(size.device) / size).flatten() for site in sites])
    gram, moment = A @ A.T, A @ y
    best: tuple[float, dict[Site, float]] | None = None
    for count in range(1, min(MOST_PARTS, len(sites)) + 1):
        choices = torch.tensor(list(itertools.combinations(range(len(sites)), count)), device=A.device)
        # a tiny ridge keeps a module that only passes on what another put out from making the system singular
        system = gram[choices.unsqueeze(-1), choices.unsqueeze(-2)]
        system = system + 1e-13 * system.diagonal(dim1=-2, dim2=-1).mean(-1)[:, None, None] * torch.eye(
            count, dtype=A.dtype, device=A.device
        )
        scales = torch.linalg.solve(system, moment[choices].unsqueeze(-1)).squeeze(-1)
        left = y @ y - (scales * moment[choices]).sum(-1)
        # sums of squares cancel: the few best are measured again, directly
        few = left.topk(min(4, len(left)), largest=False).indices.tolist()
        for i in few:
            numbers = [_round(float(s), rounding) for s in scales[i]]
            rest = y - torch.tensor(numbers, dtype=A.dtype, device=A.device) @ A[choices[i]]
            error = float(rest.abs().max())
            if error <= max(rounding, 1e-6) * 2 and (best is None or error < best[0] / 4):
                best = (error, {sites[j]: number for j, number in zip(choices[i].tolist(), numbers)})
    # a block that carries a multiple of what entered keeps some of it; minus one times it would be another stream
    carried = [] if best is None else [s for site, s in best[1].items() if site.end == "in"]
    return None if best is None or any(s < -0.999 for s in carried) else best[1]


def _round(scale: float, rounding: float) -> float:
    """A multiplier is one, or a short decimal in a config: take back the last bits that rounding cost."""
    return 1.0 if abs(scale - 1) < max(rounding, 1e-5) else float(f"{scale:.6g}")


def _part(backend: Backend, found: Found, site: Site, scale: float) -> Part:
    if site.end == "in":
        return Part("stream rescale", site, scale)
    if site.block is None:
        return Part("pos_embed" if site.module.startswith("pos_embed") else "embed", site, scale)
    module, norm, written = site.module, None, found[site]
    inner = backend.module(site.block, module)
    entered = found.get(site.beside("in"))
    writer = _writer(found, entered) if inner is not None and entered is not None and _may_norm(inner) else None
    if inner is not None and writer is not None:
        form, _ = norm_form(inner, written.shape[-1], written.device, eps=backend.facts.eps)
        if form is not None:
            norm = Norm(site.beside("in"), form)
            written, module = found[norm.site], writer
    name = module.split(".")[0]
    projection = _projection(backend, found, name, written)
    heads = 0
    if projection is not None and name == "attn":
        # as many as attend, where that can be seen; a library's own split of z is wrong for latent attention
        pattern = found.get(Site(site.block, "attn", "pattern"))
        heads = backend.facts.heads if pattern is None else pattern.shape[0]
        width = found[projection.site].flatten(1).shape[1]
        heads = heads if heads and width % heads == 0 else 0
    z = found[projection.site] if projection and heads else None
    sources = None if z is None else _sources(backend, found, site.block, z, heads, written.shape[-1])
    return Part(re.sub(r"^post_|_norm$", "", name), site, scale, norm, projection, heads, sources)


def _may_norm(module: torch.nn.Module) -> bool:
    return not list(module.children()) and all(weight.ndim == 1 for weight in module.parameters())


def _writer(found: Found, entered: Tensor) -> str | None:
    """The module whose output enters a norm."""
    for site, x in found.items():
        if site.module and site.end == "out" and x.shape == entered.shape and torch.equal(x.to(entered), entered):
            return site.module
    return None


def _projection(backend: Backend, found: Found, module: str, written: Tensor) -> Projection | None:
    """The linear map that wrote something: a module within this one, or, where there is none, this one itself."""
    close = rounding(written.dtype) * float(written.abs().max())
    entered = [site for site in found if site.end == "in" and f"{site.module}.".startswith(f"{module}.")]
    for site in sorted(entered, key=lambda site: site.module == module):
        out = found.get(site.beside("out"))
        # a flag of TransformerLens goes round what leaves the module, and not round what enters it
        if out is not None and (out.shape != written.shape or float((out - written).abs().max()) > close):
            continue
        z = found[site].flatten(1)
        way = stored(backend.module(site.block, site.module), z, written)
        if way is not None:
            return Projection(site, way, z.shape[1])
    return None


def _sources(backend: Backend, found: Found, block: int | None, z: Tensor, heads: int, width: int) -> Sources | None:
    """Which pattern and values make what enters the projection; nothing where it is gated, normed or made otherwise."""
    at = Site(block, "attn", "pattern")
    pattern = found.get(at)
    if pattern is None or pattern.shape != (heads, len(z), len(z)):
        return None
    z = z.reshape(len(z), heads, -1)
    for site, x in found.items():
        if site.module.split(".")[0] != "attn" or site.end == "pattern" or len(x) != len(z):
            continue
        columns = _columns(pattern.to(z), x.flatten(1).to(z), z)
        if columns is not None:
            return Sources(at, site, columns, _made_by(backend, found, site, width))
    return None


def _columns(
    pattern: Float[Tensor, "heads t t"], x: Float[Tensor, "t n"], z: Float[Tensor, "t heads width"]
) -> tuple[int, ...] | None:
    """Where in `x` each head's values begin, so that the pattern times them is `z`."""
    width, close = z.shape[-1], rounding(z.dtype) * float(z.abs().max())
    if x.shape[1] < width:
        return None
    columns: list[int] = []
    for head in range(len(pattern)):
        mixed, wanted = (pattern[head].float() @ x.float()), z[:, head].float()
        begins = (mixed[:, : x.shape[1] - width + 1] - wanted[:, :1]).abs().amax(0)
        few = begins.topk(min(8, len(begins)), largest=False).indices.tolist()
        off = {start: float((mixed[:, start : start + width] - wanted).abs().max()) for start in few}
        best = min(off, key=lambda start: off[start])
        if off[best] > close:
            return None
        columns.append(best)
    return tuple(columns)


def _made_by(backend: Backend, found: Found, values: Site, width: int) -> Projection | None:
    """The linear map of the stream that made some values, if that is what made them."""
    module = backend.module(values.block, values.module) if values.end == "out" else None
    entered = found.get(values.beside("in"))
    if module is None:
        return None
    if entered is not None:
        z, made = entered.flatten(1), found[values].flatten(1)
        way = stored(module, z, made) if len(z) == len(made) else None
    else:  # a library that shows only what its module put out
        z = torch.linspace(-1, 1, 3 * width, device=found[values].device).reshape(3, width)
        way = stored_of(module, z)
    return None if way is None else Projection(values.beside("in"), way, z.shape[1])
