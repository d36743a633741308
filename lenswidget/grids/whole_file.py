"""Files that are whole or not there: written beside their place, then moved into it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any


def write_whole(path: str | os.PathLike[str], write: Callable[[IO[bytes]], Any]) -> Path:
    """Call `write` with a binary stream and put what it wrote at `path`; an older file stays whole if it fails.

    Raises OSError, naming the path, where the folder is missing or can't be written, or the disk is full.
    """
    path = Path(path)
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as reason:
        raise _unwritable(path, reason) from reason
    try:
        with os.fdopen(handle, "wb") as stream:
            write(stream)
        # mkstemp makes files private; a page or a Grid is as readable as any other file of its writer
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except OSError as reason:
        raise _unwritable(path, reason) from reason
    finally:
        Path(temporary).unlink(missing_ok=True)
    return path


def write_whole_folder(path: str | os.PathLike[str], write: Callable[[Path], Any], *, files: tuple[str, ...]) -> Path:
    """Call `write` with an empty folder, to hold `files`, and put it at `path`; an older one stays whole if it fails.

    Raises OSError where `path` can't be written, and ValueError where it holds anything besides `files`.
    """
    path = Path(path)
    others = sorted(set(os.listdir(path)) - set(files)) if path.is_dir() else []
    if others:
        raise ValueError(
            f"{os.fspath(path)!r} holds other files, {others[0]!r} among them. Name a folder that is new or empty."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    except OSError as reason:
        raise _unwritable(path, reason) from reason
    try:
        new, old = scratch / "new", scratch / "old"
        new.mkdir()
        write(new)
        try:
            if path.exists():
                os.rename(path, old)
            os.rename(new, path)
        except BaseException:
            if old.exists() and not path.exists():
                os.rename(old, path)
            raise
    except OSError as reason:
        raise _unwritable(path, reason) from reason
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return path


def _unwritable(path: Path, reason: OSError) -> OSError:
    why = reason.strerror or str(reason)
    return type(reason)(
        f"Can't write {os.fspath(path)!r}: {why}. Choose a folder that exists, that you may write to and that has room."
    )
