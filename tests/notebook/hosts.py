"""Real notebook hosts on loopback, and a real browser that may go nowhere else."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

LOCAL = ("http://127.0.0.1", "ws://127.0.0.1", "blob:", "data:", "file:", "about:")
CHROMIUM_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
# Notebook 7.6 logs this one by itself on an empty notebook too
HOSTS_OWN_ERRORS = ("reading 'schema'",)


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """The machine's Chromium where it has one, Playwright's own elsewhere."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()


@dataclass
class Watched:
    """A page, with what it asked of the world outside and what went wrong in it."""

    page: Page
    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def watch(context: BrowserContext) -> Watched:
    """A new page; every request that isn't local is refused and noted."""
    watched = Watched(context.new_page())

    def guard(route: Route) -> None:
        if route.request.url.startswith(LOCAL):
            route.continue_()
        else:
            watched.outside.append(route.request.url)
            route.abort()

    context.route("**/*", guard)
    watched.page.on(
        "pageerror", lambda e: None if any(own in str(e) for own in HOSTS_OWN_ERRORS) else watched.errors.append(str(e))
    )
    return watched


@dataclass(frozen=True)
class Host:
    """A running JupyterLab or Notebook."""

    name: str
    url: str
    folder: Path

    def open(self, page: Page, cells: list[str], *, wait: bool = True) -> Path:
        """Write a notebook, open it and run all its cells. Returns its file: a new one each time, with a kernel of its own."""
        name = f"{uuid.uuid4().hex[:8]}.ipynb"
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, self.folder / name)
        self.visit(page, name)
        self.run_all(page, wait=wait)
        return self.folder / name

    def visit(self, page: Page, name: str) -> None:
        """Open a notebook that is there, and wait for its kernel."""
        path = "lab/tree" if self.name == "lab" else "notebooks"
        page.goto(f"{self.url}/{path}/{name}?reset" if self.name == "lab" else f"{self.url}/{path}/{name}")
        page.wait_for_function(
            "() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'",
            timeout=60_000,
        )

    def run_all(self, page: Page, *, wait: bool = True) -> None:
        """Run every cell, as the menu does, and wait until all have run."""
        run = "window.jupyterapp.commands.execute('notebook:run-all-cells')"
        page.evaluate(run if wait else f"void {run}")

    def save(self, page: Page) -> None:
        """Save the notebook, and wait until it is."""
        page.evaluate("window.jupyterapp.shell.currentWidget.context.save()")


@contextlib.contextmanager
def serve(name: str, folder: Path) -> Iterator[Host]:
    """A notebook host ("lab" or "notebook"), ready for `Host.open`."""
    app = {"lab": ["jupyterlab", "--LabApp.expose_app_in_browser=True"],
           "notebook": ["notebook", "--JupyterNotebookApp.expose_app_in_browser=True"]}[name]  # fmt: skip
    flags = ["--ip=127.0.0.1", "--allow-root", "--IdentityProvider.token=", "--ServerApp.password="]
    command = [*app, "--no-browser", *flags, "--ServerApp.port_retries=0", f"--ServerApp.root_dir={folder / 'work'}"]
    with started(command, folder, "/api") as url:
        yield Host(name, url, folder / "work")


@contextlib.contextmanager
def started(command: list[str], folder: Path, ready: str = "/") -> Iterator[str]:
    """A Python module that serves on a free port, in `folder/work`, ended with its whole process group. Gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    work = folder / "work"
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "XDG_CONFIG_HOME")
    settings = {n: str(folder / n.lower()) for n in names}
    for path in (work, *map(Path, settings.values()), Path(settings["JUPYTER_CONFIG_DIR"]) / "labconfig"):
        path.mkdir(parents=True, exist_ok=True)
    # no toast over what is being looked at
    (Path(settings["JUPYTER_CONFIG_DIR"]) / "labconfig/page_config.json").write_text(
        '{"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": true}}'
    )
    url = f"http://127.0.0.1:{port}"
    log = folder / "server.log"
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, **settings, "PYTHONPATH": root}
    whole = [sys.executable, "-m", *command, f"--port={port}"]
    with log.open("w") as out:
        server = subprocess.Popen(whole, cwd=work, stdout=out, stderr=out, env=environment, start_new_session=True)
        try:
            _wait_for(f"{url}{ready}", server, log)
            yield url
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGTERM)
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path, patience: float = 90) -> None:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(url, timeout=2):
            return
        time.sleep(0.1)
    raise RuntimeError(f"The notebook server did not answer at {url}; its log ends with:\n{log.read_text()[-2000:]}")
