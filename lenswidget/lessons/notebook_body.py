"""The body of a page: an executed notebook as HTML, its widgets as elements that the page's script brings to life.

nbconvert renders prose, code and outputs; here a widget becomes what `view/page.py` writes, formulas become MathML, which
browsers draw by themselves, and terms become links that carry what they mean.
"""

from __future__ import annotations

import ast
import base64
import copy
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape, unescape
from pathlib import Path
from typing import Any

import nbformat
from jinja2 import pass_context
from latex2mathml.converter import convert as mathml
from latex2mathml.exceptions import DenominatorNotFoundError, ExtraLeftOrMissingRightError, NumeratorNotFoundError
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from lenswidget.lessons.exercise import CHECKED
from lenswidget.lessons.printed import WAYS_ON
from lenswidget.lessons.terms import Term, meaning
from lenswidget.view.script import Bundle
from lenswidget.view.script import name as script_name
from lenswidget.view.widget import CHOICES

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
GUESSES = ("choice", "number", "order", "point", "predict")
"""The kinds of parts that ask for a guess."""
ANSWERS = ("tried", "hints", "given_up")
"""What a part keeps of its answers."""


TABLE = re.compile(r'(<div class="output_html[^"]*")(?=>\s*(?:<div>\s*)?(?:<style[^>]*>[^<]*</style>\s*)?<table)')
"""What holds an output that is a table, as pandas writes one."""
WAYS_ON_HERE = '<div data-ways-on=""></div>'
"""Where in a page the ways on come: all its lessons are known only later."""


@dataclass
class Body:
    """A notebook as HTML: its sections, from their places in the page to their titles, and the message of its first figure."""

    html: str = ""
    sections: dict[str, str] = field(default_factory=dict)
    figure: bytes | None = None


def read_notebook(source: Path) -> Any:
    """A notebook with its outputs: one without is run, in its own folder, by the kernel that it names; of Markdown, one cell."""
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


def title_of(notebook: Any, source: Path) -> str:
    lines = [line for cell in notebook.cells if cell.cell_type == "markdown" for line in cell.source.splitlines()]
    return next((line.lstrip("# ") for line in lines if line.startswith("# ")), source.stem)


def teaches(notebook: Any) -> bool:
    """Whether a page of it needs the script of lessons: it has parts, or terms that say what they mean."""
    words = (cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return any("part" in model.get("state", {}) for model in _models(notebook).values()) or any(
        "](glossary.md#" in text or "[[" in text for text in words
    )


def body_of(notebook: Any, source: Path, bundle: Bundle, terms: Mapping[str, Term], lesson: str, address: str) -> Body:
    """A notebook's page without what stands around it, for a page with this script; `lesson` is under what its answers are kept,
    and `address` where the notebook can be run, or "".

    Raises ValueError for a term in double brackets that isn't among `terms`, with those that are like it.
    """
    notebook = copy.deepcopy(notebook)
    models = _models(notebook)
    # those that are shown: a quiz leaves its questions behind
    shown = [out.get("data", {}).get(VIEW, {}) for cell in notebook.cells for out in cell.get("outputs", [])]
    states = [models.get(one.get("model_id"), {}).get("state", {}) for one in shown]
    guesses = sum(state.get("part", {}).get("kind") in GUESSES for state in states)
    made = _Made(models, bundle, lesson, address, guesses)
    notebook.metadata.pop("widgets", None)  # or it would be written into the page a second time
    # what only serves whoever runs the notebook, as Jupyter Book names it
    notebook.cells = [cell for cell in notebook.cells if "remove-cell" not in cell.metadata.get("tags", [])]
    for cell in notebook.cells:
        if "outputs" in cell:
            outputs, still = [], ""
            for output, after in zip(cell.outputs, [*cell.outputs[1:], {}]):
                if set(output.get("data", {})) == {"image/png"} and made.widget(after):
                    still = output["data"]["image/png"]  # for readers without scripts alone
                elif _prepare(output, made, still):
                    outputs.append(output)
                    still = ""
            cell.outputs = outputs
            folded = cell.metadata.get("jupyter", {}).get("source_hidden", False)  # as JupyterLab keeps it
            cell.source = "" if folded else without_questions(cell.source)
            cell.metadata["transient"] = {"remove_source": not cell.source.strip()}  # as nbconvert names it
    notebook.cells = [cell for cell in notebook.cells if cell.source.strip() or cell.get("outputs")]
    resources = {"metadata": {"path": str(source.parent)}}
    try:
        html, _ = _Exporter(terms, template_name="basic").from_notebook_node(notebook, resources)
    except ValueError as reason:
        raise ValueError(f"{os.fspath(source)}: {reason}") from reason
    # what is too wide is scrolled by keys, too
    focusable = TABLE.sub(r'\1 tabindex="0"', str(html)).replace("<pre>", '<pre tabindex="0">')
    made.body.html = focusable.replace("<th></th>", "<td></td>")
    heads = re.findall(r'<h2 id="([^"]+)">(.*?)</h2>', made.body.html, re.DOTALL)
    sections = {place: re.sub(r'<a class="anchor-link".*?</a>|<[^>]+>', "", text).strip() for place, text in heads}
    made.body.sections = {unescape(place): unescape(text) for place, text in sections.items()}
    return made.body


def without_questions(code: str) -> str:
    """A cell's code as a reader of a page may see it: without the questions that it asks, whose answers stand in it, and without
    the lines in which a reader with a kernel answers."""
    try:
        statements = ast.parse(code).body
    except SyntaxError:
        return code  # IPython's own lines
    lines = code.splitlines()
    for statement in statements:
        if _asks(statement):
            for at in range(statement.lineno - 1, statement.end_lineno or statement.lineno):
                lines[at] = ""
    return "\n".join(lines).strip("\n") if len(statements) else code


def _asks(statement: ast.stmt) -> bool:
    """Whether a statement only asks: it makes a part, shows what a lesson has, or waits for an answer."""
    value = statement.value if isinstance(statement, ast.Expr | ast.Assign) else None
    if isinstance(value, ast.Constant):
        return value.value is ...
    if isinstance(value, ast.Name) and isinstance(statement, ast.Expr):
        return value.id == "lesson"
    asked = ast.unparse(value.func if isinstance(value, ast.Call) else value) if value else ""
    return re.fullmatch(r"(?:lw\.)?lessons\.[A-Z]\w+|lesson\.(?:exercise|check|quiz|next)", asked) is not None


def _models(notebook: Any) -> dict[str, Any]:
    models: dict[str, Any] = notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    return models


def _prepare(output: Any, made: _Made, still: str) -> bool:
    """Make an output what a reader of the page should see, `still` in place of a widget without scripts; False where that is
    nothing."""
    data = output.get("data", {})
    if CHECKED in data:
        return data[CHECKED]["right"] is not None  # nobody answers in a page
    if WAYS_ON in data:
        read_on = data[WAYS_ON]["read_on"]
        more = f"\n\n### Read on\n\n{read_on}" if read_on else ""
        output["data"] = {"text/markdown": f"{WAYS_ON_HERE}{more}"}
    elif VIEW in data:
        alive = made.widget(output, still)
        if alive:
            output["data"] = {"text/html": alive}
        elif not data.keys() - {VIEW, "text/plain"}:
            return False  # a progress bar, or another widget that left no picture
        data.pop(VIEW)
    return not (output.output_type == "stream" and output.name == "stderr")


class _Made:
    """The elements that a page's script turns into living views."""

    def __init__(self, models: dict[str, Any], bundle: Bundle, lesson: str, notebook: str, guesses: int) -> None:
        self.notebook = notebook
        self.guesses = guesses
        self.models = models
        self.bundle = bundle
        self.lesson = lesson
        self.body = Body()

    def widget(self, output: Any, still: str = "") -> str | None:
        data = output.get("data", {})
        said = escape(data.get("text/plain", ""))
        picture = f'<img alt="{said}" src="data:image/png;base64,{escape(still)}">' if still else ""
        return self._alive(data.get(VIEW, {}).get("model_id"), picture, said)

    def _alive(self, name: str | None, picture: str, said: str) -> str | None:
        model = self.models.get(name or "", {})
        state = model.get("state", {})
        if model.get("model_name") in ("HBoxModel", "VBoxModel"):
            children = (child.removeprefix("IPY_MODEL_") for child in state.get("children", []))
            return "".join(filter(None, (self._alive(child, "", "") for child in children))) or None
        message = next((one["data"] for one in model.get("buffers", []) if one["path"] == ["grids"]), "")
        if message and self.body.figure is None:
            self.body.figure = base64.b64decode(message)
        by = f'data-lens="{escape(message)}" data-lens-by="{script_name(self.bundle)}"'
        if "part" in state:
            return self._part(state, by, picture or f'<p class="plain">{said}</p>')
        if not message:
            return None
        settings = json.dumps({name: state[name] for name in CHOICES if name in state})
        return f'<div {by} data-lens-settings="{escape(settings)}">{picture}</div>'

    def _part(self, state: dict[str, Any], by: str, inside: str) -> str:
        part = {**state["part"], "lesson": state["part"].get("lesson") or self.lesson}
        kept = {name: state[name] for name in ANSWERS if state.get(name)}
        if part.get("kind") == "exercise":
            part["notebook"] = self.notebook
        if part.get("kind") == "lesson":
            part["guesses"] = self.guesses
        place = ' id="quiz"' if part.get("kind") == "quiz" else ""
        said = json.dumps({"part": part, "state": kept} if kept else {"part": part})
        return f'<div{place} {by} data-lens-part="{escape(said)}">{inside}</div>'


class _Prose(IPythonRenderer):
    """Formulas as MathML, and a number on one line with its percent sign."""

    def text(self, text: str) -> str:
        return super().text(re.sub(r"(?<=\d) (?=%)", "\N{NO-BREAK SPACE}", text))

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
    def __init__(self, terms: Mapping[str, Term], **settings: Any) -> None:
        self._terms = terms
        super().__init__(**settings)  # type: ignore[no-untyped-call]

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        cell = context.get("cell", {})
        path = context.get("resources", {}).get("metadata", {}).get("path", "")
        renderer = _Prose(escape=False, attachments=cell.get("attachments", {}), embed_images=True, path=path)
        return with_terms(str(MarkdownWithMath(renderer=renderer).render(source)), self._terms)


def with_terms(html: str, terms: Mapping[str, Term]) -> str:
    """Links to terms with what they mean: those to `glossary.md`, and `[[term]]` or `[[term|as it reads]]` outside code."""
    anchors = {term.anchor: term for term in terms.values()}

    def linked(found: re.Match[str]) -> str:
        term = anchors.get(unescape(found[1]).lower())
        return _link(term) if term else found[0]

    def bracketed(found: re.Match[str]) -> str:
        term, _, shown = unescape(found[1]).partition("|")
        return f"<a {_link(meaning(term, terms))}>{escape(shown or term, quote=False)}</a>"

    html = re.sub(r'href="glossary\.md#([^"]+)"', linked, html)
    pieces = re.split(r"(<pre\b.*?</pre>|<code\b.*?</code>|<[^>]+>)", html, flags=re.DOTALL)
    pieces[::2] = [re.sub(r"\[\[([^\[\]]+)\]\]", bracketed, words) for words in pieces[::2]]
    return "".join(pieces)


def _link(term: Term) -> str:
    place = term.term.replace(" ", "-")  # what nbconvert calls the heading
    return f'href="glossary.html#{escape(place)}" data-lens-term="{escape(term.says)}"'
