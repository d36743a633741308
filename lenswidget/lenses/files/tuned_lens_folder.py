"""The folder by which lenses are exchanged with the tuned-lens library: `config.json` and `params.pt`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from lenswidget.grids.whole_file import write_whole_folder
from lenswidget.lenses.files.card import Card
from lenswidget.lenses.files.torch_file import reading

CONFIG, PARAMS = "config.json", "params.pt"
KIND = "linear_tuned_lens"
SPACE = "AlignmentResearch/tuned-lens"
"""Where the authors of the tuned lens publish theirs: a space on the Hugging Face Hub, `lens/<model>/` in it."""


def read_tuned_lens_folder(
    folder: str | os.PathLike[str],
) -> tuple[Float[Tensor, "L d d"], Float[Tensor, "L d"], Card]:
    """Weight, bias and card of the lens in a folder of the tuned-lens library, which may have no bias.

    `params.pt` is read with `weights_only`.

    Raises ValueError, with the reason, where a file holds something else: code, too few layers, other shapes.
    """
    folder = Path(folder)
    try:
        config = json.loads((folder / CONFIG).read_text())
        layers, d = int(config["num_hidden_layers"]), int(config["d_model"])
        model, has_bias = str(config["base_model_name_or_path"]), bool(config.get("bias", True))
        kind = config.get("lens_type", KIND)
    except (ValueError, TypeError, KeyError) as reason:
        raise ValueError(f"{str(folder / CONFIG)!r} doesn't describe a tuned lens: {reason!r}.") from reason
    if kind != KIND:
        raise ValueError(f"{str(folder)!r} holds a lens of the type {kind!r}; lenswidget reads {KIND!r}.")
    state = _read_params(folder / PARAMS)
    shapes: dict[str, tuple[int, ...]] = {f"{row}.weight": (d, d) for row in range(layers)}
    if has_bias:
        shapes |= {f"{row}.bias": (d,) for row in range(layers)}
    _require_shapes(state, shapes, folder / PARAMS)
    weight = torch.stack([state[f"{row}.weight"].float() for row in range(layers)])
    bias = torch.stack([state[f"{row}.bias"].float() for row in range(layers)]) if has_bias else torch.zeros(layers, d)
    if not (weight.isfinite().all() and bias.isfinite().all()):
        raise ValueError(f"{str(folder / PARAMS)!r} holds values that are not finite; fit the lens again.")
    card = Card(
        model=model,
        data="text that its folder does not name",
        tokens=0,
        revision=config.get("base_model_revision") or "",
        unembedding=config.get("unembed_hash") or "",
    )
    return weight, bias, card


def write_tuned_lens_folder(
    folder: str | os.PathLike[str], card: Card, weight: Float[Tensor, "L d d"], bias: Float[Tensor, "L d"]
) -> Path:
    """Write a lens as the tuned-lens library does, always with a bias: that library can't load a lens without one.

    The two files come together or not at all; an older lens stays whole if that fails.
    """
    layers, d = bias.shape
    config = {
        "base_model_name_or_path": card.model,
        "d_model": d,
        "num_hidden_layers": layers,
        "bias": True,
        "base_model_revision": card.revision or None,
        "unembed_hash": card.unembedding or None,
        "lens_type": KIND,
    }
    state: dict[str, Tensor] = {}
    for row, (matrix, shift) in enumerate(zip(weight, bias)):
        # a copy, since a view would be written with all that it is a view of
        state |= {f"{row}.weight": matrix.detach().cpu().clone(), f"{row}.bias": shift.detach().cpu().clone()}

    def write(place: Path) -> None:
        with (place / PARAMS).open("wb") as stream:
            torch.save(state, stream)
        (place / CONFIG).write_text(json.dumps(config))

    return write_whole_folder(folder, write, files=(CONFIG, PARAMS))


def is_tuned_lens_folder(path: Path) -> bool:
    return (path / CONFIG).is_file() and (path / PARAMS).is_file()


def fetch_tuned_lens_folder(name: str, revision: str | None = None) -> Path:
    """A lens that the authors of the tuned lens published, by its model's name, as a folder in the Hub's cache.

    Raises ValueError, naming what is there, for a model that has none, and OSError where the Hub can't be reached.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError

    try:
        files = [
            Path(hf_hub_download(SPACE, file, repo_type="space", subfolder=f"lens/{name}", revision=revision))
            for file in (PARAMS, CONFIG)
        ]
    except LocalEntryNotFoundError as reason:
        raise OSError(
            f"There is no file or folder {name!r} here, and the Hub, which may have a tuned lens of that name in {SPACE}, can't "
            "be reached. Call lw.load_lens(name) once with a network, or pass the path of a lens."
        ) from reason
    except EntryNotFoundError as reason:
        raise ValueError(
            f"There is no file or folder {name!r} here, and no tuned lens of that name in {SPACE}. That space has: "
            f"{', '.join(published_lenses(revision))}."
        ) from reason
    except (HfHubHTTPError, ConnectionError) as reason:
        raise OSError(f"The tuned lens {name!r} could not be fetched from {SPACE}: {reason}") from reason
    return files[0].parent


def published_lenses(revision: str | None = None) -> list[str]:
    """The models that have a lens in the Hub's space of the tuned lens."""
    from huggingface_hub import HfApi

    files = HfApi().list_repo_files(SPACE, repo_type="space", revision=revision)
    return sorted(
        file[len("lens/") : -len(f"/{PARAMS}")]
        for file in files
        if file.startswith("lens/") and file.endswith(f"/{PARAMS}")
    )


def _read_params(path: Path) -> dict[str, Any]:
    with reading(path):
        state = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(state, dict) or not all(isinstance(part, Tensor) for part in state.values()):
        raise ValueError(f"{str(path)!r} holds {type(state).__name__}; a tuned lens is a dictionary of tensors.")
    return state


def _require_shapes(state: dict[str, Tensor], shapes: dict[str, tuple[int, ...]], path: Path) -> None:
    missing, more = sorted(shapes.keys() - state.keys()), sorted(state.keys() - shapes.keys())
    if missing or more:
        said = [f"lacks {missing[0]!r}{_and_more(missing)}"] if missing else []
        said += [f"has {more[0]!r}{_and_more(more)} besides"] if more else []
        raise ValueError(f"{str(path)!r} doesn't match its {CONFIG}: it {' and '.join(said)}.")
    for name, shape in shapes.items():
        if tuple(state[name].shape) != shape:
            raise ValueError(
                f"{str(path)!r} doesn't match its {CONFIG}: {name!r} is {list(state[name].shape)}, expected {list(shape)}."
            )


def _and_more(names: list[str]) -> str:
    return f" and {len(names) - 1} more" if len(names) > 1 else ""
