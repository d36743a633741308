"""python -m lenswidget "The capital of France is" -o paris.html: one prompt through a model, as one page.

`python -m lenswidget build notebooks/*.ipynb -o site/` makes pages of notebooks, and
`python -m lenswidget assignment lesson.ipynb --nbgrader -o course/` an assignment of one.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lenswidget.lenses.read import logit_lens
from lenswidget.model.embedded import EMBEDDED
from lenswidget.model.load import load
from lenswidget.model.run_prompt import run


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, write the page or pages. Returns the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    commands = {"build": _build, "assignment": _assignment}
    command = commands.get(arguments[0]) if arguments else None
    return command(arguments[1:]) if command else _lens(arguments)


def _build(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="lenswidget build",
        description="Make a page of each notebook that needs no kernel and no network, its widgets alive, and an index.",
    )
    parser.add_argument(
        "sources", nargs="+", type=Path, help="notebooks, executed first if they have no outputs, and Markdown files"
    )
    parser.add_argument("--title", default="Lessons", help="the title of the index (Lessons)")
    parser.add_argument("--about", default="", help="a paragraph under the title of the index")
    parser.add_argument(
        "--link", action="append", default=[], metavar="TEXT=ADDRESS", help="a further line of the index"
    )
    parser.add_argument("-o", "--output", type=Path, default=Path("site"), help="the folder to write into (site)")
    options = parser.parse_args(arguments)
    try:
        from lenswidget.lessons.notebook_pages import build
    except ImportError as reason:
        return _needs_more("pages of notebooks", reason)
    try:
        links = dict(link.split("=", 1) for link in options.link)
        for page in build(options.sources, options.output, title=options.title, about=options.about, links=links):
            print(f"Wrote {page}")
    except (OSError, ValueError, RuntimeError) as reason:
        print(f"lenswidget: {reason}", file=sys.stderr)
        return 1
    return 0


def _assignment(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="lenswidget assignment",
        description="Write what nbgrader or Otter makes the students' copies of a lesson from, with solutions and hidden tests.",
    )
    parser.add_argument("notebook", type=Path, help="the notebook of a lesson")
    tool = parser.add_mutually_exclusive_group(required=True)
    tool.add_argument(
        "--nbgrader", dest="tool", action="store_const", const="nbgrader", help="for a course of nbgrader"
    )
    tool.add_argument("--otter", dest="tool", action="store_const", const="otter", help="for otter assign")
    parser.add_argument("--points", type=int, default=1, help="what each exercise gives (1)")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the folder to write into")
    options = parser.parse_args(arguments)
    try:
        from lenswidget.lessons.assignment import write_assignment
    except ImportError as reason:
        return _needs_more("assignments", reason)
    try:
        written = write_assignment(options.notebook, options.output, options.tool, points=options.points)
    except (OSError, ValueError) as reason:
        print(f"lenswidget: {reason}", file=sys.stderr)
        return 1
    go_on = (
        f"cd {options.output} && nbgrader generate_assignment {written.stem}"
        if options.tool == "nbgrader"
        else f"cd {options.output} && otter assign {written.name} dist"
    )
    print(f"Wrote {written}, with the solutions: keep it. Students' copies come from: {go_on}")
    return 0


def _needs_more(what: str, reason: ImportError) -> int:
    print(f"lenswidget: {what} need more packages: pip install 'lenswidget[site]' ({reason})", file=sys.stderr)
    return 1


def _lens(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="lenswidget", description="Write the logit lens of a prompt as one HTML page."
    )
    parser.add_argument("prompt", help="the text to run the model on")
    parser.add_argument("-o", "--output", type=Path, default=Path("lens.html"), help="the page to write (lens.html)")
    parser.add_argument("-m", "--model", default=EMBEDDED, help=f"a model name or folder ({EMBEDDED})")
    parser.add_argument(
        "-t", "--target", action="append", default=[], help="a token to follow through the layers; may be repeated"
    )
    options = parser.parse_args(arguments)
    try:
        grid = logit_lens(run(load(options.model), options.prompt), targets=options.target)
        print(f"{grid!r}\nWrote {grid.to_html(options.output)}")
    except (OSError, ValueError, TypeError) as reason:
        print(f"lenswidget: {reason}", file=sys.stderr)
        return 1
    return 0
