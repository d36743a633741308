"""Where notebooks are read rather than run: saved, converted, served, embedded, framed. Nothing is asked of the world outside."""

from __future__ import annotations

import base64
import json
import re
import zlib
from pathlib import Path
from typing import Any

import anywidget
import nbformat
import pytest
from ipywidgets.embed import dependency_state, embed_minimal_html
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from nbformat.sign import NotebookNotary
from playwright.sync_api import Browser, FrameLocator, Page, Route, expect

import lenswidget as lw
from lenswidget.view.script import code, packed
from lenswidget.view.wire import VERSION
from tests.grids import hostile_grid, make_grid
from tests.notebook.hosts import Host, Watched, started, watch
from tests.notebook.markup import LISTEN, made_in

READY = "[data-state=ready]"
HEATMAP = "[role=application]"
STILL = 'img[src^="data:image/png"]'
MODULES = Path(__file__).parents[2] / "js/node_modules"
# what nbconvert and ipywidgets fetch from the web for any widget, answered from the packages' own files
WEB = {
    r"/require(\.min)?\.js$": MODULES / "requirejs/require.js",
    r"/html-manager@.*/embed-amd\.js$": MODULES / "@jupyter-widgets/html-manager/dist/embed-amd.js",
    r"/anywidget@.*/index\.js$": Path(anywidget.__file__).parent / "nbextension/index.js",
}


def answer(page: Page) -> None:
    """Answer the requests for html-manager, require.js and anywidget, and no others."""

    def fulfil(route: Route) -> None:
        for pattern, path in WEB.items():
            if re.search(pattern, route.request.url):
                return route.fulfill(
                    path=path, content_type="text/javascript", headers={"access-control-allow-origin": "*"}
                )
        return route.fallback()

    page.context.route("**/*", fulfil)


def written(html: str, path: Path) -> str:
    """Put a page into a file. Its scripts' checksums are those of the web's minified files, not of the packages' own."""
    path.write_text(re.sub(r'\s(integrity|crossorigin)="[^"]*"', "", html))
    return path.as_uri()


def executed(folder: Path, cells: list[str]) -> str:
    """A notebook of these cells, run from top to bottom as `jupyter execute` does."""
    make_grid(9, 6).save(folder / "grid.npz")
    first = "import lenswidget as lw\ngrid = lw.Grid.load('grid.npz')"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in [first, *cells]])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    NotebookClient(notebook, resources={"metadata": {"path": str(folder)}}).execute()
    return nbformat.writes(notebook)


def use(page: Page) -> None:
    """Do what needs a living view: move to a cell, hold its card, pin its first token."""
    heatmap = page.locator(HEATMAP).first
    heatmap.focus()
    for key in ("ArrowUp", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    expect(page.locator(".lw-card").first).to_contain_text(re.compile(r"\bL\d"))
    chips = page.locator(".lw-chip button").count()
    page.locator(".lw-held button").nth(1).click()
    expect(page.locator(".lw-chip button")).to_have_count(chips + 1)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> str:
    return executed(tmp_path_factory.mktemp("saved"), ["grid", "lw.LensWidget(grid, color='entropy')"])


def test_a_notebook_stores_the_script_once(saved: str) -> None:
    assert saved.count(packed(code())) == 1
    states = nbformat.reads(saved, 4).metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"].values()
    widgets = [one["state"] for one in states if one["model_module"] == "anywidget"]
    assert len(widgets) == 2
    assert all(len(widget["_esm"]) < 2_000 and not widget["_css"] for widget in widgets)


def test_converted_to_html_every_widget_is_alive(saved: str, watched: Watched, tmp_path: Path) -> None:
    page = watched.page
    html, _ = HTMLExporter(mathjax_url="").from_notebook_node(nbformat.reads(saved, 4))
    answer(page)
    page.goto(written(html, tmp_path / "page.html"))
    expect(page.locator(READY)).to_have_count(2)
    expect(page.locator(STILL).first).to_be_hidden()
    expect(page.locator("label:has-text('color') select").nth(1)).to_have_value("entropy")
    use(page)
    watched.outside[:] = [url for url in watched.outside if "mathjax" not in url.lower() and url]


def test_converted_without_state_the_picture_shows(saved: str, watched: Watched, tmp_path: Path) -> None:
    bare = nbformat.reads(saved, 4)
    del bare.metadata["widgets"]
    html, _ = HTMLExporter(mathjax_url="").from_notebook_node(bare)
    answer(watched.page)
    watched.page.goto(written(html, tmp_path / "page.html"))
    expect(watched.page.locator(STILL)).to_have_count(2)
    expect(watched.page.locator(STILL).first).to_be_visible()


@pytest.mark.parametrize("state", [True, False], ids=["with state", "without state"])
@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "untrusted"])
def test_opened_again_it_is_alive_or_a_picture(
    host: Host, watched: Watched, saved: str, state: bool, trusted: bool
) -> None:
    notebook = nbformat.reads(saved, 4)
    if not state:
        del notebook.metadata["widgets"]
    if trusted:
        NotebookNotary(data_dir=str(host.folder.parent / "jupyter_data_dir")).sign(notebook)
    else:  # it is the content that is trusted, whatever the file: another has been signed here before
        notebook.cells.append(nbformat.v4.new_markdown_cell("changed"))
    name = f"again-{state}-{trusted}.ipynb"
    nbformat.write(notebook, host.folder / name)
    page = watched.page
    host.visit(page, name)
    if state and trusted:
        expect(page.locator(READY)).to_have_count(2)
        expect(page.locator(STILL).first).to_be_hidden()
        use(page)
    else:
        expect(page.locator(STILL).first).to_be_visible()
        page.wait_for_timeout(1_000)  # nor does it come alive later
        assert page.locator(READY).count() == 0


def test_what_a_host_saved_is_alive_while_its_kernel_lives_and_a_picture_to_whoever_does_not_trust_it(
    host: Host, watched: Watched
) -> None:
    page = watched.page
    make_grid(9, 6).save(host.folder / "grid.npz")
    notebook = host.open(page, ["import lenswidget as lw\ngrid = lw.Grid.load('grid.npz')\ngrid", "grid"])
    expect(page.locator(READY)).to_have_count(2)
    host.save(page)
    host.visit(page, notebook.name)
    expect(page.locator(READY)).to_have_count(2)

    saved = json.loads(notebook.read_text())
    # what was changed since it was signed, Jupyter does not trust
    saved["cells"].append({"cell_type": "markdown", "id": "more", "metadata": {}, "source": "changed"})
    (host.folder / "reader.ipynb").write_text(json.dumps(saved))
    host.visit(page, "reader.ipynb")
    expect(page.locator(STILL).first).to_be_visible()


@pytest.mark.host
def test_voila_serves_it_alive(watched: Watched, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    make_grid(9, 6).save(work / "grid.npz")
    cells = [nbformat.v4.new_code_cell("import lenswidget as lw\nlw.Grid.load('grid.npz')")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, work / "page.ipynb")
    with started(["voila", "page.ipynb", "--no-browser", "--Voila.ip=127.0.0.1"], tmp_path) as url:
        watched.page.goto(url)
        expect(watched.page.locator(READY)).to_have_count(1, timeout=60_000)
        expect(watched.page.locator(STILL)).to_be_hidden()
        use(watched.page)
    # Voila's own template asks for its icons
    watched.outside[:] = [
        url for url in watched.outside if "fontawesome" not in url and not url.endswith("v4-shims.min.css")
    ]


APP = """import marimo
app = marimo.App()

@app.cell
def _():
    import lenswidget as lw
    grid = lw.Grid.load("grid.npz")
    w = lw.LensWidget(grid, color="entropy")
    return grid, w

@app.cell
def _(grid):
    grid
    return

@app.cell
def _(w):
    w
    return
"""


@pytest.mark.host
@pytest.mark.parametrize("mode", ["run", "edit"])
def test_marimo_shows_it_alive(watched: Watched, tmp_path: Path, mode: str) -> None:
    work = tmp_path / "work"
    work.mkdir()
    make_grid(9, 6).save(work / "grid.npz")
    (work / "app.py").write_text(APP)
    (work / "pyproject.toml").write_text("[tool.marimo.runtime]\nauto_instantiate = true\n")  # runs when it is opened
    with started(["marimo", mode, "app.py", "--headless", "--no-token", "--host=127.0.0.1"], tmp_path) as url:
        page = watched.page
        page.goto(url)
        expect(page.locator(READY)).to_have_count(2, timeout=60_000)
        expect(page.locator("label:has-text('color') select").nth(1)).to_have_value("entropy")
        use(page)
        page.goto("about:blank")  # its page complains where its server goes first
    watched.errors[:] = [error for error in watched.errors if "WebSocket" not in error]


FRAME = (Path(__file__).parent / "colab.html").read_text()
BROWSERS = {"this browser": "", "no DecompressionStream": "delete window.DecompressionStream;"}


def frames(page: Page, states: list[dict[str, Any]]) -> list[FrameLocator]:
    """A page of frames as Colab has one for each cell: another origin, a sandbox, and a manager of its own."""
    pages = {"https://colab.test/": ""}
    for i, state in enumerate(states):
        pages[f"https://cell{i}.test/"] = FRAME.replace("STATE", json.dumps(state).replace("<", "\\u003c"))
        pages["https://colab.test/"] += (
            f'<iframe sandbox="allow-scripts" width=1200 height=700 src="https://cell{i}.test/"></iframe>'
        )

    def fulfil(route: Route) -> None:
        if route.request.url in pages:
            route.fulfill(body=pages[route.request.url], content_type="text/html")
        elif route.request.url.endswith(".test/anywidget.js"):
            route.fulfill(path=WEB[r"/anywidget@.*/index\.js$"], content_type="text/javascript")
        else:
            route.fallback()

    page.context.route("**/*", fulfil)
    page.goto("https://colab.test/")
    return [page.frame_locator("iframe").nth(i) for i in range(len(states))]


def state_of(widget: lw.LensWidget) -> dict[str, Any]:
    """What a notebook saves of a widget, and which of its models is the one to show."""
    return {"all": dependency_state([widget], drop_defaults=False), "show": widget.model_id}


@pytest.mark.parametrize("lacks", BROWSERS)
def test_a_frame_like_colabs_each_with_a_manager_of_its_own(chromium: Browser, lacks: str) -> None:
    context = chromium.new_context(viewport={"width": 1300, "height": 900})
    context.add_init_script(BROWSERS[lacks])
    watched = watch(context)
    widgets = [lw.LensWidget(make_grid(9, 6)), lw.LensWidget(make_grid(9, 6), color="entropy")]
    for frame in frames(watched.page, [state_of(widget) for widget in widgets]):
        if lacks in ("this browser",):
            expect(frame.locator(READY)).to_have_count(1)
            height = frame.locator("html").evaluate("html => html.scrollHeight")
            watched.page.wait_for_timeout(300)
            assert frame.locator("html").evaluate("html => html.scrollHeight") == height  # it doesn't creep
        else:
            expect(frame.get_by_role("alert")).to_contain_text("try a newer browser")
    assert (watched.outside, watched.errors) == ([], [])
    context.close()


def test_state_that_is_newer_damaged_or_edited_is_a_sentence_in_its_place(watched: Watched) -> None:
    widget = lw.LensWidget(make_grid(9, 6))
    plain = zlib.decompress(widget.grids)
    newer = zlib.compress(plain.replace(b'"version":%d' % VERSION, b'"version":9', 1))
    code = widget.script.code

    def edited(message: bytes = widget.grids, **script: str) -> dict[str, Any]:
        state = state_of(widget)
        ours, shared = (state["all"][one.model_id] for one in (widget, widget.script))
        ours["buffers"][0]["data"] = base64.b64encode(message).decode()
        ours["state"] |= {"color": "<img src=x onerror=alert(1)>", "stride": -1, "pins": "all", "selected": ["x"]}
        shared["state"] |= script
        return state

    without = edited()
    del without["all"][widget.script.model_id]
    wanted = [
        (edited(), ""),  # the first, as a browser paints no frame of another origin that is out of sight
        (edited(newer), "made by another version of lenswidget (data version 9; this one reads"),
        (edited(widget.grids[: len(widget.grids) // 2]), "data is damaged or cut short. Run the cell again."),
        (edited(b""), "data is damaged or cut short. Run the cell again."),
        (edited(code=code[: len(code) // 2]), "can't open its script here"),
        (edited(code="alert(1)"), "can't open its script here"),
        (without, "can't open its script here"),
    ]
    for frame, (_, says) in zip(frames(watched.page, [state for state, _ in wanted]), wanted):
        if says:
            expect(frame.get_by_role("alert")).to_contain_text(says)
        else:
            expect(frame.locator(READY)).to_have_count(1)


def test_hostile_texts_are_only_text_in_a_converted_notebook(watched: Watched, tmp_path: Path) -> None:
    widgets = [lw.LensWidget(grid, color=list(grid.quantities)[2]) for grid in map(hostile_grid, (0, 48))]
    outputs = [nbformat.v4.new_output("display_data", data=widget._repr_mimebundle_()[0]) for widget in widgets]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("grid", outputs=outputs)])
    state = dependency_state(widgets, drop_defaults=False)
    kept = {"version_major": 2, "version_minor": 0, "state": state}
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": kept}
    page = watched.page
    page.add_init_script(LISTEN)
    answer(page)
    for alive in (True, False):
        if not alive:
            del notebook.metadata["widgets"]
        html, _ = HTMLExporter(mathjax_url="").from_notebook_node(notebook)
        page.goto(written(html, tmp_path / "page.html"))
        expect(page.locator(READY)).to_have_count(2 if alive else 0)
        expect(page.locator(STILL).first).to_be_visible(visible=not alive)
        made_in(page)
        assert page.locator("[onerror], [onload], [onfocus], [autofocus], a[href^='javascript']").count() == 0
    watched.outside[:] = [url for url in watched.outside if "mathjax" not in url.lower() and url]


def test_ipywidgets_own_embedding_keeps_it_alive(watched: Watched, tmp_path: Path) -> None:
    """With its defaults, which leave out every trait that was not set."""
    embed_minimal_html(tmp_path / "page.html", views=[lw.LensWidget(make_grid(9, 6))])
    answer(watched.page)
    watched.page.goto(written((tmp_path / "page.html").read_text(), tmp_path / "page.html"))
    expect(watched.page.locator(READY)).to_have_count(1)
    use(watched.page)
