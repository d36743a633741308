"""What is done where a model lies that is too large to lie here: rows in, what they say out, and no logits.

These functions are sent as text, with those of `columns.py` that they call, to a process that has torch and nothing of ours.
So they use torch alone, and what Python builds in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.model import columns
from lenswidget.model.columns import capped, end_to_end, how_far_off, normed, read_columns, unembedded, without_gaps

LOGITS_THERE = 2**29
"""Bytes of logits at a time."""
SAMPLED = 1024
"""Entries of the unembedding that come back, by which the model is known again."""


def read_there(
    stream: Sequence[Tensor], output: Any, norm: Any, head: Any, how: Mapping[str, Any], asked: Mapping[str, Any]
) -> dict[str, Tensor]:
    """What the rows of a pass say, and whether the last of them is the model. `stream` is what entered the first block and what
    left each, `output` what the model returned."""
    with torch.no_grad():
        rows = rows_of(stream, asked["count"])
        found = said(rows[:, asked["at"].to(rows.device)], norm, head, how, asked)
        logits = output.logits if hasattr(output, "logits") else output[0]
        logits = logits.reshape(rows.shape[1], -1)
        gain, bias, W_U, b_U = weights(norm, head, how)
        if logits.shape[-1] != W_U.shape[1]:
            raise ValueError(
                f"The model returned {logits.shape[-1]} logits a position and its unembedding has {W_U.shape[1]}: its readout "
                "is not norm → unembedding."
            )
        finite = rows[-1].isfinite().all(-1).to(W_U.device) & logits.isfinite().all(-1).to(W_U.device)
        where = finite.nonzero().squeeze(-1)
        x = normed(rows[-1].to(W_U.device, torch.float32)[where], gain, bias, how["eps"], how["centered"])
        theirs = logits.to(W_U.device)[where]
        nothing = torch.full((2,), float("nan"))
        places = torch.linspace(0, W_U.numel() - 1, SAMPLED, dtype=torch.float64).long().to(W_U.device)
        found["off"] = how_far_off(x, theirs, W_U, b_U, how["scale"], how["cap"]) if len(where) else nothing
        found["unembedding"] = W_U[places % W_U.shape[0], places // W_U.shape[0]].float()
        for name, vector in (("gain", gain), ("norm bias", bias)):
            if vector is not None:
                found[name] = vector
        found["ill"] = (~rows.isfinite().all(-1)).sum()
        # their dtypes are all that is of interest
        found["row dtype"], found["weight dtype"] = rows.new_empty(0), W_U.new_empty(0)
        found["logit dtype"] = logits.new_empty(0)
        return {name: value.cpu() for name, value in found.items()}


def fetched_there(
    stream: Sequence[Tensor], output: Any, norm: Any, head: Any, how: Mapping[str, Any], asked: Mapping[str, Any]
) -> dict[str, Tensor]:
    """The rows of a pass, `[rows, positions, d]`, as they are."""
    with torch.no_grad():
        return {"rows": rows_of(stream, asked["count"]).cpu()}


def columns_there(
    ids: Int[Tensor, "n"], norm: Any, head: Any, how: Mapping[str, Any], asked: Mapping[str, Any]
) -> dict[str, Tensor]:
    """Some columns of the unembedding, `[d, n]`, and their biases."""
    with torch.no_grad():
        _, _, W_U, b_U = weights(norm, head, how)
        found = W_U[:, ids.to(W_U.device)].float()
        biases = found.new_zeros(len(ids)) if b_U is None else b_U[ids.to(b_U.device)]
        return {"columns": found.cpu(), "biases": biases.cpu()}


def said_there(
    rows: Float[Tensor, "rows p d"], norm: Any, head: Any, how: Mapping[str, Any], asked: Mapping[str, Any]
) -> dict[str, Tensor]:
    """What some rows say that were sent."""
    with torch.no_grad():
        return {name: value.cpu() for name, value in said(rows, norm, head, how, asked).items()}


def said(
    rows: Float[Tensor, "rows p d"], norm: Any, head: Any, how: Mapping[str, Any], asked: Mapping[str, Any]
) -> dict[str, Tensor]:
    """What some rows say, a few whole columns at a time."""
    gain, bias, W_U, b_U = weights(norm, head, how)
    device, vocabulary = W_U.device, W_U.shape[1]
    following = asked["following"].to(device)
    targets = [ids.to(device) for ids in asked["targets"]]
    step = max(1, LOGITS_THERE // (4 * len(rows) * vocabulary))
    parts = []
    for start in range(0, rows.shape[1], step):
        x = rows[:, start : start + step].transpose(0, 1).to(device, torch.float32).contiguous()
        flat = normed(x, gain, bias, how["eps"], how["centered"]).flatten(0, 1)
        logits = unembedded(flat, W_U, b_U, torch.empty(len(flat), vocabulary, device=device), 2**14)
        a = capped(logits, how["scale"], how["cap"]).view(len(x), len(rows), vocabulary)
        finite = x.isfinite().all(-1) & a[:, :, 0].isfinite()
        after = following[start : start + step]
        parts.append(read_columns(a, torch.empty_like(a), finite, after, asked["k"], targets, asked["extra"], None))
    found = without_gaps(end_to_end(parts))
    return {name: value.int() if value.dtype == torch.int64 else value for name, value in found.items()}


def weights(norm: Any, head: Any, how: Mapping[str, Any]) -> tuple[Any, Any, Any, Any]:
    """The final norm's gain and bias, the unembedding and its bias."""
    W_U = head.weight.detach().T
    gain, bias, b_U = (
        None if vector is None else vector.detach().to(W_U.device, torch.float32)
        for vector in (getattr(norm, "weight", None), getattr(norm, "bias", None), getattr(head, "bias", None))
    )
    return None if gain is None else gain + how["offset"], bias, W_U, b_U


def kept(value: Any) -> Tensor:
    """The row that a block was given, `(arguments, named arguments)`, or handed on; a copy, as some models add to it later."""
    if isinstance(value, tuple) and isinstance(value[0], tuple):
        given, named = value
        tensors = [one for one in given if hasattr(one, "ndim")]
        tensors += [named["hidden_states"]] if "hidden_states" in named else []
        value = [*tensors, *(one for one in named.values() if hasattr(one, "ndim"))]
    elif isinstance(value, dict):
        value = next(iter(value.values()))
    row: Tensor = value[0] if isinstance(value, (tuple, list)) else value
    return row.detach().clone()


def rows_of(stream: Sequence[Tensor], count: int) -> Float[Tensor, "rows positions d"]:
    """The rows of the stream as one tensor; some models flatten prompts and positions."""
    return torch.stack([row.reshape(count, -1).to(stream[-1].device) for row in stream])


def sent(function: str) -> Any:
    """One of these functions as it is sent: made anew from its text, of no module that its receiver would look for."""
    space: dict[str, Any] = {"__name__": "sent_by_lenswidget"}
    for file in (Path(__file__), Path(columns.__file__)):  # what both know is then what was made anew
        exec(compile(file.read_text("utf-8"), str(file), "exec"), space)
    return space[function]
