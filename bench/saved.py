"""What a notebook and a page of ten widgets weigh, and how soon the page has painted them all. `python -m bench.saved`.

Ten widgets of 31 rows × 64 positions of the embedded model, each of another stretch of text, with five candidates a cell and
with ten, the usual number. Beside the time to the last paint stands what the page's own thread computed in it.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

import lenswidget as lw
from bench.readout import TEXT
from lenswidget.grids.grid import Grid
from lenswidget.view.picture.draw import preview_png
from lenswidget.view.wire import encode
from tests.notebook.hosts import browser

COUNT, LENGTH = 10, 64


def main() -> None:
    model = lw.load(device="cpu")
    ids = model.to_tokens(TEXT * COUNT)[0, : COUNT * LENGTH]
    runs = [lw.run(model, stretch) for stretch in ids.reshape(COUNT, LENGTH)]
    for k in (5, 10):
        report([lw.logit_lens(run, k=k) for run in runs], k)


def report(grids: list[Grid], k: int) -> None:
    rows, columns = grids[0].shape
    size = sum(len(encode([grid])) for grid in grids) / COUNT
    print(f"{COUNT} widgets of {rows} × {columns}, {k} candidates, {size:,.0f} B each")
    with browser() as chromium, tempfile.TemporaryDirectory() as folder:
        for i, grid in enumerate(grids):
            grid.save(Path(folder) / f"{i}.lens")
        cells = ["import lenswidget as lw", *(f"lw.Grid.load('{i}.lens')" for i in range(COUNT))]
        notebook = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, cells)))
        NotebookClient(notebook, resources={"metadata": {"path": folder}}).execute()
        state, whole = len(json.dumps(notebook.metadata.widgets)), len(nbformat.writes(notebook))
        pictures = 4 / 3 * sum(len(preview_png(grid)[0]) for grid in grids)
        print(f"  notebook {whole / 1e6:6.2f} MB: state {state / 1e6:.2f}, pictures {pictures / 1e6:.2f}")
        path = lw.write_page(grids, Path(folder) / "page.html")
        page = chromium.new_page(viewport={"width": 1440, "height": 900})
        session = page.context.new_cdp_session(page)
        session.send("Performance.setTimeDomain", {"timeDomain": "threadTicks"})
        session.send("Performance.enable")
        start = time.perf_counter()
        page.goto(path.as_uri())
        page.wait_for_function(f"document.querySelectorAll('[data-state=ready]').length === {COUNT}")
        seconds = time.perf_counter() - start
        figures = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
        print(f"  page     {path.stat().st_size / 1e6:6.2f} MB, all painted after {seconds:.2f} s, ", end="")
        print(f"of which its thread computed {figures['TaskDuration']:.2f} s")
    part = grids[0][:, :16]
    print(f"  picture of {part.shape[0]} × {part.shape[1]}: {4 / 3 * len(preview_png(part)[0]) / 1e3:.0f} KB")


if __name__ == "__main__":
    main()
