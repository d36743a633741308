"""load_lens(): a fitted lens by its path or its name, whoever wrote it."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import torch

from lenswidget.lenses.files.lens_file import read_lens_file
from lenswidget.lenses.files.tuned_lens_folder import (
    CONFIG,
    PARAMS,
    fetch_tuned_lens_folder,
    is_tuned_lens_folder,
    read_tuned_lens_folder,
)
from lenswidget.lenses.fitted import FittedLens
from lenswidget.lenses.jacobian import JacobianLens
from lenswidget.lenses.linear import LinearLens
from lenswidget.lenses.tuned import TunedLens
from lenswidget.model.embedded import EMBEDDED

SHIPPED = Path(__file__).parents[1] / "data" / f"{EMBEDDED}.safetensors"
"""The tuned lens of the embedded model, packed by scripts/pack_lens.py."""


def load_lens(path_or_name: str | os.PathLike[str] = EMBEDDED, *, revision: str | None = None) -> FittedLens:
    """A fitted lens, ready for `lw.read(run, lens)`.

    `path_or_name` is the path of a file that `lens.save` wrote, of a folder of the tuned-lens library, or of a published
    Jacobian lens (`.pt`); `"smollm2-135m"`, the tuned lens of the embedded model, which needs no network; or the name of a
    model that the authors of the tuned lens published one for, as in `load_lens("gpt2")`, fetched once from the Hugging
    Face Hub at `revision`.

    Raises ValueError, with the reason, for a file that holds something else or is damaged, and for a name that is not
    published, naming those that are; OSError for a path that isn't there and where the Hub can't be reached.
    """
    name = os.fspath(path_or_name)
    if name == EMBEDDED:
        return _read_ours(SHIPPED)
    path = Path(name).expanduser()
    if path.is_dir():
        if not is_tuned_lens_folder(path):
            raise ValueError(
                f"{name!r} is a folder without a lens: a folder of the tuned-lens library has {CONFIG} and {PARAMS} in it."
            )
        return _read_folder(path)
    if path.is_file():
        named = path.name in (CONFIG, PARAMS) and is_tuned_lens_folder(path.parent)
        return _read_folder(path.parent) if named else _read_file(path)
    if path.suffix in (".safetensors", ".pt") or path.is_absolute() or name.startswith((".", "~")):
        raise FileNotFoundError(f"There is no lens at {name!r}: no such file or folder.")
    return _read_folder(fetch_tuned_lens_folder(name, revision))


def _read_file(path: Path) -> FittedLens:
    # what torch writes is a zip archive, or in its oldest files a pickle
    if zipfile.is_zipfile(path) or path.suffix == ".pt":
        return JacobianLens.from_file(path)
    return _read_ours(path)


def _read_ours(path: Path) -> FittedLens:
    held = read_lens_file(path)
    return _kind(held.kind, path)(held.weight, held.bias, held.card, held.sample)


def _read_folder(folder: Path) -> TunedLens:
    weight, bias, card = read_tuned_lens_folder(folder)
    return TunedLens(weight, bias, card, torch.zeros(0))


def _kind(name: str, path: Path) -> type[FittedLens]:
    """The class of lens that is called `name`, one of ours or a user's own."""
    found = [FittedLens, TunedLens, LinearLens, JacobianLens]
    for kind in found:
        found += [other for other in kind.__subclasses__() if other not in found]
    for kind in found:
        if kind.__name__ == name:
            return kind
    raise ValueError(
        f"{str(path)!r} holds a {name}, and there is no such lens; import the module that defines it first."
    )
