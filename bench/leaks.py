"""What stays behind: 200 runs of one cell again, and 200 openings and closings of a view. `python -m bench.leaks`.

The kernel's memory and the browser's are read after a warm-up, half-way, and at the end, each after its garbage was
collected. A leak grows from the half to the end as it grew before; what is merely warm does not.

First a kernel runs the cell with nobody looking on, named as JupyterLab names it: what stays there is no matter of the
browser. Then JupyterLab runs it, and beside it a cell that shows the smallest widget there is and closes the one before:
JupyterLab 4.6 keeps something of every widget that was closed. IPython's own list of all results, `Out`, is switched off, as
it keeps every Grid.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import start_new_kernel
from playwright.sync_api import Page

from tests.grids import make_grid
from tests.notebook.hosts import Host, browser, serve, watch

WARM = 20
FIRST = """
import ctypes, gc, json, pathlib, resource
import anywidget
import lenswidget as lw
from ipywidgets.widgets.widget import _instances
def measure(_):
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    pages = int(pathlib.Path('/proc/self/statm').read_text().split()[1])
    pathlib.Path('memory.json').write_text(json.dumps([pages * resource.getpagesize() / 2**20, len(_instances)]))
get_ipython().events.register('post_run_cell', measure)
get_ipython().displayhook.do_full_cache = False
class Smallest(anywidget.AnyWidget):
    _esm = "export default { render({ el }) { el.innerHTML = '<p class=lenswidget data-state=ready>small' } }"
before = None
"""
CELLS = {
    "a grid of 31 × 16": "lw.Grid.load('grid.npz')",
    "the smallest widget": "if before: before.layout.close(), before.close()\nbefore = Smallest()\nbefore",
}
READY = "[data-state=ready]"
Reading = dict[str, float]


def main(times: int = 200) -> None:
    ours = next(iter(CELLS.values()))
    with tempfile.TemporaryDirectory() as folder:
        make_grid(31, 16).save(Path(folder) / "grid.npz")
        manager, client = start_new_kernel(cwd=folder)
        execute(client, FIRST, "first")
        print(f"running a cell again, {times} times, in a kernel")
        report(times, lambda: execute(client, ours, "second"), lambda: kernel(Path(folder)))
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    with tempfile.TemporaryDirectory() as folder, serve("lab", Path(folder)) as host:
        make_grid(31, 16).save(host.folder / "grid.npz")
        for what, cell in CELLS.items():
            print(f"the same in JupyterLab, {what}")
            in_lab(host, cell, times)
    with tempfile.TemporaryDirectory() as folder, browser() as chromium:
        page = chromium.new_page(viewport={"width": 1440, "height": 1000})
        path = make_grid(31, 16).to_html(Path(folder) / "page.html")
        page.goto(path.as_uri())
        page.wait_for_selector(READY)
        data = path.read_text().split('data-lens="')[1].split('"')[0]
        page.evaluate("data => window.message = Uint8Array.from(atob(data), c => c.charCodeAt(0))", data)
        print(f"opening and closing a view, {times} times, in a page")
        report(times, lambda: open_and_close(page), lambda: heap(page))


def in_lab(host: Host, cell: str, times: int) -> None:
    with browser() as chromium:
        page = watch(chromium.new_context(viewport={"width": 1440, "height": 1000})).page
        host.open(page, [FIRST, cell])
        page.wait_for_selector(READY)
        report(times, lambda: run_again(page), lambda: heap(page) | kernel(host.folder))


def report(times: int, act: Callable[[], object], read: Callable[[], Reading]) -> None:
    start, first = time.monotonic(), {}
    for done in range(WARM + times + 1):
        if done in (WARM, WARM + times // 2, WARM + times):
            now = read()
            first = first or now
            told = ", ".join(f"{what} {now[what]:.1f} ({now[what] / first[what] - 1:+.1%})" for what in now)
            print(f"  after {done - WARM:4} runs and {time.monotonic() - start:4.0f} s   {told}", flush=True)
        if done < WARM + times:
            act()


def execute(client: BlockingKernelClient, code: str, cell: str) -> None:
    """Run a cell as a front-end does that says which one it is."""
    content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
    message = client.session.msg("execute_request", content, metadata={"cellId": cell})
    client.shell_channel.send(message)
    while client.get_shell_msg(timeout=600)["parent_header"].get("msg_id") != message["header"]["msg_id"]:
        pass
    while client.iopub_channel.msg_ready():
        client.get_iopub_msg(timeout=1)


def run_again(page: Page) -> None:
    page.evaluate(
        """async () => {
            const panel = window.jupyterapp.shell.currentWidget, before = document.querySelector('.lenswidget');
            panel.content.activeCellIndex = 1;
            await window.jupyterapp.commands.execute('notebook:run-cell');
            while (document.querySelector('.lenswidget') === before || !document.querySelector('[data-state=ready]'))
                await new Promise(done => setTimeout(done, 20));
        }"""
    )


def open_and_close(page: Page) -> None:
    page.evaluate(
        """async () => {
            const el = document.body.appendChild(document.createElement('div'));
            const close = lenswidget.mount(el, window.message);
            while (!el.querySelector('[data-state=ready]')) await new Promise(requestAnimationFrame);
            close();
            el.remove();
        }"""
    )


def kernel(folder: Path) -> Reading:
    memory, widgets = json.loads((folder / "memory.json").read_text())
    return {"MB in the kernel": memory, "widgets": widgets}


def heap(page: Page) -> Reading:
    """What scripts keep, apart from their own machine code, which the browser writes and rewrites as they run."""
    session = page.context.new_cdp_session(page)
    chunks: list[str] = []
    session.on("HeapProfiler.addHeapSnapshotChunk", lambda event: chunks.append(event["chunk"]))
    session.send("HeapProfiler.collectGarbage")
    session.send("HeapProfiler.collectGarbage")
    session.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
    counts = session.send("Memory.getDOMCounters")
    session.detach()
    snapshot = json.loads("".join(chunks))
    meta = snapshot["snapshot"]["meta"]
    nodes = np.array(snapshot["nodes"]).reshape(-1, len(meta["node_fields"]))
    kinds = nodes[:, meta["node_fields"].index("type")]
    sizes = np.bincount(kinds, nodes[:, meta["node_fields"].index("self_size")]) / 2**20
    named = dict(zip(meta["node_types"][0], sizes, strict=False))
    code = named.pop("code")
    del named["native"]  # the browser's own, such as its log of slow frames
    kept = {"MB of objects in the browser": sum(named.values()), "MB of machine code": code}
    return kept | {"nodes": counts["nodes"], "listeners": counts["jsEventListeners"]}


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
