"""From rows to logits, and what whole columns of them say: candidates, statistics, ranks and trajectories.

It is torch alone, and so are its functions: they are also sent, as text, to where a model lies (`there.py`). So no
function is written within another: its annotations would be looked up there.

A column has all rows of a position, so the output's distribution, the union of a column's candidates and their trajectories are
all there while its logits are, and nothing is read twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

BITS = 1 / log(2)
"""Nats to bits."""

CHECKED = 1024
"""Columns of the unembedding on which the last row is held against the model's own logits, besides those that lead."""


def normed(
    x: Float[Tensor, "*rows d"],
    gain: Float[Tensor, "d"] | None,
    bias: Float[Tensor, "d"] | None,
    eps: float | None,
    centered: bool,
) -> Float[Tensor, "*rows d"]:
    """`(x - mean) / σ ⊙ gain + bias`; the mean stays where `centered` is false, and all of `x` where `eps` is None."""
    if eps is None:
        return x
    if centered:
        x = x - x.mean(-1, keepdim=True)
    x = x * (x.square().mean(-1, keepdim=True) + eps).rsqrt()
    if gain is not None:
        x = x * gain
    return x if bias is None else x + bias


def unembedded(
    x: Float[Tensor, "n d"],
    W_U: Float[Tensor, "d vocabulary"],
    b_U: Float[Tensor, "vocabulary"] | None,
    out: Float[Tensor, "n vocabulary"],
    width: int,
) -> Float[Tensor, "n vocabulary"]:
    """`x W_U + b_U` in float32, so many columns of it at a time."""
    for start in range(0, W_U.shape[1], width):
        part = slice(start, start + width)
        torch.mm(x, W_U[:, part].float(), out=out[:, part])
    if b_U is not None:
        out += b_U
    return out


def capped(logits: Float[Tensor, "*rows columns"], scale: float, cap: float | None) -> Float[Tensor, "*rows columns"]:
    """`cap · tanh(scale · z / cap)`, or `scale · z` where there is no cap; in place."""
    if scale != 1.0:
        logits *= scale
    if cap is not None:
        logits.div_(cap).tanh_().mul_(cap)
    return logits


def how_far_off(
    x: Float[Tensor, "n d"],
    theirs: Float[Tensor, "n vocabulary"],
    W_U: Float[Tensor, "d vocabulary"],
    b_U: Float[Tensor, "vocabulary"] | None,
    scale: float,
    cap: float | None,
) -> Float[Tensor, "2"]:
    """The largest difference between what is read of some normed rows and a model's own logits, and the spread of these; in
    the columns that lead and CHECKED others."""
    vocabulary = W_U.shape[1]
    columns = torch.arange(0, vocabulary, max(1, vocabulary // CHECKED), device=W_U.device)
    leading = theirs.argmax(-1)
    # columns of the unembedding are rows in memory
    ours = x @ W_U.T[columns].float().T
    lead = (x * W_U.T[leading].float()).sum(-1, keepdim=True)
    if b_U is not None:
        ours, lead = ours + b_U[columns], lead + b_U[leading].unsqueeze(-1)
    ours = capped(torch.cat([ours, lead], -1), scale, cap)
    theirs = torch.cat([theirs[:, columns], theirs.gather(-1, leading.unsqueeze(-1))], -1).float()
    # where the model is finite and the readout is not, they differ by as much as can be
    worst = (ours - theirs).abs().nan_to_num(nan=float("inf")).max()
    return torch.stack([worst, (theirs - theirs.mean(-1, keepdim=True)).abs().max()])


def read_columns(
    a: Float[Tensor, "p rows vocabulary"],
    b: Float[Tensor, "p rows vocabulary"],
    finite: Bool[Tensor, "p rows"],
    following: Int[Tensor, "p"],
    k: int,
    targets: Sequence[Int[Tensor, "..."]],
    extra: Mapping[str, bool],
    totals: Float[Tensor, "rows vocabulary"] | None,
) -> dict[str, Tensor]:
    """Every statistic of some whole columns. `a` holds their logits, `b` is scratch."""

    top_logits, top_ids = largest(a, k)
    follows = (following >= 0).unsqueeze(-1)
    following_logit = a.gather(-1, following.clamp(min=0).view(-1, 1, 1).expand(-1, a.shape[1], 1))
    following_rank = rank(a, following_logit, b) * follows
    of_targets = [a.index_select(-1, ids) for ids in targets]
    target_ranks = [rank(a, logits.amax(-1, keepdim=True), b) for logits in of_targets]

    # the softmax of each row is exp(a - peak) / mass
    peak = top_logits[..., :1]
    # exp2 is quicker than exp, and both are many times slower where the result underflows: early rows are full of that
    mass = torch.add(-BITS * peak, a, alpha=BITS, out=b).clamp_(min=-126.0).exp2_().sum(-1, keepdim=True)
    log_sum = (mass.log() + peak).squeeze(-1)
    if totals is not None:
        _add_up(totals, b, mass, finite & finite[:, -1:])
    output = b[:, -1] / mass[:, -1]
    out = _distances(b, mass, output, extra)
    entropy = log_sum - b.mul_(a).sum(-1) / mass.squeeze(-1)
    # KL = Σ q log q - Σ q log p = (Σ q·logit_L - logsumexp_L) - (Σ q·logit_l - logsumexp_l)
    # written out and then added up: a matrix–vector product of this length loses three digits of their difference
    crossed = torch.mul(a, output.unsqueeze(1), out=b).sum(-1)
    kl = (crossed[:, -1:] - log_sum[:, -1:]) - (crossed - log_sum)
    kl[:, -1] = 0.0

    nothing = a.new_empty(*finite.shape, 0)
    target_logit = torch.stack([logits.logsumexp(-1) for logits in of_targets], -1) if targets else nothing
    surprisal = (log_sum - following_logit.squeeze(-1)) * BITS
    nan = float("nan")
    ill, column_ill = ~finite, ~(finite & finite[:, -1:])
    out = {name: distance.masked_fill(column_ill, nan) for name, distance in out.items()}
    out |= {
        "top_ids": top_ids.masked_fill(ill.unsqueeze(-1), -1),
        "top_log_probability": ((top_logits - log_sum.unsqueeze(-1)) * BITS).masked_fill(ill.unsqueeze(-1), nan),
        "top_logit": top_logits[..., 0].masked_fill(ill, nan),
        "entropy": (entropy * BITS).masked_fill(ill, nan),
        "kl": (kl.clamp(min=0.0) * BITS).masked_fill(column_ill, nan),
        "surprisal": surprisal.masked_fill(ill | ~follows, nan),
        "following_rank": following_rank * finite,
        "target_logit": target_logit.masked_fill(ill.unsqueeze(-1), nan),
        "target_log_probability": ((target_logit - log_sum.unsqueeze(-1)) * BITS).masked_fill(ill.unsqueeze(-1), nan),
        "target_rank": (torch.stack(target_ranks, -1) if targets else nothing.long()) * finite.unsqueeze(-1),
    }
    also = torch.cat([following[:, None], *(ids.expand(len(a), -1) for ids in targets)], dim=1)
    return out | _trajectories(a, log_sum, top_ids, also, finite)


def rank(
    a: Float[Tensor, "p rows vocabulary"], logit: Float[Tensor, "p rows 1"], b: Float[Tensor, "p rows vocabulary"]
) -> Int[Tensor, "p rows"]:
    """The place of a logit among all of its row; 1 is the first. `b` is scratch."""
    if a.is_cuda:
        return (a > logit).sum(-1) + 1
    # on a processor a boolean sum costs ten times this: the comparison is written as floats, and floats add fast
    return torch.gt(a, logit, out=b).sum(-1).long() + 1


def largest(a: Float[Tensor, "p rows vocabulary"], k: int) -> tuple[Tensor, Tensor]:
    """The k largest entries of every row and where they are, as `topk` finds them in a fourth of its time.

    The k largest lie within the k groups whose largest entries are the largest, so only those are sorted.
    """
    size = 128
    groups = a.shape[-1] // size
    if groups < 4 * k:
        return a.topk(k, dim=-1)
    grouped = a[..., : groups * size].view(*a.shape[:-1], groups, size)
    best = grouped.amax(-1).topk(k, dim=-1).indices
    few = grouped.gather(-2, best.unsqueeze(-1).expand(*best.shape, size)).flatten(-2)
    rest = a[..., groups * size :]
    values, places = torch.cat([few, rest], dim=-1).topk(k, dim=-1)
    in_group = best.gather(-1, (places // size).clamp(max=k - 1)) * size + places % size
    return values, torch.where(places < k * size, in_group, places - k * size + groups * size)


def _trajectories(
    a: Float[Tensor, "p rows vocabulary"],
    log_sum: Float[Tensor, "p rows"],
    top_ids: Int[Tensor, "p rows k"],
    also: Int[Tensor, "p others"],
    finite: Bool[Tensor, "p rows"],
) -> dict[str, Tensor]:
    """Every candidate of a column, what really follows and what is followed, through all of that column's rows."""
    # in order, and each once: what is there twice becomes -1, so that no column has a size that must be waited for
    ids = torch.cat([top_ids.masked_fill(~finite.unsqueeze(-1), -1).flatten(1), also], dim=1).sort(dim=1).values
    ids[:, 1:].masked_fill_(ids[:, 1:] == ids[:, :-1], -1)
    values = a.gather(-1, ids.clamp(min=0).unsqueeze(1).expand(-1, a.shape[1], -1))
    bits = ((values - log_sum.unsqueeze(-1)) * BITS).masked_fill(~finite.unsqueeze(-1), float("nan"))
    return {"trajectory_ids": ids, "trajectory_log_probability": bits.transpose(1, 2)}


def _add_up(
    totals: Float[Tensor, "rows vocabulary"],
    b: Float[Tensor, "p rows vocabulary"],
    mass: Float[Tensor, "p rows 1"],
    counted: Bool[Tensor, "p rows"],
) -> None:
    """Adds distributions `b / mass` to `totals`, where they count."""
    for column, whole, ok in zip(b, mass, counted.unsqueeze(-1)):
        # no figure is waited for: what doesn't count is divided by infinity, and NaN is none of it
        totals.addcdiv_(column.where(ok, 0.0), whole.where(ok, torch.inf))


def _distances(
    b: Float[Tensor, "p rows vocabulary"],
    mass: Float[Tensor, "p rows 1"],
    output: Float[Tensor, "p vocabulary"],
    wanted: Mapping[str, bool],
) -> dict[str, Tensor]:
    """Jensen–Shannon divergence (bits) and total variation from the output, of distributions `b / mass`."""
    if not any(wanted.values()):
        return {}
    p, q = b / mass, output.unsqueeze(1)
    out = {}
    if wanted["total_variation"]:
        out["total_variation"] = (p - q).abs_().sum(-1) / 2
    if wanted["jensen_shannon"]:
        # Σ x log x is 0 where x is: xlogy knows that
        middle, row, last = (-torch.xlogy(x, x).sum(-1) for x in ((p + q) / 2, p, q))
        out["jensen_shannon"] = ((middle - (row + last) / 2) * BITS).clamp(0.0, 1.0)
    return out


def end_to_end(parts: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """What was read of some columns after what was read of others."""
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def without_gaps(columns: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What was read of some columns, each with as many trajectories as it has, and their number, "sizes"."""
    wanted = columns["trajectory_ids"] >= 0
    packed = {name: value[wanted] for name, value in columns.items() if name.startswith("trajectory")}
    return {**columns, **packed, "sizes": wanted.sum(-1)}
