"""One wheel, fetched and unpacked by whichever installer is there, as its user has set it up, and installed nowhere."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

from tqdm.auto import tqdm

AS_PIP = {"PIP_INDEX_URL": "UV_DEFAULT_INDEX", "PIP_EXTRA_INDEX_URL": "UV_INDEX", "PIP_FIND_LINKS": "UV_FIND_LINKS"}
"""What tells uv the same as pip. Where uv is told nothing itself, it goes where pip would."""


def fetch_wheel(package: str, folder: Path, *, size: int, title: str) -> None:
    """Unpack the wheel of a package, as in `"name==1.0"`, into an empty folder, without the packages that it asks for.

    pip fetches it, or uv, or the pip that Python carries for new environments; where to look is what the user's settings of
    that installer say. A bar shows how much of `size` bytes is there.

    Raises OSError where there is no installer or it fails, with what it said.
    """
    scratch = folder / "fetching"
    (scratch / "temporary").mkdir(parents=True)
    try:
        name, command, settings = _installer(package, folder, scratch)
        said = _run(command, {**os.environ, **settings}, scratch, size=size, title=title)
        if said is not None:
            raise OSError(f"{name} said: {said}")
        for wheel in scratch.glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _installer(package: str, folder: Path, scratch: Path) -> tuple[str, list[str], dict[str, str]]:
    """The name of an installer, its command to fetch a package, and what the environment has besides for that.

    pip leaves a wheel in `scratch`; uv, which keeps none, unpacks it into `folder`.
    """
    temporary = str(scratch / "temporary")
    uv = shutil.which("uv")
    if not importlib.util.find_spec("pip") and (uv or importlib.util.find_spec("uv")):
        install = ["pip", "install", package, "--no-deps", "--only-binary", ":all:", "--python", sys.executable]
        told = {uvs: os.environ[pips] for pips, uvs in AS_PIP.items() if pips in os.environ and uvs not in os.environ}
        # its cache is where it downloads to; here it is counted, and gone afterwards
        told["UV_CACHE_DIR"] = temporary
        return "uv", [*([uv] if uv else [sys.executable, "-m", "uv"]), *install, "--target", str(folder)], told
    settings = {"PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    settings |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), temporary)
    command = [sys.executable, "-m", "pip", "download", package, "--no-deps", "--only-binary", ":all:"]
    command += ["--dest", str(scratch)]
    if importlib.util.find_spec("pip"):
        return "pip", command, settings
    if importlib.util.find_spec("ensurepip"):
        carried = scratch / "pip"
        ensurepip = [sys.executable, "-m", "ensurepip", "--root", str(carried)]
        made = subprocess.run(ensurepip, capture_output=True, text=True, check=False)
        packages = next((str(path.parents[1]) for path in carried.rglob("pip/__main__.py")), None)
        if packages is None:
            raise OSError(f"ensurepip said: {_last(made.stdout + made.stderr)}")
        return "pip", command, {**settings, "PYTHONPATH": packages}
    raise OSError("there is neither pip nor uv nor ensurepip to fetch it with")


def _run(command: list[str], environment: dict[str, str], scratch: Path, *, size: int, title: str) -> str | None:
    """Run an installer and show how much it has fetched. Returns what it said last, where it failed."""
    log = scratch / "log"
    # installers say nothing to a pipe while they download: the growth of their temporary files is the progress
    with (
        log.open("w") as output,
        subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment) as installer,
        tqdm(total=size, desc=title, unit="B", unit_scale=True) as bar,
    ):
        try:
            while installer.poll() is None:
                time.sleep(0.1)
                bar.update(max(0, min(_bytes_in(scratch), size) - bar.n))
        except BaseException:
            installer.terminate()
            raise
        if installer.returncode == 0:
            bar.update(size - bar.n)
    return None if installer.returncode == 0 else _last(log.read_text(errors="replace"))


def _bytes_in(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):  # which goes on where a folder is gone meanwhile
        for name in names:
            with contextlib.suppress(OSError):  # installers move their files while we count
                total += os.stat(os.path.join(place, name)).st_size
    return total


def _last(said: str) -> str:
    """The end of what an installer said, in one line: pip says what is wrong in one, uv in four."""
    lines = [line.strip(" ×│╰─▶") for line in said.splitlines()]
    return " ".join([line for line in lines if line][-4:])[-400:].rstrip(".") or "nothing"
