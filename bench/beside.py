"""Beside the field: one grid of 32 rows × 128 columns here, in a Plotly heatmap, and in a DOM table.

The heatmap is drawn as tuned-lens draws it, text in the cells and text on hover; the table as logitlenskit draws it, an element
a cell with listeners of its own, from JSON with every candidate and trajectory. `pip install lenswidget[bench]` brings Plotly.

Each is a page of one file. "painted" is from opening it to the first picture, script and all; "hover" from a pointer
move to the paint of a text that is another; "notebook" what a saved notebook holds for it to be alive without a
kernel, and Plotly's without its script, which one notebook holds once.
"""

from __future__ import annotations

import html
import json
import tempfile
from pathlib import Path
from typing import Any

import ipywidgets.embed
import numpy as np
import plotly.graph_objects as go
from playwright.sync_api import Browser

from bench.browser import late, middle
from lenswidget.grids.grid import Grid
from tests.grids import make_grid
from tests.notebook.hosts import browser

OPENED, MOVES = 5, 40
OURS, PLOTLY, TABLE = "lenswidget", "Plotly heatmap", "DOM table"
# what is there once it is painted, where the pointer moves, and what says what is under it
PLACES = {
    OURS: ("[data-state=ready]", "[role=application]", ".lw-card"),
    PLOTLY: (".heatmaplayer image", ".nsewdrag", ".hoverlayer"),
    TABLE: ("td", "tbody", "#tip"),
}
PAINTED = """globalThis.frame = () => new Promise(requestAnimationFrame);
globalThis.painted = () => new Promise(done => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = done;
    port2.postMessage(0);
});
globalThis.firstPaint = async ready => {
    while (!document.querySelector(ready)) await frame();
    await frame();
    await painted();
    return performance.now();
};"""
FIRST = "ready => { globalThis.first = firstPaint(ready); }"
# a move begins with a frame, at whose start a browser hands it over, and is sent under all the names that pages listen to
HOVER = """async ([place, said, n]) => {
    const box = document.querySelector(place).getBoundingClientRect(), text = () => document.querySelector(said)?.textContent;
    const width = Math.min(box.width, innerWidth - box.x), height = Math.min(box.height, innerHeight - box.y);
    const times = [];
    let last;
    for (let i = 0; i < n; i++) {
        const clientX = box.x + 30 + (i * 97) % (width - 60), clientY = box.y + 20 + (i * 61) % (height - 40);
        const target = document.elementFromPoint(clientX, clientY), before = text();
        const where = { clientX, clientY, relatedTarget: last, view: window };
        await frame();
        const start = performance.now();
        for (const type of ["over", "move"])
            for (const [kind, Kind] of [["pointer", PointerEvent], ["mouse", MouseEvent]])
                target.dispatchEvent(new Kind(kind + type, { ...where, bubbles: true }));
        if (target !== last) target.dispatchEvent(new MouseEvent("mouseenter", where));
        last = target;
        await painted();
        while (text() === before && performance.now() - start < 1000) {
            await frame();
            await painted();
        }
        times.push(performance.now() - start);
        // until all are at rest: Plotly answers at most every 50 ms, and our chart follows after 60
        await new Promise(done => setTimeout(done, 120));
    }
    return times;
}"""
TABLE_PAGE = """<!doctype html><meta charset="utf-8"><style>
table {{ border-spacing: 0 }}
td {{ width: 52px; max-width: 52px; height: 20px; overflow: hidden; white-space: nowrap; font: 11px monospace; cursor: pointer }}
#tip {{ position: fixed; background: white; border: 1px solid; padding: 6px; display: none; white-space: pre;
    pointer-events: none }}
</style><table><tbody></tbody></table><div id="tip"></div><script>
const data = {data}, tip = document.getElementById("tip"), body = document.querySelector("tbody");
data.cells.forEach((line, row) => {{
    const tr = document.createElement("tr");
    line.forEach((candidates, column) => {{
        const td = document.createElement("td");
        td.textContent = candidates[0].token;
        td.style.background = `rgba(30, 100, 220, ${{candidates[0].p}})`;
        td.addEventListener("mouseenter", event => {{
            tip.textContent = `${{data.rows[row]}}, ${{data.columns[column]}}\\n`
                + candidates.map(({{ token, p }}) => `${{token}} ${{(100 * p).toFixed(1)}} %`).join("\\n");
            tip.style.display = "block";
            tip.style.left = event.clientX + 12 + "px";
            tip.style.top = event.clientY + 12 + "px";
        }});
        td.addEventListener("mouseleave", () => tip.style.display = "none");
        td.addEventListener("click", () => td.classList.toggle("pinned"));
        tr.append(td);
    }});
    body.append(tr);
}});
</script>"""


def main() -> None:
    grid = make_grid(32, 128, k=5, vocabulary=40)
    with browser() as chromium, tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        table = _table(grid)
        figure = _heatmap(grid)
        pages = {OURS: grid.to_html(folder / "ours.html"), PLOTLY: folder / "plotly.html", TABLE: folder / "table.html"}
        figure.write_html(pages[PLOTLY], include_plotlyjs=True)
        pages[TABLE].write_text(table)
        weights = {OURS: _notebook_of(grid), PLOTLY: len(figure.to_json()), TABLE: len(json.dumps(table))}
        first: dict[str, list[float]] = {name: [] for name in pages}
        hover: dict[str, list[float]] = {name: [] for name in pages}
        for _ in range(OPENED):  # in turn, so that what else the machine does falls on all of them
            for name, path in pages.items():
                painted, moved = _visit(chromium, path, name)
                first[name].append(painted)
                hover[name] += moved
    print(f"32 × 128, opened {OPENED} times, {OPENED * MOVES} moves")
    for name in pages:
        print(
            f"  {name:15} painted {middle(first[name]):6.0f} ms ({middle(first[name]) / middle(first[OURS]):4.1f} ×)   "
            f"hover {middle(hover[name]):5.1f} ms ({middle(hover[name]) / middle(hover[OURS]):4.1f} ×), "
            f"p95 {late(hover[name]):5.1f}   notebook {weights[name] / 1000:6.0f} kB "
            f"({weights[name] / weights[OURS]:4.1f} ×)"
        )


def _visit(chromium: Browser, path: Path, name: str) -> tuple[float, list[float]]:
    """Milliseconds to the first picture, and from each move to its paint."""
    ready, place, said = PLACES[name]
    page = chromium.new_page(viewport={"width": 1440, "height": 900})
    page.add_init_script(f"{PAINTED}\n({FIRST})({json.dumps(ready)})")
    page.goto(path.as_uri())
    painted = page.evaluate("first")
    times = page.evaluate(HOVER, [place, said, MOVES])
    assert page.locator(said).first.text_content(), f"nothing was said on hover in the {name}"
    page.close()
    return painted, times


def _heatmap(grid: Grid) -> go.Figure:
    leaders = _words(grid)
    return go.Figure(
        go.Heatmap(
            z=grid.quantities["probability"].values,
            x=[f"{i} {grid.text(token)}" for i, token in enumerate(grid.columns)],
            y=grid.rows,
            text=leaders[..., 0],
            texttemplate="%{text}",
            customdata=[["<br>".join(map(html.escape, cell)) for cell in line] for line in _said(grid)],
            hovertemplate="%{y}, %{x}<br>%{customdata}<extra></extra>",
            colorscale="blues",
        )
    )


def _said(grid: Grid) -> list[list[list[str]]]:
    assert grid.candidates is not None
    words, p = _words(grid), np.exp2(grid.candidates.log_probability)
    rows, columns = grid.shape
    return [
        [[f"{word} {100 * share:.1f} %" for word, share in zip(words[r, c], p[r, c])] for c in range(columns)]
        for r in range(rows)
    ]


def _words(grid: Grid) -> np.ndarray:
    assert grid.candidates is not None
    return np.vectorize(grid.text)(grid.candidates.ids)


def _table(grid: Grid) -> str:
    assert grid.candidates is not None and grid.trajectories is not None
    words, p = _words(grid), np.exp2(grid.candidates.log_probability).round(5)
    paths = np.exp2(grid.trajectories.log_probability).round(5)
    spans = [grid.trajectories.of(c) for c in range(grid.shape[1])]
    data: dict[str, Any] = {
        "rows": grid.rows,
        "columns": [grid.text(token) for token in grid.columns],
        "cells": [
            [[{"token": w, "p": float(q)} for w, q in zip(*cell)] for cell in zip(*line)] for line in zip(words, p)
        ],
        "trajectories": [
            {grid.text(i): [float(f"{q:.5g}") for q in paths[s][j]] for j, i in enumerate(grid.trajectories.ids[s])}
            for s in spans
        ],
    }
    return TABLE_PAGE.format(data=json.dumps(data))


def _notebook_of(grid: Grid) -> int:
    """The outputs of its cell, its still picture among them, and the state of its widgets, the script among them."""
    widget = grid.widget()
    outputs, _ = widget._repr_mimebundle_()
    state = ipywidgets.embed.dependency_state(widget)
    return len(json.dumps(outputs)) + len(json.dumps(state))


if __name__ == "__main__":
    main()
