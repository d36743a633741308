"""What stays behind: 200 runs of one cell again, and 200 openings and closings of a view. `python -m bench.leaks`.

The kernel's memory and the browser's are read after a warm-up, once half-way, and at the end, each after its garbage was
collected. A leak grows from the half to the end as it grew before; what is merely warm does not.

A kernel runs the cell 200 times with nobody looking on, named as JupyterLab names it: what stays there is no matter of the
browser. JupyterLab runs it a fifth as often, as each time takes it half a second.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import start_new_kernel
from playwright.sync_api import Page

from tests.grids import make_grid
from tests.notebook.hosts import browser, serve, watch

WARM = 20
CELL = """
import ctypes, gc, json, pathlib, resource
grid = lw.Grid.load('grid.npz')
gc.collect(); ctypes.CDLL(None).malloc_trim(0)
pages = int(open('/proc/self/statm').read().split()[1])
from ipywidgets.widgets.widget import _instances
pathlib.Path('memory.json').write_text(json.dumps([pages * resource.getpagesize() / 2**20, len(_instances)]))
grid
"""
READY = "[data-state=ready]"


def main(times: int = 200) -> None:
    with tempfile.TemporaryDirectory() as folder:
        make_grid(31, 16).save(Path(folder) / "grid.npz")
        manager, client = start_new_kernel(cwd=folder)
        execute(client, "import lenswidget as lw", "first")
        print(f"running a cell again, {times} times, in a kernel; a grid of 31 × 16")
        for done in range(WARM + times + 1):
            execute(client, CELL, "second")  # it writes what was there before it showed
            if done in (WARM, WARM + times // 2, WARM + times):
                print(f"  after {done - WARM:4}{kernel(Path(folder))}")
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    with tempfile.TemporaryDirectory() as folder, serve("lab", Path(folder)) as host, browser() as chromium:
        make_grid(31, 16).save(host.folder / "grid.npz")
        page = watch(chromium.new_context(viewport={"width": 1440, "height": 1000})).page
        host.open(page, ["import lenswidget as lw", CELL])
        page.wait_for_selector(READY)
        page.evaluate("window.jupyterapp.commands.execute('notebook:move-cursor-down')")
        print(f"the same, {times // 5} times, in JupyterLab")
        report(page, times // 5, lambda: run_again(page), lambda: kernel(host.folder))
    with tempfile.TemporaryDirectory() as folder, browser() as chromium:
        page = chromium.new_page(viewport={"width": 1440, "height": 1000})
        page.goto(make_grid(31, 16).to_html(Path(folder) / "page.html").as_uri())
        page.wait_for_selector(READY)
        data = json.dumps(
            make_grid(31, 16).to_html(Path(folder) / "other.html").read_text().split('data-lens="')[1].split('"')[0]
        )
        page.evaluate(f"window.message = Uint8Array.from(atob({data}), c => c.charCodeAt(0))")
        print(f"opening and closing a view, {times} times, in a page")
        report(page, times, lambda: open_and_close(page), lambda: "")


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


def kernel(folder: Path) -> str:
    memory, widgets = json.loads((folder / "memory.json").read_text())
    return f"   kernel {memory:7.1f} MB, {widgets} widgets"


def report(page: Page, times: int, act: Callable[[], object], also: Callable[[], str]) -> None:
    session = page.context.new_cdp_session(page)
    for done in range(WARM + times + 1):
        if done in (WARM, WARM + times // 2, WARM + times):
            session.send("HeapProfiler.collectGarbage")
            session.send("HeapProfiler.collectGarbage")
            counts = session.send("Memory.getDOMCounters")
            heap = session.send("Runtime.getHeapUsage")["usedSize"] / 2**20
            left = f"{counts['nodes']} nodes, {counts['jsEventListeners']} listeners"
            print(f"  after {done - WARM:4}   browser {heap:6.1f} MB, {left}{also()}")
        if done < WARM + times:
            act()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
