"""What is written is whole or not there, whichever way it is written and however the disk fails."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest

import lenswidget as lw
from lenswidget.grids.grid import Grid
from lenswidget.lessons.notebook_pages import build
from tests.grids import make_grid

resource = pytest.importorskip("resource", reason="Windows lets no process limit the size of its files")


@contextmanager
def full() -> Iterator[None]:
    """A disk that holds a few hundred bytes of each file, and no more."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    heard = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, heard)


def lesson(grid: Grid, path: Path) -> Path:
    """A page of the notebook that stands ready under the Grid's title."""
    return build([path.parents[1] / grid.title / f"{path.stem}.ipynb"], path.parent)[0]


WRITERS: dict[str, Callable[[Grid, Path], Path]] = {
    "html": lambda grid, path: grid.to_html(path),
    "fragment.html": lambda grid, path: grid.to_html(path, fragment=True),
    "svg": lambda grid, path: grid.to_svg(path),
    "png": lambda grid, path: grid.to_png(path),
    "pdf": lambda grid, path: grid.to_pdf(path),
    "npz": lambda grid, path: grid.save(path),
    "both.npz": lambda grid, path: lw.compare(grid, make_grid(seed=3)).save(path),
    "both.pdf": lambda grid, path: lw.compare(grid, make_grid(seed=3)).to_pdf(path),
    "lesson.html": lesson,
}


@pytest.mark.parametrize("kind", WRITERS)
def test_a_disk_that_fills_leaves_the_older_file_and_a_sentence(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    for title in ("older", "newer"):
        (tmp_path / title).mkdir()
        cells = [nbformat.v4.new_markdown_cell(title * 99)]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / title / "grid.lesson.ipynb")
    path = WRITERS[kind](make_grid(title="older"), folder / f"grid.{kind}")
    older, there = path.read_bytes(), set(os.listdir(folder))
    with full(), pytest.raises(OSError, match=r"^Can't write .*grid.*: File too large. Choose a folder .* has room"):
        WRITERS[kind](make_grid(title="newer", seed=1), path)
    assert path.read_bytes() == older and set(os.listdir(folder)) == there
    WRITERS[kind](make_grid(title="newer", seed=1), path)
    assert path.read_bytes() != older
