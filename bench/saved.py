"""What a notebook and a page of ten widgets weigh, and how soon the page has painted them all. `python -m bench.saved`.

Ten widgets of 31 rows × 64 positions of the embedded model, with five candidates a cell and with ten, the usual number.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

from ipywidgets.embed import dependency_state

import lenswidget as lw
from bench.readout import TEXT
from lenswidget.picture import png
from lenswidget.wire import encode
from tests.notebook.hosts import browser

COUNT = 10


def main() -> None:
    model = lw.load(device="cpu")
    run = lw.run(model, model.to_tokens(TEXT)[0, :64])
    with browser() as chromium, tempfile.TemporaryDirectory() as folder:
        for k in (5, 10):
            grid = lw.logit_lens(run, k=k)
            # what nbclient and JupyterLab put into a notebook's metadata
            state = len(json.dumps(dependency_state([grid.widget() for _ in range(COUNT)], drop_defaults=False)))
            picture = 4 / 3 * len(png(grid)[0])
            print(
                f"{COUNT} widgets of {grid.shape[0]} × {grid.shape[1]}, {k} candidates, {len(encode([grid])):,} B each"
            )
            print(f"  state    {state / 1e6:6.2f} MB, and in the outputs {COUNT} pictures of {picture / 1e3:.0f} KB")
            path = lw.write_page([grid] * COUNT, Path(folder) / "page.html")
            page = chromium.new_page(viewport={"width": 1440, "height": 900})
            start = time.perf_counter()
            page.goto(path.as_uri())
            page.wait_for_function(f"document.querySelectorAll('[data-state=ready]').length === {COUNT}")
            seconds = time.perf_counter() - start
            print(f"  page     {path.stat().st_size / 1e6:6.2f} MB, all painted after {seconds:.2f} s")
            page.close()
        part = grid[:, :16]
        print(f"  picture of {part.shape[0]} × {part.shape[1]}: {4 / 3 * len(png(part)[0]) / 1e3:.0f} KB")


if __name__ == "__main__":
    main()
