"""A fitted lens as one safetensors file: its tensors, and its card in the file's metadata."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from jaxtyping import Float
from torch import Tensor

from lenswidget.grids.whole_file import write_whole
from lenswidget.lenses.files.card import Card
from lenswidget.lenses.files.packing import PACKED, unpack

FORMAT = 1
KEY = "lenswidget"
"""Where the file's metadata holds, as JSON: the format, the kind of lens, its card, and a digest of the tensors."""


@dataclass(frozen=True, eq=False)  # tensors have no one answer to ==
class LensFile:
    """What a file of a lens holds: which kind of lens it is, and what that is made of."""

    kind: str
    """The name of its class."""
    card: Card
    weight: Float[Tensor, "L d d"]
    bias: Float[Tensor, "L d"]
    sample: Float[Tensor, "n"]


def write_lens_file(
    path: str | os.PathLike[str],
    kind: str,
    card: Card,
    weight: Float[Tensor, "L d d"],
    bias: Float[Tensor, "L d"],
    sample: Float[Tensor, "n"],
) -> Path:
    """Write a lens to `path`, whole or not at all, in float32."""
    parts = {"weight": weight, "bias": bias, "sample": sample}
    tensors = {name: part.detach().float().cpu().contiguous() for name, part in parts.items()}
    return write_tensors(tensors, kind, card, path)


def write_tensors(tensors: dict[str, Tensor], kind: str, card: Card, path: str | os.PathLike[str]) -> Path:
    """Write the tensors of a lens, which may be packed, with its kind and card."""
    head = {"format": FORMAT, "kind": kind, "card": asdict(card), "digest": _digest(tensors)}
    try:
        metadata = {KEY: json.dumps(head)}
    except TypeError as reason:
        raise TypeError(
            f"The card's settings can't be written: {reason}. Keep numbers, texts and lists in them."
        ) from None
    content = safetensors.torch.save(tensors, metadata)
    return write_whole(path, lambda stream: stream.write(content))


def read_lens_file(path: str | os.PathLike[str]) -> LensFile:
    """What `write_lens_file` wrote to `path`.

    Raises ValueError, with the reason, for a file that is cut short, that is not a lens, that a newer lenswidget wrote, or
    whose card doesn't match its tensors.
    """
    where = os.fspath(path)
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except safetensors.SafetensorError as reason:
        raise ValueError(
            f"{where!r} is not a safetensors file, or is cut short: {reason}. Save the lens again with lens.save(path)."
        ) from reason
    if KEY not in metadata:
        raise ValueError(
            f"{where!r} is a safetensors file without a lens's card; lw.load_lens reads what lens.save(path) wrote."
        )
    head = _head(metadata[KEY], where)
    if head["digest"] != _digest(tensors):
        raise ValueError(
            f"The card in {where!r} was written for other tensors than the file holds: one of them was changed. Save the lens "
            "again with lens.save(path)."
        )
    try:
        if tensors.keys() >= PACKED:
            tensors["weight"] = unpack(tensors)
        by_style = {str(name): tuple(kl) for name, kl in head["card"].get("kl_by_style", {}).items()}
        card = Card(**{**head["card"], "kl": tuple(head["card"].get("kl", ())), "kl_by_style": by_style})
        weight, bias = _checked(tensors, card)
        return LensFile(str(head["kind"]), card, weight, bias, tensors["sample"].float())
    except (KeyError, TypeError, ValueError) as reason:
        raise ValueError(f"The card in {where!r} doesn't match its tensors: {reason}.") from reason


def _head(text: str, where: str) -> dict[str, Any]:
    try:
        head = json.loads(text)
        written, needed = head["format"], {"kind", "card", "digest"} - head.keys()
    except (ValueError, TypeError, KeyError, AttributeError) as reason:
        raise ValueError(f"The card in {where!r} can't be read: {reason!r}.") from reason
    if written != FORMAT:
        by = head.get("card", {}).get("lenswidget", "another version")
        raise ValueError(
            f"{where!r} is in format {written!r}, written by lenswidget {by}; this one reads format {FORMAT}. Upgrade it with "
            "pip install --upgrade lenswidget."
        )
    if needed:
        raise ValueError(f"The card in {where!r} lacks {', '.join(sorted(needed))}.")
    return dict(head)


def _checked(tensors: dict[str, Tensor], card: Card) -> tuple[Tensor, Tensor]:
    """The weight and bias in float32, or what is wrong with them."""
    weight, bias = tensors["weight"].float(), tensors["bias"].float()
    layers, d = bias.shape
    if weight.shape != (layers, d, d):
        raise ValueError(f"the weight is {list(weight.shape)} where the bias, {[layers, d]}, asks for {[layers, d, d]}")
    for kl in (card.kl, *card.kl_by_style.values()):
        if kl and len(kl) != layers:
            raise ValueError(f"the card has figures for {len(kl)} rows, and the lens moves {layers}")
    if not (weight.isfinite().all() and bias.isfinite().all()):
        raise ValueError("the lens holds values that are not finite")
    return weight, bias


def _digest(tensors: dict[str, Tensor]) -> str:
    """SHA-256 of names, types, shapes and values."""
    digest = hashlib.sha256()
    for name, part in sorted(tensors.items()):
        digest.update(f"{name} {part.dtype} {list(part.shape)}".encode())
        digest.update(part.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
