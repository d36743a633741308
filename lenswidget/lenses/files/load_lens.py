"""load_lens(): a fitted lens by its path or its name, whoever wrote it."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

from lenswidget.lenses.files.lens_file import read_lens
from lenswidget.lenses.files.tuned_lens_folder import (
    CONFIG,
    PARAMS,
    fetch_tuned_folder,
    is_tuned_folder,
    read_tuned_folder,
)
from lenswidget.lenses.fitted import FittedLens
from lenswidget.model.embedded import EMBEDDED

SHIPPED = Path(__file__).parents[2] / "data" / f"{EMBEDDED}.safetensors"
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
        return read_lens(SHIPPED)
    path = Path(name).expanduser()
    if path.is_dir():
        if not is_tuned_folder(path):
            raise ValueError(
                f"{name!r} is a folder without a lens: a folder of the tuned-lens library has {CONFIG} and {PARAMS} in it."
            )
        return read_tuned_folder(path)
    if path.is_file():
        named = path.name in (CONFIG, PARAMS) and is_tuned_folder(path.parent)
        return read_tuned_folder(path.parent) if named else _read_file(path)
    if path.suffix in (".safetensors", ".pt") or path.is_absolute() or name.startswith((".", "~")):
        raise FileNotFoundError(f"There is no lens at {name!r}: no such file or folder.")
    return read_tuned_folder(fetch_tuned_folder(name, revision))


def _read_file(path: Path) -> FittedLens:
    # what torch writes is a zip archive, or in its oldest files a pickle
    if zipfile.is_zipfile(path) or path.suffix == ".pt":
        from lenswidget.lenses.jacobian import JacobianLens

        return JacobianLens.from_file(path)
    return read_lens(path)
