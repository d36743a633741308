"""What a notebook and a page of ten widgets weigh, and how soon the page has painted them all. `python -m bench.saved`.

Ten widgets of 31 rows × 64 positions of the embedded model, with five candidates a cell and with ten.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

import lenswidget as lw
from bench.readout import TEXT
from lenswidget.picture import png
from lenswidget.wire import encode
from tests.notebook.hosts import browser

COUNT = 10


def main() -> None:
    model = lw.load(device="cpu")
    run = lw.run(model, model.to_tokens(TEXT)[0, :64])
    with browser() as chromium, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for k in (5, 10):
            grid = lw.logit_lens(run, k=k)
            grid.save(folder / "grid.npz")
            cells = ["import lenswidget as lw\ngrid = lw.Grid.load('grid.npz')", *["grid"] * COUNT]
            notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
            NotebookClient(notebook, resources={"metadata": {"path": name}}, kernel_name="python3").execute()
            whole = len(nbformat.writes(notebook))
            state = len(str(notebook.metadata["widgets"]))
            picture = 4 / 3 * len(png(grid)[0])
            print(
                f"{COUNT} widgets of {grid.shape[0]} × {grid.shape[1]}, {k} candidates, {len(encode([grid])):,} B each"
            )
            print(f"  notebook {whole / 1e6:6.2f} MB: state {state / 1e6:.2f}, each picture {picture / 1e6:.3f}")
            path = lw.write_page([grid] * COUNT, folder / "page.html")
            page = chromium.new_page(viewport={"width": 1440, "height": 900})
            start = time.perf_counter()
            page.goto(path.as_uri())
            page.wait_for_function(f"document.querySelectorAll('[data-state=ready]').length === {COUNT}")
            seconds = time.perf_counter() - start
            print(f"  page     {path.stat().st_size / 1e6:6.2f} MB, all painted after {seconds:.2f} s")
            page.close()


if __name__ == "__main__":
    main()
