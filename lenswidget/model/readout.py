"""From residual rows to what they say: the final norm, the unembedding and what follows it.

Only this and `columns.py` hold an array with a vocabulary axis, and never more than a chunk of one: a few positions with all
their rows.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.model.columns import BITS, capped, end_to_end, how_far_off, read_columns, unembedded, without_gaps
from lenswidget.model.final_norm import FinalNorm
from lenswidget.model.reading import Reading, assembled, how_far, on_cpu
from lenswidget.model.surroundings import own_arithmetic
from lenswidget.model.workers import shared_out

LOGITS_BUDGET = 96 * 2**20
"""Bytes of logits at a time, in all chunks that are read together; small change beside it is all a reading needs."""

ON_GPU = 4
"""Times as many on a GPU that has them to spare: each chunk costs it a hundred commands, and a widened unembedding."""

CELLS, FEWEST = 256, 96
"""Cells in a chunk on a processor: with more, a matrix product gains nothing; with fewer, it reads the unembedding too often."""

GROUP = 16
"""Cells whose two distributions are compared while they are in a processor's cache."""

SLICE = 1024
"""Entries of the vocabulary that one thread takes at a time: the logits of a chunk stay in its cache until they are all there."""

# Largest |last row - model| that is rounding, relative to the spread of the model's logits at a position. Correct
# readouts measure 1e-7 to 1e-5 in float32; leaving out a bias, a gain or a soft-cap measures 1e-2 and more.
ROUNDING = {torch.float64: 1e-4, torch.float32: 1e-4, torch.bfloat16: 5e-2, torch.float16: 1e-2}


@dataclass(frozen=True, eq=False)  # tensors have no one answer to ==
class Readout:
    """What a model does to its last residual stream: `S(N(h) W_U + b_U)`, in float32 from the norm onwards.

    `S(z)` is `cap · tanh(scale · z / cap)`, or `scale · z` where there is no cap: soft-caps and logit scales.
    It keeps the model's own tensors by reference, so it costs nothing while the model lives and outlives it.
    """

    norm: FinalNorm
    W_U: Float[Tensor, "d vocabulary"]
    b_U: Float[Tensor, "vocabulary"] | None
    scale: float = 1.0
    cap: float | None = None

    @property
    def vocabulary(self) -> int:
        """Rows of the unembedding; padding can make them more than the tokenizer has tokens."""
        return self.W_U.shape[1]

    def columns(self, ids: Sequence[int]) -> tuple[Float[Tensor, "d n"], Float[Tensor, "n"]]:
        """Some columns of the unembedding, in float32, and their biases."""
        found = self.W_U[:, list(ids)].float()
        return found, found.new_zeros(len(ids)) if self.b_U is None else self.b_U[list(ids)]

    @own_arithmetic()
    def logits(self, residual: Float[Tensor, "*rows d"]) -> Float[Tensor, "*rows vocabulary"]:
        """All logits of some residual rows: for a handful of rows, since nothing is cut into chunks here."""
        x = self.norm(residual.to(self.W_U.device, torch.float32)).flatten(0, -2)
        out = torch.empty(len(x), self.vocabulary, device=x.device)
        return self._unembed(x, out).view(*residual.shape[:-1], -1)

    def _unembed(self, x: Float[Tensor, "n d"], out: Float[Tensor, "n vocabulary"]) -> Float[Tensor, "n vocabulary"]:
        if exact_product(x, self.W_U, out):
            return self.after_unembedding(out if self.b_U is None else out.add_(self.b_U))
        width = self.vocabulary
        if out.device.type == "cpu" and torch.get_num_threads() == 1:
            width = SLICE
        elif self.W_U.dtype != torch.float32:
            # a half-precision W_U is widened a slice at a time, so that it is never held twice
            width = max(1, budget(out.device) // 2 // (4 * x.shape[1]))
        return self.after_unembedding(unembedded(x, self.W_U, self.b_U, out, width))

    def after_unembedding(self, logits: Float[Tensor, "*rows columns"]) -> Float[Tensor, "*rows columns"]:
        """`S`, in place: what the model does to its logits, whichever of them these are."""
        return capped(logits, self.scale, self.cap)

    @own_arithmetic()
    def direction_of(
        self,
        row: Float[Tensor, "d"],
        number: Callable[[Float[Tensor, "vocabulary"]], Float[Tensor, ""]],
    ) -> Float[Tensor, "d"]:
        """The gradient of a number of a row's log-probabilities, in nats, at what left the final norm."""
        linear = replace(self, scale=1.0, cap=None)
        normed = self.norm(row.detach().to(self.W_U.device, torch.float32)).unsqueeze(0)
        z = linear._unembed(normed, torch.empty(1, self.vocabulary, device=normed.device))[0]
        with torch.enable_grad():
            z.requires_grad_()
            after = self.scale * z
            after = after if self.cap is None else self.cap * torch.tanh(after / self.cap)
            (slope,) = torch.autograd.grad(number(after.log_softmax(-1)), z)
        found = torch.zeros_like(normed[0])
        width = self.vocabulary if self.W_U.dtype == torch.float32 else max(1, LOGITS_BUDGET // (8 * len(found)))
        for start in range(0, self.vocabulary, width):
            part = slice(start, start + width)
            found += self.W_U[:, part].float() @ slope[part]
        return found

    @own_arithmetic()
    def extremes(
        self, directions: Float[Tensor, "n d"], k: int
    ) -> tuple[Int[Tensor, "n both"], Float[Tensor, "n both"]]:
        """The tokens that some directions add most to, best first, then those that they take most from.

        Directions are as they leave the norm. What they add is less its mean over the vocabulary, in logits.
        """
        ids, added = [], []
        step = max(1, LOGITS_BUDGET // (4 * self.vocabulary))
        for start in range(0, len(directions), step):
            # a bias is no part of a direction, and a soft-cap is no matter of one
            linear = replace(self, b_U=None, cap=None)
            some = directions[start : start + step]
            logits = linear._unembed(some, torch.empty(len(some), self.vocabulary, device=some.device))
            logits -= logits.mean(-1, keepdim=True)
            high, low = logits.topk(k), logits.topk(k, largest=False)
            ids.append(torch.cat([high.indices, low.indices], -1))
            added.append(torch.cat([high.values, low.values], -1))
        return torch.cat(ids), torch.cat(added)

    @own_arithmetic()
    def error(
        self,
        residual: Float[Tensor, "positions d"],
        logits: Float[Tensor, "positions vocabulary"],
        *,
        multiplied: torch.dtype = torch.float32,
    ) -> tuple[float, float]:
        """max |read - model| over the finite positions of the last row, and the largest that would be rounding.

        `logits` are the model's own, made of products that were `multiplied` in some type. Both figures are in logits; NaN
        where no position is finite. Of a large vocabulary it is the logit that leads at each position and CHECKED others,
        evenly spaced: whatever a readout can get wrong,
        a norm, a bias, a scale, a cap or the whole stream, is wrong in them too, and all would cost a reading again.
        """
        if logits.shape[-1] != self.vocabulary:
            raise ValueError(
                f"The model returned {logits.shape[-1]} logits a position and its unembedding has {self.vocabulary}: "
                "its readout is not norm → unembedding."
            )
        device = self.W_U.device
        finite = residual.isfinite().all(-1).to(device) & logits.isfinite().all(-1).to(device)
        rounding = max(ROUNDING[dtype] for dtype in (logits.dtype, residual.dtype, self.W_U.dtype, multiplied))
        if not finite.any():
            return float("nan"), rounding * 1e-6
        where = finite.nonzero().squeeze(-1)
        theirs = logits[where.to(logits.device)].to(device)
        x = self.norm(residual[where.to(residual.device)].to(device, torch.float32))
        worst, spread = how_far_off(x, theirs, self.W_U, self.b_U, self.scale, self.cap).tolist()
        return worst, rounding * max(spread, 1e-6)

    @own_arithmetic()
    @torch.inference_mode()
    def responses(
        self, before: Float[Tensor, "readers positions d"], after: Float[Tensor, "readers changes positions d"]
    ) -> tuple[Float[Tensor, "readers changes"], Float[Tensor, "readers changes"]]:
        """How strongly each reader answers to several changes, and how far in the last reader's way; means over positions.

        The first is KL(before ‖ after) in bits; the second the correlation of changes in log-probability with those
        of the last reader, tokens weighted by what the last reader said before. What is not finite is left out.
        """
        said = self.logits(before).log_softmax(-1).unsqueeze(1)
        p = said.exp()
        step = max(1, LOGITS_BUDGET // (4 * said.numel()))
        influences, alignments = [], []
        for some in torch.split(after, step, dim=1):
            change = self.logits(some).log_softmax(-1).sub_(said)
            influences.append(-torch.linalg.vecdot(p.expand_as(change), change).nanmean(-1) * BITS)
            change -= torch.linalg.vecdot(p[-1:].expand_as(change), change).unsqueeze(-1)
            weighted = change[-1:] * p[-1:]
            shared = torch.linalg.vecdot(weighted.expand_as(change), change)
            size = torch.linalg.vecdot(p[-1:].expand_as(change), change.square())
            alignments.append((shared / (size * size[-1:]).sqrt()).nanmean(-1))
        return torch.cat(influences, dim=1).clamp(min=0.0).cpu(), torch.cat(alignments, dim=1).cpu()

    @own_arithmetic()
    @torch.inference_mode()
    def read(
        self,
        residual: Float[Tensor, "rows positions d"],
        following: Int[Tensor, "positions"],
        *,
        k: int = 10,
        targets: Sequence[Sequence[int]] = (),
        jensen_shannon: bool = False,
        total_variation: bool = False,
        totals: Float[Tensor, "rows vocabulary"] | None = None,
    ) -> Reading:
        """Read every row at every position, in one pass over the vocabulary.

        `residual` may be on any device and in any float dtype; the last row must be the model's own. `following` is
        the id of the token that really follows each position, -1 for none. `targets` are sets of ids whose
        probabilities add. Results are on the CPU. Two of the statistics cost a further pass each. To `totals`, on the
        device of the unembedding, each row's probabilities are added at every position where the row and the last are finite.
        """
        rows, positions, _ = residual.shape
        device = self.W_U.device
        step, workers = self._shares(rows, positions)
        if totals is not None:  # all add to them
            workers = 1
        follows = following.to(device)
        sets = [torch.tensor(list(ids), device=device) for ids in targets]
        extra = {"jensen_shannon": jensen_shannon, "total_variation": total_variation}

        def worker() -> Callable[[int], dict[str, Tensor]]:
            # a processor reads a column while it is in its cache; a GPU is best asked for as much as there is at once
            group = 1 if device.type == "cpu" else step
            logits = torch.empty(step * rows, self.vocabulary, device=device)
            scratch = torch.empty(group * rows, self.vocabulary, device=device)

            def read_chunk(start: int) -> dict[str, Tensor]:
                # [positions, rows, d]: a column's rows lie together
                x = residual[:, start : start + step].transpose(0, 1).to(device, torch.float32).contiguous()
                columns = self._unembed(self.norm(x).flatten(0, 1), logits[: len(x) * rows]).view(len(x), rows, -1)
                finite = x.isfinite().all(-1) & columns[:, :, 0].isfinite()
                parts = []
                for first in range(0, len(x), group):
                    a, ok = columns[first : first + group], finite[first : first + group]
                    b = scratch[: len(a) * rows].view(a.shape)
                    after = follows[start + first : start + first + len(a)]
                    parts.append(read_columns(a, b, ok, after, k, sets, extra, totals))
                joined = end_to_end(parts)
                return without_gaps(joined) if device.type == "cpu" else joined

            return read_chunk

        found = shared_out(range(0, positions, step), worker, workers)
        joined = end_to_end(found)
        # what a GPU found is waited for here and nowhere before
        return assembled(joined if device.type == "cpu" else without_gaps(on_cpu(joined)))

    def _shares(self, rows: int, positions: int) -> tuple[int, int]:
        """How many positions are read at a time, and by how many workers at once."""
        most = max(1, budget(self.W_U.device) // (4 * rows * self.vocabulary))
        if self.W_U.device.type != "cpu":
            return min(positions, most), 1
        fewest = -(-FEWEST // rows)
        workers = max(1, min(torch.get_num_threads(), most // fewest, positions // fewest))
        return min(-(-positions // workers), max(1, most // workers), max(1, CELLS // rows)), workers

    @own_arithmetic()
    @torch.inference_mode()
    def divergence(
        self, one: Float[Tensor, "rows positions d"], other: Float[Tensor, "rows positions d"]
    ) -> tuple[Float[Tensor, "rows positions"], Float[Tensor, "rows positions"]]:
        """Jensen–Shannon divergence and KL(one ‖ other) between what two streams say, cell by cell, in bits.

        NaN where a residual is not finite. Results are on the CPU.
        """
        ours, theirs = one.flatten(0, 1), other.flatten(0, 1)
        is_cpu = self.W_U.device.type == "cpu"
        workers = max(1, min(torch.get_num_threads() if is_cpu else 1, len(ours) // FEWEST))
        step = max(1, min(CELLS, LOGITS_BUDGET // (2 * 4 * self.vocabulary) // workers))
        group = GROUP if is_cpu else step

        def apart(start: int) -> Float[Tensor, "cells both"]:
            pair = (self.logits(rows[start : start + step]) for rows in (ours, theirs))
            return torch.cat([torch.stack(how_far(*some), -1) for some in zip(*(x.split(group) for x in pair))])

        found = torch.cat(shared_out(range(0, len(ours), step), lambda: apart, workers)).cpu()
        jensen_shannon, kl = found.view(*one.shape[:2], 2).unbind(-1)
        return jensen_shannon, kl


def exact_product(x: Float[Tensor, "n d"], W: Float[Tensor, "d m"], out: Float[Tensor, "n m"]) -> bool:
    """`x W` of float32 numbers and bfloat16 weights, on the units of a GPU that multiply bfloat16 and add in float32: four times
    as fast as to widen the weights, and as exact. False, and nothing done, where there are no such units.

    A float32 number is the sum of three of bfloat16, of 8 bits each, so three products are that of all its bits.
    """
    if out.device.type != "cuda" or W.dtype != torch.bfloat16 or not _multiplies_bfloat16(out.device):
        return False
    rest = x
    for count in range(3):
        some = rest.bfloat16()
        if count:
            torch.addmm(out, some, W, out_dtype=torch.float32, out=out)
        else:
            torch.mm(some, W, out_dtype=torch.float32, out=out)
        rest = rest - some.float()
    return True


@functools.cache
def _multiplies_bfloat16(device: torch.device) -> bool:
    """Whether a GPU, and this torch, make float32 of products of bfloat16: tried, as older ones of either don't."""
    one = torch.ones(16, 16, dtype=torch.bfloat16, device=device)
    out = torch.empty(16, 16, device=device)
    try:
        torch.mm(one, one, out_dtype=torch.float32, out=out)
        torch.addmm(out, one, one, out_dtype=torch.float32, out=out)
    except (RuntimeError, TypeError, NotImplementedError):
        return False
    return bool((out == 32).all())


def budget(device: torch.device) -> int:
    """Bytes of logits at a time on a device: more on a GPU, but little of what is free there."""
    if device.type != "cuda":
        return LOGITS_BUDGET
    free, _ = torch.cuda.mem_get_info(device)
    return max(LOGITS_BUDGET, min(ON_GPU * LOGITS_BUDGET, free // 16))
