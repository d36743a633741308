"""Lesson pages: an executed notebook as one HTML file that needs no kernel and no network, its widgets alive.

nbconvert renders prose, code and outputs; here a widget becomes the same view that `page.py` writes, the script comes
once a page, and formulas become MathML, which browsers draw by themselves.
"""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nbformat
from jinja2 import pass_context
from latex2mathml.converter import convert as mathml
from latex2mathml.exceptions import DenominatorNotFoundError, ExtraLeftOrMissingRightError, NumeratorNotFoundError
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments.formatters import HtmlFormatter

from lenswidget.grids.whole_file import write_whole
from lenswidget.lessons.part import STATE as ANSWERED
from lenswidget.view.picture.colors import Theme, colors
from lenswidget.view.script import Bundle, code, element, fill, packed, policy, style
from lenswidget.view.script import name as script_name
from lenswidget.view.widget import CHOICES

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{navigation}
<main>
{body}
</main>
{script}
</body>
</html>
"""


def build(
    sources: Iterable[str | os.PathLike[str]],
    folder: str | os.PathLike[str],
    *,
    title: str = "Lessons",
    links: Mapping[str, str] | None = None,
) -> list[Path]:
    """Write a page for each notebook and Markdown file, and an `index.html` that lists them. Returns them, the index last.

    A notebook without outputs is executed first, in its own folder, by the kernel that it names. `title` is the index's;
    `links` are further lines of it, from text to address.

    Raises ValueError for a file that is no notebook, with its name, and `nbclient.exceptions.CellExecutionError` where a
    cell fails.
    """
    paths = [Path(source) for source in sources]
    names = [path.stem for path in paths]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice or "index" in names:
        raise ValueError(f"Two pages would be called {twice or 'index'}.html; rename one of the notebooks.")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    lessons = [(path, _executed(path)) for path in paths]
    titles = {source.stem: _title(notebook, source) for source, notebook in lessons}
    pages = [
        _write(
            folder / f"{source.stem}.html",
            titles[source.stem],
            _linked(_body(notebook, source), paths),
            _navigation(titles, source.stem),
        )
        for source, notebook in lessons
    ]
    index = [*((text, _address(name)) for name, text in titles.items()), *(links or {}).items()]
    listed = "".join(f'<li><a href="{escape(address)}">{escape(text)}</a></li>' for text, address in index)
    return [*pages, _write(folder / "index.html", title, f"<h1>{escape(title)}</h1><ol>{listed}</ol>", "")]


def _executed(source: Path) -> Any:
    if source.suffix == ".md":
        return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(source.read_text(encoding="utf-8"))])
    try:
        notebook = nbformat.read(source, as_version=4)
    except (ValueError, KeyError, AttributeError, nbformat.reader.NotJSONError) as reason:
        raise ValueError(f"{os.fspath(source)!r} is not a notebook ({reason}).") from reason
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    if code and not any(cell.outputs for cell in code):
        from nbclient import NotebookClient

        NotebookClient(notebook, timeout=None, resources={"metadata": {"path": str(source.parent)}}).execute()
    return notebook


def _title(notebook: Any, source: Path) -> str:
    lines = [line for cell in notebook.cells if cell.cell_type == "markdown" for line in cell.source.splitlines()]
    return next((line.lstrip("# ") for line in lines if line.startswith("# ")), source.stem)


def _body(notebook: Any, source: Path) -> str:
    notebook = copy.deepcopy(notebook)
    models = notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    notebook.metadata.pop("widgets", None)  # or it would be written into the page a second time
    # what only serves whoever runs the notebook, as Jupyter Book names it
    notebook.cells = [cell for cell in notebook.cells if "remove-cell" not in cell.metadata.get("tags", [])]
    for cell in notebook.cells:
        if "outputs" in cell:
            outputs, still = [], ""
            for output, after in zip(cell.outputs, [*cell.outputs[1:], {}]):
                if _is_picture(output) and _widget(after, models):
                    still = output["data"]["image/png"]  # for readers without scripts alone
                elif _prepare(output, models, still):
                    outputs.append(output)
                    still = ""
            cell.outputs = outputs
    resources = {"metadata": {"path": str(source.parent)}}
    body, _ = _Exporter(template_name="basic").from_notebook_node(notebook, resources)  # type: ignore[no-untyped-call]
    return str(body)


def _linked(body: str, sources: list[Path]) -> str:
    """Links to the files that are pages here, leading to the pages."""
    for source in sources:
        body = re.sub(rf'href="{re.escape(escape(source.name))}(?=["#])', f'href="{escape(source.stem)}.html', body)
    return body


def _prepare(output: Any, models: dict[str, Any], still: str) -> bool:
    """Make an output what a reader of the page should see, `still` in place of a widget without scripts; False where that is
    nothing."""
    data = output.get("data", {})
    if VIEW in data:
        alive = _widget(output, models, still)
        if alive:
            output["data"] = {"text/html": alive}
        elif not data.keys() - {VIEW, "text/plain"}:
            return False  # a progress bar, or another widget that left no picture
        data.pop(VIEW)
    return not (output.output_type == "stream" and output.name == "stderr")


def _is_picture(output: Any) -> bool:
    return set(output.get("data", {})) == {"image/png"}


def _widget(output: Any, models: dict[str, Any], still: str = "") -> str | None:
    data = output.get("data", {})
    said = escape(data.get("text/plain", ""))
    inside = f'<img alt="{said}" src="data:image/png;base64,{escape(still)}">' if still else ""
    return _alive(models, data.get(VIEW, {}).get("model_id"), inside, said)


def _alive(models: dict[str, Any], name: str | None, inside: str = "", said: str = "") -> str | None:
    """The element that the page's script turns into a living view, for a widget of ours."""
    model = models.get(name or "", {})
    state = model.get("state", {})
    if model.get("model_name") in ("HBoxModel", "VBoxModel"):
        children = [_alive(models, child.removeprefix("IPY_MODEL_")) for child in state.get("children", [])]
        return "".join(filter(None, children)) or None
    message = next((buffer for buffer in model.get("buffers", []) if buffer["path"] == ["grids"]), None)
    if "part" in state:
        return _part(state, message["data"] if message else "", said)
    if message is None:
        return None
    settings = json.dumps({name: state[name] for name in CHOICES if name in state})
    by = f'data-lens-by="{script_name(_bundle(models))}" data-lens-settings="{escape(settings)}"'
    return f'<div data-lens="{escape(message["data"])}" {by}>{inside}</div>'


def _part(state: dict[str, Any], message: str, said: str) -> str:
    """The element that the page's script turns into a part of a lesson; without scripts, what it asks."""
    asked = json.dumps({"part": state["part"], "state": {name: state[name] for name in ANSWERED if name in state}})
    lines = "".join(f"<p>{line}</p>" for line in said.splitlines())
    by = f'data-lens-by="{script_name("lessons")}" data-lens-part="{escape(asked)}"'
    return f'<div data-lens="{escape(message)}" {by}>{lines}</div>'


def _bundle(models: dict[str, Any]) -> Bundle:
    """Which script a page needs."""
    return "lessons" if any("part" in model.get("state", {}) for model in models.values()) else "widget"


class _Math(IPythonRenderer):
    """Formulas as MathML."""

    def block_math(self, body: str) -> str:
        return _formula(body, "block")

    def latex_environment(self, name: str, body: str) -> str:
        return _formula(rf"\begin{{{name}}}{body}\end{{{name}}}", "block")

    def inline_math(self, body: str) -> str:
        return _formula(body, "inline")


def _formula(latex: str, display: str) -> str:
    try:
        return str(mathml(latex.strip(), display=display))
    except (DenominatorNotFoundError, ExtraLeftOrMissingRightError, NumeratorNotFoundError, IndexError):
        return f"<code>{escape(latex)}</code>"  # what can't be typeset can be read


class _Exporter(HTMLExporter):
    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        cell = context.get("cell", {})
        path = context.get("resources", {}).get("metadata", {}).get("path", "")
        renderer = _Math(escape=False, attachments=cell.get("attachments", {}), embed_images=True, path=path)
        return str(MarkdownWithMath(renderer=renderer).render(source))


def _navigation(titles: dict[str, str], here: str) -> str:
    links = [
        f"<b>{escape(title)}</b>" if name == here else f'<a href="{_address(name)}">{escape(title)}</a>'
        for name, title in titles.items()
    ]
    return f'<nav><a href="index.html">All</a> {" ".join(links)}</nav>' if len(titles) > 1 else ""


def _address(name: str) -> str:
    """A page's, in the folder that all of them are in: a name may hold what an address reads otherwise."""
    return f"./{quote(name)}.html"


def _write(path: Path, title: str, body: str, navigation: str) -> Path:
    bundle: Bundle = "lessons" if f'data-lens-by="{script_name("lessons")}"' in body else "widget"
    alive = "data-lens=" in body
    page = fill(
        PAGE,
        title=escape(title),
        policy=policy(bundle),
        style=PROSE + _code_colors() + (style(bundle) if alive else ""),
        navigation=navigation,
        body=body,
        script=element(packed(code(bundle)), bundle) if alive else "",
    )
    return write_whole(path, lambda stream: stream.write(page.encode("utf-8", "backslashreplace")))


def _code_colors() -> str:
    light = HtmlFormatter(style="default").get_style_defs(".highlight")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".highlight")
    return f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n.highlight {{ background: none; }}\n"


def _colors(theme: Theme) -> str:
    """The colors of the words around a figure are those of the figure."""
    names = {"ink": "ink", "faint": "muted", "line": "line", "code": "excluded", "link": "focus", "page": "page"}
    named = colors(theme)
    return f":root {{ {' '.join(f'--{name}: {named[color]};' for name, color in names.items())} }}"


PROSE = (
    f"\n{_colors('light')}\n@media (prefers-color-scheme: dark) {{\n  {_colors('dark')}"
    + """
}
html { background: var(--page); color: var(--ink); font: 17px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
body { margin: 0 auto; padding: 24px 16px 96px; max-width: 1120px; }
.cell { margin: 1em 0; }
nav { display: flex; flex-wrap: wrap; gap: 4px 20px; font-size: 14px; color: var(--faint); }
a { color: var(--link); }
h1, h2, h3 { line-height: 1.25; margin: 1.6em 0 0.5em; text-wrap: balance; }
h1 { font-size: 2rem; }
p, ul, ol, blockquote { max-width: 70ch; }
img { max-width: 100%; height: auto; }
code, pre { font: 0.85em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
:not(pre) > code { background: var(--code); border-radius: 4px; padding: 1px 4px; }
pre { background: var(--code); border-radius: 6px; margin: 0; overflow-x: auto; padding: 10px 14px; }
.highlight pre { background: var(--code); }
.anchor-link, .prompt { display: none; }
table { border-collapse: collapse; font-size: 0.85em; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid var(--line); padding: 3px 12px 3px 0; text-align: left; }
.output_subarea { margin: 8px 0; overflow-x: auto; }
math { font-size: 1.05em; }
"""
)
